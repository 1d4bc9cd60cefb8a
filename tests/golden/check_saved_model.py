"""Loads a saved model folder in transformers and compares its logits with ours.

usage: check_saved_model.py FOLDER EXPECTED.json     ({"ids": [...], "logits": [[...], ...]}); exit status 1 when they differ
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM

folder, expected_file = sys.argv[1:3]
expected = json.load(open(expected_file))
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
with torch.no_grad():
    logits = model(torch.tensor([expected["ids"]])).logits[0]
difference = (logits - torch.tensor(expected["logits"])).abs().max().item()
print(f"{type(model).__name__}: logits differ by at most {difference:.2e}")
sys.exit(0 if difference < 1e-4 else 1)
