// Fuzz targets: one for each decoder of outside bytes that needs no libtorch (others: tests/libfuzzer).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace autodidact::fuzz {

struct Target {
  std::string name;
  // Decodes the bytes. Returns for any bytes, also those that are refused; aborts when an invariant is broken.
  void (*run)(std::string_view bytes);
  std::vector<std::string> seeds;  // inputs to start from
  std::vector<std::string> words;  // pieces that inputs are made of
};

const std::vector<Target>& Targets();
// Ends the program where there is none.
const Target& TargetNamed(std::string_view name);

}  // namespace autodidact::fuzz
