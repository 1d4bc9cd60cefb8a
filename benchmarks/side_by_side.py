#!/usr/bin/env python3
"""One GRPO step and plain rollouts beside TRL and transformers, in one run: medians and their ratios.

usage: side_by_side.py [--rounds 3] [--threads 1] [--steps 6] [--json FILE]

The sides take turns, so that a machine that is busy for a while is busy for all. Each side computes in fp32 unless its
line says otherwise.

Environment:
  AUTODIDACT_BENCH         our program (default build/release/benchmarks/bench_step in the repository): it is called as
                           `PROGRAM MODEL PROMPTS --group 8 --n-prompts 8 --new 64 --steps N --threads T` and prints one
                           JSON line with step_seconds_median, rollout_seconds_median, tokens_per_s, threads, dtype
  AUTODIDACT_PEERS         folder with trl_grpo.py, hf_generate.py and make_model.py (default ../shared/peers beside the
                           repository)
  AUTODIDACT_PEERS_PYTHON  Python of an environment with torch, transformers, trl, accelerate and datasets
  AUTODIDACT_DATA          the data sets (default ../shared/data): the prompts come from gsm8k
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


def fail(message):
    sys.exit(f"side_by_side: {message}")


def last_json_line(command, environment):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        fail(f"{command[0]} {command[1]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    lines = [line for line in done.stdout.splitlines() if line.startswith("{\"")]
    if not lines:
        fail(f"{command[1]} printed no JSON line:\n{done.stdout[-2000:]}")
    return json.loads(lines[-1])


def prepare(folder, peers, python, data, environment):
    """The small model (8.3 M weights, random) and the prompts, from the peers' own program."""
    source = data / "gsm8k" / "test.jsonl"
    prompts, model = folder / "prompts.jsonl", folder / "model"
    with open(source) as rows, open(prompts, "w") as out:
        for row in rows:
            out.write(json.dumps({"prompt": json.loads(row)["question"][:160]}) + "\n")
    made = last_json_line([python, peers / "make_model.py", "llama", model, "--text", source], environment)
    print(f"model: {made['parameters'] / 1e6:.1f} M weights; {NUM_PROMPTS} prompts x {GROUP} rollouts x {NEW_TOKENS} tokens")
    return model, prompts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()

    ours = pathlib.Path(os.environ.get("AUTODIDACT_BENCH", ROOT / "build/release/benchmarks/bench_step"))
    peers = pathlib.Path(os.environ.get("AUTODIDACT_PEERS", ROOT.parent / "shared/peers"))
    python = os.environ.get("AUTODIDACT_PEERS_PYTHON")
    data = pathlib.Path(os.environ.get("AUTODIDACT_DATA", ROOT.parent / "shared/data"))
    if not python:
        fail("set AUTODIDACT_PEERS_PYTHON to the Python of the peers' environment")
    for path in (ours, peers / "trl_grpo.py", data / "gsm8k" / "test.jsonl"):
        if not path.exists():
            fail(f"{path} is not there; see the head of this file")
    environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads), HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="")

    with tempfile.TemporaryDirectory() as folder:
        model, prompts = prepare(pathlib.Path(folder), peers, python, data, environment)
        size = ["--group", GROUP, "--n-prompts", NUM_PROMPTS, "--new", NEW_TOKENS, "--threads", options.threads]
        sides = {
            "autodidact": [ours, model, prompts, *size, "--steps", options.steps],
            "trl": [python, peers / "trl_grpo.py", model, prompts, *size, "--steps", options.steps],
            "transformers": [python, peers / "hf_generate.py", model, prompts, *size],
        }
        results = {name: [] for name in sides}
        for number in range(1, options.rounds + 1):
            for name, command in sides.items():
                results[name].append(last_json_line(command, environment))
                print(f"round {number}: {json.dumps(results[name][-1])}", flush=True)

    def median(name, key):
        return statistics.median(result[key] for result in results[name])

    tokens = GROUP * NUM_PROMPTS * NEW_TOKENS
    step = {name: median(name, "step_seconds_median") for name in ("autodidact", "trl")}
    speed = {
        "autodidact": median("autodidact", "tokens_per_s"),
        "trl": tokens / median("trl", "rollout_seconds_median"),
        "transformers": median("transformers", "tokens_per_s"),
    }
    formats = {"autodidact": results["autodidact"][-1].get("dtype", "float32"), "trl": "float32",
               "transformers": results["transformers"][-1].get("dtype", "float32")}
    print(f"\n{'side':<14}{'format':<10}{'s per GRPO step':>16}{'ours is':>9}{'rollout tokens/s':>18}{'ours is':>9}")
    for name in sides:
        seconds = f"{step[name]:.2f}" if name in step else "-"
        faster = f"{step[name] / step['autodidact']:.2f}x" if name in step else "-"
        print(f"{name:<14}{formats[name]:<10}{seconds:>16}{faster:>9}{speed[name]:>18.0f}"
              f"{speed['autodidact'] / speed[name]:>8.2f}x")
    print(f"medians over {options.rounds} rounds, {options.threads} thread(s)")
    if options.json:
        options.json.write_text(json.dumps({"step_seconds": step, "tokens_per_s": speed, "rounds": results}) + "\n")


if __name__ == "__main__":
    main()
