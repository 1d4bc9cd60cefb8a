// The answer in a text that says more than its answer.
#pragma once

#include <string_view>

namespace autodidact::answers {

// Of sentences: the last formula ($…$, $$…$$, \(…\), \[…\]), else what follows the last "answer:" or "is", else what
// follows the last "=", without a full stop at the end. A text without a sentence's words is its own answer. The view
// is of `text`. Linear in time.
std::string_view AnswerAmongWords(std::string_view text);

}  // namespace autodidact::answers
