#!/usr/bin/env python3
"""A verifier in Python, to start one's own from: answer.verifier: [python3, configs/grader.py].

Reads {"gold", "answer"} a line, writes {"equal", "reason"} a line. It is started once, killed when it does not answer
in answer.verifier_timeout seconds, and started anew for the next comparison; what it does not answer gives no reward.
"""
import json
import sys


def equal(gold, answer):
    """Put your own comparison here; this one knows numbers and texts without case."""
    try:
        return abs(float(gold) - float(answer)) < 1e-9
    except ValueError:
        return gold.strip().lower() == answer.strip().lower()


for line in sys.stdin:
    row = json.loads(line)
    same = equal(row["gold"], row["answer"])
    print(json.dumps({"equal": same, "reason": "" if same else "different"}), flush=True)
