// Programs and their tests as tables, and the fixture of all tests that run programs.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "programs/code.h"

namespace autodidact::programs {

// Where this machine has no sandbox, nothing can be run.
class SandboxedTest : public testing::Test {
 protected:
  void SetUp() override {
    static const std::string kWhyNot = process::WhyNoSandbox();
    if (!kWhyNot.empty()) GTEST_SKIP() << kWhyNot;
  }
};

struct CodeExample {
  const char* name;
  const char* program;
  const char* tests;
  const char* entry_point;
  const char* prompt;
  CodeEnd end;
};

template <std::size_t kCount>
void ExpectEnds(const CodeExample (&examples)[kCount]) {
  for (const CodeExample& example : examples) {
    const CodeOutcome outcome = RunTests({}, {example.program, example.tests, example.entry_point, example.prompt});
    EXPECT_STREQ(Name(outcome.end), Name(example.end)) << example.name << ": " << outcome.reason;
    EXPECT_EQ(outcome.reason.empty(), outcome.end == CodeEnd::kPassed) << example.name;
  }
}

}  // namespace autodidact::programs
