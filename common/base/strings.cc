#include "base/strings.h"

namespace autodidact::base {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

std::string FoldSpaces(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (const char c : Trim(text)) {
    if (!IsSpace(c)) {
      folded.push_back(c);
    } else if (folded.back() != ' ') {
      folded.push_back(' ');
    }
  }
  return folded;
}

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  result.reserve(text.size());
  std::size_t at = 0;
  for (std::size_t hit = text.find(from); hit != std::string_view::npos; hit = text.find(from, at)) {
    result.append(text, at, hit - at).append(to);
    at = hit + from.size();
  }
  return result.append(text, at, std::string_view::npos);
}

}  // namespace autodidact::base
