"""Writes sampling.json: what transformers' logits processors leave of given logits, in the order of its generate().

usage: make_sampling_goldens.py OUT.json      (needs torch and transformers)
"""
import json
import sys

import torch
from transformers import (MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper,
                          TopPLogitsWarper)

torch.manual_seed(5)
SETTINGS = [
    {"temperature": 0.7},
    {"top_k": 5},
    {"top_p": 0.8},
    {"min_p": 0.1},
    {"repetition_penalty": 1.4},
    {"temperature": 1.0, "top_k": 64, "top_p": 0.95},                  # the paper's three models
    {"temperature": 0.7, "top_k": 20, "top_p": 0.8},
    {"temperature": 0.7, "top_k": 50, "top_p": 0.9},
    {"temperature": 1.3, "top_p": 0.6, "min_p": 0.05},
    {"temperature": 0.5, "repetition_penalty": 0.8, "top_k": 12, "min_p": 0.02},
    {"temperature": 1.2, "repetition_penalty": 1.2, "top_k": 30, "top_p": 0.9, "min_p": 0.03},
]
cases = []
for setting in SETTINGS:
    logits = (2 * torch.randn(1, 100)).round(decimals=4)
    seen = torch.randint(0, 100, (1, 17))
    temperature = setting.get("temperature", 1.0)
    scores = logits
    if "repetition_penalty" in setting:
        scores = RepetitionPenaltyLogitsProcessor(setting["repetition_penalty"])(seen, scores)
    scores = TemperatureLogitsWarper(temperature)(seen, scores)
    for key, kind in (("top_k", TopKLogitsWarper), ("top_p", TopPLogitsWarper), ("min_p", MinPLogitsWarper)):
        if key in setting:
            scores = kind(setting[key])(seen, scores)
    kept = torch.softmax(scores.double(), 1)[0]
    ids = torch.nonzero(kept).flatten()
    cases.append({"setting": setting, "logits": [round(x, 4) for x in logits[0].tolist()], "seen": seen[0].tolist(),
                  "ids": ids.tolist(), "logprobs": [round(x, 7) for x in kept[ids].log().tolist()],
                  "untruncated": [round(x, 7) for x in torch.log_softmax(logits.double() / temperature, 1)[0][ids].tolist()]})
json.dump(cases, open(sys.argv[1], "w"))
