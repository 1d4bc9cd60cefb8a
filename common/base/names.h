// The names of an enum's values, as configs, files and errors spell them. Each enum with names has one table, beside
// it:
//
//   enum class Schedule { kConstant, kLinear };
//   constexpr auto NamesOf(Schedule) {
//     return base::NameTable<Schedule, 2>{{{Schedule::kConstant, "constant"}, {Schedule::kLinear, "linear"}}};
//   }
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace autodidact::base {

template <class E>
struct NamedValue {
  E value;
  std::string_view name;
};

template <class E, std::size_t N>
using NameTable = std::array<NamedValue<E>, N>;

// In the order of the table, both.
template <class E>
std::vector<E> AllValues() {
  std::vector<E> values;
  for (const auto& entry : NamesOf(E{})) values.push_back(entry.value);
  return values;
}
template <class E>
std::vector<std::string> AllNames() {
  std::vector<std::string> names;
  for (const auto& entry : NamesOf(E{})) names.emplace_back(entry.name);
  return names;
}

// Error(kBug) for a value that the table lacks.
template <class E>
std::string NameIn(E value) {
  for (const auto& entry : NamesOf(E{})) {
    if (entry.value == value) return std::string(entry.name);
  }
  ThrowBug("an enum's value has no name");
}

// `what` names the key in the error: Error(kBadInput) `loss_type: got "x", expected one of grpo, dapo`.
template <class E>
E ValueNamed(std::string_view name, std::string_view what) {
  std::string expected;
  for (const auto& entry : NamesOf(E{})) {
    if (entry.name == name) return entry.value;
    expected += (expected.empty() ? "" : ", ") + std::string(entry.name);
  }
  ThrowBadInput(std::string(what) + ": got \"" + std::string(name) + "\", expected one of " + expected);
}

}  // namespace autodidact::base
