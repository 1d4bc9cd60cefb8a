"""Which part of an answer is the program, by what it defines."""
import ast
import builtins
import sys
import textwrap

builtins.exit = builtins.quit = sys.exit  # which else the module site gives
BUILTINS = frozenset(dir(builtins))
BRACKETS = ("[BEGIN]", "[PYTHON]")  # which are Python too
PYTHON_MARKS = ("", "python", "python3", "py", "py3", "python2")


def parsed(text):
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def compiles(text):
    try:
        return compile(text, "program", "exec") is not None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def dedented(text):
    """The text without the white space before all of its lines, where it is a program without it only."""
    if text[:1] in (" ", "\t") and not compiles(text):
        shifted = textwrap.dedent(text)
        return shifted if compiles(shifted) else text
    return text


def is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_stub(node):
    """A function without a body of its own, or a class of such."""
    body = [part for part in node.body if not is_docstring(part)]
    if isinstance(node, ast.ClassDef):
        functions = [part for part in body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))]
        return bool(functions) and all(map(is_stub, functions))
    return all(isinstance(part, (ast.Pass, ast.Raise)) for part in body)


def definitions(tree):
    """The statements at the top level that give names, with those names."""
    found = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.append((node, {node.name}))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.append((node, {(name.asname or name.name).split(".")[0] for name in node.names}))
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If, ast.Try, ast.With, ast.For)):
            names = {part.id for part in ast.walk(node)
                     if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
            names |= {part.name for part in ast.walk(node)
                      if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
            names |= {(name.asname or name.name).split(".")[0] for part in ast.walk(node)
                      if isinstance(part, (ast.Import, ast.ImportFrom)) for name in part.names}
            if names:
                found.append((node, names))
    return found


def defined(tree, imports=True):
    names = set()
    for node, some in definitions(tree):
        if imports or not isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= some
    return names


def bound_names(tree):
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(name.asname or name.name).split(".")[0] for name in node.names}
    return names


def free_names(tree):
    """The names that a text uses and does not give, in the order of their first use."""
    bound = bound_names(tree)
    used = [(node.lineno, node.col_offset, node.id) for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in bound]
    return list(dict.fromkeys(name for _, _, name in sorted(used)))


def lines_of(text, nodes):
    lines = text.splitlines(True)
    taken = []
    for node in nodes:
        first = min([node.lineno] + [part.lineno for part in getattr(node, "decorator_list", [])])
        taken.append("".join(lines[first - 1:node.end_lineno]).rstrip("\n") + "\n")
    return "".join(taken)


class Prompt:
    """What a prompt gives beside its words: the start of a program, with imports and helpers."""

    def __init__(self, text, blocks, asked):
        self.text = text
        self.code, tree = "", None
        for candidate in [text] + [block for _, block in reversed(blocks)]:
            tree = self.start_of_program(candidate)
            if tree is not None and defined(tree):
                self.code = candidate
                break
            tree = None
        self.helpers = ""
        self.helper_names = set()
        if tree is None:
            return
        kept = []
        for node, names in definitions(tree):
            is_def = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            if not (names & asked) and not (is_def and is_stub(node)):
                kept.append(node)
                self.helper_names |= names
        self.helpers = lines_of(self.code, kept)

    def start_of_program(self, text):
        for more in ("", "\n    pass\n", "\n        pass\n"):
            tree = parsed(text.rstrip() + more)
            if tree is not None:
                return tree
        return None

    def continued_by(self, text):
        """The whole program of which `text` is the rest; nothing when it is none."""
        for start in dict.fromkeys([self.text, self.code]):
            for rest in (text, "    " + text.lstrip(), "".join("    " + line for line in text.splitlines(True))):
                for more in ("", "\n"):
                    whole = start + more + rest
                    if start and compiles(whole):
                        return whole
                    shortened = longest_that_parses(start + more, rest) if start else None
                    if shortened:
                        return shortened
        return None


def longest_that_parses(start, text):
    """Without the words behind: cut where a line begins at the margin."""
    lines = text.splitlines(True)
    cuts = [i for i, line in enumerate(lines) if i > 0 and line[:1] not in (" ", "\t", "\n", "\r", "")]
    for cut in cuts[::-1][:60]:
        whole = start + "".join(lines[:cut])
        if compiles(whole):
            return whole
    return None


def among_words(text):
    """A program in an answer without fences, with words before and behind it."""
    lines = text.splitlines(True)
    starts = ("def ", "class ", "import ", "from ", "@", "async def ")
    for first, line in enumerate(lines):
        if line.startswith(starts):
            rest = "".join(lines[first:])
            found = rest if parsed(rest) is not None else longest_that_parses("", rest)
            tree = parsed(found) if found else None
            if tree is not None and defined(tree):
                return found
    return None


def reads_input(tree):
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return bool(names & {"input", "open", "stdin"}) or any(
        isinstance(node, ast.Attribute) and node.attr == "stdin" for node in ast.walk(tree))


def with_missing_parts(text, tree, others):
    """Before a block stand the definitions of the answer's other blocks that it uses."""
    parts = []
    known = defined(tree) | BUILTINS
    wanted = set(free_names(tree)) - known
    while wanted:
        found = False
        for other, other_tree in others:
            nodes = [node for node, names in definitions(other_tree)
                     if names & wanted or (isinstance(node, (ast.Import, ast.ImportFrom)) and names & wanted)]
            if nodes:
                part = lines_of(other, nodes)
                parts.insert(0, part)
                part_tree = parsed(part)
                known |= set().union(*[names for node, names in definitions(other_tree) if node in nodes])
                wanted = (wanted | (set(free_names(part_tree)) if part_tree else set())) - known
                found = True
                break
        if not found:
            break
    return "".join(parts) + text


def choose_program(whole, blocks, names, prompt, whole_runs):
    """The program of an answer. `names`: what the tests use of it."""
    names = set(names)
    whole = dedented(whole)
    blocks = [(mark, dedented(text)) for mark, text in blocks]
    tree = parsed(whole) if not whole.lstrip().startswith(BRACKETS) else None
    if tree is not None and (not blocks or names & defined(tree)):
        if whole_runs or names & defined(tree) or not names:
            return whole
    marked = [text for mark, text in blocks if mark in PYTHON_MARKS]
    texts = marked or [text for _, text in blocks]
    trees = [(text, found) for text, found in ((text, parsed(text)) for text in texts) if found is not None]

    def score(pair):
        nodes = [node for node, given in definitions(pair[1]) if given & names]
        real = [node for node in nodes if not (hasattr(node, "body") and hasattr(node, "name") and is_stub(node))]
        return (len(real) > 0, len(nodes))

    def complete(pair):
        return with_missing_parts(pair[0], pair[1], [other for other in trees if other is not pair])

    by_name = [pair for pair in trees if score(pair)[1] > 0]
    if by_name:
        best = max(map(score, by_name))
        return complete([pair for pair in by_name if score(pair) == best][-1])
    if names:
        for text in [text for text in reversed(texts)] or [whole]:
            continued = prompt.continued_by(text)
            if continued is not None and names & defined(parsed(continued)):
                return continued
    if whole_runs:
        for wanted in (reads_input, lambda tree: any(not is_docstring(node) for node in tree.body)):
            fitting = [pair for pair in trees if wanted(pair[1])]
            if fitting:
                return complete(fitting[-1])
    defining = [pair for pair in trees if defined(pair[1], imports=False)]
    if defining:
        return complete(defining[-1])
    if texts:
        return texts[-1]
    return among_words(whole) or whole
