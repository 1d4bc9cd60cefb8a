"""Writes adamw.json: weights after some steps of torch.optim.AdamW with gradient clipping and warm-up.

usage: make_adamw_goldens.py OUT.json      (needs torch)
"""
import json
import math
import sys

import torch

torch.manual_seed(3)
matrix, vector = torch.randn(4, 3), torch.randn(5)
start = {"matrix": matrix.flatten().tolist(), "vector": vector.tolist()}
matrix.requires_grad_(True)
vector.requires_grad_(True)
optimizer = torch.optim.AdamW([{"params": [matrix], "weight_decay": 0.1}, {"params": [vector], "weight_decay": 0.0}],
                              lr=1.0, betas=(0.9, 0.95), eps=1e-8)
steps = []
for step in range(6):
    rate = 0.02 * (step + 1) / 2 if step < 2 else 0.02 * 0.5 * (1 + math.cos(math.pi * (step - 2) / 4))
    for group in optimizer.param_groups:
        group["lr"] = rate
    gradients = [torch.randn_like(matrix) * 3, torch.randn_like(vector) * 3]
    matrix.grad, vector.grad = [g.clone() for g in gradients]
    norm = torch.nn.utils.clip_grad_norm_([matrix, vector], 1.0).item()
    optimizer.step()
    steps.append({"gradient_matrix": gradients[0].flatten().tolist(), "gradient_vector": gradients[1].tolist(),
                  "norm": norm, "learning_rate": rate, "matrix": matrix.detach().flatten().tolist(),
                  "vector": vector.detach().tolist()})
json.dump({"start": start, "steps": steps}, open(sys.argv[1], "w"), indent=1)
