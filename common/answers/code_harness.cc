#include "answers/code_harness.h"

namespace autodidact::answers {

const char* const kCodeHarness = R"python(
import sys
import os
import io
import json
import types
import traceback


def read_exactly(fd, size):
    data = b""
    while len(data) < size:
        more = os.read(fd, size - len(data))
        if not more:
            os._exit(3)
        data += more
    return data


def reason_of(error):
    text = type(error).__name__
    try:
        said = str(error)
    except BaseException:
        said = ""
    if said:
        text += ": " + said
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in sources]
    if frames:
        lines = sources[frames[-1].filename].splitlines()
        number = frames[-1].lineno or 0
        shown = lines[number - 1].strip() if 0 < number <= len(lines) else ""
        text += " (%s:%d: %s)" % (frames[-1].filename, number, shown)
    return " ".join(text.split())[:400]


def end_of(error):
    if isinstance(error, MemoryError):
        return "resource_limit", "memory"
    if isinstance(error, BlockingIOError) or (
            isinstance(error, RuntimeError) and "start new thread" in str(error)):
        return "resource_limit", "processes"
    if isinstance(error, OSError) and error.errno in (27, 28):
        return "resource_limit", "files"
    return "failed", ""


def plain(value, depth=0):
    if depth > 50:
        raise ValueError("the value is nested too deeply")
    if isinstance(value, float):
        return "nan" if value != value else "%.12g" % (value + 0.0)
    if isinstance(value, complex):
        return "complex(%s, %s)" % (plain(value.real), plain(value.imag))
    kind = type(value)
    if kind in (list, tuple):
        ends = "[]" if kind is list else "()"
        return ends[0] + ", ".join(plain(v, depth + 1) for v in value) + ends[1]
    if kind in (set, frozenset):
        return "{" + ", ".join(sorted(plain(v, depth + 1) for v in value)) + "}"
    if isinstance(value, dict):
        pairs = sorted((plain(k, depth + 1), plain(v, depth + 1)) for k, v in value.items())
        return "{" + ", ".join(k + ": " + v for k, v in pairs) + "}"
    if kind in (types.GeneratorType, map, filter, zip, range, reversed, enumerate):
        items = []
        for item in value:
            items.append(plain(item, depth + 1))
            if len(items) > 10000:
                raise ValueError("the iterator does not end")
        return kind.__name__ + "(" + ", ".join(items) + ")"
    return repr(value)


def module(name):
    made = types.ModuleType(name)
    sys.modules[name] = made
    return made.__dict__


def run(text, name, space):
    sources[name] = text
    exec(compile(text, name, "exec"), space)


def run_tests(job):
    space = module("program")
    run(job["program"], "program", space)
    run(job["tests"], "tests", space)
    if job["entry_point"]:
        if job["entry_point"] not in space:
            raise NameError("the program does not define " + job["entry_point"])
        if "check" in space:
            space["check"](space[job["entry_point"]])


def try_calls(job, outputs, returned):
    space = module("program")
    run(job["program"], "program", space)
    for call in job["inputs"]:
        sys.stdout = printed = io.StringIO()
        try:
            value = plain(eval(compile(call.strip(), "input", "eval"), space))
            outputs.append(value + "\n" + printed.getvalue())
            returned.append(True)
        except MemoryError:
            raise
        except BaseException as error:
            outputs.append("raises " + type(error).__name__)
            returned.append(False)


def try_stdin(job, outputs, returned):
    for text in job["inputs"]:
        sys.stdin = io.StringIO(text)
        sys.stdout = printed = io.StringIO()
        ending = ""
        try:
            run(job["program"], "program", module("__main__"))
        except MemoryError:
            raise
        except SystemExit as error:
            ending = "" if error.code in (None, 0) else "exits with %r" % (error.code,)
        except BaseException as error:
            ending = "raises " + type(error).__name__
        lines = [line.rstrip() for line in printed.getvalue().rstrip().splitlines()]
        outputs.append("\n".join(lines + [ending]))
        returned.append(not ending)


def main():
    itself = os.getpid()
    source, report = os.dup(0), os.dup(1)
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    job = json.loads(read_exactly(source, int(read_exactly(source, 16))))
    outputs, returned = [], []
    try:
        if job["kind"] == "tests":
            run_tests(job)
        elif job["kind"] == "calls":
            try_calls(job, outputs, returned)
        else:
            try_stdin(job, outputs, returned)
        end, reason = "passed", ""
    except SystemExit as error:
        end, reason = "failed", "the program exits (%r)" % (error.code,)
    except BaseException as error:
        end, reason = end_of(error)
        reason = reason or reason_of(error)
    if os.getpid() != itself:
        os._exit(0)
    word = read_exactly(source, 32).decode()
    answer = {"word": word, "end": end, "reason": reason, "outputs": outputs, "returned": returned}
    data = json.dumps(answer).encode()
    while data:
        data = data[os.write(report, data):]
    os._exit(0)


sources = {}
main()
)python";

}  // namespace autodidact::answers
