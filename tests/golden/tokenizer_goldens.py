#!/usr/bin/env python3
"""Writes what the `tokenizers` package makes of many texts, for TokenizerParityTest.

    python tests/golden/tokenizer_goldens.py DATA_FOLDER OUT_FOLDER [--random 100000]
    AUTODIDACT_TOKENIZER_GOLDENS=OUT_FOLDER build/…/tests/text_tests --gtest_filter='TokenizerParity*'

Texts: every line of gsm8k, math500, humaneval, e2e and healthbench, and seeded random Unicode strings. One file per
tokenizer: a first line {"tokenizer", "seconds" (of one core), "bytes", "timed" lines}, then [text, ids, decoded, decoded with special tokens].
"""
import argparse
import json
import os
import pathlib
import random
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer  # noqa: E402

FILES = ["gsm8k/train.jsonl", "gsm8k/test.jsonl", "math500/test.jsonl", "humaneval/HumanEval.jsonl",
         "e2e/labelled.jsonl", "e2e/unlabelled.jsonl", "e2e/unlabelled_truth.jsonl", "e2e/dev.jsonl",
         "healthbench/subset_union.jsonl"]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|eot_id|>", "<s>", "</s>", "<unk>",
           "<think>", "</think>", "<|", "|>", "<0x0A>", "▁", "Ġ"]
RANGES = [(0x20, 0x7F), (0x20, 0x7F), (0x20, 0x7F), (0, 0x20), (0x80, 0x250), (0x300, 0x370), (0x370, 0x530),
          (0x590, 0x700), (0x900, 0xD80), (0xE00, 0xF00), (0x1100, 0x1200), (0x1E00, 0x2070), (0x2000, 0x2C00),
          (0x3040, 0x3100), (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0xF900, 0xFB50), (0xFE00, 0x10000),
          (0x10000, 0x11000), (0x1D100, 0x1D800), (0x1F300, 0x1FAFF), (0xE000, 0xF900), (0, 0x110000)]


def random_text(rng):
    pieces = []
    for _ in range(rng.randrange(1, 12)):
        kind = rng.randrange(10)
        if kind == 0:
            pieces.append(rng.choice(SPECIAL))
        elif kind == 1:
            pieces.append(rng.choice([" ", "  ", "\n", "\n\n", "\t", "\r\n", " \n ", "\u00a0", "\u3000", "\u2028"]) *
                          rng.randrange(1, 6))
        elif kind == 2:
            pieces.append(rng.choice(["'s", "'ſ", "'LL", "'re", "'T", "n't", "I'm", "12345", "3.14", "１２", "²"]))
        else:
            low, high = rng.choice(RANGES)
            for _ in range(rng.randrange(1, 10)):
                code = rng.randrange(low, high)
                pieces.append(chr(code) if not 0xD800 <= code < 0xE000 else "x")
    return "".join(pieces)


# The package at its fastest: many texts in one call, without offsets, on one core.
def encode_all(tokenizer, texts):
    seconds, ids = 0.0, []
    for start in range(0, len(texts), 1000):
        begin = time.process_time()
        encodings = tokenizer.encode_batch_fast(texts[start:start + 1000])
        seconds += time.process_time() - begin
        ids += [encoding.ids for encoding in encodings]
    return seconds, ids


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--random", type=int, default=100000)
    args = parser.parse_args()
    lines = [line.rstrip("\n") for name in FILES for line in open(args.data / name, encoding="utf-8")]
    rng = random.Random(7)
    texts = lines + [random_text(rng) for _ in range(args.random)]
    args.out.mkdir(parents=True, exist_ok=True)
    size = sum(len(line.encode()) for line in lines)
    for path in sorted(args.data.glob("tokenizers/*/tokenizer.json")):
        tokenizer = Tokenizer.from_file(str(path))
        seconds, ids = encode_all(tokenizer, lines)
        ids += encode_all(tokenizer, texts[len(lines):])[1]
        with open(args.out / f"{path.parent.name}.jsonl", "w", encoding="utf-8") as out:
            head = {"tokenizer": str(path), "seconds": seconds, "bytes": size, "timed": len(lines)}
            out.write(json.dumps(head) + "\n")
            for text, own in zip(texts, ids):
                row = [text, own, tokenizer.decode(own), tokenizer.decode(own, skip_special_tokens=False)]
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
        print(f"{path.parent.name}: {len(texts)} texts; {size / seconds / 1e6:.2f} MB/s")


if __name__ == "__main__":
    main()
