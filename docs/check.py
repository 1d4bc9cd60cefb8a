#!/usr/bin/env python3
"""Fails where a page names something that is not there, each with its page and line.

  docs/check.py            links, their headings, files and folders of the repository
  docs/check.py PROGRAM    commands, options and config keys as well, which PROGRAM (autodidact) is asked for
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What only a build or a run makes.
MADE = ("build/", "runs/", "models/")
# Options of other programs that the pages show by themselves, not behind the program's name.
FOREIGN = {"--gtest_filter", "--preset", "--mca", "--logdir"}
PATH = re.compile(r"(?<![\w/.~$<-])((?:\.ci|[a-z_]+)(?:/[\w.{},*-]+)+/?)")
CODE = re.compile(r"```.*?```|`[^`\n]+`|^    \S[^\n]*", re.S | re.M)


def tracked():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True,
                            text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


def expanded(path):
    """"a/{b,c}.h" as a/b.h and a/c.h."""
    braces = re.search(r"\{([^{}]*)\}", path)
    if not braces:
        return [path]
    return [one for part in braces[1].split(",") for one in expanded(path[:braces.start()] + part + path[braces.end():])]


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


class Files:
    def __init__(self, names):
        self.names = names
        self.folders = {"/".join(name.split("/")[:i]) for name in names for i in range(1, name.count("/") + 1)}
        self.tops = {name.split("/")[0] for name in self.folders}
        self.rooms = {name.split("/")[1] for name in self.folders if name.startswith("common/")}
        self.bases = {name.split("/")[-1] for name in names}
        sources = (ROOT / name for name in names if name.endswith((".h", ".cc", ".cu")))
        self.metrics = {metric for source in sources for metric in re.findall(r'"([a-z_]+/[a-z_]+)"', source.read_text())}

    def has(self, path):
        """A file, a folder, a unit without its ending ("launch/wiring/judge"), a beginning up to a dash, or a pattern."""
        path = path.rstrip("/")
        if "*" in path:
            return any(pathlib.PurePath(name).match(path) for name in self.names)
        return path in self.folders or any(name == path or name.startswith((path + ".", path + "-")) for name in self.names)

    def knows(self, path, page):
        beside = str(pathlib.PurePath(page).parent / path)
        return path in self.metrics or all(self.has(one) or self.has("common/" + one) or self.has(beside) for one in expanded(path))

    def is_ours(self, path):
        first = path.split("/")[0]
        return first in self.tops | self.rooms and not path.startswith(MADE) and not re.search(r"[A-Z]{2}|\.jsonl$", path)


def wrong_files(page, text, files):
    """(offset, what is wrong)"""
    for link in re.finditer(r"\]\(([^)\s]+)\)", text):
        target, _, anchor = link[1].partition("#")
        if "://" in target:
            continue
        file = (ROOT / page).parent / target if target else ROOT / page
        if not file.exists():
            yield link.start(), f"the link to {target}"
        elif anchor and anchor not in map(slug, re.findall(r"^#+ (.*)$", file.read_text(), re.M)):
            yield link.start(), f"the heading of the link to {link[1]}"
    for path in PATH.finditer(re.sub(r"\]\([^)\s]+\)", lambda link: " " * len(link[0]), text)):
        name = path[1].rstrip(".,")
        if files.is_ours(name) and not files.knows(name, page):
            yield path.start(), name
    for unit in re.finditer(r"`([a-z]\w*\.(?:h|cc|py|capnp|sh))`", text):
        if unit[1] not in files.bases:
            yield unit.start(), unit[1]


class Program:
    def __init__(self, path):
        self.path = path
        whole = self.ask("--help")
        self.everywhere = set(re.findall(r"--[a-z][\w-]*", whole))
        self.options = {}
        for name in re.findall(r"^  ([a-z][a-z-]*)(?: |$)", whole.partition("Subcommands:")[2], re.M):
            self.options[name] = self.everywhere | set(re.findall(r"--[a-z][\w-]*", self.ask(name, "--help")))
        self.keys, self.sections = set(), set()
        for more in ([], ["--sft"]):
            self.take(json.loads(self.ask("config", "--schema", *more)), "")

    def ask(self, *arguments):
        return subprocess.run([self.path, *arguments], capture_output=True, text=True, check=True).stdout

    def has(self, command):
        """Some are in no list of commands, and have their own help all the same."""
        if command not in self.options:
            helped = self.ask(command, "--help")  # the program's own for what is no command
            if not re.search(rf"^Usage: \S+ {command} ", helped, re.M):
                return False
            self.options[command] = self.everywhere | set(re.findall(r"--[a-z][\w-]*", helped))
        return True

    def takes(self, command, option):
        """Help on `config` is about keys, so that its options are tried."""
        if command == "config":
            return subprocess.run([self.path, command, option], capture_output=True).returncode == 0
        return option in self.options[command]

    def take(self, schema, prefix):
        for name, inner in schema.get("properties", {}).items():
            self.keys.add(prefix + name)
            for one in [inner, inner.get("items", {})]:
                if "properties" in one:
                    self.sections.add(prefix + name)
                    self.take(one, prefix + name + ".")


def wrong_names(text, program, scripts):
    known = FOREIGN.union(scripts, *program.options.values())
    for code in CODE.finditer(text):
        inside = code[0].strip("`")
        for call in re.finditer(r"\bautodidact ((?:--[a-z-]+ )*)([a-z][a-z-]*)([^|\n;]*)", inside):
            if not program.has(call[2]):
                yield code.start(), f"autodidact {call[2]}"
                continue
            for option in re.findall(r"(?<!\S)--[a-z][\w-]*", call[1] + call[3].partition(" #")[0]):
                if not program.takes(call[2], option):
                    yield code.start(), f"autodidact {call[2]} {option}"
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", inside if "autodidact" not in inside and "\n" not in inside else ""):
            if option not in known and not re.match(r"(mpirun|pip|cmake|ctest|tensorboard|apt-get|git) ", inside):
                yield code.start(), option
        key = re.fullmatch(r"([a-z_]+)((?:\.[a-z_]+)+)(?::.*)?", inside)
        if key and not key[2].endswith((".h", ".cc", ".py")) and key[1] in program.sections and key[1] + key[2] not in program.keys:
            yield code.start(), f"the key {key[1] + key[2]}"


def main():
    files = Files(tracked())
    program = Program(sys.argv[1]) if len(sys.argv) > 1 else None
    scripts = set()
    for name in files.names:
        if name.endswith((".sh", ".py", ".sbatch")) or name == ".ci/run" or re.match(r"(benchmarks|tests)/.*\.cc$", name):
            scripts.update(re.findall(r"--[a-z][\w-]*", (ROOT / name).read_text()))
    found = []
    for page in files.names:
        if not page.endswith(".md"):
            continue
        text = (ROOT / page).read_text()
        wrong = list(wrong_files(page, text, files))
        if program:
            wrong += wrong_names(text, program, scripts)
        found += [f"{page}:{text.count(chr(10), 0, at) + 1}: there is no {what}" for at, what in sorted(wrong)]
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
