#!/usr/bin/env python3
"""Median time to grade one program, HumanEval's solutions, by one or several builds of the program beside each other.

    benchmarks/grading_programs.py HumanEval.jsonl AUTODIDACT [AUTODIDACT ...]
"""
import json
import statistics
import subprocess
import sys
import time


def lines_of(path):
    with open(path, encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            yield json.dumps({"id": row["task_id"], "program": row["prompt"] + row["canonical_solution"],
                              "tests": row["test"], "entry_point": row["entry_point"], "prompt": row["prompt"]}) + "\n"


def grade(process, line):
    start = time.perf_counter()
    process.stdin.write(line)
    process.stdin.flush()
    verdict = json.loads(process.stdout.readline())["verdict"]
    return time.perf_counter() - start, verdict


def main():
    path, *programs = sys.argv[1:]
    running = [subprocess.Popen([program, "grade"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for program in programs]
    times = [[] for _ in programs]
    right = [0] * len(programs)
    for line in lines_of(path):
        for i, process in enumerate(running):
            took, verdict = grade(process, line)
            times[i].append(took)
            right[i] += verdict == "right"
    for i, process in enumerate(running):
        process.stdin.close()
        process.wait()
        print("%s: median %.1f ms, mean %.1f ms, right %d of %d; %.2f times the first" % (
            programs[i], 1000 * statistics.median(times[i]), 1000 * statistics.mean(times[i]), right[i], len(times[i]),
            statistics.median(times[i]) / statistics.median(times[0])))


if __name__ == "__main__":
    main()
