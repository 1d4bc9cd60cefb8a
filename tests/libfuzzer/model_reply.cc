#include <cstdint>
#include <filesystem>
#include <string>

#include "json/model_reply.h"
#include "tests/fuzz/refusal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const json::FoundJson found = json::FindJson(bytes, "fuzz");
  for (const json::Json& value : found.values) fuzz::Require(value.is_structured(), "an object or a list is found");
  const std::string mended = json::Mended(bytes);
  fuzz::Require(json::Mended(mended) == mended, "mending is done once");
  return 0;
}
