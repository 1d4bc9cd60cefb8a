// Every target over its seeds and some thousand changes of them. With libFuzzer: see libfuzzer.cc.
#include <gtest/gtest.h>

#include "tests/fuzz/mutation.h"
#include "tests/fuzz/target.h"

namespace autodidact::fuzz {
namespace {

class FuzzTest : public testing::TestWithParam<Target> {};

TEST_P(FuzzTest, TakesAnyBytes) {
  const Target& target = GetParam();
  for (std::uint64_t i = 0; i < 4000; ++i) target.run(Input(target.seeds, target.words, i));
}

INSTANTIATE_TEST_SUITE_P(Decoders, FuzzTest, testing::ValuesIn(Targets()),
                         [](const testing::TestParamInfo<Target>& info) { return info.param.name; });

}  // namespace
}  // namespace autodidact::fuzz
