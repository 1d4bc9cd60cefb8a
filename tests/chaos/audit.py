#!/usr/bin/env python3
"""Judges runs that faults were done to, by what they left on the disk alone: metrics.jsonl, rollouts/*.jsonl, the last
checkpoint, and the log of the faults (tests/chaos/run.py writes one).

  tests/chaos/audit.py --run FOLDER LOG QUIET QUIET_LOG [--run ...]

QUIET is the folder of the same run without faults. What must hold of each run: all its steps are there, each once; no
prompt of its sequence is lost or counted twice; no failure became a reward; records and final weights are those of
the quiet run. Each finding is a line; with none the exit code is 0. Then a table: faults by kind, what each cost, and
what share of the time is useful where steps take 60 s and every tenth has a fault.

The log is JSON lines {"event", "time", "steps"}: "start" once the first step is done, "fault" with "kind" and "role",
and "joined" where the one before it was still felt, "settled" some steps after the last one, "end" with the exit
"code". `steps`: how many were done then.
"""
import argparse
import collections
import json
import pathlib
import sys

STEP_SECONDS = 60
STEPS_PER_FAULT = 10
# What dies with work of the step in flight, of which half is lost on average, where each step has its checkpoint.
LOSES_WORK = {"kill learner", "kill supervisor", "kill agent", "kill actor", "two at once"}


def read_lines(file):
    """The rows of a JSONL file; a line that is none is told as text."""
    rows = []
    for line in file.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            rows.append(f"{file.name}: a line is no JSON ({error})")
    return rows


def spans(numbers):
    """1, 2, 3, 7 as "1-3, 7"."""
    found = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


class Records:
    """Of one run's folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.broken = []
        self.metrics = self._rows(self.folder / "metrics.jsonl")
        self.groups = {}  # step: its rows
        for file in sorted((self.folder / "rollouts").glob("step_*.jsonl")):
            self.groups[int(file.stem.split("_")[1])] = self._rows(file)

    def _rows(self, file):
        if not file.is_file():
            self.broken.append(f"there is no {file.name}")
            return []
        rows = read_lines(file)
        self.broken += [row for row in rows if isinstance(row, str)]
        return [row for row in rows if not isinstance(row, str)]

    def by_ticket(self):
        return {row["ticket"]: row for rows in self.groups.values() for row in rows}

    def weights(self, step):
        file = self.folder / "checkpoints" / f"step_{step:06d}" / "model" / "model.safetensors"
        return file.read_bytes() if file.is_file() else None


def check_steps(run, last):
    """All made, each once, in order; and each with its groups."""
    steps = [row["step"] for row in run.metrics]
    for step, times in sorted(collections.Counter(steps).items()):
        if times > 1:
            yield f"step {step} is {times} times in metrics.jsonl"
        if step > last or step < 1:
            yield f"step {step} is none of the {last} steps"
    if missing := set(range(1, last + 1)) - set(steps):
        yield f"not in metrics.jsonl: step {spans(missing)}"
    if steps != sorted(steps):
        yield "the steps of metrics.jsonl are not in order"
    if missing := set(range(1, last + 1)) - set(run.groups):
        yield f"no file of groups: step {spans(missing)}"
    if beyond := set(run.groups) - set(range(1, last + 1)):
        yield f"groups of what is none of the {last} steps: {spans(beyond)}"


def check_prompts(run, last, per_step):
    """Each place of the sequence once, in its step; what is not there is a hole."""
    seen = collections.Counter()
    for step, rows in run.groups.items():
        for row in rows:
            seen[row["ticket"]] += 1
            if row["step"] != step or row["ticket"] // per_step + 1 != step:
                yield f"ticket {row['ticket']} of step {row['ticket'] // per_step + 1} is counted in step {step}"
    for ticket, times in sorted(seen.items()):
        if times > 1:
            yield f"ticket {ticket} is counted {times} times"
    told = {row["step"]: row for row in run.metrics}
    for step in sorted(set(range(1, last + 1)) & set(run.groups)):
        holes = [t for t in range((step - 1) * per_step, step * per_step) if t not in seen]
        dropped = int(told.get(step, {}).get("groups/dropped", 0))
        if holes:
            recorded = "as its metrics say" if dropped == len(holes) else f"and its metrics say {dropped}"
            yield f"step {step} has {len(holes)} holes, {recorded}: ticket {spans(holes)}"
        elif dropped:
            yield f"step {step}: its metrics say that {dropped} groups were dropped, and none is missing"
        received = told.get(step, {}).get("groups/received")
        if received is not None and received != len(run.groups.get(step, [])):
            yield f"step {step}: its metrics count {received:.0f} groups, its file has {len(run.groups.get(step, []))}"


def check_rewards(run):
    """A reward is a number, or none with a reason; what failed has none."""
    for ticket, row in sorted(run.by_ticket().items()):
        rewards, reasons = row["rewards"], row["reward_failures"]
        if row["failure"] is not None and any(reward is not None for reward in rewards):
            yield f"ticket {ticket} has rewards though it failed: {row['failure']}"
            continue
        if row["failure"] is None and len(rewards) != len(row["completions"]):
            yield f"ticket {ticket} has {len(rewards)} rewards of {len(row['completions'])} rollouts"
        if len(rewards) != len(reasons):
            yield f"ticket {ticket} has {len(rewards)} rewards and {len(reasons)} places for a reason"
            continue
        for index, (reward, reason) in enumerate(zip(rewards, reasons)):
            if reward is not None and reason is not None:
                yield f"ticket {ticket}, rollout {index}: rewarded with {reward} though it failed: {reason}"
            if reward is None and reason is None and row["failure"] is None:
                yield f"ticket {ticket}, rollout {index}: no reward and no reason"


SAME = ("id", "completions", "rewards", "reference")


def check_equal(run, quiet, last):
    """The records that a fault must not change, and the weights."""
    there = quiet.by_ticket()
    for ticket, row in sorted(run.by_ticket().items()):
        if ticket not in there:
            yield f"ticket {ticket} is none of the quiet run"
            continue
        differs = [name for name in SAME if row[name] != there[ticket][name]]
        if differs:
            yield f"ticket {ticket}: other {' and '.join(differs)} than in the quiet run"
    own, expected = run.weights(last), quiet.weights(last)
    if own is None or expected is None:
        yield f"no weights of step {last} in {'the run' if own is None else 'the quiet run'}"
    elif own != expected:
        yield f"the weights of step {last} are not those of the quiet run"


def findings_of(folder, quiet_folder):
    """Lines; none is good."""
    run, quiet = Records(folder), Records(quiet_folder)
    findings = run.broken + [f"quiet run: {what}" for what in quiet.broken]
    if not quiet.metrics or not quiet.groups.get(1):
        return findings + ["the quiet run has no steps to compare with"]
    last, per_step = len(quiet.metrics), len(quiet.groups[1])
    for check in (check_steps(quiet, last), check_prompts(quiet, last, per_step), check_rewards(quiet)):
        findings += [f"quiet run: {what}" for what in check]
    for check in (check_steps(run, last), check_prompts(run, last, per_step), check_rewards(run),
                  check_equal(run, quiet, last)):
        findings += check
    return findings


def windows(log):
    """Of each fault: its kind, and the seconds and steps until the next one that is not joined to it, or the end."""
    marks = [row for row in log if row["event"] in ("start", "fault", "settled", "end")]
    found = []
    for mark, after in zip(marks, marks[1:]):
        seconds, steps = after["time"] - mark["time"], after["steps"] - mark["steps"]
        if mark["event"] in ("start", "settled"):
            found.append(["no fault", seconds, steps, 0])
        elif mark.get("joined") and found:
            last = found[-1]
            found[-1] = ["two at once", last[1] + seconds, last[2] + steps, last[3] + 1]
        else:
            found.append([f"{mark['kind']} {mark['role']}".strip(), seconds, steps, 1])
    return found


def quiet_pace(log):
    """Seconds of a step."""
    marks = {row["event"]: row for row in log}
    return (marks["end"]["time"] - marks["start"]["time"]) / (marks["end"]["steps"] - marks["start"]["steps"])


def table_of(logs):
    """`logs`: pairs of a run's log and the quiet run's. The lines of the table."""
    lost, faults, costs = collections.Counter(), collections.Counter(), collections.defaultdict(list)
    for log, quiet in logs:
        pace = quiet_pace(quiet)
        for kind, seconds, steps, count in windows(log):
            lost[kind] += seconds - steps * pace
            faults[kind] += count
            costs[kind].append(seconds - steps * pace)
    yield f"{'fault':<20} {'faults':>6} {'lost, s':>9} {'each, s':>8} {'worst, s':>9}"
    for kind in sorted(lost, key=lambda kind: (faults[kind] == 0, kind)):
        each = f"{lost[kind] / faults[kind]:8.1f}" if faults[kind] else " " * 8
        yield f"{kind:<20} {faults[kind]:6d} {lost[kind]:9.1f} {each} {max(costs[kind]):9.1f}"
    total = sum(faults.values())
    if not total:
        return
    each = sum(seconds for kind, seconds in lost.items() if faults[kind]) / total
    redone = sum(faults[kind] for kind in LOSES_WORK) / total * STEP_SECONDS / 2
    span = STEPS_PER_FAULT * STEP_SECONDS
    yield f"{'all':<20} {total:6d} {sum(lost.values()):9.1f} {each:8.1f}"
    yield (f"useful time at steps of {STEP_SECONDS} s and a fault every {STEPS_PER_FAULT} steps: "
           f"{span / (span + each):.1%}; with half a step done again after each death that loses work: "
           f"{span / (span + each + redone):.1%}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", nargs=4, action="append", required=True,
                        metavar=("FOLDER", "LOG", "QUIET", "QUIET_LOG"))
    bad = 0
    logs = []
    for folder, log, quiet, quiet_log in parser.parse_args().run:
        findings = findings_of(folder, quiet)
        logs.append((read_lines(pathlib.Path(log)), read_lines(pathlib.Path(quiet_log))))
        end = [row for row in logs[-1][0] if row["event"] == "end"]
        if not end or end[-1].get("code") != 0:
            findings.insert(0, f"it did not end well: code {end[-1].get('code') if end else 'unknown'}")
        for finding in findings:
            print(f"FINDING {folder}: {finding}")
        bad += len(findings)
        if not findings:
            print(f"ok      {folder}: whole, and bit for bit the quiet run")
    print("\n".join(table_of(logs)))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
