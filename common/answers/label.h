// Which texts are labels.
#pragma once

#include <string>

#include "answers/extract.h"

namespace autodidact::answers {

// Why the extractor has no use for a label: "is more than a number (extractor last_number)"; empty for a good one. A
// label is the bare answer, or a text in which the extractor finds it; for the last number it must be one number (a
// worked solution may hold others before it).
std::string WhyNoLabel(Extractor extractor, const std::string& label);

}  // namespace autodidact::answers
