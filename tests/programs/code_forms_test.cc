// Tests as people write them.
#include "tests/programs/code_example.h"

namespace autodidact::programs {
namespace {

using CodeFormsTest = SandboxedTest;

constexpr CodeExample kForms[] = {
    {"pytest cls", R"py(def f(x): return x*2
)py",
     R"py(class TestF:
  def test_a(self):
    assert f(2)==4
  def test_b(self):
    assert f(3)==7
)py",
     "", "", CodeEnd::kFailed},
    {"unittest ok", R"py(def f(x): return x*2
)py",
     R"py(import unittest
class T(unittest.TestCase):
  def test_a(self):
    self.assertEqual(f(2),4)
  def test_r(self):
    with self.assertRaises(TypeError): f(None)
if __name__=='__main__': unittest.main()
)py",
     "", "", CodeEnd::kPassed},
    {"unittest bad", R"py(def f(x): return x*3
)py",
     R"py(import unittest
class T(unittest.TestCase):
  def test_a(self):
    self.assertEqual(f(2),4)
)py",
     "", "", CodeEnd::kFailed},
    {"pytest raises", R"py(def f(x):
  if x<0: raise ValueError('neg')
  return x
)py",
     R"py(import pytest
def test_a():
  with pytest.raises(ValueError, match='neg'):
    f(-1)
@pytest.mark.parametrize('a,b',[(1,1),(2,2)])
def test_b(a,b):
  assert f(a)==b
)py",
     "", "", CodeEnd::kPassed},
    {"pytest param bad", R"py(def f(x): return 1
)py",
     R"py(import pytest
@pytest.mark.parametrize('a,b',[(1,1),(2,2)])
def test_b(a,b):
  assert f(a)==b
)py",
     "", "", CodeEnd::kFailed},
    {"pytest approx", R"py(def f(x): return x/3
)py",
     R"py(import pytest
def test_a():
  assert f(1)==pytest.approx(0.333333333)
)py",
     "", "", CodeEnd::kPassed},
    {"fixture", R"py(def f(x): return sum(x)
)py",
     R"py(import pytest
@pytest.fixture
def data():
  return [1,2]
def test_a(data):
  assert f(data)==3
)py",
     "", "", CodeEnd::kPassed},
    {"capsys", R"py(def f(x): print('hi',x)
)py",
     R"py(def test_a(capsys):
  f(3)
  assert capsys.readouterr().out=='hi 3\n'
)py",
     "", "", CodeEnd::kPassed},
    {"redirect", R"py(def f(x): print('hi',x)
)py",
     R"py(import io,contextlib
b=io.StringIO()
with contextlib.redirect_stdout(b): f(3)
assert b.getvalue()=='hi 3\n'
)py",
     "", "", CodeEnd::kPassed},
    {"import sol", R"py(def f(x): return x
)py",
     R"py(from solution import f
assert f(3)==3
)py",
     "", "", CodeEnd::kPassed},
    {"import program", R"py(def f(x): return x
)py",
     R"py(import program
assert program.f(3)==3
)py",
     "", "", CodeEnd::kPassed},
    {"list of asserts", R"py(def f(x): return x
)py",
     R"py(["assert f(3)==3","assert f(4)==4"]
)py",
     "", "", CodeEnd::kPassed},
    {"py list", R"py(def f(x): return x
)py",
     R"py(['assert f(3)==3', "assert f('a')=='a'"]
)py",
     "", "", CodeEnd::kPassed},
    {"apps stdin", R"py(a=int(input())
print(a*2)
)py",
     R"py({"inputs":["2\n","5\n"],"outputs":["4\n","10\n"]}
)py",
     "", "", CodeEnd::kPassed},
    {"apps stdin bad", R"py(a=int(input())
print(a*3)
)py",
     R"py({"inputs":["2\n","5\n"],"outputs":["4\n","10\n"]}
)py",
     "", "", CodeEnd::kFailed},
    {"apps fn", R"py(class Solution:
  def add(self,a,b): return a+b
)py",
     R"py({"fn_name":"add","inputs":[[1,2],[3,4]],"outputs":[[3],[7]]}
)py",
     "", "", CodeEnd::kPassed},
    {"apps fn2", R"py(def add(a,b): return a+b
)py",
     R"py({"fn_name":"add","inputs":[[1,2],[3,4]],"outputs":[3,8]}
)py",
     "", "", CodeEnd::kFailed},
    {"lcb", R"py(def add(a,b): return a+b
)py",
     R"py([{"input":"1\n2","output":"3","testtype":"functional"}]
)py",
     "add", "", CodeEnd::kPassed},
    {"stdin exit", R"py(import sys
print(sum(map(int,sys.stdin.read().split())))
sys.exit(0)
)py",
     R"py([{"input":"1 2","output":"3"}]
)py",
     "", "", CodeEnd::kPassed},
    {"stdin os._exit", R"py(import os
print(3,flush=True)
os._exit(0)
)py",
     R"py([{"input":"1 2","output":"3"}]
)py",
     "", "", CodeEnd::kPassed},
    {"stdin buffer", R"py(import sys
sys.stdout.buffer.write(sys.stdin.buffer.read())
)py",
     R"py([{"input":"1 2","output":"1 2"}]
)py",
     "", "", CodeEnd::kPassed},
    {"leet expr", R"py(class Solution:
  def add(self,a,b): return a+b
)py",
     R"py(def check(candidate):
  assert candidate(a=2,b=3)==5
)py",
     "Solution().add", "class Solution:\n  def add(self,a,b):\n    ", CodeEnd::kPassed},
    {"leet name", R"py(class Solution:
  def add(self,a,b): return a+b
)py",
     R"py(def check(candidate):
  assert candidate(2,3)==5
)py",
     "add", "", CodeEnd::kPassed},
    {"leet pairs", R"py(class Solution:
  def add(self,a,b): return a+b
)py",
     R"py([{"input":[2,3],"output":5}]
)py",
     "Solution().add", "", CodeEnd::kPassed},
    {"leet continued", R"py(        return a+b

)py",
     R"py(def check(candidate):
  assert candidate(2,3)==5
)py",
     "Solution().add", "class Solution:\n    def add(self,a,b):\n", CodeEnd::kPassed},
    {"setup code", R"py(def f(x): return x
)py",
     R"py({"test_list":["assert f(K)==3"],"test_setup_code":"K=3"}
)py",
     "", "", CodeEnd::kPassed},
    {"check called", R"py(def f(x): return x
)py",
     R"py(def check(candidate):
  assert candidate(3)==3
check(f)
)py",
     "f", "", CodeEnd::kPassed},
    {"subtests", R"py(def f(x): return x
)py",
     R"py(import unittest
class T(unittest.TestCase):
  def test_a(self):
    for v in (1,2):
      with self.subTest(v=v): self.assertEqual(f(v),1)
)py",
     "", "", CodeEnd::kFailed},
    {"numbers as texts", R"py(print(int(input())/2)
)py",
     R"py([["4","2"]]
)py",
     "", "", CodeEnd::kPassed},
    {"doctest", R"py(def f(x): return x * x
)py",
     R"py(>>> f(2)
4
>>> [f(x)
...  for x in (1, 3)]
[1, 9]
)py",
     "", "", CodeEnd::kPassed},
    {"doctest, wrong", R"py(def f(x): return 0
)py",
     R"py(>>> f(2)
4
>>> [f(x)
...  for x in (1, 3)]
[1, 9]
)py",
     "", "", CodeEnd::kFailed},
    {"doctest of an error", R"py(def f(x):
  if x < 0: raise ValueError('negative')
  return x ** 0.5
)py",
     R"py(>>> f(-1)
Traceback (most recent call last):
    ...
ValueError: negative
>>> f(4)
2.0
)py",
     "", "", CodeEnd::kPassed},
    {"doctest of an error, wrong", R"py(def f(x): return abs(x) ** 0.5
)py",
     R"py(>>> f(-1)
Traceback (most recent call last):
    ...
ValueError: negative
>>> f(4)
2.0
)py",
     "", "", CodeEnd::kFailed},
    {"doctest in a docstring", R"py(def f(x): return x * x
)py",
     R"py("""
>>> f(2)
4
"""
import doctest
doctest.testmod()
)py",
     "", "", CodeEnd::kPassed},
    {"doctest in a docstring, wrong", R"py(def f(x): return 0
)py",
     R"py("""
>>> f(2)
4
"""
import doctest
doctest.testmod()
)py",
     "", "", CodeEnd::kFailed},
    {"fenced", R"py(def f(x): return x * x
)py",
     R"py(The tests:
```python
assert f(2) == 4
```
)py",
     "", "", CodeEnd::kPassed},
    {"fenced, wrong", R"py(def f(x): return 0
)py",
     R"py(The tests:
```python
assert f(2) == 4
```
)py",
     "", "", CodeEnd::kFailed},
    {"class with parameters", R"py(def f(x): return x * x
)py",
     R"py(import pytest
@pytest.mark.parametrize('a', [2, 3])
class TestF:
  def test_a(self, a):
    assert f(a) == a * a
)py",
     "", "", CodeEnd::kPassed},
    {"class with parameters, wrong", R"py(def f(x): return 0
)py",
     R"py(import pytest
@pytest.mark.parametrize('a', [2, 3])
class TestF:
  def test_a(self, a):
    assert f(a) == a * a
)py",
     "", "", CodeEnd::kFailed},
    {"fixture with parameters", R"py(def f(x): return x * x
)py",
     R"py(import pytest
@pytest.fixture(params=[2, pytest.param(3)])
def n(request): return request.param
def test_a(n): assert f(n) == n * n
)py",
     "", "", CodeEnd::kPassed},
    {"fixture with parameters, wrong", R"py(def f(x): return 0
)py",
     R"py(import pytest
@pytest.fixture(params=[2, pytest.param(3)])
def n(request): return request.param
def test_a(n): assert f(n) == n * n
)py",
     "", "", CodeEnd::kFailed},
    {"fixture of a class", R"py(def f(x): return x * x
)py",
     R"py(import pytest
class TestA:
  @pytest.fixture
  def n(self): return 2
  def test_a(self, n): assert f(n) == 4
)py",
     "", "", CodeEnd::kPassed},
    {"fixture of a class, wrong", R"py(def f(x): return 0
)py",
     R"py(import pytest
class TestA:
  @pytest.fixture
  def n(self): return 2
  def test_a(self, n): assert f(n) == 4
)py",
     "", "", CodeEnd::kFailed},
    {"fixture for all", R"py(def f(x): return x * x
)py",
     R"py(import pytest
state = []
@pytest.fixture(autouse=True)
def around():
  state.append(2)
  yield
  state.clear()
def test_a(): assert f(state[0]) == 4
def test_b(): assert len(state) == f(1)
)py",
     "", "", CodeEnd::kPassed},
    {"fixture for all, wrong", R"py(def f(x): return 0
)py",
     R"py(import pytest
state = []
@pytest.fixture(autouse=True)
def around():
  state.append(2)
  yield
  state.clear()
def test_a(): assert f(state[0]) == 4
def test_b(): assert len(state) == f(1)
)py",
     "", "", CodeEnd::kFailed},
    {"fixture under another name", R"py(def f(x): return x * x
)py",
     R"py(import pytest
@pytest.fixture(name='n')
def make(): return 2
def test_a(n): assert f(n) == 4
)py",
     "", "", CodeEnd::kPassed},
    {"fixture under another name, wrong", R"py(def f(x): return 0
)py",
     R"py(import pytest
@pytest.fixture(name='n')
def make(): return 2
def test_a(n): assert f(n) == 4
)py",
     "", "", CodeEnd::kFailed},
    {"finalizer", R"py(def f(x): return x * x
)py",
     R"py(import pytest
ends = []
@pytest.fixture
def n(request):
  request.addfinalizer(lambda: ends.append(1))
  return 2
def test_a(n): assert f(n) == 4
def test_b(): assert ends == [f(1)]
)py",
     "", "", CodeEnd::kPassed},
    {"finalizer, wrong", R"py(def f(x): return 0
)py",
     R"py(import pytest
ends = []
@pytest.fixture
def n(request):
  request.addfinalizer(lambda: ends.append(1))
  return 2
def test_a(n): assert f(n) == 4
def test_b(): assert ends == [f(1)]
)py",
     "", "", CodeEnd::kFailed},
    {"monkeypatch", R"py(def f(x): return int(input()) ** x
)py",
     R"py(def test_a(monkeypatch):
  monkeypatch.setattr('builtins.input', lambda *_: '3')
  assert f(2) == 9
def test_b():
  import builtins
  assert builtins.input.__name__ != '<lambda>'
)py",
     "", "", CodeEnd::kPassed},
    {"monkeypatch, wrong", R"py(def f(x): return 0
)py",
     R"py(def test_a(monkeypatch):
  monkeypatch.setattr('builtins.input', lambda *_: '3')
  assert f(2) == 9
def test_b():
  import builtins
  assert builtins.input.__name__ != '<lambda>'
)py",
     "", "", CodeEnd::kFailed},
    {"set up and tear down", R"py(def f(x): return x * x
)py",
     R"py(class TestF:
  @classmethod
  def setup_class(cls): cls.n = 2
  def setup_method(self, method): self.m = 3
  def teardown_method(self): TestF.n = self.m
  def test_a(self): assert f(self.n) == 4
  def test_b(self): assert f(self.n) == 9
)py",
     "", "", CodeEnd::kPassed},
    {"set up and tear down, wrong", R"py(def f(x): return 0
)py",
     R"py(class TestF:
  @classmethod
  def setup_class(cls): cls.n = 2
  def setup_method(self, method): self.m = 3
  def teardown_method(self): TestF.n = self.m
  def test_a(self): assert f(self.n) == 4
  def test_b(self): assert f(self.n) == 9
)py",
     "", "", CodeEnd::kFailed},
    {"class Solution by its method", R"py(class Solution:
  def g(self, x): return x * x
)py",
     R"py(assert g(2) == 4)py", "g", "", CodeEnd::kPassed},
    {"class Solution by its method, wrong", R"py(class Solution:
  def g(self, x): return 0
)py",
     R"py(assert g(2) == 4)py", "g", "", CodeEnd::kFailed},
    {"script that exits", R"py(print(int(input()) * 2)
exit()
print(1)
)py",
     R"py({"inputs": ["2"], "outputs": ["4"]})py", "", "", CodeEnd::kPassed},
};

TEST_F(CodeFormsTest, TestsAreRunInTheWaysThatPeopleWriteThem) {
  ExpectEnds(kForms);
}

}  // namespace
}  // namespace autodidact::programs
