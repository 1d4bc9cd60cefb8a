"""What the names in tests mean: the library's, the prompt's or the program's."""
import ast
import builtins
import sys
import types

# Names that tests use without an import, as if the program had made it. They are the library's, not the program's.
LIBRARY = ("math", "collections", "itertools", "functools", "operator", "decimal", "fractions", "datetime", "typing",
           "copy", "heapq", "bisect", "statistics", "string", "random", "re", "dataclasses", "enum", "abc",
           "pytest")
PROGRAM_MODULES = {"program", "solution", "answer", "candidate", "submission", "main", "your_module", "module_under_test"}


class Invalid(Exception):
    """The tests say nothing about any program."""


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
    named_errors = {name for name in BUILTINS if isinstance(getattr(builtins, name), type)
                    and issubclass(getattr(builtins, name), BaseException)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    named = [name for name in free if is_library_name(name) and name in called and name not in named_errors
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
