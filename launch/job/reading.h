// Reading of what the processes of a run say to each other in JSON: members of any type and size may stand there.
#pragma once

#include <concepts>
#include <exception>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"

namespace autodidact::launch {

// `read` for the value of the text; what it throws becomes Error(kBadInput) "where: expected `what`: why".
template <class Read>
auto ReadObject(std::string_view text, const std::string& where, const char* what, Read read) {
  const json::Json object = json::Parse(text, where);
  try {
    return read(object);
  } catch (const std::exception& error) {
    base::ThrowBadInput(base::Format("{}: expected {}: {}", where, what, error.what()));
  }
}

// The value as a whole number between `least` and `most`; Error(kBadInput) for any other, which a conversion of the
// JSON library would cut to fit.
template <std::integral T>
T ReadWhole(const json::Json& value, T least = std::numeric_limits<T>::min(), T most = std::numeric_limits<T>::max()) {
  const auto within = [&](auto number) {
    return std::cmp_greater_equal(number, least) && std::cmp_less_equal(number, most);
  };
  if (value.is_number_unsigned() && within(value.get<std::uint64_t>())) return value.get<T>();
  if (value.is_number_integer() && !value.is_number_unsigned() && within(value.get<std::int64_t>())) {
    return value.get<T>();
  }
  base::ThrowBadInput(
      base::Format("got {}, expected a whole number from {} to {}", json::Describe(value), least, most));
}

}  // namespace autodidact::launch
