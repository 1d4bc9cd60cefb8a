// Text formatting in fmt's syntax: Format("step {} took {:.1f} s", step, seconds).
#pragma once

#include <spdlog/fmt/fmt.h>

#include <string>
#include <utility>

namespace autodidact::base {

template <class... Args>
std::string Format(fmt::format_string<Args...> format, Args&&... args) {
  return fmt::format(format, std::forward<Args>(args)...);
}

}  // namespace autodidact::base
