#include "answers/prose.h"

#include "base/strings.h"

namespace autodidact::answers {
namespace {

// Words that sentences have and answers have not.
constexpr std::string_view kSentenceWords[] = {
    "the",  "is",   "are",   "we",     "so",       "thus",      "therefore", "hence", "answer",
    "that", "this", "have",  "get",    "find",     "must",      "there",     "which", "because",
    "let",  "it",   "final", "result", "solution", "solutions", "need",      "of"};

bool HasWord(std::string_view small, std::string_view word, std::size_t at) {
  const auto is_part = [&](std::size_t i) {
    return i < small.size() && (base::IsLetter(small[i]) || small[i] == '\\');
  };
  return !(at > 0 && is_part(at - 1)) && !is_part(at + word.size());
}

}  // namespace

bool IsSentence(std::string_view small) {
  for (const std::string_view word : kSentenceWords) {
    for (std::size_t at = small.find(word); at != std::string_view::npos; at = small.find(word, at + 1)) {
      if (HasWord(small, word, at)) return true;
    }
  }
  return false;
}

}  // namespace autodidact::answers
