"""How values and calls travel between the tests' process and the program's. Both ends run this file.

A message is one line of JSON, its length before it. A value is a table of nodes and a token: a token is a plain scalar
(None, bool, int, float, str) or [i], node i. Nothing that is read is ever executed: values are rebuilt as genuine
objects of built-in types; what has no such form stays where it is, and a handle to it travels.
"""
import builtins
import collections
import json
import operator
import os
import sys
import types

MAX_MESSAGE = 1 << 25  # bytes
MAX_NODES = 1 << 20
MAX_DEPTH = 250
MAX_INT = 1 << 62  # larger ones travel as hexadecimal text: reading decimal text takes time that grows by its square
SCALARS = {type(None), bool, int, float, str}
STDLIB = frozenset(getattr(sys, "stdlib_module_names", sys.builtin_module_names))
BUILTIN_TYPES = {
    kind.__name__: kind for kind in vars(builtins).values()
    if isinstance(kind, type) and kind.__name__ not in ("type", "super", "property", "classmethod", "staticmethod")
}
# Exceptions of these modules keep their class on the other side; those of unittest, which mean "skip", never do.
EXCEPTION_MODULES = {
    "asyncio.exceptions", "binascii", "configparser", "copy", "csv", "dataclasses", "decimal", "json.decoder", "queue", "re",
    "statistics", "struct", "subprocess", "xml.etree.ElementTree", "zipfile", "zoneinfo"
}
# Values of the library's that travel by their parts. Their modules are imported where they are met.
BY_PARTS = {
    ("decimal", "Decimal"): lambda v: [str(v)],
    ("fractions", "Fraction"): lambda v: [v.numerator, v.denominator],
    ("datetime", "date"): lambda v: [v.year, v.month, v.day],
    ("datetime", "time"): lambda v: [v.hour, v.minute, v.second, v.microsecond, v.tzinfo],
    ("datetime", "datetime"): lambda v: [v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond, v.tzinfo],
    ("datetime", "timezone"): lambda v: list(v.__getinitargs__()),
    ("datetime", "timedelta"): lambda v: [v.days, v.seconds, v.microseconds],
}
MUTABLE = {list, dict, set, bytearray, collections.deque, collections.OrderedDict, collections.Counter,
           collections.defaultdict}
VALUE_BASES = (int, float, complex, str, bytes, tuple, frozenset, list, dict, set)
# The value of a base, whatever the class derived from it says that it is; of the others the base itself takes it.
PLAIN_PART = {int: int.__int__, float: float.__float__, str: str.__str__}
# What the class of an object may define, and a handle then has.
SPECIAL = ["__len__", "__iter__", "__next__", "__reversed__", "__getitem__", "__setitem__", "__delitem__", "__call__",
           "__enter__", "__exit__", "__bool__", "__int__", "__float__", "__complex__", "__index__", "__contains__"]
UNARY = ["__neg__", "__pos__", "__invert__", "__abs__", "__round__", "__trunc__", "__floor__", "__ceil__"]
BINARY = ["__%s%s__" % (way, name) for way in ("", "r", "i") for name in
          ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "or",
           "xor") if way + name != "idivmod"]
ORDER = ["__lt__", "__le__", "__gt__", "__ge__"]
ALL_SPECIAL = SPECIAL + UNARY + BINARY + ORDER


class Broken(BaseException):
    """The other side is gone, or says what no value is."""


class Refused(TypeError):
    """A thing that cannot travel, or may not be asked."""


def read_exactly(fd, size):
    parts = []
    while size > 0:
        part = os.read(fd, min(size, 1 << 20))
        if not part:
            raise Broken("")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def all_scalars(items):
    if not set(map(type, items)) <= SCALARS:
        return False
    return all(-MAX_INT < item < MAX_INT for item in items if type(item) is int)


def name_of(kind):
    return "%s.%s" % (kind.__module__, kind.__qualname__) if kind.__module__ != "builtins" else kind.__qualname__


def known_exception(name):
    """The class of that name where both sides mean the same by it."""
    found = getattr(builtins, name, None)
    if "." in name:
        module, _, attribute = name.rpartition(".")
        if module in EXCEPTION_MODULES:
            if module not in sys.modules:
                __import__(module)
            found = getattr(sys.modules[module], attribute, None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


class Packer:
    """One value, or several that may share parts, on their way out."""

    def __init__(self, peer, lent=()):
        self.peer = peer
        self.nodes = []
        self.memo = {id(item): ["lent", i] for i, item in enumerate(lent)}
        self.kept = []  # so that no id is given twice
        self.mutable = []

    def node(self, value, parts):
        self.nodes.append(parts)
        if len(self.nodes) > MAX_NODES:
            raise Refused("the value has too many parts")
        self.memo[id(value)] = len(self.nodes) - 1
        self.kept.append(value)
        return [len(self.nodes) - 1]

    def token(self, value, depth=0):
        kind = type(value)
        if kind in SCALARS:
            if kind is not int or -MAX_INT < value < MAX_INT:
                return value
            return self.node(value, ["int", hex(value)])
        known = self.memo.get(id(value))
        if known is not None:
            return [known] if type(known) is int else self.node_of_lent(known)
        if depth > MAX_DEPTH:
            raise Refused("the value is nested too deeply")
        packed = self.plain(value, kind, depth + 1)
        return packed if packed is not None else self.thing(value, kind, depth + 1)

    def node_of_lent(self, parts):
        self.nodes.append(parts)
        return [len(self.nodes) - 1]

    def tokens(self, items, depth):
        items = list(items)
        return items if all_scalars(items) else [self.token(item, depth) for item in items]

    def later(self, value, kind, *more):
        """A node of a mutable value, which may hold itself: its place comes before its parts."""
        parts = [kind]
        token = self.node(value, parts)
        self.mutable.append(value)
        return token, parts

    def plain(self, value, kind, depth):
        if kind is tuple or kind is frozenset:
            return self.node(value, [kind.__name__, self.tokens(value, depth)])
        if kind in MUTABLE:
            token, parts = self.later(value, kind.__name__)
            parts.extend(self.contents(value, depth))
            return token
        if kind is bytes:
            return self.node(value, ["bytes", value.decode("latin-1")])
        if kind is complex:
            return self.node(value, ["complex", value.real, value.imag])
        if kind is range or kind is slice:
            return self.node(value, [kind.__name__, self.tokens([value.start, value.stop, value.step], depth)])
        parts_of = BY_PARTS.get((kind.__module__, kind.__name__))
        if parts_of is not None and is_genuine(kind) and is_fixed(getattr(value, "tzinfo", None)):
            return self.node(value, ["parts", kind.__module__, kind.__name__, self.tokens(parts_of(value), depth)])
        if value is Ellipsis or value is NotImplemented:
            return self.node(value, ["constant", repr(value)])
        if kind is type({}.keys()) or kind is type({}.values()) or kind is type({}.items()):
            return self.node(value, [kind.__name__, self.tokens(value, depth)])
        if kind is type and BUILTIN_TYPES.get(value.__name__) is value:
            return self.node(value, ["type", value.__name__])
        if kind is types.BuiltinFunctionType and self.peer.names_functions and is_builtin(value):
            return self.node(value, ["builtin", value.__name__])
        if kind is types.ModuleType and value.__name__ in STDLIB:
            return self.node(value, ["module", value.__name__])
        return None

    def contents(self, value, depth):
        """What a mutable value holds, as the parts behind its kind."""
        kind = type(value)
        if kind is bytearray:
            return [value.decode("latin-1")]
        if kind is collections.deque:
            return [self.tokens(value, depth), value.maxlen]
        if kind in (list, set):
            return [self.tokens(value, depth)]
        parts = [self.tokens(value.keys(), depth), self.tokens(value.values(), depth)]
        if kind is collections.defaultdict:
            factory = value.default_factory
            parts.append(factory.__name__ if BUILTIN_TYPES.get(getattr(factory, "__name__", "")) is factory else None)
        return parts

    def thing(self, value, kind, depth):
        """An object that stays here."""
        theirs = self.peer.theirs.get(id(value))
        if theirs is not None:
            return self.node(value, ["yours", theirs[1]])
        number = self.peer.keep(value)
        if isinstance(value, type):
            return self.described(value, depth)
        if isinstance(value, BaseException):
            cause = None if value.__cause__ is None else self.token(value.__cause__, depth)
            return self.node(value, ["error", number, self.described(kind, depth), cause, self.error_args(value),
                                     safe_text(value)])
        if kind in (types.CoroutineType, types.GeneratorType):
            return self.node(value, [kind.__name__, number])
        base = next((base for base in VALUE_BASES if isinstance(value, base)), None)
        if base is not None:
            plain = PLAIN_PART.get(base, base)(value)
            return self.node(value, ["sub", number, self.described(kind, depth), self.token(plain, depth)])
        return self.node(value, ["object", number, self.described(kind, depth)])

    def described(self, kind, depth):
        """The class of something that stays here, and what its handles can do."""
        known = self.memo.get(("class", kind))
        if known is None:
            bases = [self.described(base, depth + 1) for base in kind.__bases__ if base is not object]
            name = kind.__name__ if BUILTIN_TYPES.get(kind.__name__) is kind else known_name(kind)
            self.nodes.append(["class", self.peer.keep(kind), kind.__name__, bases, self.peer.specials(kind), name])
            known = self.memo[("class", kind)] = len(self.nodes) - 1
        return [known]

    def error_args(self, error):
        args = []
        for arg in error.args:
            args.append(arg if type(arg) in SCALARS and all_scalars([arg]) else safe_text(arg))
        return args


def known_name(kind):
    if not issubclass(kind, BaseException):
        return None
    return name_of(kind) if known_exception(name_of(kind)) is kind else None


def is_genuine(kind):
    return getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind


def is_fixed(zone):
    return zone is None or (type(zone).__name__ == "timezone" and is_genuine(type(zone)))


def is_builtin(function):
    return getattr(builtins, function.__name__, None) is function


def safe_text(value):
    try:
        return str(value)[:2000]
    except BaseException:
        return ""


class Unpacker:
    """The way in. Every part is checked: the other side may write anything."""

    def __init__(self, peer, nodes, lent=()):
        self.peer = peer
        self.nodes = nodes
        self.lent = lent
        self.made = [None] * len(nodes)
        self.mutable = []
        fill = []
        for i, parts in enumerate(nodes):
            kind = parts[0]
            if kind in EMPTY:
                self.made[i] = EMPTY[kind](parts)
                self.mutable.append(self.made[i])
                fill.append(i)
            else:
                self.made[i] = False
        done = [parts[0] in EMPTY for parts in nodes]
        for i in range(len(nodes)):
            if not done[i]:
                self.build(i, done)
        for i in fill:
            refill(self.made[i], self.nodes[i], self)

    def build(self, first, done):
        """Immutable nodes, each after those that it holds; what holds itself has no such order."""
        stack = [first]
        open_nodes = set()
        while stack:
            i = stack[-1]
            missing = [] if done[i] else [part for part in needs(self.nodes[i]) if not done[part]]
            if not missing:
                if not done[i]:
                    self.made[i] = self.node(self.nodes[i])
                    done[i] = True
                stack.pop()
                continue
            if i in open_nodes:
                raise Broken("a value that holds itself")
            open_nodes.add(i)
            stack.extend(missing)

    def value(self, token):
        if type(token) is list:
            return self.made[token[0]]
        return token

    def values(self, tokens):
        if list not in set(map(type, tokens)):
            return tokens
        made = self.made
        return [made[token[0]] if type(token) is list else token for token in tokens]

    def node(self, parts):
        kind = parts[0]
        if kind == "tuple":
            return tuple(self.values(parts[1]))
        if kind == "frozenset":
            return frozenset(self.values(parts[1]))
        if kind == "int":
            return int(parts[1], 16)
        if kind == "bytes":
            return parts[1].encode("latin-1")
        if kind == "complex":
            return complex(float(parts[1]), float(parts[2]))
        if kind == "range":
            return range(*self.values(parts[1]))
        if kind == "slice":
            return slice(*self.values(parts[1]))
        if kind == "parts":
            if (parts[1], parts[2]) not in BY_PARTS:
                raise Broken("what it sent is no value")
            return getattr(__import__(parts[1]), parts[2])(*self.values(parts[3]))
        if kind == "constant":
            return {"Ellipsis": Ellipsis, "NotImplemented": NotImplemented}[parts[1]]
        if kind == "dict_keys":
            return dict.fromkeys(self.values(parts[1])).keys()
        if kind == "dict_values":
            return dict(enumerate(self.values(parts[1]))).values()
        if kind == "dict_items":
            return dict(self.values(parts[1])).items()
        if kind == "type":
            return BUILTIN_TYPES[parts[1]]
        if kind == "builtin":
            return self.peer.builtin(parts[1])
        if kind == "module":
            return self.peer.module(parts[1])
        if kind == "lent":
            return self.lent[parts[1]]
        if kind == "yours":
            return self.peer.mine[parts[1]]
        return self.peer.thing(kind, parts, self)


def needs(parts):
    """The nodes that must be there before this one."""
    kind = parts[0]
    if kind in ("tuple", "frozenset", "range", "slice", "dict_keys", "dict_values", "dict_items"):
        tokens = parts[1]
    elif kind in ("class", "parts"):
        tokens = parts[3]
    elif kind == "object":
        tokens = [parts[2]]
    elif kind in ("sub", "error"):
        tokens = parts[2:4]
    else:
        return []
    return [token[0] for token in tokens if type(token) is list]


def factory_of(parts):
    return BUILTIN_TYPES.get(parts[3]) if parts[3] is not None else None


EMPTY = {
    "list": lambda parts: [],
    "dict": lambda parts: {},
    "set": lambda parts: set(),
    "bytearray": lambda parts: bytearray(),
    "deque": lambda parts: collections.deque(maxlen=parts[2]),
    "OrderedDict": lambda parts: collections.OrderedDict(),
    "Counter": lambda parts: collections.Counter(),
    "defaultdict": lambda parts: collections.defaultdict(factory_of(parts)),
}


def refill(target, parts, unpacker):
    """Puts the contents of a node into a mutable value, in the place of what it holds."""
    kind = type(target)
    if kind is bytearray:
        target[:] = parts[1].encode("latin-1")
    elif kind is list:
        target[:] = unpacker.values(parts[1])
    elif kind in (set, collections.deque):
        items = unpacker.values(parts[1])
        target.clear()
        target.update(items) if kind is set else target.extend(items)
    else:
        pairs = list(zip(unpacker.values(parts[1]), unpacker.values(parts[2])))
        target.clear()
        for key, value in pairs:
            dict.__setitem__(target, key, value)


def snapshot(value):
    """To see later whether a mutable value was changed."""
    if isinstance(value, dict):
        return list(value.keys()), list(value.values())
    return (list(value),)


def same_snapshot(left, right):
    return all(len(a) == len(b) and all(map(operator.is_, a, b)) for a, b in zip(left, right))
