#!/usr/bin/env bash
# A random model of half a billion weights (Llama shape) in one process on the CPU: loads, generates, trains. Prints the
# predicted peak of memory beside the measured one, for several ways to train; exit code 1 where they differ by more
# than 15 %. Takes up to 18 GiB and some minutes for each.
#
#   benchmarks/half_billion.sh [PRESET] [plain] [checkpointing] [bfloat16]      default: release plain checkpointing
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-release}
shift || true
ways=("${@:-plain}")
[ $# -gt 0 ] || ways=(plain checkpointing)
binary=$(launch/build.sh "$preset" autodidact make_model | tail -n 1)
folder=runs/half-billion
mkdir -p "$folder"
[ -f "$folder/model/model.safetensors" ] || "build/$preset/benchmarks/make_model" "$folder/model"
for i in 1 2 3 4 5 6 7 8; do echo "{\"prompt\": \"w1$i w2$i w3$i w4$i w5$i w6$i w7$i w8$i\"}"; done > "$folder/data.jsonl"
cat > "$folder/config.yaml" << YAML
folder: $folder
model: $folder/model
data: {train: $folder/data.jsonl}
prompt: {format: plain}
rollout: {max_completion_length: 96}
anchor: {separator: " ", sampling: {max_completion_length: 16}}
answer: {extractor: whole}
train: {max_steps: 2, groups_per_step: 2, num_generations: 4, save_steps: 0, learning_rate: 1e-5}
timeouts: {lease: 1200, step: 2400, call: 1200, collective: 2400}
YAML
code=0
for way in "${ways[@]}"; do
  options=()
  case $way in
    plain) ;;
    checkpointing) options+=(--set train.gradient_checkpointing=true) ;;
    bfloat16) options+=(--set dtype=bfloat16 --set train.gradient_checkpointing=true) ;;
    *) echo "half_billion: unknown way '$way'" >&2; exit 2 ;;
  esac
  "$binary" train "$folder/config.yaml" --set name="$way" --overwrite "${options[@]}" 2>&1 | tee "$folder/$way.log" |
    grep -E "memory:|error" || true
  rm -rf "$folder/$way/checkpoints"
  python3 - "$folder/$way/metrics.jsonl" "$way" << 'PYTHON' || code=1
import json, sys
last = json.loads(open(sys.argv[1]).readlines()[-1])
measured, predicted = last["memory/peak_gib"], last["memory/predicted_gib"]
print(f"{sys.argv[2]}: {predicted:.2f} GiB predicted, {measured:.2f} GiB measured ({100 * (predicted / measured - 1):+.1f} %)")
sys.exit(abs(predicted / measured - 1) > 0.15)
PYTHON
done
exit $code
