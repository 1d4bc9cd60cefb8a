#!/usr/bin/env bash
# From nothing but a clone to a before/after table: sets up, builds, makes data, trains a small model without labels
# with either estimator, and prints what each gained. Minutes on two cores; once built it starts within seconds.
#
#   launch/demo.sh
#
# It writes into runs/: demo (the run with the anchor's synthesis; summary.json holds the figures before and after),
# demo-majority (the same with majority votes), demo-data (the made-up task and the figures of each evaluation).
#
# Environment:
#   AUTODIDACT_DEMO_RUNS   the folder for all of that (default runs)
#   AUTODIDACT_DEMO_SEED   seed of the runs and of the data (default 0)
#   AUTODIDACT_DEMO_STEPS  training steps (default: the config's)
#   AUTODIDACT_JOBS, AUTODIDACT_LIBTORCH, AUTODIDACT_PYTHON: see launch/build.sh and launch/setup.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

runs=${AUTODIDACT_DEMO_RUNS:-runs}
seed=${AUTODIDACT_DEMO_SEED:-0}
data=$runs/demo-data
config=configs/demo/train.yaml
say() { echo "demo: $*" >&2; }

binary=$(launch/build.sh release | tail -n 1)
start=$SECONDS

options=(--set "folder=$runs" --set "seed=$seed" --set "data.train=$data/unlabelled.jsonl" --set "eval.data=$data/dev.jsonl")
[ -z "${AUTODIDACT_DEMO_STEPS:-}" ] || options+=(--set "train.max_steps=$AUTODIDACT_DEMO_STEPS")

# evaluate NAME [MODEL]: figures into $data/NAME.json
evaluate() { "$binary" eval "$config" "${options[@]}" ${2:+--model "$2"} --json "$data/$1.json"; }
last_model() { echo "$runs/$1/checkpoints/latest/model"; }

say "making the task"
"$binary" demo-data "$data" --seed "$seed"
if [ ! -f configs/demo/base/model.safetensors ]; then
  say "making the base model from sloppy labels"
  launch/demo_base.sh "$binary"
fi

say "the base model, before any training"
evaluate before
for estimator in synthesis majority; do
  name=demo
  [ "$estimator" = synthesis ] || name=demo-$estimator
  say "label-free training, the reference by $estimator"
  "$binary" train "$config" "${options[@]}" --set "name=$name" --set "estimator=$estimator" --overwrite
  say "after training with $estimator"
  evaluate "after_$estimator" "$(last_model "$name")"
done

python3 launch/demo_table.py "$data" "$runs/demo/summary.json"
cat <<END

From the built program to this table: $((SECONDS - start)) s. The run is in $runs/demo: summary.json (these figures),
metrics.jsonl, rollouts/ (every prompt with its answers, reference and rewards), checkpoints/latest/model (for Hugging
Face). What to try next:
  $binary train $config --dry-run        the whole config, with every default
  $binary train $config --overwrite --set train.beta=0.1        the same run, held closer to its start
  $binary synthesize $config --limit 3        references for three prompts, without training
  $binary --help        every command; README.md says how to bring your own prompts
END
