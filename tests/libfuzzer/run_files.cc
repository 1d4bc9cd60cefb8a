#include <filesystem>

#include "report/page.h"
#include "report/run.h"
#include "tests/fuzz/refusal.h"
#include "tests/libfuzzer/text_of.h"

// The input holds the files one behind the other, a zero byte between two of them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const std::string bytes = fuzz::TextOf(data, size);
  const std::filesystem::path folder = fuzz::AsFile("", "_run").replace_extension(".folder");
  std::filesystem::create_directories(folder / "rollouts");
  std::string_view rest = bytes;
  for (const char* name : {"metrics.jsonl", "rollouts/step_000001.jsonl", "outcome.json", "eval.json", "config.yaml"}) {
    std::filesystem::rename(fuzz::AsFile(fuzz::TakePart(rest), "_run"), folder / name);
  }
  fuzz::MayRefuse([&] { fuzz::Require(!report::Page(report::ReadRun(folder)).empty(), "a run has a page"); });
  return 0;
}
