"""Prints what runs of configs/cmudict/run.sh measured, as mean and spread (standard deviation) over seeds.

usage: cmudict_table.py FOLDER...      a folder of each seed: before.json, after_ESTIMATOR.json, ESTIMATOR/metrics.jsonl
"""
import json
import pathlib
import statistics
import sys

ESTIMATORS = ("synthesis", "majority", "ground_truth", "synthesis_online")


def cell(values):
    """Shares of all seeds -> text in %."""
    if not values:
        return "-"
    text = f"{100 * statistics.mean(values):.1f}"
    return text if len(values) == 1 else f"{text} ± {100 * statistics.stdev(values):.1f}"


def print_table(head, lines):
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for line in lines:
        print("| " + " | ".join(line) + " |")


def read(folders, name):
    return [json.loads((folder / name).read_text()) for folder in folders if (folder / name).exists()]


def curve(folder, estimator, key):
    """step -> value of the evaluations during training."""
    rows = [json.loads(line) for line in (folder / estimator / "metrics.jsonl").read_text().splitlines()]
    return {row["step"]: row[key] for row in rows if key in row}


def main():
    folders = [pathlib.Path(name) for name in sys.argv[1:]]
    if not folders:
        sys.exit(__doc__)
    before = read(folders, "before.json")
    after = {estimator: read(folders, f"after_{estimator}.json") for estimator in ESTIMATORS}
    after = {estimator: figures for estimator, figures in after.items() if figures}
    print(f"Accuracy in % on {before[0]['questions']} held-out words, {len(before)} seeds.\n")
    print_table(["", "base", *(f"after, {estimator}" for estimator in after)],
                [[title, cell([figures[key] for figures in before]),
                  *(cell([figures[key] for figures in seeds]) for seeds in after.values())]
                 for title, key in (("single sample", "single"), ("greedy", "greedy"))])
    print("\nEstimates from G answers of the base\n")
    sizes = list(before[0]["synthesis"])
    print_table(["", *(f"G = {size}" for size in sizes)],
                [[title, *(cell([figures[key][size] for figures in before]) for size in sizes)]
                 for title, key in (("majority", "majority"), ("synthesis", "synthesis"), ("any of G right", "pass"),
                                    ("synthesis right while all G are wrong", "right_when_all_wrong"),
                                    ("synthesis agrees with the majority", "agreement"))])
    for key in ("eval/single", "eval/greedy"):
        curves = {estimator: [curve(folder, estimator, key) for folder in folders if (folder / estimator).exists()]
                  for estimator in after}
        steps = sorted({step for seeds in curves.values() for points in seeds for step in points})
        print(f"\n{key} over the steps\n")
        print_table(["", *(str(step) for step in steps)],
                    [[estimator, *(cell([points[step] for points in seeds if step in points]) for step in steps)]
                     for estimator, seeds in curves.items()])


if __name__ == "__main__":
    main()
