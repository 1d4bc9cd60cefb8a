#!/usr/bin/env python3
"""The house as a table: each room with its floor, the rooms that it includes, its files and lines.

  docs/house.py            writes the table into docs/architecture.md
  docs/house.py --check    fails where the page is not up to date, or the house is not as it should be: an include
                           upward or in a circle, a file of launch over 400 lines, a function over 60
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/architecture.md"
BEGIN, END = "<!-- house: docs/house.py -->\n", "<!-- end of house -->\n"
LAUNCH_LINES = 400
FUNCTION_LINES = 60
# What stands in the code but is none.
NO_CODE = re.compile(r"""R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'|^[ \t]*\#(?:\\\n|[^\n])*""",
                     re.S | re.M)
NO_FUNCTION = re.compile(r"(?:template\s*<.*?>\s*)?(?:namespace|class|struct|enum|union|extern|typedef)\b", re.S)


def room_of(path):
    """The room of "launch/config/tree.h" is launch/config, that of an include "engine/cpu/kernels.h" common/engine."""
    parts = path.split("/")
    if parts[0] == "common" and len(parts) > 2:
        return "/".join(parts[:2])
    if parts[0] == "launch":
        return "/".join(parts[:2]) if len(parts) > 2 else "launch"
    if (ROOT / "common" / parts[0]).is_dir():
        return "common/" + parts[0]
    return parts[0] if (ROOT / parts[0] / "CMakeLists.txt").exists() else None


def read_house():
    """Room -> {"files": {path: lines}, "includes": {rooms}}, of the C++ sources."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.h", "*.cc", "*.cu"], cwd=ROOT,
                            capture_output=True, text=True, check=True)
    rooms = {}
    for name in listed.stdout.split():
        room = room_of(name)
        if room in (None, "tests", "benchmarks", "cmake") or not (ROOT / name).exists():
            continue
        text = (ROOT / name).read_text()
        entry = rooms.setdefault(room, {"files": {}, "includes": set()})
        entry["files"][name] = text.count("\n")
        for include in re.findall(r'^\s*#\s*include\s*"([^"]+/[^"]+)"', text, re.M):
            other = room_of(include)
            if other and other != room:
                entry["includes"].add(other)
    return rooms


def long_functions(text):
    """(line, head, lines) of each function with more lines in its body than a function may have."""
    text = NO_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    depth, begin, function = 0, 0, None
    for mark in re.finditer(r"[;{}]", text):
        line = text.count("\n", 0, mark.start()) + 1
        if mark[0] == "{":
            head = text[begin:mark.start()].strip()
            if function is None and "(" in head and not NO_FUNCTION.match(head):
                function = depth, line, " ".join(head.split())
            depth += 1
        elif mark[0] == "}":
            depth -= 1
            if function and depth == function[0]:
                if line - function[1] - 1 > FUNCTION_LINES:
                    yield function[1], function[2], line - function[1] - 1
                function = None
        begin = mark.end()


def floors_of(rooms):
    """Room -> its floor: a room stands above all that it includes. A circle ends the program."""
    floors, left = {}, dict(rooms)
    while left:
        done = [room for room in left if rooms[room]["includes"] <= set(floors)]
        if not done:
            sys.exit("a circle of includes runs through " + ", ".join(sorted(left)))
        for room in done:
            floors[room] = 1 + max((floors[other] for other in rooms[room]["includes"]), default=0)
            del left[room]
    return floors


def table(rooms, floors):
    lines = ["| floor | room | includes | files | lines |", "|---|---|---|---|---|"]
    for room in sorted(rooms, key=lambda name: (-floors[name], name)):
        includes = " ".join(sorted(other.removeprefix("common/") for other in rooms[room]["includes"])) or "–"
        files = rooms[room]["files"]
        lines.append(f"| {floors[room]} | {room} | {includes} | {len(files)} | {sum(files.values())} |")
    return "\n".join(lines) + "\n"


def main():
    rooms = read_house()
    made = table(rooms, floors_of(rooms))
    page = PAGE.read_text()
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(page[:begin] + made + page[end:])
        return
    long = [f"{path}: {count} lines, at most {LAUNCH_LINES}" for room in rooms if room.startswith("launch")
            for path, count in rooms[room]["files"].items() if count > LAUNCH_LINES]
    for room in rooms.values():
        for path in room["files"]:
            long += [f"{path}:{line}: {head[:60]}: {count} lines, at most {FUNCTION_LINES}"
                     for line, head, count in long_functions((ROOT / path).read_text())]
    # Files and lines change with every commit; what includes what is what the page must have right.
    def drawn(text):
        return [line.split("|")[1:4] for line in text.splitlines()]
    if drawn(page[begin:end]) != drawn(made):
        long.append("docs/architecture.md: its table is not that of the code: run docs/house.py")
    if long:
        sys.exit("\n".join(long))


if __name__ == "__main__":
    main()
