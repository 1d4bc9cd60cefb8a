// The answer in a text of any form, for texts whose form nobody prescribed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "answers/compare.h"

namespace autodidact::answers {

struct StatedAnswer {
  std::string text;                // as it stands, with the words of its unit: "12 boxes"
  std::string bare;                // without them: "12"; empty where there are none
  std::vector<std::string> boxes;  // all of them, where a text has several; `text` is then the last
};

// What a text says is its answer; of a text with thoughts (</think>) what follows them. In this order: the boxes; an
// <answer>; what is announced ("The answer is", "Answer:", a heading, in any emphasis); what the last sentence with a
// value comes to; the whole of a text that is no sentence. A sentence that says more than one thing (conditions,
// "either … or", "not") is taken as a whole, never a part of it. Nothing where thoughts or the last box are not closed.
std::optional<StatedAnswer> FindStated(std::string_view text);

// A label: the same, but several boxes are one answer of several values.
std::optional<StatedAnswer> LabelStated(std::string_view label);

// The best outcome with any of the labels, as CompareAny; several boxes are compared as a set, too.
Sameness CompareStated(Comparator comparator, const StatedAnswer& answer, const std::vector<StatedAnswer>& labels);

}  // namespace autodidact::answers
