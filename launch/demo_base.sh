#!/usr/bin/env bash
# Makes the demo's base model, configs/demo/base, from nothing: the committed one came from this command.
#
#   launch/demo_base.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

binary=${1:-$(launch/build.sh release | tail -n 1)}
"$binary" demo-data runs/demo-base --seed 1
"$binary" sft configs/demo/sft.yaml
