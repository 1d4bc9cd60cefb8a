#!/usr/bin/env python3
"""Puts the demo's evaluations side by side: a table on standard output and summary.json for programs.

usage: demo_table.py FOLDER SUMMARY      FOLDER holds before.json, after_synthesis.json and after_majority.json
"""
import json
import pathlib
import sys


def cell(value):
    return "-" if value is None else f"{100 * value:.1f}"


def print_table(head, lines):
    rows = [head] + [[name] + [cell(value) for value in values] for name, values in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = [text.ljust(width) if column == 0 else text.rjust(width)
                 for column, (text, width) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, summary = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    before, synthesis, majority = (json.loads((folder / f"{name}.json").read_text())
                                   for name in ("before", "after_synthesis", "after_majority"))
    summary.write_text(json.dumps({"before": before, "after": synthesis, "after_majority": majority}, indent=1) + "\n")

    sizes = list(before["synthesis"])
    print(f"\nBefore training, accuracy in % on {before['questions']} questions")
    print_table(["estimate from G samples", *(f"G = {size}" for size in sizes)],
                [(title, [before[key].get(size) for size in sizes]) for title, key in (
                    ("majority vote", "majority"), ("synthesis by the anchor", "synthesis"),
                    ("vote per position (a program)", "position_vote"), ("any sample right", "pass"),
                    ("synthesis right, all samples wrong", "right_when_all_wrong")) if key in before])
    print("\nAfter label-free training")
    print_table(["accuracy in %", "before", "synthesis", "majority"],
                [(title, [figures[key] for figures in (before, synthesis, majority)])
                 for title, key in (("single sample", "single"), ("greedy", "greedy"))])


if __name__ == "__main__":
    main()
