// What a program said last.
#pragma once

#include <string>
#include <string_view>

#include "base/strings.h"

namespace autodidact::programs {

// The last line that is not blank, trimmed: Python's errors end with their message.
inline std::string LastLine(std::string_view text) {
  text = base::Trim(text);
  const std::size_t at = text.rfind('\n');
  return std::string(base::Trim(at == std::string_view::npos ? text : text.substr(at + 1)));
}

}  // namespace autodidact::programs
