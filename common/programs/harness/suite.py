"""Runs tests that are Python code, in the forms of the standard library and of pytest."""
import ast
import sys
import types


class Failed(Exception):
    """A check of the harness's own that did not hold."""


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
            self.examples = [one for part in self.docstrings() for one in examples_in(part)]
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.tree = ast.parse("")
            self.code = compile("", "tests", "exec")
            self.examples = examples_in(text)
            if not self.examples:
                raise Invalid("the tests do not parse: %s (tests:%s)" % (
                    getattr(error, "msg", error), getattr(error, "lineno", "?"))) from None
        for example in self.examples:
            self.tree.body += statements_of(example)

    def docstrings(self):
        """Those that the tests have run."""
        kinds = (ast.Module, ast.FunctionDef, ast.ClassDef)
        found = [ast.get_docstring(node) or "" for node in ast.walk(self.tree) if isinstance(node, kinds)]
        return found if self.uses("doctest") else []

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
            unittest.expectedFailure = unittest.skip("it says what does not hold")
        try:
            exec(self.code, space)
        except SystemExit as error:
            if hasattr(error, "where_in_program") or error.code not in (None, 0):
                raise
        run_examples(self.examples, space)
        call_if_there(space, "setup_module")
        self.run_functions(space)
        self.run_classes(space)
        call_if_there(space, "teardown_module")

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

    def run_functions(self, space):
        for name, value, takes_candidate in self.functions(space):
            if takes_candidate and self.entry:
                value(self.candidate(space))
            elif name.startswith("test") and not takes_candidate and not hasattr(value, "fixture"):
                call_if_there(space, "setup_function")
                run_function(value, space)
                call_if_there(space, "teardown_function")

    def candidate(self, space):
        """What is asked for: a name, or an expression that leads to it."""
        return space[self.entry] if self.entry.isidentifier() else eval(compile(self.entry, "entry_point", "eval"), space)

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


def examples_in(text):
    """The examples of a doctest, if there are any."""
    if ">>>" not in text:
        return []
    import doctest
    try:
        return doctest.DocTestParser().get_examples(text, "tests")
    except ValueError as error:
        raise Invalid("the tests do not parse: %s" % error) from None


def statements_of(example):
    """What an example uses, and the value that it expects where that is written down."""
    found = []
    for text in (example.source, example.want.strip()):
        tree = parsed(text)
        if tree is not None and (text is example.source or not free_names(tree)):
            found += tree.body
    return found


def run_examples(examples, space):
    if not examples:
        return
    import doctest
    test = doctest.DocTest(examples, {}, "tests", "tests", 0, None)
    test.globs = space
    try:
        doctest.DebugRunner(verbose=False).run(test, clear_globs=False)
    except doctest.UnexpectedException as error:
        raise error.exc_info[1] from None
    except doctest.DocTestFailure as error:
        raise Failed("%s: got %.120r, expected %.120r" % (
            error.example.source.strip()[:120], error.got.strip(), error.example.want.strip())) from None
