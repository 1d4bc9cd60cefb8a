"""What tests use of pytest, where only the standard library is there."""
import contextlib
import io
import os
import re
import sys


class Skipped(BaseException):
    pass


class Raised:
    value = None
    type = None

    def match(self, pattern):
        assert re.search(pattern, str(self.value)), "%r does not match %r" % (str(self.value), pattern)
        return True


@contextlib.contextmanager
def raising(expected, match):
    raised = Raised()
    try:
        yield raised
    except expected as error:
        raised.value, raised.type = error, type(error)
        if match is not None:
            raised.match(match)
    else:
        raise AssertionError("did not raise %s" % (expected,))


def raises(expected, *call, match=None, **named):
    if not call:
        return raising(expected, match)
    with raising(expected, match) as raised:
        call[0](*call[1:], **named)
    return raised


def is_number(value):
    return isinstance(value, (int, float, complex))


class approx:
    def __init__(self, expected, rel=None, abs=None, nan_ok=False):
        self.expected, self.rel, self.abs, self.nan_ok = expected, rel, abs, nan_ok

    def __repr__(self):
        return "approx(%r)" % (self.expected,)

    def near(self, got, expected):
        if isinstance(expected, dict):
            return isinstance(got, dict) and got.keys() == expected.keys() and all(
                self.near(got[key], expected[key]) for key in expected)
        if isinstance(expected, (list, tuple)):
            return isinstance(got, (list, tuple)) and len(got) == len(expected) and all(map(self.near, got, expected))
        if not is_number(expected) or not is_number(got):
            return got == expected
        if got == expected:
            return True
        if got != got or expected != expected:
            return self.nan_ok and got != got and expected != expected
        if abs(expected) == float("inf") or abs(got) == float("inf"):
            return False
        absolute = 1e-12 if self.abs is None else self.abs
        relative = self.rel if self.rel is not None else 0 if self.abs is not None else 1e-6
        return abs(got - expected) <= max(absolute, relative * abs(expected))

    def __eq__(self, got):
        return self.near(got, self.expected)

    __hash__ = None


def add_mark(function, kind, mark):
    function.pytest_marks = getattr(function, "pytest_marks", []) + [(kind, mark)]
    return function


class param:
    def __init__(self, *values, id=None, marks=()):
        self.values = values


class Mark:
    def parametrize(self, names, rows, ids=None, indirect=False, scope=None):
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        table = []
        for row in rows:
            values = row.values if isinstance(row, param) else row if len(names) > 1 else (row,)
            assert len(values) == len(names), "parametrize: %d names, %d values" % (len(names), len(values))
            table.append(dict(zip(names, values)))
        return lambda function: add_mark(function, "parametrize", table)

    def skip(self, *args, **named):
        if args and callable(args[0]):
            return add_mark(args[0], "skip", None)
        return lambda function: add_mark(function, "skip", None)

    def skipif(self, condition, reason=""):
        return (lambda function: add_mark(function, "skip", None)) if condition else (lambda function: function)

    xfail = skip

    def __getattr__(self, name):
        def marked(*args, **named):
            return args[0] if len(args) == 1 and callable(args[0]) and not named else lambda function: function
        return marked


mark = Mark()


def fixture(function=None, scope=None, params=None, autouse=False, ids=None, name=None):
    if function is None:
        return lambda function: fixture(function, scope, params, autouse, ids, name)
    if params is not None:
        params = [one.values[0] if isinstance(one, param) else one for one in params]
    function.fixture = {"params": params, "autouse": autouse, "name": name}
    return function


def skip(reason="", **named):
    raise Skipped(reason)


def fail(reason="", **named):
    raise AssertionError(reason)


def main(*args, **named):
    return 0


class Captured:
    """The capsys fixture."""

    def __init__(self):
        self.before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()

    def readouterr(self):
        import collections
        taken = collections.namedtuple("CaptureResult", "out err")(sys.stdout.getvalue(), sys.stderr.getvalue())
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
        return taken

    def undo(self):
        sys.stdout, sys.stderr = self.before


MISSING = object()


class MonkeyPatch:
    """The monkeypatch fixture."""

    def __init__(self):
        self.undoing = []

    def undo(self):
        while self.undoing:
            self.undoing.pop()()

    def setattr(self, target, name, value=MISSING, raising=True):
        if value is MISSING:
            import pkgutil
            path, value = target, name
            target, name = pkgutil.resolve_name(path.rpartition(".")[0]), path.rpartition(".")[2]
        before = getattr(target, name) if raising else getattr(target, name, MISSING)
        self.undoing.append(lambda: delattr(target, name) if before is MISSING else setattr(target, name, before))
        setattr(target, name, value)

    def setitem(self, mapping, key, value):
        before = mapping.get(key, MISSING)
        self.undoing.append(lambda: mapping.pop(key) if before is MISSING else mapping.__setitem__(key, before))
        mapping[key] = value

    def delitem(self, mapping, key, raising=True):
        if key in mapping or raising:
            before = mapping.pop(key)
            self.undoing.append(lambda: mapping.__setitem__(key, before))

    def setenv(self, name, value, prepend=None):
        self.setitem(os.environ, name, str(value))

    def delenv(self, name, raising=True):
        self.delitem(os.environ, name, raising)

    def chdir(self, path):
        before = os.getcwd()
        self.undoing.append(lambda: os.chdir(before))
        os.chdir(path)
