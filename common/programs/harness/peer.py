"""One end of the talk between the tests' process and the program's."""
class Peer:
    """One end. A side asks, and serves what it is asked while it waits for the answer."""

    def __init__(self, source, sink):
        self.source = source
        self.sink = sink
        self.mine = {}  # number -> object of this side that the other has a handle to
        self.numbers = {}  # id -> number
        self.theirs = {}  # id of a handle -> (handle, number)
        self.classes = {}  # number -> class of the other side
        self.objects = {}  # number -> handle to an object of the other side
        self.known_specials = {}

    def keep(self, value):
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.mine) + 1
            self.mine[number] = value
        return number

    def specials(self, kind):
        found = self.known_specials.get(kind)
        if found is None:
            found = [name for name in ALL_SPECIAL if getattr(kind, name, None) is not None]
            if issubclass(kind, VALUE_BASES) or issubclass(kind, type):
                found = [name for name in found if name == "__call__"]
            if kind.__hash__ is None:
                found.append("unhashable")
            self.known_specials[kind] = found
        return found

    def handle(self, handle, number):
        self.theirs[id(handle)] = (handle, number)
        return handle

    def send(self, message):
        data = json.dumps(message, separators=(",", ":")).encode("ascii")
        if len(data) > MAX_MESSAGE:
            raise Refused("a value of %d bytes is too large" % len(data))
        data = memoryview(b"%016d" % len(data) + data)
        try:
            while data:
                data = data[os.write(self.sink, data):]
        except OSError:
            raise Broken("") from None

    def receive(self):
        try:
            size = int(read_exactly(self.source, 16))
            if not 0 <= size <= MAX_MESSAGE:
                raise Broken("a value of %d bytes, more than %d" % (size, MAX_MESSAGE))
            return json.loads(read_exactly(self.source, size))
        except OSError:
            raise Broken("") from None
        except (ValueError, RecursionError):
            raise Broken("what it sent is no value") from None

    def ask(self, op, args, named=None):
        packer = Packer(self)
        tokens = [packer.token(arg) for arg in args]
        keywords = {name: packer.token(value) for name, value in (named or {}).items()}
        self.send({"ask": op, "args": tokens, "named": keywords, "nodes": packer.nodes, "extra": self.extra()})
        while True:
            message = self.receive()
            try:
                self.take_extra(message.get("extra"))
                asks = "ask" in message
                if not asks:
                    value, raised = self.answer(message, packer.mutable)
            except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                raise Broken("what it sent is no value (%s)" % type(error).__name__) from None
            if asks:
                self.serve(message)
            elif raised:
                raise self.as_raised(op, args, value, message["where"])
            else:
                return value

    def answer(self, message, lent):
        unpacker = Unpacker(self, message["nodes"], lent)
        for number, node in message["changed"]:
            parts = unpacker.nodes[node]
            if parts[0] != type(lent[number]).__name__:
                raise Broken("what it sent is no value")
            refill(lent[number], parts, unpacker)
        value, raised = unpacker.value(message["value"]), message["raised"]
        if raised and not isinstance(value, BaseException):
            raise Broken("what it raised is no exception")
        return value, raised

    def serve(self, message):
        """Does what is asked and sends the answer. Errors are answers too."""
        lent, before = [], []
        try:
            unpacker = Unpacker(self, message["nodes"])
            lent = unpacker.mutable
            before = [snapshot(item) for item in lent]
            args = unpacker.values(message["args"])
            named = {name: unpacker.value(token) for name, token in message["named"].items()}
            value, raised = self.perform(message["ask"], args, named), False
        except Broken:
            raise
        except BaseException as error:
            value, raised = error, True
        try:
            reply = self.reply(value, raised, lent, before)
        except Exception as error:
            reply = self.reply(Refused("what the call made cannot be sent: %s" % safe_text(error)), True, [], [])
        self.send(reply)

    def reply(self, value, raised, lent, before):
        packer = Packer(self, lent)
        token = packer.token(value)
        changed = []
        for i, item in enumerate(lent):
            if not same_snapshot(before[i], snapshot(item)):
                packer.nodes.append([type(item).__name__])
                changed.append([i, len(packer.nodes) - 1])
                packer.nodes[-1].extend(packer.contents(item, 1))
        where = self.where(value) if raised else ""
        return {"value": token, "raised": raised, "changed": changed, "nodes": packer.nodes, "where": where,
                "extra": self.extra()}

    def perform(self, op, args, named):
        raise NotImplementedError

    def look_at(self, handle):
        """Before anything is asked about what a handle holds."""

    def made_by(self, cls, made):
        return made

    def extra(self):
        """What travels beside a message: the text that the program printed."""
        return None

    def take_extra(self, extra):
        pass

    def where(self, error):
        return ""

    def as_raised(self, op, args, error, where):
        return error

    def thing(self, kind, parts, unpacker):
        """What stays on the other side."""
        number = parts[1]
        if type(number) is not int:
            raise Broken("what it sent is no value")
        if kind == "class":
            return self.class_for(number, parts[2], unpacker.values(parts[3]), parts[4], parts[5])
        if kind == "coroutine":
            return self.handle(remote_coroutine(self, number), number)
        if kind == "generator":
            return self.handle(remote_generator(self, number), number)
        cls = unpacker.value(parts[2])
        if kind == "error":
            return self.error_for(number, cls, unpacker.value(parts[3]), parts[4:6])
        if kind == "sub":
            plain = unpacker.value(parts[3])
            base = type(plain)
            if base not in VALUE_BASES or not issubclass(cls, base):
                raise Broken("what it sent is no value")
            made = base.__new__(cls) if base in (list, dict, set) else base.__new__(cls, plain)
            if base in (list, dict, set):
                base.__init__(made, plain)
            return self.handle(made, number)
        if kind != "object" or not issubclass(cls, Handle):
            raise Broken("what it sent is no value")
        if number not in self.objects:
            self.objects[number] = self.handle(object.__new__(cls), number)
        return self.objects[number]

    def error_for(self, number, cls, cause, args_and_text):
        args, text = args_and_text
        if not issubclass(cls, BaseException) or not isinstance(cause, (BaseException, type(None))):
            raise Broken("what it raised is no exception")
        error = cls.__new__(cls, *args)
        if not isinstance(cls, HandleClass):
            try:
                error.__init__(*args)
            except Exception:
                error.args = tuple(args)
        error.text_of_program = str(text)
        error.__cause__ = cause
        return self.handle(error, number)

    def class_for(self, number, name, bases, specials, known):
        if known is not None:
            genuine = known_exception(known) or BUILTIN_TYPES.get(known)
            if genuine is not None and (issubclass(genuine, BaseException) or genuine in VALUE_BASES):
                return genuine
        made = self.classes.get(number)
        if made is None:
            plain = tuple(base for base in bases if not issubclass(base, Handle))
            inherited = tuple(bases) if bases else (Handle,)
            if plain and len(inherited) > 1:
                inherited = tuple(base for base in inherited if base is not Handle)
            space = {"__module__": "program", "__doc__": TheirDoc()}
            if not plain:
                space.update(self.abilities(specials))
            elif issubclass(plain[0], BaseException):
                space["__str__"] = lambda error: getattr(error, "text_of_program", "")
                space["__getattr__"] = Handle.__getattr__
            else:
                space["__getattr__"] = Handle.__getattr__
            made = self.classes[number] = type.__new__(HandleClass, str(name), inherited, space)
            self.handle(made, number)
        return made

    def abilities(self, specials):
        """The special methods of a handle."""
        able = {name: forwarded(name) for name in SPECIAL + UNARY + BINARY + ORDER if name in specials}
        able["__hash__"] = None if "unhashable" in specials else Handle.__hash__
        return able


