#!/usr/bin/env bash
# Is the GPU path right, and how fast is it? On one GPU, in at most 8 minutes. Prints a table and writes one JSON file
# with every figure; each part has its own deadline, and one that fails is named while the others go on. Without a GPU it
# says "skipped" and ends with 0; it ends with 1 when a part failed.
#
#   ./gpu_check.sh [--out FOLDER] [--cpu] [--without-demo]
#
#   --out FOLDER     for gpu_check.json and what the parts wrote (default: gpu_check below the current folder)
#   --cpu            a rehearsal: the CPU in the GPU's place, and small sizes for the speeds
#   --without-demo   all parts but the demo
#
# Parts: gpu_tests; for a random small model of each family score and 64 greedy tokens in fp32 and bf16 against the CPU, and
# a GRPO step's loss and gradient norm; the demo (beside these); then, for random weights of Qwen 3 0.6B's shape in bf16,
# decoding at 64 rows, transformers' generate on the same (where python3 has it), and a GRPO step.
set -uo pipefail
root=$(dirname "$(readlink -f "$0")")

out=gpu_check
device=cuda
demo=yes
while [ $# -gt 0 ]; do
  case $1 in
    --out) shift; out=${1:?--out needs a folder} ;;
    --cpu) device=cpu ;;
    --without-demo) demo=no ;;
    *) echo "gpu_check: unknown option '$1'; see the head of $0" >&2; exit 2 ;;
  esac
  shift
done
autodidact=$root/bin/autodidact
check=$root/bin/gpu_check
device_name=cuda:0
shape=qwen3-0.6b
speed_size=(--groups 8 --rollouts 8 --prompt 512 --new 256 --repetitions 2)
step_size=(--groups 8 --rollouts 8 --prompt 512 --new 256 --repetitions 2)
slack=1  # deadlines are for a machine with a GPU and its cores
if [ "$device" = cpu ]; then
  slack=5
  device_name=cpu
  shape=qwen3
  speed_size=(--groups 2 --rollouts 4 --prompt 16 --new 8 --repetitions 1)
  step_size=("${speed_size[@]}")
fi

skip() { echo "gpu_check: skipped: $*"; exit 0; }
card="the CPU in a GPU's place"
if [ "$device" = cuda ]; then
  [ -x "$check" ] || skip "this archive's program is built without CUDA"
  card=$(nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader 2> /dev/null | head -n 1)
  "$check" device > /dev/null
  seen=$?
  if [ "$seen" -eq 3 ]; then
    [ -z "$card" ] || { echo "gpu_check: the driver shows $card, and libtorch sees no GPU" >&2; exit 1; }
    skip "no GPU on this machine"
  fi
  [ "$seen" -eq 0 ] || { echo "gpu_check: libtorch does not start" >&2; exit 1; }
fi
[ -x "$check" ] || { echo "gpu_check: bin/gpu_check is only in an archive of the cuda build" >&2; exit 2; }

mkdir -p "$out" || exit 1
out=$(readlink -f "$out")
rm -f "$out"/*.json "$out"/parts.tsv "$out"/parts.demo.tsv
work=$(mktemp -d)
trap 'rm -rf "$work"; [ -z "${demo_pid:-}" ] || kill "$demo_pid" 2> /dev/null' EXIT
touch "$out/parts.tsv"

# part NAME SECONDS COMMAND...: its last line of output that is JSON are its figures; its errors are in NAME.log.
part() {
  local name=$1 deadline=$(($2 * slack)) start=$SECONDS status=passed note='' code list=${parts_file:-$out/parts.tsv}
  shift 2
  # Exported functions run in a shell of their own, so that the deadline ends all of a part.
  timeout --kill-after=5 "$deadline" bash -c '"$@"' part "$@" > "$out/$name.out" 2> "$out/$name.log"
  code=$?
  grep '^{' "$out/$name.out" | tail -n 1 > "$out/$name.json"
  [ -s "$out/$name.json" ] || rm -f "$out/$name.json"
  if [ "$code" -ne 0 ]; then
    status=failed
    note=$(tail -n 1 "$out/$name.log" | tr '\t' ' ')
    [ -n "$note" ] || note=$(tail -n 1 "$out/$name.out" | tr '\t' ' ')
    if [ "$code" -eq 124 ] || [ "$code" -eq 137 ]; then note="no end within $deadline s${note:+; last: $note}"; fi
    [ -n "$note" ] || note="exit code $code"
  fi
  printf '%s\t%s\t%d\t%s\n' "$name" "$status" $((SECONDS - start)) "$note" >> "$list"
  echo "$name: $status ${note:+($note)}" >&2
}

left_out() { # left_out NAME REASON
  printf '%s\tskipped\t0\t%s\n' "$1" "$2" >> "$out/parts.tsv"
}

# Everything below runs in shells of `part`.
set_up_model() { # set_up_model FAMILY: the model, rows, and what the CPU gives in fp32
  local folder=$work/$1
  "$check" model "$1" "$folder" && "$check" score-rows "$folder" > "$folder/score.rows" &&
    "$check" prompt-rows "$folder" > "$folder/prompt.rows" &&
    score "$folder" "$folder/score.rows" "$folder/cpu.float32" cpu float32 &&
    "$check" grpo "$folder" --device cpu --dtype float32 $step > "$folder/step.cpu"
}

score() { # score FOLDER ROWS OUTPUT DEVICE DTYPE
  "$autodidact" score "$1" --device "$4" --dtype "$5" < "$2" > "$3"
}

compare_scores() { # compare_scores FAMILY DTYPE TOLERANCE
  local folder=$work/$1
  [ -s "$folder/cpu.$2" ] || score "$folder" "$folder/score.rows" "$folder/cpu.$2" cpu "$2" || return 1
  score "$folder" "$folder/score.rows" "$folder/device" "$device_name" "$2" &&
    "$check" compare-scores "$folder/cpu.float32" "$folder/cpu.$2" "$folder/device" --tolerance "$3"
}

greedy() { # greedy FAMILY DTYPE NAME DEVICE: NAME.lines and, by the CPU in fp32, NAME.scores
  local folder=$work/$1
  "$autodidact" generate "$folder" --temperature 0 --max-new-tokens 64 --device "$4" --dtype "$2" < "$folder/prompt.rows" > "$folder/$3.lines" &&
    "$check" generated-rows "$folder/prompt.rows" "$folder/$3.lines" > "$folder/$3.rows" &&
    score "$folder" "$folder/$3.rows" "$folder/$3.scores" cpu float32
}

compare_greedy() { # compare_greedy FAMILY DTYPE TOLERANCE
  local folder=$work/$1
  greedy "$1" "$2" cpu cpu && greedy "$1" "$2" device "$device_name" &&
    "$check" compare-greedy "$folder"/{cpu.lines,cpu.scores,device.lines,device.scores} --tolerance "$3"
}

compare_steps() { # compare_steps FAMILY DTYPE TOLERANCE
  local folder=$work/$1
  "$check" grpo "$folder" --device "$device_name" --dtype "$2" $step > "$folder/step.device" &&
    "$check" compare-steps "$folder/step.cpu" "$folder/step.device" --tolerance "$3"
}

run_demo() {
  cp -r "$root/launch" "$root/configs" "$work/demo" || return 1
  AUTODIDACT_DEMO_DEVICE=$device AUTODIDACT_PROGRAM=$autodidact "$work/demo/launch/demo.sh" || return 1
  tr -d '\n' < "$work/demo/runs/demo/summary.json" && echo
}
step="--groups 2 --rollouts 4 --prompt 12 --new 20"
export root work step autodidact check device device_name
export -f set_up_model score compare_scores greedy compare_greedy compare_steps run_demo

# Beside the comparisons, which leave most of the machine idle.
if [ "$demo" = yes ]; then
  mkdir -p "$work/demo"
  parts_file=$out/parts.demo.tsv part demo 260 run_demo &
  demo_pid=$!
fi
part gpu_tests 60 "$root/bin/gpu_tests" --gtest_brief=1
for family in llama qwen2 qwen3 gemma3; do
  part "$family.model" 40 set_up_model "$family"
  for dtype in float32 bfloat16; do
    tolerance=1e-4
    step_tolerance=2e-3
    if [ "$dtype" = bfloat16 ]; then tolerance=5e-3; step_tolerance=1e-1; fi
    part "$family.score.$dtype" 30 compare_scores "$family" "$dtype" "$tolerance"
    part "$family.greedy.$dtype" 40 compare_greedy "$family" "$dtype" "$tolerance"
    part "$family.grpo.$dtype" 30 compare_steps "$family" "$dtype" "$step_tolerance"
    if [ "$SECONDS" -ge $((240 * slack)) ] && [ "$family.$dtype" != gemma3.bfloat16 ]; then
      printf 'comparisons\tfailed\t%d\tno time left after %s\n' "$SECONDS" "$family in $dtype" >> "$out/parts.tsv"
      break 2
    fi
  done
done
if [ "$demo" = yes ]; then
  wait "$demo_pid"
  demo_pid=
  cat "$out/parts.demo.tsv" >> "$out/parts.tsv"
else
  left_out demo "not asked for"
fi

# Alone on the machine.
part speed.model 30 "$check" model "$shape" "$work/speed"
part speed.decode 50 "$check" decode "$work/speed" --device "$device_name" --dtype bfloat16 "${speed_size[@]}"
if python3 -c 'import transformers' 2> /dev/null; then
  part speed.transformers 60 python3 "$root/share/transformers_generate.py" "$work/speed" --device "$device_name" "${speed_size[@]}"
else
  left_out speed.transformers "python3 has no package transformers"
fi
part speed.step 50 "$check" step "$work/speed" --device "$device_name" --dtype bfloat16 "${step_size[@]}"

"$check" summary "$out" --card "$card"
code=$?
echo "every figure: $out/gpu_check.json"
exit "$code"
