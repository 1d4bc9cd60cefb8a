#!/usr/bin/env bash
# Real words: a small model learns to pronounce (letters -> ARPAbet) from the labelled part of the CMU dictionary, then
# goes on without labels, the reference being the anchor's synthesis, the majority vote, or, as the ceiling, the truth.
# One seed from nothing but the data folder; ends with a before/after table. Well under 45 minutes on two cores.
#
#   launch/cmudict.sh [SEED] [ESTIMATOR]...     estimators: synthesis majority ground_truth (default: all three)
#
# Environment:
#   AUTODIDACT_DATA  the folder that holds cmudict/ (default ../shared/data)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seed=${1:-0}
estimators=("${@:2}")
[ ${#estimators[@]} -gt 0 ] || estimators=(synthesis majority ground_truth)
data=${AUTODIDACT_DATA:-../shared/data}/cmudict
folder=runs/cmudict-$seed
config=configs/cmudict/train.yaml
binary=$(launch/build.sh release | tail -n 1)

if [ ! -d "$folder/base" ]; then
  echo "== seed $seed: the base model, supervised, in both skills"
  "$binary" sft configs/cmudict/sft.yaml --set seed="$seed" --set output="$folder/base" \
    --set data="[{file: $data/labelled.jsonl}]"
fi
settings=(--set seed="$seed" --set model="$folder/base" --set data.train="$data/unlabelled.jsonl"
          --set data.labels="$data/unlabelled_truth.jsonl" --set eval.data="$data/dev.jsonl" --set folder="$folder")

evaluate() { # evaluate NAME [MODEL]: on all of dev.jsonl; the base is the anchor
  local model=()
  [ -z "${2:-}" ] || model=(--model "$2")
  "$binary" eval "$config" "${settings[@]}" --set eval.limit=0 "${model[@]}" --json "$folder/$1.json" > "$folder/$1.txt"
}

[ -f "$folder/before.json" ] || evaluate before
for estimator in "${estimators[@]}"; do
  echo "== seed $seed: training with the reference of $estimator"
  "$binary" train "$config" "${settings[@]}" --overwrite --set name="$estimator" --set estimator="$estimator"
  evaluate "after_$estimator" "$folder/$estimator/checkpoints/latest/model"
done
python3 launch/cmudict_table.py "$folder"
