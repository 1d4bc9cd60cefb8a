#include "answers/markdown.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/strings.h"

namespace autodidact::answers {
namespace {

// Where a line's words begin, after quote marks, a heading's marks and a bullet.
std::size_t LineStart(std::string_view text, std::size_t at) {
  const auto skip_spaces = [&] {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  };
  skip_spaces();
  while (at < text.size() && text[at] == '>') {
    ++at;
    skip_spaces();
  }
  const std::size_t begin = at;
  while (at < text.size() && text[at] == '#' && at - begin < 6) ++at;
  if (at > begin && at < text.size() && text[at] == ' ') {
    skip_spaces();
    return at;
  }
  at = begin;
  // "- 5" is a negative number.
  const bool is_bullet = at + 2 < text.size() && text[at + 1] == ' ' &&
                         (text[at] == '*' || ((text[at] == '-' || text[at] == '+') &&
                                              (base::IsLetter(text[at + 2]) || text[at + 2] == '*')));
  if (is_bullet) {
    ++at;
    skip_spaces();
  }
  return at;
}

constexpr std::size_t kMostOpen = 32;  // marks that one closing mark may look back over

struct Mark {
  char kind;
  std::size_t length;
  std::size_t at;
};

bool IsWordByte(char c) {
  return base::IsLetter(c) || base::IsDigit(c);
}

// Which runs of marks open and close an emphasis: pairs of equal runs, the first not before a space and not after a
// word, the second the other way round.
std::vector<bool> Emphasis(std::string_view text) {
  std::vector<bool> is_mark(text.size());
  std::vector<Mark> open;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '\\') {
      at += 2;
      continue;
    }
    if (c == '\n' && at + 1 < text.size() && text[at + 1] == '\n') open.clear();  // the end of a paragraph
    if (c != '*' && c != '_' && c != '~' && c != '`') {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && text[end] == c) ++end;
    const std::size_t length = end - at;
    const char before = at == 0 ? ' ' : text[at - 1];
    const char after = end == text.size() ? ' ' : text[end];
    const bool known = length <= 3 && (c != '~' || length == 2);
    const bool closes = known && !base::IsSpace(before) && (!IsWordByte(after) || c == '`');
    std::size_t match = open.size();
    const std::size_t far = match > kMostOpen ? match - kMostOpen : 0;
    while (closes && match > far && (open[match - 1].kind != c || open[match - 1].length != length)) --match;
    if (closes && match > far) {
      for (std::size_t i = 0; i < length; ++i) is_mark[open[match - 1].at + i] = is_mark[at + i] = true;
      open.resize(match - 1);
    } else if (known && !base::IsSpace(after) && !IsWordByte(before) && before != ')' && before != '}') {
      open.push_back({c, length, at});
    }
    at = end;
  }
  return is_mark;
}

// The length of a tag such as <answer>, </s> or <|im_end|> or of a calculator's note <<1+2=3>> at the start; 0 of none.
std::size_t TagLength(std::string_view text) {
  if (text.starts_with("<<")) {
    const std::size_t end = text.find(">>");
    return end == std::string_view::npos || text.substr(0, end).find('\n') != std::string_view::npos ? 0 : end + 2;
  }
  std::size_t end = 1;
  while (end < text.size() &&
         (IsWordByte(text[end]) || std::string_view("/_|:-").find(text[end]) != std::string_view::npos))
    ++end;
  if (end >= text.size() || text[end] != '>' || base::IsDigit(text[1])) return 0;
  return end > 2 || std::string_view("bipsu").find(text[1]) != std::string_view::npos ? end + 1 : 0;
}

std::string WithoutTags(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = text[at] == '<' ? TagLength(text.substr(at)) : 0;
    if (length == 0) plain += text[at];
    at += std::max<std::size_t>(length, 1);
  }
  return plain;
}

}  // namespace

std::string WithoutMarkdown(std::string_view original) {
  const std::string tagless = WithoutTags(original);
  const std::string_view text = tagless;
  std::string lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (text.substr(at).starts_with("```")) {  // the fence of a block, whose contents stay
      at = end + 1;
      continue;
    }
    const std::size_t begin = std::min(LineStart(text, at), end);
    lines += text.substr(begin, end - begin);
    if (end < text.size()) lines += '\n';
    at = end + 1;
  }
  const std::vector<bool> is_mark = Emphasis(lines);
  std::string plain;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!is_mark[i]) plain += lines[i];
  }
  return plain;
}

}  // namespace autodidact::answers
