#!/usr/bin/env bash
# Real words: a small model learns to pronounce (letters -> ARPAbet) from the labelled part of the CMU dictionary, then
# goes on without labels, the references being the anchor's syntheses of the base's own answers, their majority votes,
# or, as the ceiling, the truth. One seed from nothing but the data folder; ends with a before/after table. Well under 45
# minutes on two cores.
#
#   launch/cmudict.sh [SEED] [ESTIMATOR]...     estimators: synthesis majority ground_truth (default: all three),
#                                               and synthesis_online: references from each step's own groups
#
# What is in runs/cmudict-SEED already is not made again: delete the folder to begin from nothing. With several seeds,
# `python3 launch/cmudict_table.py runs/cmudict-*` prints mean and spread.
#
# Environment:
#   AUTODIDACT_DATA     the folder that holds cmudict/ (default ../shared/data)
#   AUTODIDACT_THREADS  libtorch's threads (default: all cores; on a busy machine fewer are faster)
set -euo pipefail
data=$(realpath -m "${AUTODIDACT_DATA:-$(dirname "${BASH_SOURCE[0]}")/../../shared/data}")/cmudict
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seed=${1:-0}
estimators=("${@:2}")
[ ${#estimators[@]} -gt 0 ] || estimators=(synthesis majority ground_truth)
threads=${AUTODIDACT_THREADS:-0}
folder=runs/cmudict-$seed
config=configs/cmudict/train.yaml
words=48000 # 500 steps of 96
binary=$(launch/build.sh release | tail -n 1)

if [ ! -d "$folder/base" ]; then
  echo "== seed $seed: the base model, supervised, in both skills"
  "$binary" sft configs/cmudict/sft.yaml --set seed="$seed" --set threads="$threads" --set output="$folder/base" \
    --set data="[{file: $data/labelled.jsonl}]" --set reconcile.prompts="$data/unlabelled.jsonl"
fi
settings=(--set seed="$seed" --set model="$folder/base" --set data.train="$data/unlabelled.jsonl"
          --set data.labels="$data/unlabelled_truth.jsonl" --set eval.data="$data/dev.jsonl" --set folder="$folder"
          --set threads.learner="$threads" --set threads.actor="$threads" --set threads.anchor="$threads")

evaluate() { # evaluate NAME MODEL GROUP_SIZES: on all of dev.jsonl; the base is the anchor
  "$binary" eval "$config" "${settings[@]}" --set eval.limit=0 --set eval.group_sizes="$3" --model "$2" \
    --json "$folder/$1.json" > "$folder/$1.txt"
}

if [ ! -f "$folder/before.json" ]; then
  echo "== seed $seed: measuring the base"
  evaluate before "$folder/base" "[1, 2, 4, 8, 16]"
fi
for estimator in "${estimators[@]}"; do
  [ ! -f "$folder/after_$estimator.json" ] || continue
  run=("${settings[@]}" --set data.limit=$words --set name="$estimator" --set estimator="${estimator%_online}")
  if [ "$estimator" = synthesis ] || [ "$estimator" = majority ]; then
    references=$folder/references_$estimator.jsonl
    echo "== seed $seed: references for $words words by $estimator of 16 answers of the base"
    "$binary" synthesize "$config" "${run[@]}" --set train.num_generations=16 --limit $words --out "$references"
    run+=(--set data.references="$references")
  fi
  echo "== seed $seed: training with the references of $estimator"
  "$binary" train "$config" "${run[@]}" --overwrite
  evaluate "after_$estimator" "$folder/$estimator/checkpoints/latest/model" "[8]"
done
python3 launch/cmudict_table.py "$folder"
