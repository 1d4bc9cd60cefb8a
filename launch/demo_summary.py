"""Joins a demo's three evaluations into summary.json and prints the before/after table.

usage: demo_summary.py RUN_FOLDER      (holds before.json, after.json and after_majority.json)
"""
import json
import pathlib
import sys

run = pathlib.Path(sys.argv[1])
before, after, majority = (json.loads((run / f"{name}.json").read_text()) for name in ("before", "after", "after_majority"))
summary = {"before": before, "after": after, "after_majority": majority}
(run / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")


def percent(value):
    return "      -" if value is None else f"{100 * value:6.1f} "


print(f"\nShare of right answers in % on {before['questions']} held-out words that nobody labelled\n")
print(f"{'':44}  before   after training without labels,")
print(f"{'':44}  (base)   the reference being")
print(f"{'':44}           synthesis  majority vote")
for title, key in (("one sampled answer", "single"), ("the greedy answer", "greedy")):
    print(f"{title:44} {percent(before[key])}    {percent(after[key])}    {percent(majority[key])}")

sizes = list(before["synthesis"])
print(f"\n{'Estimates from G answers of the base model':44}" + "".join(f"   G={size:<3}" for size in sizes))
for title, key in (("majority vote over whole answers", "majority"), ("vote per position by a plain program", "position_vote"),
                   ("synthesis by the frozen base model", "synthesis"), ("any of the G is right", "pass"),
                   ("synthesis right while all G are wrong", "right_when_all_wrong"),
                   ("synthesis agrees with the majority vote", "agreement")):
    print(f"{title:44}" + "".join(percent(before[key][size]) for size in sizes))
