"""Starts both processes, does one job, and writes the verdict, which only the tests' process can write."""

MAX_OUTPUT = 4000  # characters of an output that are written as they are


def run_tests(job):
    entry = job["entry_point"]
    kind, *tests = read_tests(job["tests"], job["test_blocks"], entry)
    asked = set(entry_names(entry))
    if kind == "pairs":
        entry, pairs = tests
        names = entry_names(entry)
        prompt = Prompt(job["prompt"], job["prompt_blocks"], set(names))
        run_pairs(job, entry, pairs, parts_of(job, names, prompt, not entry))
        return
    prompt = Prompt(job["prompt"], job["prompt_blocks"], asked)
    suite = Suite(tests[0], entry, prompt)
    check_suite(suite)
    if job["kind"] == "check":
        return
    parts = parts_of(job, entry_names(entry) or suite.asked(), prompt, False)
    names = suite.asked(parsed(parts[-1][1]))
    link.ask("load", [parts])
    there = link.ask("names", [names + ["Solution"]])

    fetched = set()

    def fetch(name):
        fetched.add(name)
        if name not in there and name == entry and "Solution" in there:
            return getattr(there["Solution"](), name)
        return link.named(name, there[name] if name in there else link.ask("name", [name]))

    suite.run(names, fetch)
    if not fetched:
        raise Invalid("the tests test nothing: " + suite.why_idle())


def parts_of(job, names, prompt, is_script):
    program = choose_program(job["program"], job["blocks"], names, prompt, is_script)
    return [["prompt", prompt.helpers], ["program", program]] if prompt.helpers else [["program", program]]


def check_only(job):
    """Whether tests test anything, without a program."""
    kind, *tests = read_tests(job["tests"], job["test_blocks"], job["entry_point"])
    if kind == "code":
        entry = job["entry_point"]
        check_suite(Suite(tests[0], entry, Prompt(job["prompt"], job["prompt_blocks"], set(entry_names(entry)))))


class Uncomparable(Exception):
    """A value that says nothing outside of its process."""


def plain(value, depth=0):
    """One text for all values that are equal."""
    if depth > 50:
        raise Uncomparable("nested too deeply")
    if isinstance(value, Handle):
        return plain_object(value, depth)
    name = "" if type(value).__module__ != "program" else type(value).__name__
    if isinstance(value, float):
        return name + ("nan" if value != value else "%.12g" % (value + 0.0))
    if isinstance(value, complex):
        return "%scomplex(%s, %s)" % (name, plain(value.real), plain(value.imag))
    for kind, ends in ((list, "[]"), (tuple, "()")):
        if isinstance(value, kind):
            return name + ends[0] + ", ".join(plain(item, depth + 1) for item in value) + ends[1]
    if isinstance(value, (set, frozenset)):
        return name + "{" + ", ".join(sorted(plain(item, depth + 1) for item in value)) + "}"
    if isinstance(value, dict):
        pairs = sorted((plain(key, depth + 1), plain(item, depth + 1)) for key, item in value.items())
        return name + "{" + ", ".join(key + ": " + item for key, item in pairs) + "}"
    if isinstance(value, (types.GeneratorType, range)) or type(value).__name__ in ("deque", "dict_values", "dict_items",
                                                                                   "dict_keys"):
        return type(value).__name__ + plain_items(value, depth)
    for kind in (str, bytes, int):
        if isinstance(value, kind):
            return name + kind.__repr__(value)
    if isinstance(value, BaseException):
        return type(value).__name__ + plain(list(value.args), depth + 1)
    return repr(value)


def plain_items(values, depth):
    items = []
    for item in values:
        items.append(plain(item, depth + 1))
        if len(items) > 10000:
            raise Uncomparable("the iterator does not end")
    return "(" + ", ".join(items) + ")"


def plain_object(value, depth):
    if hasattr(type(value), "__next__"):
        return type(value).__name__ + plain_items(value, depth)
    state = link.ask("state", [value])
    if not state:
        raise Uncomparable("an object without attributes")
    return type(value).__name__ + plain(state, depth + 1)


def try_calls(job, outputs, returned):
    trees = [parsed(text.strip()) for text in job["inputs"]]
    names = list(dict.fromkeys(name for tree in trees if tree is not None for name in free_names(tree)))
    parts = parts_of(job, [name for name in names if name not in BUILTINS] or names, Prompt("", [], set()), False)
    link.ask("load", [parts])
    for text in job["inputs"]:
        sys.stdout = printed = io.StringIO()
        try:
            value = plain(link.ask("evaluate", [text]))
            outputs.append(shortened(value + "\n" + printed.getvalue()))
            returned.append(True)
        except MemoryError:
            raise
        except Uncomparable:
            outputs.append("uncomparable " + os.urandom(16).hex())
            returned.append(False)
        except Exception as error:
            outputs.append("raises " + type(error).__name__)
            returned.append(False)
        except SystemExit:
            outputs.append("raises SystemExit")
            returned.append(False)


def try_stdin(job, outputs, returned):
    parts = parts_of(job, [], Prompt("", [], set()), True)
    for text in job["inputs"]:
        printed, ending, kind, how = link.ask("run", [parts, text])
        if kind != "failed":
            raise Ended(kind, how)
        if ending == "raises MemoryError":
            raise Ended("resource_limit", "memory")
        ending = ending.split("\n")[0]
        outputs.append(shortened("\n".join(lines(printed) + [ending])))
        returned.append(not ending)


def shortened(text):
    """Long outputs are compared by a sum over them."""
    if len(text) <= MAX_OUTPUT:
        return text
    import hashlib
    return text[:MAX_OUTPUT] + "\n" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def how_it_ended():
    """Of the program's process, which is gone or is ended here."""
    for _ in range(200):
        pid, status, used = os.wait4(link.pid, os.WNOHANG)
        if pid:
            return ended_as(status, used)
        signal.sigtimedwait([signal.SIGCHLD], 0.01)
    os.kill(link.pid, signal.SIGKILL)
    return "failed", "it left the calls unanswered"


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


def outcome_of(job, outputs, returned):
    try:
        if job["kind"] == "calls":
            try_calls(job, outputs, returned)
        elif job["kind"] == "stdin":
            try_stdin(job, outputs, returned)
        elif job["kind"] == "check":
            check_only(job)
        else:
            run_tests(job)
        if link.gone is not None:
            raise link.gone
        return "passed", ""
    except Invalid as error:
        return "invalid", str(error)
    except Ended as error:
        return error.args
    except Failed as error:
        return "failed", str(error)
    except Broken as error:
        if str(error):
            return "failed", "the program: " + str(error)
        end, how = how_it_ended()
        return end, how if end != "failed" else "the program ended before the tests did: " + how
    except SystemExit as error:
        return "failed", "%s exits (%r)" % ("the program" if hasattr(error, "where_in_program") else "a test", error.code)
    except BaseException as error:
        end, reason = end_of(error)
        return end, reason or reason_of(error, {"tests": job.get("tests", "")})


def main():
    global link
    to_program, from_tests = os.pipe(), os.pipe()
    pid = os.fork()
    nothing = os.open(os.devnull, os.O_RDWR)
    if pid == 0:
        # Nothing of the job has been read yet, so nothing of it is in this process.
        os.dup2(to_program[0], 3 + 60)
        os.dup2(from_tests[1], 2 + 60)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        os.closerange(3, 62)
        program_main(63, 62)
    os.close(to_program[0])
    os.close(from_tests[1])
    job_source, report = os.dup(0), os.dup(1)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    sys.setrecursionlimit(3000)
    sys.meta_path.insert(0, finder)
    sys.modules["__main__"] = types.ModuleType("__main__")
    link = TestsEnd(from_tests[0], to_program[1], pid)
    job = json.loads(read_exactly(job_source, int(read_exactly(job_source, 16))))
    jobs = job["jobs"] if job["kind"] == "many" else [job]
    verdicts = []
    for one in jobs:
        outputs, returned = [], []
        end, reason = outcome_of(one, outputs, returned)
        verdicts.append({"end": end, "reason": reason[:1000], "outputs": outputs, "returned": returned})
    data = json.dumps(verdicts).encode()
    while data:
        data = data[os.write(report, data):]
    os._exit(0)


main()
