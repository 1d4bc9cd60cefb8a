#!/usr/bin/env python3
"""Decoding beside transformers and llama.cpp, and a GRPO step beside TRL, in one run: medians and their ratios.

Run it through side_by_side.sh, with the Python of the peers' environment. The workload: 8.3 M random weights of Llama
shape, 8 prompts x 8 rollouts x 64 new tokens. The sides take turns, so that a machine that is busy for a while is busy
for all. A first pass measures every number format of a peer once; the rest of the run gives each its best one.
A side that cannot run is named with its reason and left out.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
GROUP, NUM_PROMPTS, NEW_TOKENS = 8, 8, 64
SIZE = ["--group", GROUP, "--n-prompts", NUM_PROMPTS, "--new", NEW_TOKENS]
OURS = "autodidact"


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.broken = {}  # side -> reason

    def run(self, side, command, threads):
        """The last JSON line that the command prints; None when it fails, which also ends the side."""
        if side in self.broken:
            return None
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="",
                           TOKENIZERS_PARALLELISM="false")
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment,
                              cwd=self.folder)
        lines = [line for line in done.stdout.splitlines() if line.startswith('{"')]
        if done.returncode != 0 or not lines:
            reason = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1][:200]
            self.broken[side] = reason
            print(f"left out: {side}: {reason}", flush=True)
            return None
        return json.loads(lines[-1])

    def prepare(self, lengths):
        """The model, and prompts of about so many tokens each, both made with the peers' own tools."""
        text = self.options.data / "gsm8k" / "test.jsonl"
        if not text.exists():
            sys.exit(f"side_by_side: {text} is not there: --data names the folder of the data sets")
        made = self.run("make_model.py", [sys.executable, self.options.peers / "make_model.py", "llama", self.folder / "model",
                                          "--text", text], 1)
        if made is None:
            sys.exit(1)
        from tokenizers import Tokenizer
        tokenizer = Tokenizer.from_file(str(self.folder / "model" / "tokenizer.json"))
        questions = [json.loads(line)["question"] for line in open(text)]
        for length in lengths:
            with open(self.folder / f"prompts_{length}.jsonl", "w") as out:
                for start in range(64):
                    ids = tokenizer.encode(" ".join(questions[10 * start:10 * start + 10])).ids[:length]
                    out.write(json.dumps({"prompt": tokenizer.decode(ids)}) + "\n")
        return made["parameters"]

    def decode_command(self, side, number_format, length, threads):
        model, prompts = self.folder / "model", self.folder / f"prompts_{length}.jsonl"
        tail = [model, prompts, *SIZE, "--threads", threads]
        if side == OURS:
            return [self.options.programs / "bench_step", *tail, "--rollouts-only", "--steps", 5]
        if side == "transformers":
            return [sys.executable, self.options.peers / "hf_generate.py", *tail, "--repeats", 1, "--dtype", number_format]
        return [sys.executable, self.options.peers / "llama_cpp_generate.py", *tail, "--repeats", 1, "--type", number_format]

    def best_formats(self):
        """Of each peer the fastest number format, from one run with prompts of 40 tokens; all figures are printed."""
        best = {OURS: "float32"}
        for side, formats in {"transformers": ["float32", "bfloat16"], "llama.cpp": ["f32", "bf16"]}.items():
            speeds = {}
            for number_format in formats:
                found = self.run(side, self.decode_command(side, number_format, 40, 1), 1)
                if found is not None:
                    speeds[number_format] = found["tokens_per_s"]
            if speeds:
                best[side] = max(speeds, key=speeds.get)
                print(f"{side}: " + ", ".join(f"{speed:.0f} tokens/s in {name}" for name, speed in speeds.items()), flush=True)
        return best

    def decode(self, formats, length, threads, rounds):
        speeds = {side: [] for side in formats}
        for _ in range(rounds):
            for side, number_format in formats.items():
                found = self.run(side, self.decode_command(side, number_format, length, threads), threads)
                if found is not None:
                    speeds[side].append(found["tokens_per_s"])
        return {side: statistics.median(values) for side, values in speeds.items() if values}

    def step(self, length, threads, rounds):
        model, prompts = self.folder / "model", self.folder / f"prompts_{length}.jsonl"
        tail = [model, prompts, *SIZE, "--threads", threads]
        # TRL's first step warms up; where a step is long it is spared a second one.
        commands = {
            OURS: [self.options.programs / "bench_step", *tail, "--steps", 3],
            "TRL": [sys.executable, self.options.peers / "trl_grpo.py", *tail, "--steps", 3 if length < 200 else 1],
        }
        seconds = {side: [] for side in commands}
        for _ in range(rounds):
            for side, command in commands.items():
                found = self.run(side, command, threads)
                if found is not None:
                    seconds[side].append(found["step_seconds_median"])
        return {side: statistics.median(values) for side, values in seconds.items() if values}


def print_table(title, unit, figures, formats, better):
    print(f"\n{title}")
    print(f"  {'side':<14}{'format':<10}{unit:>12}{'ours is':>10}")
    for side, value in figures.items():
        ratio = better(figures[OURS], value) if OURS in figures else float("nan")
        print(f"  {side:<14}{formats.get(side, 'float32'):<10}{value:>12.2f}{ratio:>9.2f}x", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / "build/release/benchmarks")
    parser.add_argument("--peers", type=pathlib.Path, required=True, help="folder with the peers' programs")
    parser.add_argument("--data", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("AUTODIDACT_DATA", ROOT.parent / "shared/data")))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--lengths", default="40,512", help="prompt tokens")
    parser.add_argument("--quick", action="store_true", help="one round, one thread")
    parser.add_argument("--no-steps", action="store_true", help="decoding only")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    for name in ("programs", "peers", "data"):
        setattr(options, name, getattr(options, name).resolve())
    threads = [1] if options.quick else [int(part) for part in options.threads.split(",")]
    lengths = [int(part) for part in options.lengths.split(",")]
    rounds = 1 if options.quick else options.rounds
    for path in (options.programs / "bench_step", options.peers / "make_model.py"):
        if not path.exists():
            sys.exit(f"side_by_side: {path} is not there")

    results = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder))
        parameters = bench.prepare(sorted({40, *lengths}))
        print(f"{parameters / 1e6:.1f} M weights; {NUM_PROMPTS} prompts x {GROUP} rollouts x {NEW_TOKENS} tokens; "
              f"{rounds} round(s), medians", flush=True)
        formats = bench.best_formats()
        for count in threads:
            peak = bench.run("engine_decode", [options.programs / "engine_decode", count, 3], count)
            if peak is not None:
                print(f"\nGEMM peak of our kernels, {count} thread(s): {peak['gemm_peak_gflops']:.0f} GFLOP/s", flush=True)
            for length in lengths:
                speed = bench.decode(formats, length, count, rounds)
                print_table(f"decoding, prompts of {length} tokens, {count} thread(s)", "tokens/s", speed, formats,
                            lambda ours, other: ours / other)
                seconds = {} if options.no_steps else bench.step(length, count, rounds)
                if seconds:
                    print_table(f"one GRPO step, prompts of {length} tokens, {count} thread(s)", "seconds", seconds, {},
                                lambda ours, other: other / ours)
                results.append({"threads": count, "prompt_tokens": length, "tokens_per_s": speed, "step_seconds": seconds})
        summary = {"formats": formats, "left_out": bench.broken, "results": results}
    if options.json:
        options.json.write_text(json.dumps(summary) + "\n")


if __name__ == "__main__":
    main()
