"""Prints the checkpoint folder of a run to use, by what can be seen without labels.

usage: stop.py RUN

Walks the checkpoints in order and takes the last one before any sign of trouble:
- the answers' length has left that of the run's beginning by more than a quarter (a reward that pays for saying more, or for
  saying nothing);
- the reward has fallen by more than 0.02 below its best;
- of some slot the references say nothing more or less often than at the run's beginning, by more than 0.1 of all: rollouts
  and references make each other invent (or leave out) it. The facts are as they were, so this share ought to stay.
Length and reward are means over the last 8 steps, the share is one over 20.
"""
import json
import pathlib
import statistics
import sys

import data

WINDOW = 8  # steps
RUBRICS = 20  # steps


def silence(run, first, last):
    """slot -> the share of rubrics of these steps whose reference says nothing about it."""
    rubrics = [row["rubric"] for step in range(first, last + 1)
               for row in data.read_rows(run / "rollouts" / f"step_{step:06d}.jsonl") if row["rubric"]]
    return {slot: statistics.mean(data.criterion(slot, None) in rubric for rubric in rubrics) for slot in data.SLOTS}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    run = pathlib.Path(sys.argv[1])
    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [row for row in steps if "reward" in row]
    chosen, best = None, -1.0
    first_silence = silence(run, 1, RUBRICS)
    first_length = statistics.mean(row["completions/mean_length"] for row in steps[:WINDOW])
    for folder in sorted(path for path in (run / "checkpoints").glob("step_*") if path.is_dir()):
        done = int(folder.name.removeprefix("step_"))
        window = [row for row in steps if done - WINDOW < row["step"] <= done]
        length = statistics.mean(row["completions/mean_length"] for row in window)
        reward = statistics.mean(row["reward"] for row in window)
        best = max(best, reward)
        share = silence(run, max(1, done - RUBRICS + 1), done)
        moved = max(data.SLOTS, key=lambda slot: abs(share[slot] - first_silence[slot]))
        trouble = (abs(length / first_length - 1) > 0.25 or reward < best - 0.02
                   or abs(share[moved] - first_silence[moved]) > 0.1)
        print(f"{folder.name}: reward {reward:.3f}, length {length:.1f} (first {first_length:.1f}), nothing about {moved} "
              f"{share[moved]:.2f} (first {first_silence[moved]:.2f})"
              + (": stopped before" if trouble else ""), file=sys.stderr)
        if trouble:
            break
        chosen = folder
    if chosen is None:
        sys.exit(f"{run}: no checkpoint without a sign of trouble")
    print(chosen / "model")


if __name__ == "__main__":
    main()
