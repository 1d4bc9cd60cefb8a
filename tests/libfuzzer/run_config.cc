#include "launch/config/run_config.h"

#include "tests/fuzz/refusal.h"
#include "tests/libfuzzer/text_of.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const auto file = fuzz::AsFile(fuzz::TextOf(data, size), "_run.yaml");
  fuzz::MayRefuse([&] {
    const std::string written = launch::ToYaml(launch::ReadRunConfig(file, {}, launch::Files::kAnywhere));
    const auto again = fuzz::AsFile(written, "_again.yaml");
    fuzz::Require(launch::ToYaml(launch::ReadRunConfig(again, {}, launch::Files::kAnywhere)) == written,
                  "a resolved config reads back as it is");
  });
  fuzz::MayRefuse([&] { launch::ReadJudgeConfig(file, {}); });
  return 0;
}
