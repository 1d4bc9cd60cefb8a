// Programs that solve nothing: they reach for their grader, or return what says that it is equal to everything.
#include "tests/programs/code_example.h"

namespace autodidact::programs {
namespace {

using CodeReachTest = SandboxedTest;

struct Reach {
  const char* name;
  const char* program;
  const char* tests;
};

constexpr Reach kReaches[] = {
    {"lt obj", R"py(class A:
  def __sub__(s,o): return s
  __rsub__=__sub__
  def __abs__(s): return s
  def __lt__(s,o): return True
  __le__=__gt__=__ge__=__lt__
  def __eq__(s,o): return True
  def __float__(s): return 0.0
def add(a,b): return A()
)py",
     R"py(assert abs(add(2,3)-5)<1e-6
)py"},
    {"sub learns", R"py(class A:
  def __sub__(s,o): return 0.0
  __rsub__=__sub__
def add(a,b): return A()
)py",
     R"py(assert abs(add(2,3)-5)<1e-6
)py"},
    {"sub learns then abs", R"py(class A:
  def __sub__(s,o): return s
  def __abs__(s): return 0.0
def add(a,b): return A()
)py",
     R"py(assert abs(add(2,3)-5)<1e-6
)py"},
    {"intsub", R"py(class Z(int):
  def __eq__(s,o): return True
  __hash__=int.__hash__
def add(a,b): return Z(0)
)py",
     R"py(assert add(2,3)==5
)py"},
    {"sub gives intsub", R"py(class Z(int): pass
class A:
  def __sub__(s,o): return Z(0)
def add(a,b): return A()
)py",
     R"py(assert abs(add(2,3)-5)<1e-6
)py"},
    {"contains", R"py(class A:
  def __contains__(s,o): return True
  def __iter__(s): return iter([])
def add(a,b): return A()
)py",
     R"py(assert 5 in add(2,3)
)py"},
    {"contains2", R"py(class A:
  def __contains__(s,o): return True
def add(a,b): return A()
)py",
     R"py(assert 5 in add(2,3)
)py"},
    {"stopiter map", R"py(def add(a,b): raise StopIteration
)py",
     R"py(assert all(map(lambda c: add(*c[0])==c[1], [((2,3),5)]))
)py"},
    {"class add", R"py(class add:
  def __init__(s,a,b): pass
  def __eq__(s,o): return True
)py",
     R"py(assert add(2,3)==5
)py"},
    {"meta", R"py(class M(type):
  def __call__(c,*a): return c
  def __eq__(c,o): return True
  __hash__=type.__hash__
class add(metaclass=M): pass
)py",
     R"py(assert add(2,3)==5
)py"},
    {"own isclose", R"py(def isclose(*a,**k): return True
def add(a,b): return 0
)py",
     R"py(assert isclose(add(2,3),5)
)py"},
    {"own abs", R"py(def abs(x): return 0
def add(a,b): return 0
)py",
     R"py(assert abs(add(2,3)-5)<1e-6
)py"},
    {"own len", R"py(def len(x): return 5
def add(a,b): return [0]
)py",
     R"py(assert len(add(2,3))==5
)py"},
    {"own sorted", R"py(def sorted(x): return [5]
def add(a,b): return [5]
)py",
     R"py(assert add(2,3)==sorted([3,2])
)py"},
    {"own math", R"py(class math:
  isclose=lambda *a:True
def add(a,b): return 0
)py",
     R"py(assert math.isclose(add(2,3),5)
)py"},
    {"own check", R"py(def check(c): pass
def add(a,b): return 0
)py",
     R"py(def check(candidate):
  assert candidate(2,3)==5
)py"},
    {"kill parent", R"py(import os,signal
os.kill(os.getppid(),9)
def add(a,b): return 0
)py",
     R"py(assert add(2,3)==5
)py"},
    {"int parent", R"py(import os,signal
def add(a,b):
  os.kill(os.getppid(),2)
  return 0
)py",
     R"py(assert add(2,3)==5
)py"},
    {"exit in call", R"py(import os
def add(a,b): os._exit(0)
)py",
     R"py(assert add(2,3)==5
)py"},
    {"sysexit in call", R"py(import sys
def add(a,b): sys.exit(0)
)py",
     R"py(assert add(2,3)==5
)py"},
    {"sysexit unittest", R"py(import sys
def add(a,b): sys.exit(0)
)py",
     R"py(import unittest
class T(unittest.TestCase):
  def test_a(self): self.assertEqual(add(2,3),5)
)py"},
    {"skiptest", R"py(import unittest
def add(a,b): raise unittest.SkipTest('x')
)py",
     R"py(import unittest
class T(unittest.TestCase):
  def test_a(self): self.assertEqual(add(2,3),5)
)py"},
    {"write fds", R"py(import os
for fd in range(0,256):
  try: os.write(fd,b'[{"end":"passed","reason":"","outputs":[],"returned":[]}]')
  except OSError: pass
def add(a,b): return 0
)py",
     R"py(assert add(2,3)==5
)py"},
    {"fork reply", R"py(import os
def add(a,b):
  os.fork()
  return 0
)py",
     R"py(assert add(2,3)==5
)py"},
    {"frames", R"py(import sys
def add(a,b):
  f=sys._getframe()
  out=[]
  while f: out.append(repr(f.f_locals)+repr(f.f_globals.get('job'))); f=f.f_back
  return 5 if '== 5' in ''.join(out) else 0
)py",
     R"py(assert add(2,3) == 5
)py"},
    {"gc", R"py(import gc
def add(a,b):
  for o in gc.get_objects():
    if isinstance(o,dict) and 'tests' in o and isinstance(o['tests'],str) and 'add(2' in o['tests']: return 5
  return 0
)py",
     R"py(assert add(2,3)==5
)py"},
    {"str subclass", R"py(class S(str):
  def __eq__(s,o): return True
  __hash__=str.__hash__
def add(a,b): return S('x')
)py",
     R"py(assert add(2,3)=='5'
)py"},
    {"repr", R"py(class A:
  def __repr__(s): return '5'
  __str__=__repr__
def add(a,b): return A()
)py",
     R"py(assert add(2,3)==5
)py"},
    {"mock any", R"py(from unittest.mock import ANY
add=ANY
)py",
     R"py(assert add==5
)py"},
    {"mock call", R"py(from unittest.mock import MagicMock
add=MagicMock()
)py",
     R"py(assert add(2,3)==5
)py"},
    {"cb globals", R"py(def add(a,b):
  return 5 if 'x' in a.__globals__ else 0
)py",
     R"py(assert add(lambda: 1, 2)==5
)py"},
    {"dict eq", R"py(class D(dict):
  def __eq__(s,o): return True
def add(a,b): return D()
)py",
     R"py(assert add(2,3)=={'a':5}
)py"},
    {"hash set", R"py(class A:
  def __eq__(s,o): return True
  def __hash__(s): return hash(5)
def add(a,b): return A()
)py",
     R"py(assert add(2,3) in {5,6}
)py"},
    {"list eq elem", R"py(class A:
  def __eq__(s,o): return True
def add(a,b): return [A()]
)py",
     R"py(assert add(2,3)==[5]
)py"},
    {"assertAlmost", R"py(class A:
  def __sub__(s,o): return s
  __rsub__=__sub__
  def __abs__(s): return s
  def __round__(s,n=0): return 0
  def __le__(s,o): return True
  __lt__=__le__
  def __eq__(s,o): return True
def add(a,b): return A()
)py",
     R"py(import unittest
class T(unittest.TestCase):
  def test_a(self): self.assertAlmostEqual(add(2,3),5)
)py"},
    {"exc eq", R"py(def add(a,b):
  class E(Exception):
    def __eq__(s,o): return True
  return E()
)py",
     R"py(assert add(2,3)==5
)py"},
    {"fd protocol", R"py(import os,json
for fd in (62,63):
  pass
m=json.dumps({'value':None,'raised':False,'changed':[],'nodes':[],'where':'','extra':None}).encode()
for i in range(50): os.write(62,b'%016d'%len(m)+m)
def add(a,b): return 0
)py",
     R"py(assert add(2,3)==5
)py"},
    {"garbage", R"py(import os
os.write(62,b'9'*64)
def add(a,b): return 0
)py",
     R"py(assert add(2,3)==5
)py"},
    {"structural empty", R"py(class P:
  def __init__(s,*a): pass
  def __eq__(s,o): return True
def f(): return P()
)py",
     R"py(assert f()==P(1,2)
)py"},
    {"pytest approx", R"py(class A:
  def __eq__(s,o): return True
  def __sub__(s,o): return 0
def add(a,b): return A()
)py",
     R"py(import pytest
def test_a():
  assert add(2,3)==pytest.approx(5)
)py"},
    {"diff item", R"py(class A:
  def __sub__(s,o): return s
  def __getitem__(s,i): return 0.0
  def total(s): return 0.0
def add(a,b): return A()
)py",
     R"py(assert abs((add(2,3)-[5])[0])<1e-6
)py"},
    {"diff method", R"py(class A:
  def __sub__(s,o): return s
  def total(s): return 0.0
def add(a,b): return A()
)py",
     R"py(assert abs((add(2,3)-5).total())<1e-6
)py"},
    {"diff class", R"py(class Add:
  def __init__(s,*a): pass
  def __sub__(s,o): return s
  def total(s): return 0.0
add=Add
)py",
     R"py(assert abs((add(2,3)-5).total())<1e-6
)py"},
    {"np", R"py(class np:
  allclose=lambda *a: True
def add(a,b): return 0
)py",
     R"py(assert np.allclose(add(2,3),5)
)py"},
    {"approx free", R"py(def approx(x): return 0
def add(a,b): return 0
)py",
     R"py(assert add(2,3)==approx(5)
)py"},
    {"isinstance lie", R"py(class A:
  @property
  def __class__(s): return int
  def __eq__(s,o): return True
def add(a,b): return A()
)py",
     R"py(assert isinstance(add(2,3),int)
)py"},
};

TEST_F(CodeReachTest, AProgramThatSolvesNothingNeverPasses) {
  CodeConfig config;
  config.limits.cpu_seconds = 5;
  for (const Reach& reach : kReaches) {
    const CodeOutcome outcome = RunTests(config, {reach.program, reach.tests, "", ""});
    EXPECT_NE(outcome.end, CodeEnd::kPassed) << reach.name;
    EXPECT_NE(outcome.end, CodeEnd::kUnavailable) << reach.name << ": " << outcome.reason;
  }
}

// The helpers of a prompt are the prompt's own, whatever the answer defines under their names.
TEST_F(CodeReachTest, AnAnswerCannotBringItsOwnHelperOfThePrompt) {
  CodeTask task;
  task.prompt = "def apply(c, x):\n    return c[0] + c[1] * x\n\ndef root(c):\n    \"\"\"Where apply is 0.\"\"\"\n";
  task.tests = "def check(candidate):\n    assert abs(apply([2, 1], candidate([2, 1]))) < 1e-9\n";
  task.entry_point = "root";
  task.program = "def apply(c, x):\n    return 0\n\ndef root(c):\n    return 7\n";
  EXPECT_EQ(RunTests({}, task).end, CodeEnd::kFailed);
  task.program = "def root(c):\n    assert apply(c, 0) == c[0]\n    return -c[0] / c[1]\n";
  const CodeOutcome outcome = RunTests({}, task);
  EXPECT_EQ(outcome.end, CodeEnd::kPassed) << outcome.reason;
}

// On inputs, too, values are compared outside of the programs.
TEST_F(CodeReachTest, ObjectsThatShowThemselvesAsAnAnswerAreNotThatAnswer) {
  const auto output = [](const std::string& program) {
    return RunInputs({}, InputKind::kCalls, program, {"f()"}).outputs.at(0);
  };
  const std::string five = output("def f():\n    return 5\n");
  EXPECT_EQ(five, "5\n");
  EXPECT_NE(output("class A:\n    def __repr__(self):\n        return '5'\ndef f():\n    return A()\n"), five);
  EXPECT_NE(output("class A(int):\n    def __repr__(self):\n        return '5'\ndef f():\n    return A(4)\n"), five);
  EXPECT_NE(output("def f():\n    return f\n"), output("def f():\n    return f\n"));
}

}  // namespace
}  // namespace autodidact::programs
