#include "launch/train/run_identity.h"

#include <algorithm>
#include <string>

#include "base/checksum.h"
#include "launch/train/resume_rules.h"

namespace autodidact::launch {

std::uint64_t ConfigChecksum(const RunConfig& config) {
  std::string text;
  for (const auto& [key, value] : KeysOf(config)) {
    if (RuleOf(key).value_or(OnResume::kMustStay) == OnResume::kMustStay) text += key + "=" + value + "\n";
  }
  return std::max<std::uint64_t>(1, base::Checksum(text));
}

}  // namespace autodidact::launch
