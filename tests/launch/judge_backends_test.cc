#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/names.h"
#include "launch/config/key.h"
#include "launch/wiring/judge.h"

namespace autodidact::launch {
namespace {

bool IsKey(std::string_view name) {
  static const std::vector<KeyInfo> kKeys = RunKeys();
  return std::any_of(kKeys.begin(), kKeys.end(), [&](const KeyInfo& key) { return key.name == name; });
}

TEST(JudgeBackendsTest, WhatIsSaidOfABackendNamesKeysOfTheConfig) {
  for (const JudgeBackend backend : base::AllValues<JudgeBackend>()) {
    const BackendFacts& facts = BackendFactsOf(backend);
    EXPECT_TRUE(IsKey(facts.key)) << facts.key;
    EXPECT_TRUE(IsKey(facts.otherwise.key)) << facts.otherwise.key;
    for (const Hint& hint : facts.hints) EXPECT_TRUE(IsKey(hint.key)) << hint.key;
  }
}

}  // namespace
}  // namespace autodidact::launch
