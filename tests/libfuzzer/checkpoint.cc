#include <cstdint>
#include <filesystem>
#include <string>

#include "data/checkpoint_files.h"
#include "tests/fuzz/refusal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::filesystem::path folder = fuzz::AsFile("", "_checkpoint").replace_extension(".folder");
  std::filesystem::create_directories(folder);
  for (const char* name : {"state.json", "manifest.json"}) {
    std::filesystem::rename(fuzz::AsFile(bytes, "_checkpoint"), folder / name);
  }
  fuzz::MayRefuse([&] { data::ReadCheckpointState(folder); });
  data::FindDamage(folder);
  return 0;
}
