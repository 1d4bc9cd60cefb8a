// Tests that test nothing say nothing about a program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answers/code.h"

namespace autodidact::answers {
namespace {

using testing::HasSubstr;

struct Idle {
  const char* name;
  const char* program;
  const char* tests;
  const char* entry_point;
  const char* prompt;
  CodeEnd end;
};

constexpr Idle kIdle[] = {
    {"unittest empty", R"py(def f(x): return x*3
)py",
     R"py(import unittest
class T(unittest.TestCase):
  def test_a(self):
    pass
)py",
     "", "", CodeEnd::kInvalid},
    {"unittest no tests", R"py(def f(x): return x*3
)py",
     R"py(import unittest
class T(unittest.TestCase):
  pass
)py",
     "", "", CodeEnd::kInvalid},
    {"unittest skipped", R"py(def f(x): return x*3
)py",
     R"py(import unittest
class T(unittest.TestCase):
  @unittest.skip('x')
  def test_a(self):
    self.assertEqual(f(2),4)
)py",
     "", "", CodeEnd::kInvalid},
    {"assert true", R"py(def f(x): return 0
)py",
     R"py(assert True
)py",
     "", "", CodeEnd::kInvalid},
    {"assert 1==1", R"py(def f(x): return 0
)py",
     R"py(f(1)
assert 1==1
)py",
     "", "", CodeEnd::kInvalid},
    {"tuple assert", R"py(def f(x): return 0
)py",
     R"py(assert (f(2)==4, 'x')
)py",
     "", "", CodeEnd::kInvalid},
    {"swallow", R"py(def f(x): return 0
)py",
     R"py(try:
  assert f(2)==4
except Exception:
  pass
)py",
     "", "", CodeEnd::kInvalid},
    {"swallow bare", R"py(def f(x): return 0
)py",
     R"py(try:
  assert f(2)==4
except:
  pass
)py",
     "", "", CodeEnd::kInvalid},
    {"or True", R"py(def f(x): return 0
)py",
     R"py(assert f(2)==4 or True
)py",
     "", "", CodeEnd::kInvalid},
    {"self compare", R"py(def f(x): return 0
)py",
     R"py(assert f(2)==f(2)
)py",
     "", "", CodeEnd::kInvalid},
    {"syntax", R"py(def f(x): return 0
)py",
     R"py(assert f(2)=
)py",
     "", "", CodeEnd::kInvalid},
    {"own def", R"py(def f(x): return 0
)py",
     R"py(def f(x): return 4
assert f(2)==4
)py",
     "", "", CodeEnd::kInvalid},
    {"bad import", R"py(def f(x): return 4
)py",
     R"py(import numpy
assert f(2)==4
)py",
     "", "", CodeEnd::kInvalid},
    {"name error", R"py(def f(x): return 4
)py",
     R"py(assert 1==2
)py",
     "", "", CodeEnd::kInvalid},
    {"print only", R"py(def f(x): return 4
)py",
     R"py(print(f(2))
)py",
     "", "", CodeEnd::kInvalid},
    {"test fn nested", R"py(def f(x): return 0
)py",
     R"py(def t():
  assert f(2)==4
)py",
     "", "", CodeEnd::kInvalid},
    {"pairs empty", R"py(print(1)
)py",
     R"py({"inputs":[],"outputs":[]}
)py",
     "", "", CodeEnd::kInvalid},
    {"pairs mismatch", R"py(print(1)
)py",
     R"py({"inputs":["1"],"outputs":[]}
)py",
     "", "", CodeEnd::kInvalid},
    {"pairs blank", R"py(pass
)py",
     R"py([{"input":"1","output":""}]
)py",
     "", "", CodeEnd::kInvalid},
};

TEST(CodeFaultsTest, TestsThatTestNothingAreInvalid) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  for (const Idle& idle : kIdle) {
    const CodeOutcome outcome = RunTests({}, {idle.program, idle.tests, idle.entry_point, idle.prompt});
    EXPECT_STREQ(Name(outcome.end), Name(idle.end)) << idle.name << ": " << outcome.reason;
    EXPECT_FALSE(outcome.reason.empty()) << idle.name;
  }
}

// They are found without a program too, as rows are read.
TEST(CodeFaultsTest, AreToldForManyTasksAtATime) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  std::vector<CodeTask> tasks;
  for (const Idle& idle : kIdle) tasks.push_back({"", idle.tests, idle.entry_point, idle.prompt});
  const std::size_t idle = tasks.size();
  while (tasks.size() < 60) tasks.push_back({"", "assert f(2) == 4", "", ""});
  tasks.push_back({"", "def check(candidate):\n    assert candidate(2) == 4\n", "", ""});
  tasks.push_back({"", "def check(candidate):\n    assert candidate(2) == 4\n", "f", ""});
  const std::vector<std::string> faults = FaultsOfTests({}, tasks);
  ASSERT_EQ(faults.size(), tasks.size());
  for (std::size_t i = 0; i < idle; ++i) EXPECT_FALSE(faults[i].empty()) << kIdle[i].name;
  for (std::size_t i = idle; i < 60; ++i) EXPECT_EQ(faults[i], "") << i;
  EXPECT_THAT(faults[60], HasSubstr("nothing calls check"));
  EXPECT_EQ(faults[61], "");
}

}  // namespace
}  // namespace autodidact::answers
