"""Tokens per second of transformers' generate on a model folder: one JSON line.

usage: transformers_generate.py MODEL --device cuda:0 --groups 8 --rollouts 8 --prompt 512 --new 256 --repetitions 2
"""
import argparse
import json
import statistics
import time

import torch
from transformers import AutoModelForCausalLM


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--device", default="cuda:0")
    for name in ("groups", "rollouts", "prompt", "new", "repetitions"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.bfloat16, attn_implementation="sdpa")
    model.to(options.device).eval()
    rows = options.groups * options.rollouts
    torch.manual_seed(0)
    prompts = torch.randint(3, model.config.vocab_size, (options.groups, options.prompt), device=options.device)
    ids = prompts.repeat_interleave(options.rollouts, dim=0)

    def seconds():
        start = time.perf_counter()
        out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
                             min_new_tokens=options.new, max_new_tokens=options.new, pad_token_id=0)
        assert out.shape == (rows, options.prompt + options.new), out.shape
        if options.device.startswith("cuda"):
            torch.cuda.synchronize()
        return time.perf_counter() - start

    with torch.inference_mode():
        seconds()
        median = statistics.median(seconds() for _ in range(options.repetitions))
    figures = {"rows": rows, "tokens_per_second": rows * options.new / median, "seconds": median}
    if options.device.startswith("cuda"):
        figures["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
