"""The tests' process: it asks the program's process for values, and alone says the verdict."""
import builtins
import io
import re
import sys
import types

# Of the library's objects those whose public attributes a program may use.
OPEN_KINDS = (io.StringIO, io.BytesIO, re.Pattern, re.Match)


class TestsEnd(Peer):
    names_functions = True
    closed_kinds = (types.ModuleType, type, types.FrameType, types.CodeType, types.TracebackType)
    call_kinds = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.LambdaType)

    def __init__(self, source, sink, pid):
        super().__init__(source, sink)
        self.pid = pid
        self.derived = set()  # ids of what an operator made of an object of the program's and a value of the tests'
        self.closed = set()  # those of them that the tests have not asked for by making the object
        self.makers = set()  # classes that the tests name as such
        self.made = set()
        self.gone = None

    def receive(self):
        if self.gone is not None:
            raise self.gone
        try:
            return super().receive()
        except Broken as error:
            self.gone = error
            raise

    def take_extra(self, printed):
        if printed is not None:
            sys.stdout.write(str(printed))

    def as_raised(self, op, args, error, where):
        steps = op == "special" and args[0] == "__next__" or op == "call" and getattr(args[0], "__name__", "") == "__next__"
        if isinstance(error, (StopIteration, StopAsyncIteration, GeneratorExit)) and not steps:
            error = RuntimeError("the program raises " + type(error).__name__)
        error.where_in_program = str(where)
        return error

    def look_at(self, handle):
        if id(handle) in self.closed:
            raise Refused("what the program's own class made of a value of the tests' is not looked into")

    def named(self, name, value):
        """What the program has under a name of the tests."""
        if isinstance(value, HandleClass) and name[:1].isupper():
            self.makers.add(id(value))
        return value

    def made_by(self, cls, made):
        if id(cls) in self.makers:
            self.made.add(id(made))
        return made

    # Objects of the program's own classes are never asked whether they are equal to something.
    def equal_to_plain(self, handle, other):
        return NotImplemented

    def equal(self, left, right, seen=()):
        if left is right:
            return True
        pair = (id(left), id(right))
        if type(left) is not type(right) or len(seen) > 50:
            return False
        if pair in seen:
            return True
        states = self.ask("state", [left]), self.ask("state", [right])
        if not states[0] or type(states[0]) is not dict or type(states[1]) is not dict:
            return False
        if list(map(str, states[0])) != list(map(str, states[1])):
            return False
        return all(self.same(a, b, seen + (pair,)) for a, b in zip(states[0].values(), states[1].values()))

    def same(self, left, right, seen):
        if isinstance(left, Handle) and isinstance(right, Handle):
            return self.equal(left, right, seen)
        return left == right

    def abilities(self, specials):
        able = super().abilities(specials)
        for name in able:
            if name in BINARY:
                able[name] = guarded_operator(name)
            elif name in ORDER:
                able[name] = guarded_order(name)
            elif name in UNARY or name in ("__bool__", "__int__", "__float__", "__complex__", "__index__", "__len__"):
                able[name] = guarded_conversion(name)
        if "__contains__" in able:
            able["__contains__"] = contained
        return able

    def builtin(self, name):
        raise Broken("what it sent is no value")

    def module(self, name):
        if name not in STDLIB:
            raise Broken("what it sent is no value")
        return __import__(name)

    # What the program may do with objects of the tests: call what it was given to call, step through what it was given
    # to step through, and use the public attributes of the tests' own objects. Never more: behind an attribute may be
    # the tests themselves.
    def perform(self, op, args, named):
        if op == "stdin":
            return sys.stdin.readline() if args == ["readline"] else sys.stdin.read()
        if op == "input":
            return builtins.input(*args)
        if op == "call":
            if isinstance(args[0], type) and args[0].__module__ != "__main__" and args[0] not in BUILTIN_TYPES.values():
                raise Refused("the program may not make a " + args[0].__name__)
            return args[0](*args[1:], **named)
        if op == "step":
            return step_of(self.mine[args[0]], args[1])
        if op == "special":
            name, thing = args[0], args[1]
            if name not in ALL_SPECIAL + ["__eq__"] or isinstance(thing, self.closed_kinds):
                raise Refused("an object of the tests has no %s for the program" % name)
            return getattr(type(thing), name)(thing, *args[2:], **named)
        if op == "text" and args[0] in ("str", "repr"):
            return str(args[1]) if args[0] == "str" else repr(args[1])
        if op in ("get", "set"):
            thing, name = args[0], args[1]
            if op == "get" and name in ("__name__", "__doc__") and isinstance(thing, self.call_kinds):
                return getattr(thing, name, None)
            own = type(thing).__module__ == "__main__" and not is_test_case(thing)
            if name.startswith("_") or isinstance(thing, self.closed_kinds + self.call_kinds) or not (own or op == "get"):
                raise AttributeError(name)
            if not own and not isinstance(thing, OPEN_KINDS):
                raise AttributeError(name)
            return getattr(thing, name) if op == "get" else setattr(thing, name, args[2])
        raise Refused("the program may not ask for " + str(op))


def is_test_case(thing):
    return "unittest" in sys.modules and isinstance(thing, sys.modules["unittest"].TestCase)


def step_of(generator, received):
    try:
        return False, generator.send(received)
    except StopIteration as error:
        return True, error.value


def guarded_operator(name):
    def method(self, other, *more):
        result = link.ask("special", [name, self, other] + list(more))
        if result is NotImplemented:
            return result
        derived = not isinstance(other, Handle) or id(self) in link.derived or id(other) in link.derived
        if derived and not isinstance(result, Handle):
            raise Refused("%s of the program's own class and a value of the tests' gives a plain value" % name)
        if derived:
            link.derived.add(id(result))
            if id(self) in link.made or id(other) in link.made:
                link.made.add(id(result))
            else:
                link.closed.add(id(result))
        return result
    return method


def guarded_order(name):
    def method(self, other):
        if not isinstance(other, Handle) or id(self) in link.derived or id(other) in link.derived:
            raise Refused("an object of the program's own class has no order among the tests' values")
        return link.ask("special", [name, self, other])
    return method


def guarded_conversion(name):
    def method(self, *args):
        if id(self) in link.derived:
            raise Refused("%s of what the program's own class made of a value of the tests'" % name)
        return link.ask("special", [name, self] + list(args))
    return method


def contained(self, item):
    if not hasattr(type(self), "__iter__"):
        raise Refused("an object of the program's own class is not asked what it contains")
    return any(item is one or item == one for one in self)
