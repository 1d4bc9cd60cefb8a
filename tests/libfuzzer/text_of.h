// Inputs of the targets as text and as parts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace autodidact::fuzz {

inline std::string TextOf(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes the part of `rest` before its first zero byte, and both of them out of it.
inline std::string TakePart(std::string_view& rest) {
  const std::size_t end = rest.find('\0');
  const std::string part(rest.substr(0, end));
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

}  // namespace autodidact::fuzz
