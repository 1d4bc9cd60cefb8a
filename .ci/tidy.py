#!/usr/bin/env python3
"""clang-tidy, naming too, over rooms of build/dev: each room as one translation unit, since its headers cost more than all
of its files.

  .ci/tidy.py [ROOM]...    common/json, launch/wiring, …; none: all but those of tests and benchmarks
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/dev"
# Of other compilers, or of a file's output.
WITHOUT = {"-fpch-preprocess", "-Winvalid-pch", "-Werror", "-c"}
WITHOUT_WITH_VALUE = {"-o", "-include"}


def flags_of(command):
    words, flags = shlex.split(command), []
    at = next(i for i, word in enumerate(words) if re.search(r"(c\+\+|g\+\+|clang\+\+)[\w.-]*$", word)) + 1
    while at < len(words) - 1:
        if words[at] in WITHOUT_WITH_VALUE:
            at += 2
            continue
        if words[at] not in WITHOUT:
            flags.append(words[at])
        at += 1
    return tuple(flags)


def units(rooms):
    """(room, flags) -> its files."""
    found = collections.defaultdict(list)
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if not file.is_relative_to(ROOT) or file.is_relative_to(BUILD) or not file.exists():
            continue
        room = str(file.relative_to(ROOT).parent)
        if room.split("/")[0] in ("tests", "benchmarks", "cmake") or rooms and room not in rooms:
            continue
        found[room, flags_of(entry["command"])].append(file)
    return found


def check(number, room, flags, files):
    folder = BUILD / "tidy"
    folder.mkdir(exist_ok=True)
    unit = folder / f"{room.replace('/', '_')}_{number}.cc"
    unit.write_text("".join(f'#include "{file}"\n' for file in sorted(files)))
    ours = f"{ROOT}/(actors|anchor_service|common|evaluation|judge_service|launch|learner|report|sft)/.*"
    # That a room is one unit is our own doing.
    done = subprocess.run(["clang-tidy", "--quiet", f"--config-file={ROOT}/.clang-tidy", "--checks=-bugprone-suspicious-include",
                           f"--header-filter={ours}", str(unit), "--", *flags, "-Wno-everything"],
                          cwd=BUILD, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def main():
    found = units(set(sys.argv[1:]))
    if missing := set(sys.argv[1:]) - {room for room, _ in found}:
        sys.exit(f"no such room in {BUILD}: {' '.join(sorted(missing))}")
    # The largest first.
    jobs = sorted(found.items(), key=lambda job: -sum(file.stat().st_size for file in job[1]))
    wrong = False
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        runs = {pool.submit(check, i, room, flags, files): room for i, ((room, flags), files) in enumerate(jobs)}
        for run in concurrent.futures.as_completed(runs):
            code, out, errors = run.result()
            if code != 0:
                wrong = True
                print(f"{runs[run]}:\n{out}{errors}")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
