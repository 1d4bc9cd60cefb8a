#!/usr/bin/env bash
# Restaurants, the rubric regime: a small model describes a restaurant from its facts. It and a judge are made from the
# labelled part of the E2E challenge; then it goes on without labels: the anchor merges the group's descriptions, writes
# criteria from what it merged, and the judge answers them. One seed from nothing but the data folder; ends with a table
# of slot errors (configs/restaurants/slots.py, which shares nothing with the judge). About 25 minutes of one core, of which 12 are
# for the judge; what is there already is not made again.
#
#   configs/restaurants/run.sh [SEED]
#
# Environment:
#   AUTODIDACT_DATA     the folder that holds e2e/ (default ../shared/data)
#   AUTODIDACT_BINARY   the program (default: built here)
#   AUTODIDACT_THREADS  libtorch's threads (default: all cores; on a busy machine fewer are faster); 1: one program at a
#                       time, too, otherwise judge and base side by side
#   AUTODIDACT_JUDGE    the folder of a judge that another seed has made (default: a new one)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seed=${1:-0}
data=${AUTODIDACT_DATA:-../shared/data}/e2e
threads=${AUTODIDACT_THREADS:-0}
folder=runs/restaurants-$seed
judge=${AUTODIDACT_JUDGE:-$folder/judge}
configs=configs/restaurants
binary=${AUTODIDACT_BINARY:-$(launch/build.sh release | tail -n 1)}

sft() { # sft CONFIG OUTPUT DATA [SETTING]...
  local config=$1 output=$2 sources=$3
  shift 3
  [ -d "$output" ] || "$binary" sft "$configs/$config" --resume --set seed="$seed" --set output="$output" \
    --set data="$sources" --set threads=1 "$@"
}

make_judge() { # many small batches until it reads, then larger ones until it compares what it reads with a criterion
  local sources="[{file: $folder/data/judging.jsonl, weight: 5}, {file: $folder/data/reading.jsonl, weight: 1}]"
  [ -d "$judge" ] || sft judge_sft.yaml "$folder/judge_reads" "$sources" --set max_steps=1500 --set batch_size=16
  sft judge_sft.yaml "$judge" "$sources" --set model="$folder/judge_reads"
}

if [ ! -d "$folder/draft" ]; then
  echo "== seed $seed: descriptions from models that did not see their rows"
  python3 configs/restaurants/data.py answers "$data/labelled.jsonl" "$folder/data"
  sft base_sft.yaml "$folder/draft" \
    "[{file: $folder/data/answers.jsonl, weight: 9}, {file: $folder/data/words.jsonl, weight: 1}]" \
    --set max_steps=1 --set batch_size=64
fi
if [ ! -d "$folder/base" ] || [ ! -d "$judge" ]; then
  echo "== seed $seed: the base model (describing, merging, writing criteria) and the judge"
  python3 configs/restaurants/data.py skills "$data/labelled.jsonl" "$folder/draft/candidates.jsonl" "$folder/data"
  make_judge &
  [ "$threads" != 1 ] || wait $!
  sft base_sft.yaml "$folder/base" "[{file: $folder/data/describing.jsonl, weight: 26},
    {file: $folder/data/merging.jsonl, weight: 12}, {file: $folder/data/criteria.jsonl, weight: 4}]" \
    --set model="$folder/draft" --set reconcile.enabled=false
  wait
  [ -d "$judge" ]
fi

settings=(--set seed="$seed" --set model="$folder/base" --set judge.model.folder="$judge"
          --set data.train="$data/unlabelled.jsonl" --set folder="$folder"
          --set threads.learner="$threads" --set threads.actor="$threads" --set threads.anchor="$threads"
          --set threads.judge="$threads")
describe() { # describe NAME MODEL: samples with the base's synthesis of them, and greedy answers, for all of dev.jsonl
  local common=("$configs/train.yaml" "${settings[@]}" --data "$data/dev.jsonl" --model "$2" --set judge.kind=program)
  "$binary" synthesize "${common[@]}" --out "$folder/$1.jsonl"
  "$binary" synthesize "${common[@]}" --out "$folder/$1_greedy.jsonl" --set estimator=majority \
    --set rollout.temperature=0.001 --set train.num_generations=2
}

[ -f "$folder/before_greedy.jsonl" ] || describe before "$folder/base"
if [ ! -d "$folder/train" ]; then
  echo "== seed $seed: training without labels"
  "$binary" train "$configs/train.yaml" "${settings[@]}" --set name=train
fi
describe after "$(python3 configs/restaurants/stop.py "$folder/train")"
python3 configs/restaurants/slots.py --places "$data/labelled.jsonl" "single, before=$folder/before.jsonl" "greedy, before=$folder/before_greedy.jsonl" \
  "synthesis of 6, before=$folder/before.jsonl:reference" "single, after=$folder/after.jsonl" \
  "greedy, after=$folder/after_greedy.jsonl" | tee "$folder/table.md"
