#!/usr/bin/env bash
# Makes the demo's base model (configs/demo/base) from nothing: a few minutes on two cores. It is committed, so this is
# needed only after a change of the task or of configs/demo/sft.yaml.
#
#   configs/demo/base.sh [SEED] [NOISE] [OUTPUT]
#
# NOISE: probability that a name of a training answer is wrong (default 0.5); OUTPUT: default configs/demo/base
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
binary=$(launch/build.sh release | tail -n 1)
"$binary" demo-data runs/demo-base --seed "${1:-0}" --noise "${2:-0.5}"
"$binary" sft configs/demo/sft.yaml --overwrite --set seed="${1:-0}" --set output="${3:-configs/demo/base}"
