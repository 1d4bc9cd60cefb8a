"""Tests that are data: lists of asserts, and pairs of input and output."""
import json


def structured(text):
    """The list or object that tests are written as; nothing when they are code."""
    stripped = text.strip()
    if stripped[:1] not in ("[", "{"):
        return None
    try:
        value = json.loads(stripped)
    except ValueError:
        try:
            value = ast.literal_eval(stripped)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return None
    return value if isinstance(value, (list, dict)) else None


def read_tests(text, blocks, entry):
    """("code", text) or ("pairs", entry, pairs). `blocks`: the fenced ones in the text."""
    value = structured(text)
    if value is None:
        fenced = [block for mark, block in blocks if mark in PYTHON_MARKS and parsed(block) is not None]
        return "code", "\n".join(fenced) if fenced and parsed(text) is None else text
    if isinstance(value, dict) and "test_list" in value:
        setup = value.get("test_setup_code") or ""
        value = value["test_list"]
        if isinstance(value, list) and all(isinstance(item, str) for item in value) and value:
            return "code", setup + "\n" + "\n".join(value)
    if not value:
        raise Invalid("there are no tests")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        nested = [structured(item) for item in value]
        if all(isinstance(item, dict) for item in nested):
            value = nested
        else:
            return "code", "\n".join(value)
    if isinstance(value, dict):
        entry = entry or value.get("fn_name") or ""
        value = columns(value)
    pairs = []
    for item in value:
        pairs.append(pair_of(item))
    if not entry and any(kind == "functional" for _, _, kind in pairs):
        raise Invalid("the tests call a function: entry_point must name it")
    if all(expected in ("", None) for _, expected, _ in pairs):
        raise Invalid("the tests test nothing: every expected output is empty")
    return "pairs", entry, [(given, expected) for given, expected, _ in pairs]


INPUT_KEYS = ("inputs", "input", "stdin", "args")
OUTPUT_KEYS = ("outputs", "output", "expected_output", "expected", "stdout")


def member(item, keys):
    for key in keys:
        if key in item:
            return item[key]
    raise Invalid("the tests: expected pairs with %s and %s" % (keys[0], "an output"))


def columns(value):
    given, expected = member(value, INPUT_KEYS), member(value, OUTPUT_KEYS)
    if not isinstance(given, list) or not isinstance(expected, list):
        given, expected = [given], [expected]
    if not given:
        raise Invalid("there are no tests")
    if len(given) != len(expected):
        raise Invalid("the tests have %d inputs and %d outputs" % (len(given), len(expected)))
    return [list(pair) for pair in zip(given, expected)]


def pair_of(item):
    if isinstance(item, dict):
        return member(item, INPUT_KEYS), member(item, OUTPUT_KEYS), item.get("testtype", "")
    if isinstance(item, (list, tuple)) and len(item) == 2:
        return item[0], item[1], ""
    raise Invalid("the tests: expected a list of asserts or of pairs of input and output")


def text_of(value):
    return "\n".join(map(text_of, value)) if isinstance(value, list) else value if isinstance(value, str) else str(value)


def lines(text):
    return [line.rstrip() for line in text.rstrip().splitlines()]


def same_number(left, right):
    import decimal
    try:
        return decimal.Decimal(left) == decimal.Decimal(right)
    except decimal.InvalidOperation:
        return False


def same_output(printed, expected):
    if lines(printed) == lines(expected):
        return True
    left, right = printed.split(), expected.split()
    return len(left) == len(right) and all(a == b or same_number(a, b) for a, b in zip(left, right))


def listed(value):
    if type(value) in (list, tuple):
        return [listed(item) for item in value]
    if type(value) is dict:
        return {key: listed(item) for key, item in value.items()}
    return value


def same_value(got, expected):
    """JSON has neither tuples nor whole floats."""
    if type(got) in (list, tuple):
        return type(expected) is list and len(got) == len(expected) and all(map(same_value, got, expected))
    if type(got) is dict:
        return type(expected) is dict and len(got) == len(expected) and all(
            str(key) in expected and same_value(item, expected[str(key)]) if key not in expected
            else same_value(item, expected[key]) for key, item in got.items())
    if type(got) is bool or type(expected) is bool:
        return got is expected
    if type(got) is float or type(expected) is float:
        return type(got) in (int, float) and type(expected) in (int, float) and (
            got == expected or abs(got - expected) <= 1e-9 * max(abs(got), abs(expected)))
    return type(got) is type(expected) and got == expected


def arguments(given):
    """The arguments of a call: a list of them, or a text with one a line."""
    if isinstance(given, list):
        return given, {}
    if isinstance(given, dict):
        return [], given
    if isinstance(given, str):
        try:
            return [json.loads(line) for line in given.splitlines()], {}
        except ValueError:
            return [given], {}
    return [given], {}


def expected_values(expected):
    values = [expected]
    if isinstance(expected, list) and len(expected) == 1:
        values.append(expected[0])
    if isinstance(expected, str):
        try:
            values.append(json.loads(expected))
        except ValueError:
            pass
    return values


def run_pairs(job, entry, pairs, parts):
    if entry:
        link.ask("load", [parts])
        function = function_named(entry)
    for number, (given, expected) in enumerate(pairs, 1):
        if entry:
            args, named = arguments(given)
            got = listed(function(*args, **named))
            right = any(same_value(got, value) for value in expected_values(expected))
        else:
            got, ending, kind, how = link.ask("run", [parts, text_of(given)])
            if kind != "failed":
                raise Ended(kind, how)
            if ending:
                raise Failed("input %d: the program %s" % (number, " ".join(ending.split())))
            right = same_output(got, text_of(expected))
        if not right:
            raise Failed("input %d: got %.120r, expected %.120r" % (number, got, expected))


def function_named(entry):
    """Of the program, or of its class Solution."""
    if not entry.isidentifier():
        found = link.ask("names", [entry_names(entry)])
        return eval(compile(entry, "entry_point", "eval"), dict(found, __builtins__={}))
    found = link.ask("names", [[entry, "Solution"]])
    if entry in found or "Solution" not in found:
        return link.ask("name", [entry])
    return getattr(found["Solution"](), entry)


class Ended(Exception):
    """How the program's own process ended."""
