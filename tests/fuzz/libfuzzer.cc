// A target under libFuzzer, named by AUTODIDACT_FUZZ_TARGET in the environment. Built by hand, with clang:
//
//   cmake -S . -B build/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DAUTODIDACT_LIBFUZZER=ON
//         -DAUTODIDACT_SANITIZE=address,undefined -DCMAKE_CXX_FLAGS=-fsanitize=fuzzer-no-link
//   cmake --build build/fuzz --target libfuzzer
//   AUTODIDACT_FUZZ_TARGET=mathematics build/fuzz/tests/libfuzzer -max_total_time=600 -timeout=10
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const autodidact::fuzz::Target* const kTarget = [] {
    const char* name = std::getenv("AUTODIDACT_FUZZ_TARGET");
    for (const auto& target : autodidact::fuzz::Targets()) {
      if (name != nullptr && target.name == name) return &target;
    }
    std::fputs("AUTODIDACT_FUZZ_TARGET must be one of:", stderr);
    for (const auto& target : autodidact::fuzz::Targets()) std::fprintf(stderr, " %s", target.name.c_str());
    std::fputs("\n", stderr);
    std::exit(2);
  }();
  kTarget->run({reinterpret_cast<const char*>(data), size});
  return 0;
}
