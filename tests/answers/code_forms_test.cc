// Tests as people write them, and values of all kinds between the tests and the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "answers/code.h"

namespace autodidact::answers {
namespace {

struct Form {
  const char* name;
  const char* program;
  const char* tests;
  const char* entry_point;
  const char* prompt;
  CodeEnd end;
};

constexpr Form kForms[] = {
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
    {"inplace", R"py(def f(x): x.sort()
)py",
     R"py(x=[3,1,2]
f(x)
assert x==[1,2,3]
)py",
     "", "", CodeEnd::kPassed},
    {"inplace dict nested", R"py(def f(d): d['a'].append(2); d['b']=3
)py",
     R"py(d={'a':[1]}
a=d['a']
f(d)
assert d=={'a':[1,2],'b':3} and a==[1,2] and d['a'] is a
)py",
     "", "", CodeEnd::kPassed},
    {"return same", R"py(def f(x): return x
)py",
     R"py(x=[1]
assert f(x) is x
)py",
     "", "", CodeEnd::kPassed},
    {"alias", R"py(def f(n): return [[0]*n]*n
)py",
     R"py(r=f(2)
r[0][0]=1
assert r==[[1,0],[1,0]]
)py",
     "", "", CodeEnd::kPassed},
    {"cycle", R"py(def f():
  x=[1]; x.append(x); return x
)py",
     R"py(r=f()
assert r[1] is r and r[0]==1
)py",
     "", "", CodeEnd::kPassed},
    {"generator", R"py(def f(n):
  for i in range(n): yield i
)py",
     R"py(import types
g=f(3)
assert isinstance(g,types.GeneratorType)
assert list(g)==[0,1,2]
)py",
     "", "", CodeEnd::kPassed},
    {"infinite gen", R"py(def f():
  i=0
  while True:
    yield i
    i+=1
)py",
     R"py(from itertools import islice
assert list(islice(f(),3))==[0,1,2]
)py",
     "", "", CodeEnd::kPassed},
    {"callback", R"py(def f(g,x): return g(x)+1
)py",
     R"py(assert f(lambda v: v*2, 3)==7
assert f(len,[1,2])==3
assert f(int,'5')==6
)py",
     "", "", CodeEnd::kPassed},
    {"closure", R"py(def f(n): return lambda x: x+n
)py",
     R"py(assert f(2)(3)==5
)py",
     "", "", CodeEnd::kPassed},
    {"decor", R"py(def twice(g):
  def w(*a): return g(g(*a))
  return w
)py",
     R"py(@twice
def h(x): return x+1
assert h(1)==3
)py",
     "", "", CodeEnd::kPassed},
    {"class", R"py(class Stack:
  def __init__(self): self.items=[]
  def push(self,x): self.items.append(x)
  def pop(self): return self.items.pop()
  def __len__(self): return len(self.items)
)py",
     R"py(s=Stack()
s.push(1);s.push(2)
assert len(s)==2 and s.pop()==2 and s.items==[1]
assert isinstance(s,Stack) and type(s) is Stack
s.items=[5]
assert s.pop()==5
)py",
     "", "", CodeEnd::kPassed},
    {"pair", R"py(class Pair(object):
  def __init__(self,a,b): self.a=a;self.b=b
def m(arr,n): return max(p.b for p in arr)
)py",
     R"py(assert m([Pair(5,24),Pair(15,25)],2)==25
)py",
     "", "", CodeEnd::kPassed},
    {"namedtuple", R"py(from collections import namedtuple
P=namedtuple('P','x y')
def f(): return P(1,2)
)py",
     R"py(assert f()==(1,2) and f().x==1 and P(1,2)==f()
)py",
     "", "", CodeEnd::kPassed},
    {"dataclass eq", R"py(from dataclasses import dataclass
@dataclass
class P:
  x:int
  y:int
def f(): return P(1,2)
)py",
     R"py(assert f()==P(1,2) and f()!=P(1,3)
)py",
     "", "", CodeEnd::kPassed},
    {"enum", R"py(import enum
class C(enum.Enum):
  A=1
  B=2
def f(): return C.A
)py",
     R"py(assert f()==C.A and f() is C.A and f().value==1 and C(1) is C.A and len(list(C))==2
)py",
     "", "", CodeEnd::kPassed},
    {"custom exc", R"py(class E(ValueError): pass
def f(): raise E('bad',3)
)py",
     R"py(try:
  f()
  assert False
except E as e:
  assert e.args==('bad',3) and isinstance(e,ValueError)
)py",
     "", "", CodeEnd::kPassed},
    {"exc attr", R"py(class E(Exception):
  def __init__(self,c): self.code=c; super().__init__('c%d'%c)
def f(): raise E(7)
)py",
     R"py(try:
  f()
except E as e:
  assert e.code==7 and str(e)=='c7'
else: assert False
)py",
     "", "", CodeEnd::kPassed},
    {"values", R"py(def f(x): return x
)py",
     R"py(import math,decimal,fractions,datetime,collections
for v in [1+2j,{1,2},frozenset([1]),b'a',bytearray(b'x'),2**200,-0.0,1e308,float('inf'),None,True,(1,),range(3),slice(1,2),decimal.Decimal('1.5'),fractions.Fraction(1,3),datetime.date(2020,1,2),collections.Counter('aab'),collections.deque([1,2],3),collections.OrderedDict(a=1),collections.defaultdict(int,{1:2}),'\ud800',...]:
  r=f(v)
  assert r==v and type(r) is type(v), v
assert math.isnan(f(float('nan')))
assert math.copysign(1,f(-0.0))==-1
assert f(1) is not True
)py",
     "", "", CodeEnd::kPassed},
    {"bool vs int", R"py(def f(): return 1
)py",
     R"py(assert f() is True
)py",
     "", "", CodeEnd::kFailed},
    {"isinstance", R"py(def f(): return [1]
)py",
     R"py(assert isinstance(f(),list) and type(f()[0])==int
)py",
     "", "", CodeEnd::kPassed},
    {"kwargs", R"py(def f(a,*,b=2): return a+b
)py",
     R"py(assert f(1,b=3)==4 and f(a=1)==3
)py",
     "", "", CodeEnd::kPassed},
    {"async", R"py(import asyncio
async def f(x): return x+1
)py",
     R"py(import asyncio
assert asyncio.run(f(1))==2
)py",
     "", "", CodeEnd::kPassed},
    {"recursion", R"py(def f(n): return 0 if n==0 else 1+f(n-1)
)py",
     R"py(assert f(900)==900
)py",
     "", "", CodeEnd::kPassed},
    {"rec err", R"py(def f(n): return f(n+1)
)py",
     R"py(try:
  f(0)
  assert False
except RecursionError: pass
)py",
     "", "", CodeEnd::kPassed},
    {"sum builtin", R"py(def sum(a,b): return a+b
)py",
     R"py(assert sum(10,15)==25
)py",
     "", "", CodeEnd::kPassed},
    {"sum wrong", R"py(def sum(a,b): return a-b
)py",
     R"py(assert sum(10,15)==25
)py",
     "", "", CodeEnd::kFailed},
    {"gcd", R"py(def gcd(a,b):
  while b: a,b=b,a%b
  return a
def lcm(a,b): return a*b//gcd(a,b)
)py",
     R"py(assert gcd(4,6)==2
assert lcm(4,6)==12
)py",
     "", "", CodeEnd::kPassed},
    {"math no import", R"py(import math
def f(x): return x/3
)py",
     R"py(assert math.isclose(f(1),0.3333333333333333)
)py",
     "", "", CodeEnd::kPassed},
    {"isclose from prog", R"py(from math import isclose
def f(x): return x/3
)py",
     R"py(assert isclose(f(1),0.3333333333333333)
)py",
     "", "", CodeEnd::kPassed},
    {"global var", R"py(counter=0
def f():
  global counter
  counter+=1
)py",
     R"py(f()
assert counter==1
f()
assert counter==2
)py",
     "", "", CodeEnd::kPassed},
    {"input patched", R"py(def f(): return int(input())*2
)py",
     R"py(from unittest.mock import patch
with patch('builtins.input',return_value='4'):
  assert f()==8
)py",
     "", "", CodeEnd::kPassed},
    {"stdin patched", R"py(def f(): return int(input())*2
)py",
     R"py(import sys,io
sys.stdin=io.StringIO('4\n')
assert f()==8
)py",
     "", "", CodeEnd::kPassed},
    {"listnode test cls", R"py(def f(n):
  t=0
  while n: t+=n.val; n=n.next
  return t
)py",
     R"py(class Node:
  def __init__(self,v,n=None): self.val=v; self.next=n
assert f(Node(1,Node(2)))==3
)py",
     "", "", CodeEnd::kPassed},
    {"listnode rev", R"py(def f(head):
  p=None
  while head: head.next,p,head=p,head,head.next
  return p
)py",
     R"py(class Node:
  def __init__(self,v,n=None): self.val=v; self.next=n
r=f(Node(1,Node(2)))
assert r.val==2 and r.next.val==1 and r.next.next is None
)py",
     "", "", CodeEnd::kPassed},
    {"prompt node", R"py(class Node:
  def __init__(self,v): self.val=v; self.left=None
def ins(r,v):
  assert isinstance(r,Node)
  r.left=Node(v)
)py",
     R"py(r=Node(5)
ins(r,3)
assert r.left.val==3
)py",
     "ins", "class Node:\n  def __init__(self,v): self.val=v; self.left=None\n\ndef ins(r,v):\n  '''insert'''\n",
     CodeEnd::kPassed},
    {"set ops", R"py(def f(): return {1,2}
)py",
     R"py(assert f()=={2,1} and f()|{3}=={1,2,3}
)py",
     "", "", CodeEnd::kPassed},
    {"dict keys", R"py(def f(d): return d.keys()
)py",
     R"py(assert f({'a':1})=={'a'} and list(f({'a':1}))==['a']
)py",
     "", "", CodeEnd::kPassed},
    {"map obj", R"py(def f(x): return map(str,x)
)py",
     R"py(assert list(f([1,2]))==['1','2']
)py",
     "", "", CodeEnd::kPassed},
    {"zip iter", R"py(def f(x): return zip(x,x)
)py",
     R"py(assert list(f([1]))==[(1,1)]
)py",
     "", "", CodeEnd::kPassed},
    {"nested deep", R"py(def f(n):
  r=[]
  for _ in range(n): r=[r]
  return r
)py",
     R"py(r=f(100)
n=0
while r: r=r[0];n+=1
assert n==100
)py",
     "", "", CodeEnd::kPassed},
    {"file", R"py(def f(p): return open(p).read()
)py",
     R"py(open('/tmp/zz','w').write('q')
assert f('/tmp/zz')=='q'
)py",
     "", "", CodeEnd::kPassed},
    {"stringio", R"py(def f(s): return s.read().upper()
)py",
     R"py(import io
assert f(io.StringIO('ab'))=='AB'
)py",
     "", "", CodeEnd::kPassed},
    {"context", R"py(class C:
  def __enter__(self): return self
  def __exit__(self,*a): return True
  v=3
)py",
     R"py(with C() as c:
  assert c.v==3
  raise ValueError
assert C.v==3
)py",
     "", "", CodeEnd::kPassed},
    {"vector ops", R"py(class V:
  def __init__(self,x,y): self.x=x;self.y=y
  def __add__(self,o): return V(self.x+o.x,self.y+o.y)
  def __mul__(self,k): return V(self.x*k,self.y*k)
  def __eq__(self,o): return self.x==o.x and self.y==o.y
  def __repr__(self): return 'V(%d, %d)'%(self.x,self.y)
)py",
     R"py(assert V(1,2)+V(3,4)==V(4,6)
assert V(1,2)*3==V(3,6)
assert (V(1,2)*3).x==3
assert repr(V(1,2))=='V(1, 2)'
)py",
     "", "", CodeEnd::kPassed},
    {"order ops", R"py(import functools
@functools.total_ordering
class A:
  def __init__(s,v): s.v=v
  def __lt__(s,o): return s.v<o.v
  def __eq__(s,o): return s.v==o.v
)py",
     R"py(assert A(1)<A(2)
assert [a.v for a in sorted([A(2),A(1)])]==[1,2]
)py",
     "", "", CodeEnd::kPassed},
    {"static", R"py(class M:
  K=5
  @staticmethod
  def s(x): return x+1
  @classmethod
  def c(cls): return cls()
  @property
  def p(self): return 9
)py",
     R"py(assert M.s(1)==2 and M.K==5 and M.c().p==9
)py",
     "", "", CodeEnd::kPassed},
};

TEST(CodeFormsTest, TestsAreRunInTheWaysThatPeopleWriteThem) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  for (const Form& form : kForms) {
    const CodeOutcome outcome = RunTests({}, {form.program, form.tests, form.entry_point, form.prompt});
    EXPECT_STREQ(Name(outcome.end), Name(form.end)) << form.name << ": " << outcome.reason;
  }
}

}  // namespace
}  // namespace autodidact::answers
