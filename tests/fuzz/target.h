// Fuzz targets: one for each decoder of outside bytes that needs no libtorch (safetensors: tests/model).
#pragma once

#include <cstdint>
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

// Input number `i` of a target: its seeds, then seeds that were changed at random, the same in every run.
std::string Input(const std::vector<std::string>& seeds, const std::vector<std::string>& words, std::uint64_t i);

}  // namespace autodidact::fuzz
