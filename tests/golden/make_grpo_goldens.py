"""Writes grpo_losses.json: losses and gradients of every loss type, from torch autograd over plain per-sequence loops.

usage: make_grpo_goldens.py OUT.json      (needs torch; the formulas are those of the papers, written without any packing)
"""
import itertools
import json
import sys

import torch

torch.manual_seed(20)
LENGTHS = [3, 1, 4, 2]
N, MAX_LENGTH, EPS, EPS_HIGH, CISPO_CAP, BETA = len(LENGTHS), 6, 0.2, 0.28, 1.3, 0.04


def draw(scale):
    return [torch.randn(length, dtype=torch.float64) * scale for length in LENGTHS]


policy = [-(x.abs() + 0.2) for x in draw(1.0)]
old = [p + d for p, d in zip(policy, draw(0.3))]
rollout = [o + d for o, d in zip(old, draw(0.2))]
ref = [p + d for p, d in zip(policy, draw(0.4))]
advantages = [1.2, -0.7, 0.4, -1.1]


def sequence_loss_terms(kind, lp, o, mu, r, advantage, level, mode):
    """Loss of each token of one sequence, before aggregation."""
    terms = []
    mean_ratio = torch.exp(torch.stack([a - b for a, b in zip(lp, o)]).mean())
    sequence_weight = torch.exp(sum(b - m for b, m in zip(o, mu)))
    for t in range(len(lp)):
        ratio = mean_ratio if kind == "gspo" else torch.exp(lp[t] - o[t])
        if kind == "cispo":
            objective = torch.clamp(ratio.detach(), max=CISPO_CAP) * advantage * lp[t]
        else:
            objective = torch.min(ratio * advantage, torch.clamp(ratio, 1 - EPS, 1 + EPS_HIGH) * advantage)
        if mode != "none":
            weight = sequence_weight if level == "sequence" else torch.exp(o[t] - mu[t])
            weight = torch.clamp(weight, max=1.1) if mode == "truncate" else weight * float(0.8 <= weight <= 1.2)
            objective = objective * weight.detach()
        delta = r[t] - lp[t]
        terms.append(-objective + BETA * (torch.exp(delta) - delta - 1))
    return torch.stack(terms)


def total(kind, per_sequence):
    if kind in ("grpo", "gspo"):
        return torch.stack([s.mean() for s in per_sequence]).mean()
    if kind in ("dapo", "cispo"):
        return sum(s.sum() for s in per_sequence) / sum(LENGTHS)
    return sum(s.sum() for s in per_sequence) / (N * MAX_LENGTH)


cases = []
for kind, (level, mode) in itertools.product(
        ["grpo", "dapo", "dr_grpo", "cispo", "gspo"],
        [("token", "none"), ("token", "truncate"), ("token", "mask"), ("sequence", "truncate"), ("sequence", "mask")]):
    if level == "sequence" and kind not in ("grpo", "gspo"):
        continue  # refused
    if kind == "gspo" and level == "token" and mode != "none":
        continue  # refused
    leaves = [p.clone().requires_grad_(True) for p in policy]
    loss = total(kind, [sequence_loss_terms(kind, lp, o, mu, r, a, level, mode)
                        for lp, o, mu, r, a in zip(leaves, old, rollout, ref, advantages)])
    loss.backward()
    cases.append({"loss_type": kind, "level": level, "mode": mode, "loss": loss.item(),
                  "gradient": torch.cat([leaf.grad for leaf in leaves]).tolist()})

flat = lambda parts: torch.cat(parts).tolist()
json.dump({"lengths": LENGTHS, "max_completion_length": MAX_LENGTH, "epsilon": EPS, "epsilon_high": EPS_HIGH,
           "cispo_cap": CISPO_CAP, "beta": BETA, "clip_min": 0.8, "clip_max_truncate": 1.1, "clip_max_mask": 1.2,
           "logprobs": flat(policy), "old": flat(old), "rollout": flat(rollout), "ref": flat(ref),
           "advantages": advantages, "cases": cases}, open(sys.argv[1], "w"), indent=1)
