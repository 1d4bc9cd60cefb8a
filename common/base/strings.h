// Small pieces of text handling; letters, digits and white space are ASCII's.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

namespace autodidact::base {

inline bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
inline bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
inline bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether a list of names has this one.
template <class Names>
bool Contains(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// Without ASCII white space at both ends.
std::string_view Trim(std::string_view text);

// Trimmed, with every run of ASCII white space as one space.
std::string FoldSpaces(std::string_view text);

// `text` with every occurrence of `from` (not empty) replaced, left to right, without looking at what was put in.
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);

}  // namespace autodidact::base
