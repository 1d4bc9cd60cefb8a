#!/usr/bin/env bash
# Real words: a small model learns to pronounce (letters -> ARPAbet) from the labelled part of the CMU dictionary, then
# goes on without labels, the references being the anchor's syntheses of the base's own answers, their majority votes,
# or, as the ceiling, the truth. One seed from nothing but the data folder; ends with a before/after table. 34 minutes
# on two idle cores.
#
#   configs/cmudict/run.sh [SEED] [ESTIMATOR]...     estimators: synthesis majority ground_truth (default: all three, two at
#                                               a time), and synthesis_online: references from each step's own groups
#
# What is in runs/cmudict-SEED already is not made again: delete the folder to begin from nothing. With several seeds,
# `python3 configs/cmudict/table.py runs/cmudict-*` prints mean and spread.
#
# Environment:
#   AUTODIDACT_DATA     the folder that holds cmudict/ (default ../shared/data)
#   AUTODIDACT_THREADS  libtorch's threads (default: all cores, and one for each of several estimators)
set -euo pipefail
export AUTODIDACT_DATA
AUTODIDACT_DATA=$(realpath -m "${AUTODIDACT_DATA:-$(dirname "${BASH_SOURCE[0]}")/../../shared/data}")
data=$AUTODIDACT_DATA/cmudict
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seed=${1:-0}
estimators=("${@:2}")
[ ${#estimators[@]} -gt 0 ] || estimators=(synthesis majority ground_truth)
threads=${AUTODIDACT_THREADS:-0}
folder=runs/cmudict-$seed
config=configs/cmudict/train.yaml
words=48000
binary=$(launch/build.sh release | tail -n 1)

if [ ! -d "$folder/base" ]; then
  echo "== seed $seed: the base model, supervised, in both skills"
  "$binary" sft configs/cmudict/sft.yaml --resume --set seed="$seed" --set threads="$threads" --set output="$folder/base" \
    --set data="[{file: $data/labelled.jsonl}]" --set reconcile.prompts="$data/unlabelled.jsonl"
fi
settings=(--set seed="$seed" --set model="$folder/base" --set data.train="$data/unlabelled.jsonl"
          --set data.labels="$data/unlabelled_truth.jsonl" --set eval.data="$data/dev.jsonl" --set folder="$folder"
          --set threads.learner="$threads" --set threads.actor="$threads" --set threads.anchor="$threads")

evaluate() { # evaluate NAME MODEL GROUP_SIZES: on all of dev.jsonl; the base is the anchor
  "$binary" eval "$config" "${settings[@]}" --set eval.limit=0 --set eval.group_sizes="$3" --model "$2" \
    --json "$folder/$1.json" > "$folder/$1.txt"
}

learn() { # learn ESTIMATOR: from the base to after_ESTIMATOR.json
  local run=("${settings[@]}" --set data.limit="$words" --set name="$1" --set estimator="${1%_online}")
  if [ "$1" = synthesis ] || [ "$1" = majority ]; then
    local references=$folder/references_$1.jsonl
    if [ ! -f "$references" ]; then
      echo "== seed $seed: references for $words words by $1 of 16 answers of the base"
      # A little colder than the rollouts: the 16 then agree more often on the likeliest answer.
      "$binary" synthesize "$config" "${run[@]}" --set train.num_generations=16 --set rollout.temperature=0.7 \
        --limit "$words" --out "$references"
    fi
    run+=(--set data.references="$references" --set data.min_agreement=0.5)
  fi
  echo "== seed $seed: training with the references of $1"
  "$binary" train "$config" "${run[@]}" --overwrite
  evaluate "after_$1" "$folder/$1/checkpoints/latest/model" "[8]"
}

if [ ! -f "$folder/before.json" ]; then
  echo "== seed $seed: measuring the base"
  evaluate before "$folder/base" "[1, 2, 4, 8, 16]"
fi
remaining=()
for estimator in "${estimators[@]}"; do
  [ -f "$folder/after_$estimator.json" ] || remaining+=("$estimator")
done
if [ ${#remaining[@]} -eq 1 ]; then
  learn "${remaining[0]}"
elif [ ${#remaining[@]} -gt 1 ]; then
  # One thread each serves two runs better than two threads serve one.
  echo "== seed $seed: training with ${remaining[*]}, two at a time; see $folder/*.log"
  printf '%s\n' "${remaining[@]}" | AUTODIDACT_THREADS=${AUTODIDACT_THREADS:-1} xargs -P 2 -I{} \
    bash -c 'configs/cmudict/run.sh "$1" {} > "$2/{}.log" 2>&1' bash "$seed" "$folder"
fi
python3 configs/cmudict/table.py "$folder"
