// Tests that test nothing say nothing about a program.
#include "tests/programs/code_example.h"

namespace autodidact::programs {
namespace {

using CodeFaultsTest = SandboxedTest;

using testing::HasSubstr;

constexpr CodeExample kIdle[] = {
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
    {"expected failure", R"py(def f(x): return x * x
)py",
     R"py(import unittest
class T(unittest.TestCase):
  @unittest.expectedFailure
  def test_a(self):
    self.assertEqual(f(2), 5)
)py",
     "", "", CodeEnd::kInvalid},
    {"raise only", R"py(def f(x): return x * x
)py",
     R"py(def test_a():
  raise AssertionError('not written')
)py",
     "", "", CodeEnd::kInvalid},
    {"ends itself", R"py(def f(x): return x * x
)py",
     R"py(import os
os._exit(0)
assert f(2) == 4
)py",
     "", "", CodeEnd::kInvalid},
    {"fenced pass", R"py(def f(x): return x * x
)py",
     R"py(```python
def test_a():
  pass
```
)py",
     "", "", CodeEnd::kInvalid},
    {"doctest of nothing", R"py(def f(x): return x * x
)py",
     R"py(>>> 2 * 2
4
)py",
     "", "", CodeEnd::kInvalid},
    {"class skipped", R"py(def f(x): return x * x
)py",
     R"py(import pytest
@pytest.mark.skip
class TestF:
  def test_a(self): assert f(2) == 4
)py",
     "", "", CodeEnd::kInvalid},
    {"no rows", R"py(def f(x): return x * x
)py",
     R"py(import pytest
@pytest.fixture(params=[])
def n(request): return request.param
def test_a(n): assert f(n) == n
)py",
     "", "", CodeEnd::kInvalid},
};

TEST_F(CodeFaultsTest, TestsThatTestNothingAreInvalid) {
  ExpectEnds(kIdle);
}

// A name of the library's is the program's where it defines it; where it does not, the tests ask nothing of it.
TEST_F(CodeFaultsTest, TestsOfTheLibraryAloneAreInvalid) {
  const CodeTask task{"def f(x): return 0", "assert gcd(12, 8) == 4", "", ""};
  EXPECT_EQ(RunTests({}, task).end, CodeEnd::kInvalid);
  EXPECT_EQ(RunTests({}, {"def gcd(a, b): return 4", task.tests, "", ""}).end, CodeEnd::kPassed);
  EXPECT_EQ(RunTests({}, {"def gcd(a, b): return 5", task.tests, "", ""}).end, CodeEnd::kFailed);
}

// They are found without a program too, as rows are read.
TEST_F(CodeFaultsTest, AreToldForManyTasksAtATime) {
  std::vector<CodeTask> tasks;
  for (const CodeExample& idle : kIdle) tasks.push_back({"", idle.tests, idle.entry_point, idle.prompt});
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
}  // namespace autodidact::programs
