#include "programs/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace autodidact::programs {
namespace {

using testing::HasSubstr;

// A program in Python that answers each line as `body` says: `row` is the request, `say` prints a line.
Verifier Python(const std::string& body, base::Milliseconds timeout = base::Milliseconds(60'000)) {
  const std::string script =
      "import sys, json, os, time\n"
      "def say(text):\n    print(text, flush=True)\n"
      "for number, line in enumerate(sys.stdin):\n    row = json.loads(line)\n" +
      body;
  return Verifier({.command = {"python3", "-c", script}, .timeout = timeout});
}

const std::string kHonest = "    say(json.dumps({'equal': row['gold'].lower() == row['answer'].lower()}))\n";

TEST(VerifierTest, AsksOneProgramForEveryComparison) {
  Verifier verifier = Python(kHonest);
  EXPECT_EQ(verifier.Equal("A\n\"b\"", "a\n\"B\""), base::Outcome<bool>(true));
  EXPECT_EQ(verifier.Equal("a", "b"), base::Outcome<bool>(false));
  EXPECT_EQ(verifier.starts(), 1u);
}

TEST(VerifierTest, KillsAProgramThatIsTooSlowAndStartsItAnew) {
  Verifier verifier =
      Python("    if row['gold'] == 'slow':\n        time.sleep(1000)\n" + kHonest, base::Milliseconds(3'000));
  const auto slow = verifier.Equal("slow", "slow");
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.failure().kind, base::ErrorKind::kRetryLater);
  EXPECT_THAT(slow.failure().reason, HasSubstr("3000 ms"));
}

TEST(VerifierTest, TellsEveryFailureFromUnequal) {
  for (const auto& [body, reason] :
       std::vector<std::pair<std::string, std::string>>{{"    os._exit(3)\n", "exit code 3"},
                                                        {"    say('yes')\n", "column"},
                                                        {"    say('{\"equal\": 1}')\n", "expected an object with"},
                                                        {"    say('[]')\n", "expected an object with"},
                                                        {"    say('x' * 3000000)\n", "wrote more than"}}) {
    Verifier verifier = Python(body);
    const auto outcome = verifier.Equal("1", "1");
    ASSERT_FALSE(outcome.ok()) << body;
    EXPECT_THAT(outcome.failure().reason, HasSubstr(reason));
    EXPECT_FALSE(verifier.Equal("1", "1").ok());
    EXPECT_EQ(verifier.starts(), 2u);
  }
}

// Two answers to each question: from the second question on every answer would be that to another one.
TEST(VerifierTest, OneThatAnswersMoreThanItIsAskedIsAFailure) {
  Verifier verifier = Python("    print('{\"equal\": true}\\n{\"equal\": false}', flush=True)\n");
  EXPECT_EQ(verifier.Equal("1", "1"), base::Outcome<bool>(true));
  // Both lines came in one piece, so the second is there.
  const auto second = verifier.Equal("2", "2");
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.failure().reason, HasSubstr("more than one line for a question: the string"));
}

TEST(VerifierTest, WhatItWritesToStandardErrorIsNoAnswerHoweverMuchItIs) {
  Verifier verifier = Python("    sys.stderr.write('x' * 3000000)\n    say('{\"equal\": true}')\n");
  EXPECT_EQ(verifier.Equal("1", "1"), base::Outcome<bool>(true));
  EXPECT_EQ(verifier.Equal("1", "1"), base::Outcome<bool>(true));
  EXPECT_EQ(verifier.starts(), 1u);
}

TEST(VerifierTest, AFailureShowsWhatTheProgramSaidAndHowItWasStarted) {
  Verifier verifier = Python("    raise ValueError('no such grade')\n");
  const auto outcome = verifier.Equal("1", "1");
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.failure().reason, HasSubstr("its standard error: ValueError: no such grade"));
  Verifier absent({.command = {"python3", "no_such_grader.py"}});
  EXPECT_THAT(absent.Equal("1", "1").failure().reason, HasSubstr("python3 no_such_grader.py: ended"));
}

TEST(VerifierTest, AProgramThatIsNotThereIsAFailure) {
  Verifier verifier({.command = {"/no/such/program"}});
  const auto outcome = verifier.Equal("1", "1");
  ASSERT_FALSE(outcome.ok());
  EXPECT_THAT(outcome.failure().reason, HasSubstr("/no/such/program"));
}

}  // namespace
}  // namespace autodidact::programs
