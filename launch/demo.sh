#!/usr/bin/env bash
# From nothing but a clone to a before/after table: sets up, builds, trains a small model without labels on data that
# the project generates itself, and prints what it gained. Minutes on two cores; a second run starts within seconds.
#
#   launch/demo.sh
#
# Environment:
#   AUTODIDACT_DEMO_RUN   name of the run below runs/ (default demo); an older run of that name is deleted
#   AUTODIDACT_DEMO_SEED  the run's seed (default 0)
#   AUTODIDACT_DEMO_MODEL another base model, as configs/demo/base.sh makes them (default configs/demo/base)
#   AUTODIDACT_DEMO_DEVICE  cpu (default), or cuda with a program that is built for it
#   AUTODIDACT_PROGRAM    the program, instead of building it
#   AUTODIDACT_JOBS, AUTODIDACT_LIBTORCH, AUTODIDACT_PYTHON: see launch/build.sh and launch/setup.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

name=${AUTODIDACT_DEMO_RUN:-demo}
seed=${AUTODIDACT_DEMO_SEED:-0}
model=${AUTODIDACT_DEMO_MODEL:-configs/demo/base}
device=${AUTODIDACT_DEMO_DEVICE:-cpu}
binary=${AUTODIDACT_PROGRAM:-$(launch/build.sh release | tail -n 1)}
run=runs/$name
config=configs/demo/train.yaml

evaluate() { # evaluate NAME MODEL: the figures of a policy, the base being the anchor
  "$binary" eval "$config" --set seed="$seed" --set model="$model" --set device="$device" --set eval.limit=0 --model "$2" \
    --json "$run/$1.json" > "$run/$1.txt"
}

echo "== the task: made-up words, each letter spelled by one of its two names"
"$binary" demo-data runs/demo-data

echo "== training without labels, the frozen base model's synthesis being the reference"
"$binary" train "$config" --overwrite --set name="$name" --set seed="$seed" --set model="$model" --set device="$device"
echo "== the same with the majority vote as the reference"
"$binary" train "$config" --overwrite --set name="$name-majority" --set seed="$seed" --set model="$model" --set device="$device" \
  --set estimator=majority

echo "== measuring on held-out words, before and after"
evaluate before "$model"
evaluate after "$run/checkpoints/latest/model"
evaluate after_majority "$run-majority/checkpoints/latest/model"
"$binary" demo-summary "$run"

cat <<END

The run is in $run: summary.json (before and after), metrics.jsonl, rollouts/, checkpoints/ (model/ loads in Hugging Face).
What to try next:
  less $run/rollouts/step_000001.jsonl                     groups with their references and rewards
  $binary eval $config                                     the base model's estimators, group size by group size
  $binary train $config --set name=mine --set train.learning_rate=1e-4
  configs/demo/collapse.sh                                   a run that collapses, and the alarm that says so
  README.md                                                how to bring your own prompts and model
END
