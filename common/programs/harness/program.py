"""The program's process: it loads the program and answers calls. It never holds tests, expected values or a verdict."""
import builtins
import io
import os
import select
import sys
import types

MAX_PRINTED = 1 << 20


class Printed(io.BytesIO):
    """Keeps the start of what is printed and drops the rest."""

    def write(self, data):
        if self.tell() < MAX_PRINTED:
            super().write(data)
        return len(data)


class AskingInput(io.TextIOBase):
    """Standard input is that of the tests."""

    def readable(self):
        return True

    def readline(self, size=-1):
        return link.ask("stdin", ["readline"])

    def read(self, size=-1):
        return link.ask("stdin", ["read"])


def asking_input(prompt=""):
    return link.ask("input", [str(prompt)])


def where_in(error, sources):
    """The last line of the given texts that an error came through."""
    found = ""
    step = error.__traceback__
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if name in sources:
            lines = sources[name].splitlines()
            shown = lines[step.tb_lineno - 1].strip() if 0 < step.tb_lineno <= len(lines) else ""
            found = " (%s:%d: %s)" % (name, step.tb_lineno, shown)
        step = step.tb_next
    return found


class ProgramEnd(Peer):
    names_functions = False

    def __init__(self, source, sink):
        super().__init__(source, sink)
        self.itself = os.getpid()
        self.sources = {}
        self.space = {}
        self.printed = Printed()

    def send(self, message):
        if os.getpid() != self.itself:
            os._exit(0)
        super().send(message)

    def extra(self):
        for stream in {sys.stdout, self.text_out}:
            try:
                stream.flush()
            except BaseException:
                pass
        data = self.printed.getvalue()
        if not data:
            return None
        self.printed.seek(0)
        self.printed.truncate()
        return data.decode("utf-8", "replace")

    def where(self, error):
        return where_in(error, self.sources)

    def builtin(self, name):
        return getattr(builtins, name)

    def module(self, name):
        return __import__(name)

    def equal(self, left, right):
        return left is right or self.equal_to_plain(left, right)

    def equal_to_plain(self, handle, other):
        return link.ask("special", ["__eq__", handle, other])

    def abilities(self, specials):
        able = super().abilities(specials)
        # So that a test's object is an instance of the program's own class of that name: both come from the prompt.
        able["__class__"] = property(self.own_class)
        return able

    def own_class(self, handle):
        own = self.space.get(type(handle).__name__)
        return own if isinstance(own, type) else type(handle)

    def perform(self, op, args, named):
        return getattr(self, "do_" + op)(*args, **named) if op != "call" else args[0](*args[1:], **named)

    def do_load(self, parts):
        module = types.ModuleType("program")
        sys.modules["program"] = module
        self.space = module.__dict__
        self.text_out = sys.stdout = io.TextIOWrapper(self.printed, "utf-8", "backslashreplace", write_through=True)
        sys.stdin = AskingInput()
        builtins.input = asking_input
        for name, text in parts:
            self.sources[name] = text
            exec(compile(text, name, "exec"), self.space)

    def do_names(self, names):
        """Functions and classes among the names; other values are asked for when they are used."""
        return {name: self.space[name] for name in names if callable(self.space.get(name))}

    def do_name(self, name):
        if name not in self.space:
            raise NameError("the program does not define " + name)
        return self.space[name]

    def do_get(self, thing, name):
        return getattr(thing, name)

    def do_set(self, thing, name, value):
        setattr(thing, name, value)

    def do_del(self, thing, name):
        delattr(thing, name)

    def do_special(self, name, thing, *args, **named):
        return getattr(type(thing), name)(thing, *args, **named)

    def do_items(self, thing):
        return list(thing)

    def do_item(self, thing, key):
        return thing[key]

    def do_text(self, kind, thing, *args):
        return {"str": str, "repr": repr, "format": format, "dir": dir}[kind](thing, *args)

    def do_state(self, thing):
        """What an object is made of: its attributes."""
        state = dict(getattr(thing, "__dict__", {}))
        for kind in type(thing).__mro__:
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if hasattr(thing, name) and name not in ("__dict__", "__weakref__"):
                    state[name] = getattr(thing, name)
        return state

    def do_step(self, number, received):
        generator = self.mine[number]
        try:
            return False, generator.send(received)
        except StopIteration as error:
            return True, error.value

    def do_await(self, number):
        import asyncio
        return asyncio.run(self.mine[number])

    def do_evaluate(self, text):
        return eval(compile(text.strip(), "input", "eval"), self.space)

    def do_run(self, parts, text):
        return run_whole(parts, text)


def run_whole(parts, text):
    """Runs a program as a script in a process of its own: what it printed, and how it ended ("" when well)."""
    given = os.open("/tmp", os.O_RDWR | os.O_TMPFILE, 0o600)
    os.write(given, text.encode("utf-8", "surrogateescape"))
    os.lseek(given, 0, os.SEEK_SET)
    printed, to_printed = os.pipe()
    ending, to_ending = os.pipe()
    pid = os.fork()
    if pid == 0:
        run_script(parts, given, to_printed, to_ending)
    for fd in (given, to_printed, to_ending):
        os.close(fd)
    texts = {printed: b"", ending: b""}
    open_fds = {printed, ending}
    ended = None
    while open_fds:
        ready = select.select(list(open_fds), [], [], 0.02)[0]
        if ended is None:
            pid_ended, status, used = os.wait4(pid, os.WNOHANG)
            ended = (status, used) if pid_ended else None
        elif not ready:
            break  # what it left behind still holds the pipes
        for fd in ready:
            data = os.read(fd, 65536)
            if not data:
                open_fds.discard(fd)
            elif len(texts[fd]) < MAX_PRINTED:
                texts[fd] += data[:MAX_PRINTED - len(texts[fd])]
    for fd in (printed, ending):
        os.close(fd)
    if ended is None:
        _, status, used = os.wait4(pid, 0)
        ended = (status, used)
    said = texts[ending].decode("utf-8", "replace")
    kind, how = ended_as(*ended)
    if kind == "failed" and not said and how != "exit code 0":
        said = "ends with " + how
    return [texts[printed].decode("utf-8", "replace"), said, kind, how]


def run_script(parts, given, to_printed, to_ending):
    os.dup2(given, 0)
    os.dup2(to_printed, 1)
    os.dup2(to_ending, 3)
    os.closerange(4, 64)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8", "surrogateescape")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8", "backslashreplace")
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    sources = dict(parts)
    said = ""
    try:
        for name, text in parts:
            exec(compile(text, name, "exec"), module.__dict__)
    except SystemExit as error:
        said = "" if error.code in (None, 0) else "exits with %r" % (error.code,)
    except BaseException as error:
        said = "raises " + type(error).__name__ + "\n" + (safe_text(error) + where_in(error, sources))[:1000]
    try:
        sys.stdout.flush()
    except BaseException:
        pass
    os.write(3, said.encode("utf-8", "backslashreplace")[:60000])
    os._exit(0)


def ended_as(status, used):
    """How a process ended: the kind of outcome, and in words."""
    import resource
    if not os.WIFSIGNALED(status):
        return "failed", "exit code %d" % os.WEXITSTATUS(status)
    number = os.WTERMSIG(status)
    limit = resource.getrlimit(resource.RLIMIT_CPU)[0]
    if number == 24 or (number == 9 and used.ru_utime + used.ru_stime >= limit - 0.2 > 0):
        return "timed_out", "more than %d s of processor time" % limit
    return "failed", "killed by signal %d" % number


def program_main(source, sink):
    global link
    os.setpgid(0, 0)
    link = ProgramEnd(source, sink)
    link.text_out = sys.stdout
    while True:
        try:
            message = link.receive()
        except Broken:
            os._exit(0)
        link.serve(message)
