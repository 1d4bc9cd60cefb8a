#include <cstdint>
#include <filesystem>
#include <string>

#include "model/config.h"
#include "tests/fuzz/refusal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::filesystem::path folder = fuzz::AsFile("", "_model").replace_extension(".folder");
  std::filesystem::create_directories(folder);
  std::filesystem::rename(fuzz::AsFile(bytes, "_model"), folder / "config.json");
  fuzz::MayRefuse([&] { model::ReadModelConfig(folder); });
  return 0;
}
