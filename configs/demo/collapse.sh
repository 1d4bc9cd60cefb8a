#!/usr/bin/env bash
# Shows a run that collapses, and the alarm that says so: label-free training of a base model that is almost never right.
# Its reward rises to 1 while its accuracy stays at nothing. About two minutes on two cores.
#
#   configs/demo/collapse.sh [ESTIMATOR]      synthesis (default) or majority
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
binary=$(launch/build.sh release | tail -n 1)
estimator=${1:-synthesis}
"$binary" demo-data runs/demo-mixed-up --mixed-up 8
"$binary" sft configs/demo/collapse_sft.yaml --overwrite
"$binary" train configs/demo/train.yaml --overwrite --set name="demo-collapse-$estimator" --set estimator="$estimator" \
  --set model=runs/demo-collapse-base --set data.train=runs/demo-mixed-up/unlabelled.jsonl \
  --set data.labels=runs/demo-mixed-up/unlabelled_truth.jsonl --set eval.steps=0 \
  --set train.max_steps=50 --set train.learning_rate=2e-4 --set train.lr_scheduler=constant
python3 - "runs/demo-collapse-$estimator/metrics.jsonl" <<'END'
import json
import sys

print("\nstep  reward  accuracy  alike across prompts  kappa  alarm")
for line in map(json.loads, open(sys.argv[1])):
    if line["step"] % 5 == 0 or line["step"] == 1:
        print(f"{line['step']:4}  {line.get('reward', float('nan')):6.3f}  {line['accuracy/rollouts']:8.3f}  "
              f"{line['diversity/similarity_across']:20.3f}  {line['diversity/kappa']:5.2f}  {'yes' if line['collapse_alarm'] else 'no'}")
END
