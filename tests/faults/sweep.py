#!/usr/bin/env python3
"""Every fault point (common/base/fault.h) with every action, one fault a run, in a small run of the demo task.

    tests/faults/sweep.py PROGRAM [--mode one|mpirun] [--points REGEX] [--actions LIST] [--counts LIST] [--out FOLDER]

Each case is a run with that fault. It is well when within the deadline it has made all its steps and its final weights
are those of the quiet run; or has ended with a code that says failed, a line of error, and --resume without a fault
makes it so. No process of it may be left in either case. A point that a run does not come to is told as such. Prints a
line a case and ends with 1 where one is not well, or none was reached.
"""
import argparse
import collections
import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "chaos"))
from processes import end_all, processes_of, run_environment  # noqa: E402
STEPS = 6
DEADLINE = 60.0  # of a run, of which each wait inside has its own
SETTINGS = ["train.max_steps=%d" % STEPS, "train.groups_per_step=8", "train.max_empty_steps=0", "train.save_steps=2", "train.keep_checkpoints=1",
            "eval.steps=0", "timeouts.step=10", "timeouts.lease=5", "timeouts.call=5", "timeouts.collective=15"]


class Sweep:
    def __init__(self, program, mode, out):
        self.program, self.mode, self.out = program, mode, out
        self.out.mkdir(parents=True, exist_ok=True)
        subprocess.run([program, "demo-data", out / "data"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)

    def train(self, name, more=(), fault=None):
        """Exit code (None: it had to be killed), seconds, and how many processes were left 5 s later."""
        command = [self.program, "train", "configs/demo/train.yaml", *more]
        if self.mode == "mpirun":
            command = ["mpirun", "--oversubscribe", "-n", "5", *command]
        for setting in (*SETTINGS, f"name={name}", f"folder={self.out}", f"data.train={self.out}/data/unlabelled.jsonl",
                        f"eval.data={self.out}/data/dev.jsonl"):
            command += ["--set", setting]
        environment = run_environment(name)
        if fault:
            environment |= {"AUTODIDACT_FAULT": fault, "AUTODIDACT_FAULT_LATCH": str(self.out / name) + ".latch"}
        start = time.monotonic()
        with open(self.out / f"{name}.log", "a") as log:
            child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment, start_new_session=True)
            try:
                code = child.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                code = None
        seconds = time.monotonic() - start
        leaving = time.monotonic() + 5
        while processes_of(name) and time.monotonic() < leaving:
            time.sleep(0.1)
        return code, seconds, end_all(name)

    def weights(self, name):
        file = self.out / name / "checkpoints" / f"step_{STEPS:06d}" / "model" / "model.safetensors"
        return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None

    def case(self, point, action, count, quiet):
        name = f"{point}-{count}-{action}"
        shutil.rmtree(self.out / name, ignore_errors=True)
        for suffix in (".latch", ".log"):
            (self.out / (name + suffix)).unlink(missing_ok=True)
        code, seconds, left = self.train(name, ["--overwrite"], f"{point}:{count}:{action}")
        log = (self.out / f"{name}.log").read_text(errors="replace")
        if not (self.out / (name + ".latch")).exists():
            return "not reached" if code == 0 else f"WRONG: code {code} without a fault", seconds
        wrong = []
        if code is None:
            wrong.append("it hangs")
        if left:
            wrong.append(f"{left} processes are left")
        how = "went on"
        if code != 0:
            how = f"ended with {code}"
            if code is not None and action != "exit" and not re.search(r"\berror\b", log):
                wrong.append("it says no error")
            code, more, left = self.train(name, ["--resume"])
            seconds += more
            how += ", resumed"
            if code != 0:
                wrong.append(f"--resume ends with {code}")
        if code == 0 and self.weights(name) != quiet:
            wrong.append("the weights are not those of the quiet run")
        if not wrong:
            shutil.rmtree(self.out / name, ignore_errors=True)
        return ("WRONG: " + "; ".join(wrong) + f" ({how})" if wrong else how), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--mode", choices=["one", "mpirun"], default="one")
    parser.add_argument("--points", default=".")
    parser.add_argument("--actions", default="throw,enospc,stall,exit")
    parser.add_argument("--counts", default="1,7")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "runs" / "faults")
    arguments = parser.parse_args()
    listed = subprocess.run([ROOT / ".ci" / "fault_points.py", "--list"], check=True, capture_output=True, text=True)
    points = [point for point in listed.stdout.split() if re.search(arguments.points, point)]
    sweep = Sweep(arguments.program.resolve(), arguments.mode, arguments.out.resolve())
    code, quiet_seconds, left = sweep.train("quiet", ["--overwrite"])
    quiet = sweep.weights("quiet")
    if code != 0 or left or quiet is None:
        sys.exit(f"the quiet run ends with {code}")
    print(f"quiet: {quiet_seconds:.1f} s; {len(points)} points", flush=True)
    ends = collections.Counter()
    for point in points:
        for count in map(int, arguments.counts.split(",")):
            for action in arguments.actions.split(","):
                result, seconds = sweep.case(point, action, count, quiet)
                ends["WRONG" if result.startswith("WRONG") else re.sub(r"with -?\d+|, resumed", "", result).strip()] += 1
                print(f"{point}:{count}:{action}: {result} ({seconds:.1f} s)", flush=True)
                if result == "not reached":
                    break  # by no action
    print("; ".join(f"{end}: {count}" for end, count in sorted(ends.items())))
    reached = ends.total() - ends["not reached"]
    if reached == 0:
        print("no case was reached: nothing is shown")
    return 1 if ends["WRONG"] or reached == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
