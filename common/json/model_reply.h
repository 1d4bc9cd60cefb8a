// JSON that a language model wrote: strict about the value, generous about what models and endpoints put around it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"

namespace autodidact::json {

// The text with what JSON parsers of other languages let pass made plain JSON: NaN, Infinity and -Infinity become null;
// bytes that are not UTF-8 and halves of surrogate pairs ("\ud83d" alone) become U+FFFD. All else is as it was.
std::string Mended(std::string_view text);

// Without white space, and byte order marks before it, around it.
std::string_view Trimmed(std::string_view text);

// What is left of a model's text behind its thoughts: after the last closing tag (</think>, </thinking>, </thought>,
// </reasoning>, [/THINK], <|message|> of an answer's channel), before an opening tag that nothing closes.
std::string_view WithoutThoughts(std::string_view text);

struct FoundJson {
  std::vector<Json> values;  // objects and lists that stand by themselves in the text, in order
  std::string fault;         // why the first thing in brackets that is no JSON is none; empty when all are
};

// The objects and lists in a model's text: the text as a whole where it is one value, else what stands in balanced
// brackets outside of thoughts, whatever stands between (``` fences, sentences). Each is mended, then parsed strictly:
// a key twice, a comma too many or a missing bracket makes it no JSON, and parts of it are not taken for it. `where`
// names the text in faults.
FoundJson FindJson(std::string_view text, const std::string& where);

}  // namespace autodidact::json
