#include "answers/prose.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "answers/text_util.h"

namespace autodidact::answers {
namespace {

// Words that sentences have and answers have not.
constexpr std::string_view kSentenceWords[] = {"the",   "is",     "are",  "we",   "so",   "thus", "therefore",
                                               "hence", "answer", "that", "this", "have", "get",  "find"};

std::string Small(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return small;
}

bool HasWord(std::string_view small, std::string_view word, std::size_t at) {
  const auto is_part = [&](std::size_t i) { return i < small.size() && (IsLetter(small[i]) || small[i] == '\\'); };
  return !(at > 0 && is_part(at - 1)) && !is_part(at + word.size());
}

bool IsSentence(std::string_view small) {
  for (const std::string_view word : kSentenceWords) {
    for (std::size_t at = small.find(word); at != std::string_view::npos; at = small.find(word, at + 1)) {
      if (HasWord(small, word, at)) return true;
    }
  }
  return false;
}

bool IsDollar(std::string_view text, std::size_t at) {
  return text[at] == '$' && (at == 0 || text[at - 1] != '\\');
}

// The last formula between dollar signs, each sign opening or closing one; empty when one stays open.
std::string_view LastBetweenDollars(std::string_view text) {
  std::string_view last;
  std::size_t open = std::string_view::npos;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!IsDollar(text, at)) continue;
    if (at + 1 < text.size() && text[at + 1] == '$') ++at;
    if (open == std::string_view::npos) {
      open = at + 1;
    } else {
      const std::size_t end = text[at - 1] == '$' && at - 1 > open ? at - 1 : at;
      last = Trim(text.substr(open, end - open));
      open = std::string_view::npos;
    }
  }
  return open == std::string_view::npos ? last : std::string_view();
}

std::string_view LastBetween(std::string_view text, std::string_view open, std::string_view close) {
  const std::size_t end = text.rfind(close);
  if (end == std::string_view::npos) return {};
  const std::size_t begin = text.substr(0, end).rfind(open);
  if (begin == std::string_view::npos) return {};
  return Trim(text.substr(begin + open.size(), end - begin - open.size()));
}

std::string_view LastFormula(std::string_view text) {
  std::string_view last;
  for (const std::string_view found :
       {LastBetweenDollars(text), LastBetween(text, "\\(", "\\)"), LastBetween(text, "\\[", "\\]")}) {
    if (!found.empty() && (last.empty() || found.data() > last.data())) last = found;
  }
  return last;
}

}  // namespace

std::string_view AnswerAmongWords(std::string_view text) {
  text = Trim(text);
  const std::string small = Small(text);
  if (!IsSentence(small)) return text;
  if (const std::string_view formula = LastFormula(text); !formula.empty()) return formula;
  std::size_t begin = 0;
  for (const std::string_view mark : {"answer is", "answer:", " is "}) {
    const std::size_t at = small.rfind(mark);
    if (at != std::string::npos) begin = std::max(begin, at + mark.size());
  }
  if (begin == 0) begin = small.rfind('=') + 1;  // 0 where there is none
  std::string_view rest = text.substr(begin);
  while (!rest.empty() && (rest.front() == ':' || IsSpace(rest.front()))) rest.remove_prefix(1);
  if (rest.ends_with('.')) rest.remove_suffix(1);
  return rest.empty() ? text : rest;
}

}  // namespace autodidact::answers
