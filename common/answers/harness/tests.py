"""The tests' process: it runs the tests, asks the program's process for values, and alone says the verdict."""
import ast
import builtins
import io
import os
import re
import signal
import sys
import types

# Of the library's objects those whose public attributes a program may use.
OPEN_KINDS = (io.StringIO, io.BytesIO, re.Pattern, re.Match)
# Names that tests use without an import, as if the program had made it. They are the library's, not the program's.
LIBRARY = ("math", "collections", "itertools", "functools", "operator", "decimal", "fractions", "datetime", "typing",
           "copy", "heapq", "bisect", "statistics", "string", "random", "re", "dataclasses", "enum", "abc",
           "pytest")
PROGRAM_MODULES = {"program", "solution", "answer", "candidate", "submission", "main", "your_module", "module_under_test"}
PROBE_CALLS = 2000
PROBE_SECONDS = 2
PROBE_FOLDER = "/tmp/.probe"


class Invalid(Exception):
    """The tests say nothing about any program."""


class GaveUp(BaseException):
    """A probe that takes too long: nothing is known about the tests."""


class Failed(Exception):
    """A check of the harness's own that did not hold."""


def library_value(name):
    """What a name means that is not the program's to give; raises LookupError for others."""
    if name in STDLIB or name == "pytest":
        return __import__(name)
    for module in LIBRARY:
        if module in sys.modules or name in COMMON_NAMES.get(module, ()):
            found = __import__(module)
            if not name.startswith("_") and hasattr(found, name):
                return getattr(found, name)
    raise LookupError(name)


COMMON_NAMES = {
    "math": ("isclose", "sqrt", "pi", "inf", "nan", "floor", "ceil", "fabs", "isnan", "gcd", "factorial", "log", "sin",
             "cos", "tan", "exp", "hypot", "prod", "comb", "perm", "isqrt"),
    "typing": ("List", "Dict", "Tuple", "Set", "Optional", "Any", "Union", "Callable", "Iterable", "Iterator"),
    "itertools": ("permutations", "combinations", "product", "chain", "accumulate", "groupby", "count", "cycle", "islice"),
    "functools": ("reduce", "partial", "lru_cache", "wraps", "cmp_to_key"),
    "copy": ("deepcopy", "copy"), "dataclasses": ("dataclass", "field"), "heapq": ("heapify", "heappush", "heappop"),
    "bisect": ("bisect_left", "bisect_right", "insort"), "statistics": ("mean", "median", "stdev"),
    "pytest": ("approx", "raises"),
    "random": ("randint", "shuffle", "choice"), "enum": ("Enum",), "abc": ("ABC", "abstractmethod"),
}


def is_library_name(name):
    return name in BUILTINS or name in STDLIB or any(name in names for names in COMMON_NAMES.values()) or name in (
        "Counter", "deque", "defaultdict", "OrderedDict", "namedtuple", "Decimal", "Fraction", "datetime", "date",
        "timedelta", "pytest", "np", "numpy", "pd", "pandas", "scipy", "torch")


def entry_names(entry):
    """The names of an entry point: itself, or those of an expression such as Solution().add."""
    if not entry or entry.isidentifier():
        return [entry] if entry else []
    tree = parsed(entry)
    if tree is None:
        raise Invalid("entry_point: got '%s', expected the name of a function" % entry[:100])
    return [name for name in free_names(tree) if name not in BUILTINS]


def asked_names(tree, entry, helpers, program_names):
    """What the tests ask of the program: the entry point and the names that nothing else gives.

    A name of the library's is the program's only where the tests would use nothing of it otherwise ("sum", "gcd"):
    else a program could bring its own abs or isclose and so decide about itself.
    """
    free = [name for name in free_names(tree) if name not in helpers]
    own = [name for name in free if not is_library_name(name) and not name.startswith("__")]
    if entry:
        return list(dict.fromkeys(entry_names(entry) + own))
    if own and (program_names is None or set(own) & program_names):
        return own
    if "check" in bound_names(tree) and not own:
        return []
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    named = [name for name in free if is_library_name(name) and name in called
             and (program_names is None or name in program_names)]
    outside = [name for name in named if name not in BUILTINS]
    return own + (outside or named)[:1] + outside[1:]


class Space(dict):
    """The names of the tests. What they do not give themselves is the prompt's, the program's or the library's."""

    def __init__(self, asked, helpers, fetch):
        super().__init__(__name__="__main__", __builtins__=builtins)
        self.asked = set(asked)
        self.helpers = helpers
        self.fetch = fetch

    def __missing__(self, name):
        if self.helpers is not None and name in self.helpers.given:
            return self.helpers[name]
        if name in self.asked or not is_library_name(name):
            value = self.fetch(name)
            if callable(value):
                self[name] = value
            return value
        if name in BUILTINS:
            raise KeyError(name)
        try:
            return library_value(name)
        except (LookupError, ImportError):
            raise KeyError(name) from None


class ProgramModule(types.ModuleType):
    """What tests get that import the program."""

    def __getattr__(self, name):
        if name == "__all__":
            return []
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return finder.fetch(name)
        except NameError:
            raise AttributeError(name) from None


class ProgramFinder:
    fetch = None

    def find_spec(self, name, path=None, target=None):
        if name in PROGRAM_MODULES:
            from importlib.machinery import ModuleSpec
            return ModuleSpec(name, self)
        if name == "pytest":
            from importlib.machinery import ModuleSpec
            return ModuleSpec(name, self)
        return None

    def create_module(self, spec):
        return ProgramModule(spec.name) if spec.name in PROGRAM_MODULES else types.ModuleType(spec.name)

    def exec_module(self, module):
        if module.__name__ == "pytest":
            exec(compile(PYTEST, "pytest", "exec"), module.__dict__)


finder = ProgramFinder()


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


class Suite:
    """Tests as Python code."""

    def __init__(self, text, entry, helpers):
        self.text = text
        self.entry = entry
        self.helpers_text = helpers.helpers
        self.helper_names = helpers.helper_names
        try:
            self.tree = ast.parse(text)
            self.code = compile(text, "tests", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise Invalid("the tests do not parse: %s (tests:%s)" % (
                getattr(error, "msg", error), getattr(error, "lineno", "?"))) from None

    def asked(self, program_tree=None):
        names = defined(program_tree, imports=False) if program_tree is not None else None
        return asked_names(self.tree, self.entry, self.helper_names, names)

    def run(self, asked, fetch):
        """Runs every test. Raises what did not hold."""
        finder.fetch = fetch
        for name in PROGRAM_MODULES & set(sys.modules):
            del sys.modules[name]
        helpers = Space(asked, None, fetch)
        exec(compile(self.helpers_text, "prompt", "exec"), helpers)
        helpers.given = self.helper_names - set(asked)
        space = Space(asked, helpers, fetch)
        if self.uses("unittest"):
            import unittest
            unittest.main = lambda *args, **named: None
        try:
            exec(self.code, space)
        except SystemExit as error:
            if hasattr(error, "where_in_program") or error.code not in (None, 0):
                raise
        self.run_functions(space, fetch)
        self.run_classes(space)

    def uses(self, word):
        return word in self.text

    def called(self):
        """The functions that the tests call by themselves."""
        names = set()
        for node in self.tree.body:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names |= {part.func.id for part in ast.walk(node)
                          if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)}
        return names

    def functions(self, space):
        called = self.called()
        for name, value in list(space.items()):
            if isinstance(value, types.FunctionType) and value.__globals__ is space and name not in called:
                _, wanted = parameters(value)
                takes_candidate = len(wanted) == 1 and (wanted == ["candidate"] or name == "check")
                yield name, value, takes_candidate

    def run_functions(self, space, fetch):
        for name, value, takes_candidate in self.functions(space):
            if takes_candidate and self.entry:
                value(self.candidate(space, fetch))
            elif name.startswith("test") and not takes_candidate and not hasattr(value, "is_fixture"):
                run_function(value, space, ())

    def candidate(self, space, fetch):
        """What is asked for: a function, or a method of the program's class Solution."""
        if not self.entry.isidentifier():
            return eval(compile(self.entry, "entry_point", "eval"), space)
        try:
            return space[self.entry]
        except NameError:
            try:
                return getattr(fetch("Solution")(), self.entry)
            except (NameError, AttributeError):
                pass
            raise

    def run_classes(self, space):
        unittest = sys.modules.get("unittest") if self.uses("unittest") else None
        for name, value in list(space.items()):
            if not isinstance(value, type) or value.__module__ != "__main__":
                continue
            if unittest is not None and issubclass(value, unittest.TestCase):
                result = unittest.TestResult()
                result.failfast = True
                suite = unittest.defaultTestLoader.loadTestsFromTestCase(value)
                problems = KeptProblems()
                problems.keep(result)
                suite.run(result)
                if problems.first is not None:
                    raise problems.first
                if not result.wasSuccessful():
                    raise Failed("a test of %s did not hold" % name)
            elif name.startswith("Test") and "__init__" not in value.__dict__:
                run_plain_class(value, space)

    def why_idle(self):
        names = bound_names(self.tree)
        if "check" in names and not self.entry and "check" not in self.called():
            return "nothing calls check: there is no entry_point"
        if not any(not is_docstring(node) for node in self.tree.body):
            return "there are no tests"
        return "they never use the program"


class KeptProblems:
    """The exceptions themselves, which unittest keeps as text only."""
    first = None

    def keep(self, result):
        for kind in ("addError", "addFailure"):
            setattr(result, kind, self.wrapped(getattr(result, kind)))
        wrapped = result.addSubTest

        def add_sub_test(test, subtest, error):
            if error is not None:
                self.first = self.first or error[1]
            wrapped(test, subtest, error)
        result.addSubTest = add_sub_test

    def wrapped(self, add):
        def kept(test, error):
            self.first = self.first or error[1]
            add(test, error)
        return kept


def parameters(function):
    """The names that a function takes by position, and those of them that it must be given."""
    code = function.__code__
    names = list(code.co_varnames[:code.co_argcount])
    return names, names[:len(names) - len(function.__defaults__ or ())]


def run_function(function, space, before):
    """One test in the manner of pytest, with its fixtures and parameters."""
    marks = getattr(function, "pytest_marks", [])
    if any(kind == "skip" for kind, _ in marks):
        return
    rows = [{}]
    for kind, mark in marks:
        if kind == "parametrize":
            rows = [dict(row, **more) for row in rows for more in mark]
    for row in rows:
        run_with(function, space, before, dict(row))


def run_with(function, space, before, values):
    ends = []
    try:
        for name in parameters(function)[1][len(before):]:
            if name not in values:
                values[name] = fixture_value(name, space, ends)
        result = function(*before, **values)
        if isinstance(result, types.CoroutineType):
            import asyncio
            asyncio.run(result)
    except BaseException as error:
        if type(error).__name__ == "Skipped" and type(error).__module__ == "pytest":
            return
        raise
    finally:
        for end in reversed(ends):
            next(end, None)


def fixture_value(name, space, ends):
    fixture = dict.get(space, name)
    if hasattr(fixture, "is_fixture"):
        values = {needed: fixture_value(needed, space, ends) for needed in parameters(fixture)[1]}
        value = fixture(**values)
        if isinstance(value, types.GeneratorType):
            ends.append(value)
            value = next(value)
        return value
    if name == "tmp_path":
        import pathlib
        import tempfile
        return pathlib.Path(tempfile.mkdtemp())
    if name == "capsys":
        from pytest import Captured
        captured = Captured()
        ends.append(captured.end())
        return captured
    raise Invalid("a test wants '%s', which nothing gives" % name)


def run_plain_class(value, space):
    for name in dir(value):
        if name.startswith("test") and callable(getattr(value, name)):
            made = value()
            for setup in ("setup_method", "setUp", "setup"):
                if hasattr(made, setup):
                    setup_method = getattr(made, setup)
                    setup_method(*[None] * (len(parameters(setup_method.__func__)[1]) - 1))
            function = value.__dict__.get(name, getattr(value, name))
            run_function(getattr(function, "__func__", function), space,
                         () if isinstance(function, staticmethod) else (made,))


def literals_of(tree):
    """Values that the tests write down: what a program that solves nothing would say first."""
    found = []
    for node in ast.walk(tree):
        if len(found) >= 12:
            break
        if isinstance(node, (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp)):
            try:
                value = ast.literal_eval(node)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                continue
            if not any(type(value) is type(one) and value == one for one in found):
                found.append(value)
    return found


class Stub:
    """Stands for a program that solves nothing: whatever is called gives one value."""

    def __init__(self, value):
        self.value = value
        self.calls = 0
        self.used = False

    def fetch(self, name):
        self.used = True

        def stub(*args, **named):
            self.calls += 1
            if self.calls > PROBE_CALLS:
                raise GaveUp()
            return self.value
        stub.__name__ = name
        return stub


def gave_up(*_):
    raise GaveUp()


def fault_of(suite):
    """Why the tests say nothing about a program; empty for tests that do."""
    signal.signal(signal.SIGALRM, gave_up)
    signal.setitimer(signal.ITIMER_REAL, PROBE_SECONDS, PROBE_SECONDS / 10)
    asked = suite.asked()
    for value in [None, object(), 0, True, "", []] + literals_of(suite.tree):
        stub = Stub(value)
        try:
            suite.run(asked, stub.fetch)
        except GaveUp:
            return ""
        except Invalid as error:
            return str(error)
        except BaseException as error:
            if stub.used:
                return ""
            return "they fail before they use the program: " + reason_of(error, {"tests": suite.text})
        if not stub.used:
            return suite.why_idle()
    return "they hold whatever the program returns"


def check_suite(suite):
    """Asks fault_of in a process of its own: what tests do to it has no effect on the tests' real run."""
    source, sink = os.pipe()
    os.makedirs(PROBE_FOLDER, exist_ok=True)
    pid = os.fork()
    if pid == 0:
        reason = ""
        try:
            os.chdir(PROBE_FOLDER)
            sys.stdout = open(os.devnull, "w")
            reason = fault_of(suite)
        finally:
            os.write(sink, reason.encode("utf-8", "replace")[:2000])
            os._exit(0)
    os.close(sink)
    reason = b""
    while True:
        more = os.read(source, 4096)
        if not more:
            break
        reason += more
    os.close(source)
    os.waitpid(pid, 0)
    try:
        os.rmdir(PROBE_FOLDER)
    except OSError:
        import shutil
        shutil.rmtree(PROBE_FOLDER, ignore_errors=True)
    if reason:
        raise Invalid("the tests test nothing: " + reason.decode("utf-8", "replace"))


def reason_of(error, sources):
    text = type(error).__name__
    said = safe_text(error)
    if said:
        text += ": " + said
    text += getattr(error, "where_in_program", "") or where_in(error, sources)
    return " ".join(text.split())[:400]


def end_of(error):
    if isinstance(error, MemoryError):
        return "resource_limit", "memory"
    if isinstance(error, BlockingIOError) or (
            isinstance(error, RuntimeError) and "start new thread" in safe_text(error)):
        return "resource_limit", "processes"
    if isinstance(error, OSError) and error.errno in (27, 28):
        return "resource_limit", "files"
    return "failed", ""
