#include "model/folder.h"

#include <filesystem>

#include "tests/fuzz/refusal.h"
#include "tests/libfuzzer/text_of.h"

// The input holds config.json and the index, a zero byte behind each, and then the bytes of the only shard.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const std::string bytes = fuzz::TextOf(data, size);
  const std::filesystem::path folder = fuzz::AsFile("", "_model").replace_extension(".folder");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::string_view rest = bytes;
  const std::string config = fuzz::TakePart(rest), index = fuzz::TakePart(rest);
  const auto put = [&](const std::string& text, const char* name) {
    std::filesystem::rename(fuzz::AsFile(text, "_model"), folder / name);
  };
  put(config, "config.json");
  if (!index.empty()) put(index, "model.safetensors.index.json");
  put(std::string(rest), index.empty() ? "model.safetensors" : "a.safetensors");
  fuzz::MayRefuse([&] { model::LoadModel(folder, at::kFloat, at::kCPU); });
  return 0;
}
