"""Prints the checkpoint folder of a run to use, by what can be seen without labels.

usage: e2e_stop.py RUN

Walks the checkpoints in order and takes the last one before either sign of trouble, each a mean over the last steps:
the answers' length has left that of the run's beginning by more than a quarter (a reward that pays for saying more, or
for saying nothing), or the reward has fallen by more than 0.02 below its best.
"""
import json
import pathlib
import statistics
import sys

WINDOW = 8  # steps


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    run = pathlib.Path(sys.argv[1])
    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [row for row in steps if "reward" in row]
    chosen, best = None, -1.0
    first_length = statistics.mean(row["completions/mean_length"] for row in steps[:WINDOW])
    for folder in sorted(path for path in (run / "checkpoints").glob("step_*") if path.is_dir()):
        done = int(folder.name.removeprefix("step_"))
        window = [row for row in steps if done - WINDOW < row["step"] <= done]
        length = statistics.mean(row["completions/mean_length"] for row in window)
        reward = statistics.mean(row["reward"] for row in window)
        best = max(best, reward)
        trouble = abs(length / first_length - 1) > 0.25 or reward < best - 0.02
        print(f"{folder.name}: reward {reward:.3f}, length {length:.1f} (first {first_length:.1f})"
              + (": stopped before" if trouble else ""), file=sys.stderr)
        if trouble:
            break
        chosen = folder
    if chosen is None:
        sys.exit(f"{run}: no checkpoint without a sign of trouble")
    print(chosen / "model")


if __name__ == "__main__":
    main()
