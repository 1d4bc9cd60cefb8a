#include "judge_service/code_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "judge_service/program_judge.h"
#include "request.h"

namespace autodidact::judge_service {
namespace {

using testing::HasSubstr;

class CodeJudgeTest : public testing::Test {
 protected:
  void SetUp() override {
    static const std::string kWhyNot = process::WhyNoSandbox();
    if (!kWhyNot.empty()) GTEST_SKIP() << kWhyNot;
  }
};

const std::string kDouble = "so\n```python\ndef f(x):\n    return 2 * x\n```\n";
const std::string kSame = "```\ndef f(x):\n    return x + x\n```";
const std::string kSquare = "```\ndef f(x):\n    return x ** 2\n```";

TEST_F(CodeJudgeTest, ResponsesAgreeThatDoTheSameOnTheReferencesInputs) {
  const std::string reference = kDouble + "```inputs\nf(2)\nf(3)\nf('a')\n```";
  EXPECT_EQ(JudgeCode({}, Request(reference, {kSame, kSquare, "no program"})),
            (std::vector<schema::Reward>{1.0, 0.0, 0.0}));
}

TEST_F(CodeJudgeTest, TheRowsInputsCountInsteadOfTheReferences) {
  const schema::Program reference{kDouble + "```inputs\nf(3)\n```", {"f(0)", "f(2)"}};
  EXPECT_EQ(JudgeCode({}, Request(reference, {kSame, kSquare})), (std::vector<schema::Reward>{1.0, 1.0}));
}

TEST_F(CodeJudgeTest, InputsMayBeStdin) {
  const schema::Program reference{"```\na = input()\nb = input()\nprint(int(a) + int(b))\n```", {"1\n2\n", "3\n4"}};
  const CodeJudgeConfig config{.run = {}, .inputs = programs::InputKind::kStdin};
  EXPECT_EQ(JudgeCode(config, Request(reference, {"```\nprint(sum(int(input()) for _ in range(2)))\n```",
                                                  "```\nprint(int(input()) * int(input()))\n```"})),
            (std::vector<schema::Reward>{1.0, 0.0}));
}

TEST_F(CodeJudgeTest, WithoutAReferenceThatRunsThereIsNoReward) {
  for (const auto& [reference, reason] :
       std::vector<std::pair<std::string, std::string>>{{kDouble, "no inputs"},
                                                        {"```\ndef f(:\n```\n```inputs\nf(1)\n```", "SyntaxError"},
                                                        {kDouble + "```inputs\ng(1)\n```", "raises on every input"}}) {
    const auto rewards = JudgeCode({}, Request(reference, {kSame, kSquare}));
    ASSERT_EQ(rewards.size(), 2u);
    for (const auto& reward : rewards) {
      ASSERT_FALSE(reward.ok());
      EXPECT_THAT(reward.failure().reason, HasSubstr(reason));
    }
  }
}

TEST_F(CodeJudgeTest, TestsDecideAndTheLengthPenaltyStands) {
  const std::string tests = "def check(candidate):\n    assert candidate(3) == 6\n";
  auto request = Request(schema::Tests{tests, "f", "def f(x):\n"}, {kSame, kSquare, "    return 6\n", kSame});
  request.lengths.back() = 800;
  ProgramJudgeConfig config;
  config.code.emplace();
  config.length_penalty_above = 750;
  EXPECT_EQ(JudgeByProgram(config, request).rewards, (std::vector<schema::Reward>{1.0, 0.0, 1.0, 0.0}));
}

TEST_F(CodeJudgeTest, AnswersAndCriteriaAreNoPrograms) {
  EXPECT_THROW(JudgeCode({}, Request(schema::Labels{{"4"}}, {kSame})), base::Error);
  EXPECT_THROW(JudgeCode({}, Request(schema::Rubric{{{"is short", 1}}}, {kSame})), base::Error);
}

TEST_F(CodeJudgeTest, WhatCannotBeRunHasNoReward) {
  CodeJudgeConfig config;
  config.run.limits.files = 0;  // bubblewrap refuses that
  const auto rewards = JudgeCode(config, Request(schema::Program{kDouble, {"f(1)"}}, {kSame}));
  ASSERT_FALSE(rewards.at(0).ok());
  EXPECT_EQ(rewards.at(0).failure().kind, base::ErrorKind::kRetryLater);
}

}  // namespace
}  // namespace autodidact::judge_service
