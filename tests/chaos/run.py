#!/usr/bin/env python3
"""Runs of the demo's task under mpirun to whose processes, links and disk faults are done at random moments, and an
audit of what they leave (tests/chaos/audit.py, whose exit code this is; also 1 where not all faults were done).

  tests/chaos/run.py [--program FILE] [--runs N] [--faults N] [--steps N] [--seed N] [--kinds KIND,...] [--out FOLDER]

Runs in turn have one learner rank and two, and two each of actors, anchors and judges; each placement has one run
without faults. A checkpoint every few steps, synchronous mode. Kinds of faults, of which one is drawn for each fault:

  kill   kill -9 of an actor, an anchor, a judge, a rank of the learner, the supervisor or an agent
  stop   SIGSTOP of one of them for 5 to 60 s
  link   the link of one of three hosts (network namespaces) is cut for 2 to 10 s; these runs have three hosts; root
  disk   the disk of the run's folder (a tmpfs of its own) is full for 2 to 10 s; root

The next fault comes 0.5 to 2 s after the run has gone on, or in one of ten cases at once. What needs root is left out
without it. It ends by its own deadlines, and leaves no process behind.
"""
import argparse
import json
import math
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from processes import end_all, processes_of, run_environment

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
NETNS = SOURCE / "tests/e2e/netns.sh"
ROLES = ("actor", "anchor", "judge", "learner", "supervisor", "agent")
HOSTS = 3
DISK_MIB = 600
STARTING = 120    # seconds until the first step
SETTLED = 10      # steps after the last fault
NO_PROGRESS = 150  # seconds without a new step that no fault explains


def role_of(arguments, program):
    """What a process of the run is, if faults may be done to it: not mpirun, its daemons and the keepers."""
    if arguments[0] != str(program):
        return None
    command = next((argument for argument in arguments[1:] if not argument.startswith("-")), "")
    return command if command in ROLES else None


class Disk:
    """A small file system of the run's own."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", folder], check=True)

    def fill(self):
        with open(self.folder / "filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
            except OSError:
                pass

    def free(self):
        (self.folder / "filler").unlink(missing_ok=True)

    def leave(self, kept):
        """Copies what is judged to `kept`, and is gone."""
        self.free()
        shutil.copytree(self.folder, kept, symlinks=True, dirs_exist_ok=True)
        subprocess.run(["umount", "-l", self.folder], check=True)


class Run:
    """One run from its start to its end. The log is tests/chaos/audit.py's."""

    def __init__(self, options, name, learners, hosts, disk, deadline):
        self.options, self.name, self.deadline, self.hosts = options, name, deadline, hosts
        self.mark = f"{os.getpid()}-{name}"
        self.folder = (disk.folder if disk else options.out) / name
        self.disk = disk
        self.log_file = open(options.out / f"{name}.faults.jsonl", "w")
        self.stopped = {}      # pid: when it goes on
        self.repairs = []      # (when, what to call)
        self.code = None
        roles = ["learner"] * learners + ["actor", "actor", "anchor", "anchor", "judge", "judge"]
        settings = {"folder": self.folder.parent, "name": name, "train.max_steps": options.steps,
                    "train.groups_per_step": options.groups, "train.save_steps": options.save_steps,
                    "train.max_empty_steps": 0, "data.train": options.data / "unlabelled.jsonl", "eval.data": "",
                    "threads": "{learner: 1, actor: 1, anchor: 1}"}
        if hosts:
            settings["placement.hosts"] = ("[learner actor anchor judge, learner actor, anchor judge]" if learners == 2
                                           else "[learner actor anchor judge, actor, anchor judge]")
        else:
            settings["placement.ranks"] = f"[{', '.join(roles)}]"
        command = ["mpirun", "--oversubscribe", "-n", str(HOSTS if hosts else len(roles))]
        if hosts:
            places = ",".join(f"10.88.0.{k}:1" for k in range(1, HOSTS + 1))
            command = [str(NETNS), "on", "1", *command, "--host", places, "--mca", "plm_rsh_agent", f"{NETNS} rsh",
                       "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "e0", "--mca", "oob_tcp_if_include",
                       "e0"]
        command += [str(options.program), "train", "configs/demo/train.yaml"]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        self.output = open(options.out / f"{name}.log", "w")
        self.job = subprocess.Popen(command, cwd=SOURCE, env=run_environment(self.mark), stdout=self.output,
                                    stderr=subprocess.STDOUT, start_new_session=True)

    def steps(self):
        """The last step that is done, while the learner may be writing or cutting off what it does again."""
        try:
            lines = (self.folder / "metrics.jsonl").read_bytes().split(b"\n")[:-1]
            return json.loads(lines[-1])["step"] if lines else 0
        except (OSError, ValueError):
            return 0

    def tell(self, event, **more):
        row = {"event": event, "time": round(time.time(), 3), "steps": self.steps()} | more
        self.log_file.write(json.dumps(row) + "\n")
        self.log_file.flush()

    def look(self):
        """Repairs what is due; whether the run goes on."""
        now = time.time()
        for when, repair in [due for due in self.repairs if due[0] <= now]:
            self.repairs.remove((when, repair))
            repair()
        self.code = self.job.poll()
        return self.code is None

    def wait_until(self, holds, seconds):
        """Whether it holds; False too when the run or its time ends."""
        end = min(time.time() + seconds, self.deadline)
        while self.look() and time.time() < end:
            if holds():
                return True
            time.sleep(0.05)
        return False

    def later(self, seconds, repair):
        self.repairs.append((time.time() + seconds, repair))

    # Each fault: what to log of it, or None where there is nothing to do it to.
    def kill(self, chance):
        return self.on_process(chance, lambda pid: os.kill(pid, signal.SIGKILL), {})

    def stop(self, chance):
        seconds = round(math.exp(chance.uniform(math.log(5), math.log(60))), 1)

        def on(pid):
            os.kill(pid, signal.SIGSTOP)
            self.stopped[pid] = seconds

            def resume():
                self.stopped.pop(pid, None)
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
            self.later(seconds, resume)
        return self.on_process(chance, on, {"duration": seconds})

    def on_process(self, chance, do, more):
        running = {}
        for pid, arguments in processes_of(self.mark).items():
            role = role_of(arguments, self.options.program)
            if role and pid not in self.stopped:
                running.setdefault(role, []).append(pid)
        if not running:
            return None
        role = chance.choice(sorted(running))
        pid = chance.choice(sorted(running[role]))
        try:
            do(pid)
        except ProcessLookupError:
            return None
        return {"role": role, "pid": pid} | more

    def link(self, chance):
        if not self.hosts:
            return None
        host, seconds = chance.randint(1, HOSTS), round(chance.uniform(2, 10), 1)
        subprocess.run(["ip", "link", "set", f"adlink{host}", "down"], check=True)
        self.later(seconds, lambda: subprocess.run(["ip", "link", "set", f"adlink{host}", "up"], check=True))
        return {"role": "", "host": host, "duration": seconds}

    def disk_full(self, chance):
        if not self.disk:
            return None
        seconds = round(chance.uniform(2, 10), 1)
        self.disk.fill()
        self.later(seconds, self.disk.free)
        return {"role": "", "duration": seconds}

    def do_fault(self, chance, kinds, joined):
        """Whether one was done."""
        kind = chance.choices(list(kinds), kinds.values())[0]
        row = {"kill": self.kill, "stop": self.stop, "link": self.link, "disk": self.disk_full}[kind](chance)
        if row is None:
            return False
        self.tell("fault", kind=kind, joined=joined, **row)
        self.before = self.steps()
        return True

    def drive(self, chance, kinds, faults):
        """Does the faults, and waits for the end. How many were done."""
        done = 0
        if self.wait_until(lambda: self.steps() >= 1, STARTING):
            self.tell("start")
            while done < faults and self.look() and time.time() < self.deadline:
                joined = done > 0 and chance.random() < 0.1
                if not joined:
                    stop_over = max([0] + [seconds for seconds in self.stopped.values()])
                    if done and not self.wait_until(lambda: self.steps() > self.before, NO_PROGRESS + stop_over):
                        break
                    self.wait_until(lambda: False, chance.uniform(0.5, 2))
                if self.look() and self.do_fault(chance, kinds, joined):
                    done += 1
            if done and self.wait_until(lambda: self.steps() > self.before + SETTLED, NO_PROGRESS):
                self.tell("settled")
            last = [self.steps(), time.time()]

            def stuck():
                if self.steps() != last[0]:
                    last[:] = [self.steps(), time.time()]
                return time.time() - last[1] > NO_PROGRESS
            self.wait_until(stuck, max(0, self.deadline - time.time()))
        self.finish()
        return done

    def finish(self):
        for _, repair in self.repairs:
            repair()
        self.repairs = []
        if self.code is None:
            print(f"{self.name}: no end by its deadline, or no step for {NO_PROGRESS} s", file=sys.stderr)
        self.tell("end", code=self.code)
        # What the run itself starts last may take a moment to leave.
        end = time.time() + 15
        while self.code is not None and processes_of(self.mark) and time.time() < end:
            time.sleep(0.1)
        left = end_all(self.mark)
        self.job.wait()
        if left and self.code is not None:
            print(f"FINDING {self.name}: {left} processes were left behind")
            self.code = self.code or 1
        self.log_file.close()
        self.output.close()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=SOURCE / "build/release/launch/autodidact")
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--faults", type=int, default=50, help="of each run")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--groups", type=int, default=24, help="of a step")
    parser.add_argument("--save-steps", type=int, default=2)
    parser.add_argument("--learners", default="1,2", help="of the runs in turn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default="kill*4,stop,link,disk", help="KIND or KIND*WEIGHT, with commas between")
    parser.add_argument("--out", type=pathlib.Path, help="is kept; default: a folder that is removed if all is well")
    parser.add_argument("--deadline", type=float, default=900, help="seconds of a run")
    options = parser.parse_args()
    options.program = options.program.resolve()
    kinds = {}
    for part in options.kinds.split(","):
        kind, _, weight = part.partition("*")
        if kind not in ("kill", "stop", "link", "disk"):
            parser.error(f"--kinds: {kind}: expected kill, stop, link or disk")
        if kind in ("link", "disk") and os.geteuid() != 0:
            print(f"left out: {kind} needs root")
            continue
        kinds[kind] = float(weight or 1)
    options.kinds = kinds
    options.keep = options.out is not None
    options.out = options.out or pathlib.Path(tempfile.mkdtemp(prefix="autodidact-chaos-"))
    options.out.mkdir(parents=True, exist_ok=True)
    options.out = options.out.resolve()
    options.data = options.out / "data"
    return options


def make_run(options, name, learners, kinds, faults, seed):
    """One run, with the disk and the hosts that its faults need. Its folder, log, and whether it came to its end with
    all its faults done."""
    kept = options.out / name
    shutil.rmtree(kept, ignore_errors=True)
    disk = Disk(options.out / f"{name}.disk") if "disk" in kinds else None
    if "link" in kinds:
        subprocess.run([NETNS, "up", str(HOSTS)], check=True)
    try:
        run = Run(options, name, learners, "link" in kinds, disk, time.time() + options.deadline)
        try:
            done = run.drive(random.Random(seed), kinds, faults)
        finally:
            end_all(run.mark)
    finally:
        if disk:
            disk.leave(options.out)
            disk.folder.rmdir()
        if "link" in kinds:
            subprocess.run([NETNS, "down"], check=False)
    print(f"{name}: {done} faults, exit code {run.code}, {run.steps()} steps", flush=True)
    return kept, options.out / f"{name}.faults.jsonl", run.code == 0 and done == faults


def main():
    options = parse_options()
    subprocess.run([options.program, "demo-data", options.data], check=True, stdout=subprocess.DEVNULL)
    learners = [int(count) for count in options.learners.split(",")]
    quiet = {}
    judged = []
    cut_short = []
    for index in range(options.runs):
        count = learners[index % len(learners)]
        if count not in quiet:
            *quiet[count], whole = make_run(options, f"quiet-{count}", count, {}, 0, 0)
            cut_short += [] if whole else [f"quiet-{count}"]
        # Hosts cost time of their own: only some runs have them.
        kinds = {kind: weight for kind, weight in options.kinds.items()
                 if kind != "link" or len(options.kinds) == 1 or index % 4 in (2, 3)}
        folder, log, whole = make_run(options, f"run-{index}", count, kinds, options.faults, options.seed + index)
        cut_short += [] if whole else [f"run-{index}"]
        judged += ["--run", folder, log, *quiet[count]]
    code = subprocess.run([sys.executable, HERE / "audit.py", *map(str, judged)], check=False).returncode
    if cut_short:
        print(f"WRONG: not all faults were done, or the run ended with another code than 0: {', '.join(cut_short)}")
        code = code or 1
    if code == 0 and not options.keep:
        shutil.rmtree(options.out)
    else:
        print(f"kept: {options.out}")
    sys.exit(code)


if __name__ == "__main__":
    main()
