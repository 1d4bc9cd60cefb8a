#include <cstdint>
#include <filesystem>
#include <string>

#include "model/safetensors.h"
#include "tests/fuzz/refusal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto file = fuzz::AsFile(bytes, "_weights.safetensors");
  fuzz::MayRefuse([&] {
    const model::SafetensorsFile weights(file);
    for (const auto& [name, entry] : weights.entries()) weights.Read(name, at::kFloat);
  });
  return 0;
}
