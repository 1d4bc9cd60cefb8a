#include <cstdint>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const autodidact::fuzz::Target& kTarget = autodidact::fuzz::TargetNamed("json");
  kTarget.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
