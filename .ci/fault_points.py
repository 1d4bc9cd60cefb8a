#!/usr/bin/env python3
"""Every raw call that can fail has a fault point (common/base/fault.h) before it in its function.

    .ci/fault_points.py          lists those that have none; exit code 1 where there are any
    .ci/fault_points.py --list   the points, one a line

A raw call sends, receives, writes, flushes, renames, starts a thread or a process, or is a collective. One that cannot
have a point says why in a comment before it: "No fault point: …".
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ["common", "actors", "anchor_service", "judge_service", "learner", "sft", "evaluation", "report", "launch"]
RAW = re.compile(
    r"\bzmq_(msg_)?(send|recv)\(|(?<![\w.>])(::)?p?write\(\w+(\.\w+)?(_|\b),? |(?<![\w.>])(::)?read\((fd|STDIN_FILENO)"
    r"|(?<![\w.>])(::)?(send|recv)\(|\b(::)?f(data)?sync\(|(?<![\w.>])(fs::|std::filesystem::|::)?rename\(|\brenameat2\("
    r"|\bvfork\(|\bposix_spawnp?\(|\bstd::async\(|\bstd::j?thread\((?!\))|thread_\(\[|threads?_?\.emplace_back\("
    r"|workers_\.emplace_back\(|\bMPI_(Isend|Irecv|Ibcast|Init_thread|Comm_split|Allgather|Barrier)\("
    r"|\bnccl(Broadcast|Send|Recv|AllReduce|CommInitRankConfig)\(|_ << .*std::flush")
POINT = re.compile(r"\b(FaultPoint|FaultFails|StartThread(<[\w:]+>)?)\(\s*\"([\w.]+)\"")
EXEMPT = re.compile(r"// No fault point: \S")
# Where a function's body begins or ends, near enough: something that is not indented, or a member's signature.
BOUNDARY = re.compile(r"^(\S.*[{)]|  (?!if|for|while|switch|do|try|else|\})\S.*\) (const )?(override )?\{)$|^\}")


def sources():
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*")):
            if file.suffix in (".h", ".cc") and file.relative_to(ROOT).as_posix() != "common/base/fault.h":
                yield file


def without_point(lines):
    for number, line in enumerate(lines):
        code = line.split("//")[0]
        if not RAW.search(code) or line.lstrip().startswith(("//", '"')):
            continue
        covered = False
        for before in range(number, -1, -1):
            if POINT.search(" ".join(lines[before:before + 2])) or EXEMPT.search(lines[before]):
                covered = True
                break
            if before < number and BOUNDARY.match(lines[before]):
                # The comment that stands above the function counts.
                above = before - 1
                while above >= 0 and lines[above].lstrip().startswith("//"):
                    covered = covered or bool(EXEMPT.search(lines[above]))
                    above -= 1
                break
        if not covered:
            yield number + 1, line.strip()


def main():
    points, missing = set(), []
    for file in sources():
        text = file.read_text()
        points |= {match.group(3) for match in POINT.finditer(text)}
        missing += [(file.relative_to(ROOT), *found) for found in without_point(text.splitlines())]
    if sys.argv[1:] == ["--list"]:
        print("\n".join(sorted(points)))
        return 0
    for file, number, line in missing:
        print(f"{file}:{number}: has no fault point: {line}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
