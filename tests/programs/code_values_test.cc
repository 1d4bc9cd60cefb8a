// Values and objects of all kinds between the tests and the program, whose names are theirs or the library's.
#include "tests/programs/code_example.h"

namespace autodidact::programs {
namespace {

using CodeValuesTest = SandboxedTest;

constexpr CodeExample kExchanges[] = {
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
    {"vector item", R"py(class V:
  def __init__(self,*x): self.x=x
  def __mul__(self,k): return V(*[a*k for a in self.x])
  def __getitem__(self,i): return self.x[i]
)py",
     R"py(assert (V(1,2)*3)[1]==6 and (V(1,2)*3).x==(3,6)
)py",
     "", "", CodeEnd::kPassed},
    {"mkdir", R"py(import os
def f(p): return os.path.isdir(p)
)py",
     R"py(import os
os.mkdir('d')
assert f('d')
assert not f('e')
)py",
     "", "", CodeEnd::kPassed},
    {"reduce free", R"py(from functools import reduce
def f(x): return reduce(lambda a,b:a*b,x)
)py",
     R"py(assert f([1,2,3])==reduce(lambda a,b:a*b,[1,2,3])
)py",
     "", "", CodeEnd::kPassed},
    {"setup cls", R"py(class A:
  def __init__(s): s.v=0
  def inc(s): s.v+=1; return s
)py",
     R"py(import unittest
class T(unittest.TestCase):
  def setUp(self): self.a=A()
  def test_inc(self):
    self.assertEqual(self.a.inc().inc().v,2)
    self.assertIs(self.a.inc(),self.a)
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
    {"text that is an enumeration", R"py(from enum import Enum
class S(str, Enum):
  A = 'a'
def f(): return S.A
)py",
     R"py(assert f() == 'a'
assert f().value == 'a'
)py",
     "", "", CodeEnd::kPassed},
    {"int that says another value", R"py(class I(int):
  def __int__(self): return 7
  __index__ = __int__
def f(): return I(5)
)py",
     R"py(assert f() == 5
)py",
     "", "", CodeEnd::kPassed},
    {"time in a zone", R"py(from datetime import datetime, timezone, timedelta
def f(h): return datetime(2024, 1, 1, h, tzinfo=timezone(timedelta(hours=2), 'X'))
)py",
     R"py(from datetime import datetime, timezone
assert f(3) == datetime(2024, 1, 1, 1, tzinfo=timezone.utc)
assert f(3).tzname() == 'X'
)py",
     "", "", CodeEnd::kPassed},
    {"zone itself", R"py(import datetime
def f(d): return d.tzinfo
)py",
     R"py(import datetime
assert f(datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)) is datetime.timezone.utc
)py",
     "", "", CodeEnd::kPassed},
    {"cause of an error", R"py(def f():
  try: 1 / 0
  except ZeroDivisionError as e: raise RuntimeError('wrapped') from e
)py",
     R"py(try:
  f()
  assert False
except RuntimeError as e:
  assert isinstance(e.__cause__, ZeroDivisionError) and str(e) == 'wrapped'
)py",
     "", "", CodeEnd::kPassed},
    {"documentation", R"py(def f(x):
  """Doubles x."""
  return 2 * x
class A:
  """An A."""
)py",
     R"py(assert f(2) == 4
assert f.__doc__ == 'Doubles x.'
assert A.__doc__ == A().__doc__ == 'An A.'
)py",
     "", "", CodeEnd::kPassed},
    {"name of a wrapped function", R"py(import functools
def deco(g):
  @functools.wraps(g)
  def w(*a): return g(*a)
  return w
)py",
     R"py(@deco
def sq(x):
  'Squares.'
  return x * x
assert sq(3) == 9
assert (sq.__name__, sq.__doc__) == ('sq', 'Squares.')
)py",
     "", "", CodeEnd::kPassed},
};

TEST_F(CodeValuesTest, WhatTravelsIsWhatItWouldBeInOneInterpreter) {
  ExpectEnds(kExchanges);
}

}  // namespace
}  // namespace autodidact::programs
