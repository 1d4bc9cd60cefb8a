"""Runs tests in the manner of pytest: with fixtures, parameters and set-up methods."""
import itertools
import types


def parameters(function):
    """The names that a function takes by position, and those of them that it must be given."""
    code = function.__code__
    names = list(code.co_varnames[:code.co_argcount])
    return names, names[:len(names) - len(function.__defaults__ or ())]


class Request:
    """The fixture `request`."""

    def __init__(self, case, param):
        self.param = param
        self.addfinalizer = lambda end: case.ends.append(end)


class Fixtures:
    """Those of the tests and of the test's own class, each with the object whose method it is."""

    def __init__(self, space, owner):
        self.found = {}
        for holder, bound in [(dict(space), ())] + [(vars(kind), (owner,)) for kind in reversed(type(owner).__mro__)]:
            for name, value in holder.items():
                if isinstance(value, types.FunctionType) and hasattr(value, "fixture"):
                    self.found[value.fixture["name"] or name] = (value, bound)
        self.always = [name for name, (value, _) in self.found.items() if value.fixture["autouse"]]

    def wanted(self, name):
        function, bound = self.found[name]
        return parameters(function)[1][len(bound):]

    def parametrized(self, names):
        """Of the fixtures that the names lead to, those with parameters."""
        seen, waiting = [], list(names)
        while waiting:
            name = waiting.pop(0)
            if name in self.found and name not in seen:
                seen.append(name)
                waiting.extend(self.wanted(name))
        return [name for name in seen if self.found[name][0].fixture["params"] is not None]


class Case:
    """One run of a test."""

    def __init__(self, fixtures, values, params):
        self.fixtures, self.values, self.params = fixtures, dict(values), params
        self.ends = []

    def value(self, name):
        if name not in self.values:
            self.values[name] = self.made(name) if name in self.fixtures.found else self.provided(name)
        return self.values[name]

    def made(self, name):
        function, bound = self.fixtures.found[name]
        given = {wanted: Request(self, self.params.get(name)) if wanted == "request" else self.value(wanted)
                 for wanted in self.fixtures.wanted(name)}
        value = function(*bound, **given)
        if isinstance(value, types.GeneratorType):
            self.ends.append(lambda: next(value, None))
            return next(value)
        return value

    def provided(self, name):
        if name == "tmp_path":
            import pathlib
            import tempfile
            return pathlib.Path(tempfile.mkdtemp())
        if name in ("capsys", "monkeypatch"):
            import pytest
            made = pytest.Captured() if name == "capsys" else pytest.MonkeyPatch()
            self.ends.append(made.undo)
            return made
        raise Invalid("a test wants '%s', which nothing gives" % name)

    def run(self, function, bound, names):
        try:
            for name in self.fixtures.always:
                self.value(name)
            result = function(*bound, **{name: self.value(name) for name in names})
            if isinstance(result, types.CoroutineType):
                import asyncio
                asyncio.run(result)
        except BaseException as error:
            if type(error).__name__ == "Skipped" and type(error).__module__ == "pytest":
                return
            raise
        finally:
            for end in reversed(self.ends):
                end()


def run_function(function, space, bound=()):
    """One test, as often as its parameters and those of its fixtures say. `bound`: the object that it is a method of."""
    marks = getattr(function, "pytest_marks", []) + [mark for one in bound for mark in getattr(type(one), "pytest_marks", [])]
    if any(kind == "skip" for kind, _ in marks):
        return
    rows = [{}]
    for kind, mark in marks:
        if kind == "parametrize":
            rows = [dict(row, **more) for row in rows for more in mark]
    fixtures = Fixtures(space, *(bound or (None,)))
    names = parameters(function)[1][len(bound):]
    with_params = fixtures.parametrized(fixtures.always + names)
    for params in itertools.product(*[fixtures.found[name][0].fixture["params"] for name in with_params]):
        for row in rows:
            names_here = list(dict.fromkeys(names + [name for name in row if name in parameters(function)[0]]))
            Case(fixtures, row, dict(zip(with_params, params))).run(function, bound, names_here)


def call_if_there(holder, *names):
    """Calls what is there under the first of the names, with None for what it wants to be given."""
    for name in names:
        found = getattr(holder, name, None) if not isinstance(holder, dict) else dict.get(holder, name)
        if isinstance(found, types.MethodType):
            found(*[None] * (len(parameters(found.__func__)[1]) - 1))
            return
        if isinstance(found, types.FunctionType):
            found(*[None] * len(parameters(found)[1]))
            return


def run_plain_class(kind, space):
    call_if_there(kind, "setup_class")
    for name in dir(kind):
        if name.startswith("test") and callable(getattr(kind, name)):
            made = kind()
            call_if_there(made, "setup_method", "setUp", "setup")
            function = kind.__dict__.get(name, getattr(kind, name))
            bound = () if isinstance(function, staticmethod) else (made,)
            run_function(getattr(function, "__func__", function), space, bound)
            call_if_there(made, "teardown_method", "tearDown", "teardown")
    call_if_there(kind, "teardown_class")
