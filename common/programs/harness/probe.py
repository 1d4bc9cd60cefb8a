"""Finds tests that test nothing: they are run on programs that solve nothing."""
import ast
import os
import signal
import sys

PROBE_CALLS = 2000
PROBE_SECONDS = 2
PROBE_FOLDER = "/tmp/.probe"


class GaveUp(BaseException):
    """A probe that takes too long: nothing is known about the tests."""


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
            os.write(sink, b"." + reason.encode("utf-8", "replace")[:2000])
            os._exit(0)
    os.close(sink)
    reason = b""
    while True:
        more = os.read(source, 4096)
        if not more:
            break
        reason += more
    os.close(source)
    _, status = os.waitpid(pid, 0)
    try:
        os.rmdir(PROBE_FOLDER)
    except OSError:
        import shutil
        shutil.rmtree(PROBE_FOLDER, ignore_errors=True)
    if not reason and status == 0:
        raise Invalid("the tests test nothing: they end their own process")
    if reason[1:]:
        raise Invalid("the tests test nothing: " + reason[1:].decode("utf-8", "replace"))
