#!/bin/bash
# Runs under a real Slurm, a private one of this machine: a run from `autodidact slurm --submit` to its end, doctor under
# srun, and a run that is stopped again and again (by the notice before its time limit, by signals at any moment) and
# requeued: it must end with the steps and the weights of one that nobody stopped; and a run on two nodes (namespaces).
# Some 20 minutes; root; nothing stays.
#
#   tests/slurm/run.sh [PROGRAM] [PART]...     PART: whole, doctor, signals, limit, nodes (default: all)
#
# Where there is no Slurm or no root it says so and ends with 0.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
# shellcheck source=tests/slurm/private_slurm.sh
source "$here/private_slurm.sh"

missing=$(why_no_slurm)
if [ -n "$missing" ]; then
  echo "skipped: $missing"
  exit 0
fi

program=${1:-$(launch/build.sh release | tail -n 1)}
program=$(realpath "$program")
shift || true
parts=("$@")
[ $# -gt 0 ] || parts=(whole doctor signals limit nodes)

folder=$(mktemp -d "${TMPDIR:-/tmp}/autodidact slurm.XXXX")
slurm=$(mktemp -d "${TMPDIR:-/tmp}/autodidact-slurm.XXXX")
leave() {
  stop_slurm
  if [ "${keep:-}" = yes ]; then echo "kept: $folder $slurm"; else rm -rf "$folder" "$slurm"; fi
}
trap leave EXIT
fail() { echo "FAILED: $*" >&2; keep=yes; exit 1; }

start_slurm "$slurm"
"$program" demo-data "$folder/data" > /dev/null
config=configs/demo/train.yaml
common=(--set "folder=$folder/runs" --set "data.train=$folder/data/unlabelled.jsonl" --set "eval.data=$folder/data/dev.jsonl"
  --set eval.limit=50)

# Steps of some seconds, of which a job does a few before its notice; all roles in one process.
long=(--set train.groups_per_step=500 --set train.max_steps=12 --set eval.steps=4)
# Steps of some 20 seconds, on two cores that have other work as well; every role a process.
longest=(--set train.groups_per_step=1000 --set train.max_steps=6 --set eval.steps=3 --set placement.learners=2)

state_of() { scontrol show job "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }
log_of() { echo "$folder/autodidact-$1.log"; }

submit() { # submit OPTION...: the job's number
  (cd "$folder" && ln -sfn "$OLDPWD/configs" configs && "$program" slurm "$config" "${common[@]}" --mem 0 --program "$program" --submit "$@")
}

wait_for() { # wait_for JOB SECONDS STATE...
  local job=$1 left=$2 state
  shift 2
  while state=$(state_of "$job"); do
    case " $* " in *" $state "*) return ;; esac
    case $state in FAILED | TIMEOUT | CANCELLED | NODE_FAIL | OUT_OF_MEMORY) cat "$(log_of "$job")" >&2; fail "job $job: $state" ;; esac
    [ "$left" -gt 0 ] || { cat "$(log_of "$job")" >&2; fail "job $job is still $state, not $*"; }
    left=$((left - 1))
    sleep 1
  done
}

alone() { # alone NAME OPTION...: the same run, without Slurm and unstopped
  local name=$1
  shift
  mpirun --allow-run-as-root -n 1 "$program" train "$config" "${common[@]}" --set "name=$name" "$@" > "$folder/$name.log" 2>&1 || fail "$name: see $folder/$name.log"
}

require_same() { # require_same NAME NAME: steps without a gap or a double one, and the same weights
  python3 - "$folder/runs/$1" "$folder/runs/$2" << 'PY' || fail "$1 and $2 differ"
import json, sys
steps = [[json.loads(line)["step"] for line in open(run + "/metrics.jsonl")] for run in sys.argv[1:]]
assert steps[0] == steps[1] == list(range(1, len(steps[0]) + 1)), steps
PY
  cmp "$folder/runs/$1/checkpoints/latest/model/model.safetensors" "$folder/runs/$2/checkpoints/latest/model/model.safetensors" ||
    fail "$1 and $2: other weights"
}

whole() {
  local job
  job=$(submit --set name=whole --set train.max_steps=20)
  wait_for "$job" 300 COMPLETED
  grep -q '"finished"' "$folder/runs/whole/outcome.json" || fail "whole: $(cat "$folder/runs/whole/outcome.json")"
  alone whole-alone --set train.max_steps=20
  require_same whole whole-alone
  echo "ok: a run from --submit to its end has the weights of one without Slurm"
}

doctor() {
  local since=$SECONDS
  srun -n 2 --mpi=pmix "$program" doctor --folder "$folder" || fail "doctor"
  [ $((SECONDS - since)) -le 15 ] || fail "doctor took $((SECONDS - since)) s"
  ! srun -n 2 --mpi=none "$program" doctor > "$folder/doctor.log" 2> /dev/null || fail "doctor does not miss PMIx"
  grep -q 'BAD *start' "$folder/doctor.log" || fail "doctor does not say that PMIx is missing"
  echo "ok: doctor under srun, with PMIx and without"
}

# Signals at moments that fall into every phase of the steps: at the start, while it samples, judges, learns, saves.
signals() {
  local job moment stops=0
  job=$(submit --set name=signals "${longest[@]}" --requeue)
  for moment in 1 3 6 11 17 24 29 38; do
    wait_for "$job" 120 RUNNING COMPLETED
    [ "$(state_of "$job")" = RUNNING ] || break
    sleep "$moment"
    scancel --signal=TERM "$job"
    wait_for "$job" 120 PENDING COMPLETED
    stops=$((stops + 1))
  done
  wait_for "$job" 900 COMPLETED
  alone signals-alone "${longest[@]}"
  require_same signals signals-alone
  echo "ok: stopped $stops times by SIGTERM, with steps of some 20 s: the same steps and weights"
}

limit() {
  local job
  job=$(submit --set name=limit "${long[@]}" --requeue --time 3 --notice 60)
  wait_for "$job" 1500 COMPLETED
  alone limit-alone "${long[@]}"
  require_same limit limit-alone
  echo "ok: stopped $(grep -c 'goes on when it is started again' "$(log_of "$job")") times by the notice before its time limit: the same steps and weights"
}

# Learners on two nodes, and the other roles too.
nodes() {
  local job placed=(--set placement.learners=2 --set train.max_steps=20)
  stop_slurm
  rm -rf "$slurm"
  start_slurm "$slurm" 2
  (cd "$folder" && srun -N 2 --ntasks-per-node=1 --mpi=pmix "$program" doctor) || fail "doctor on two nodes"
  job=$(submit --nodes 2 --set name=nodes "${placed[@]}")
  wait_for "$job" 300 COMPLETED
  alone nodes-alone "${placed[@]}"
  require_same nodes nodes-alone
  echo "ok: a run on two nodes has the weights of one on a single host"
}

for part in "${parts[@]}"; do "$part"; done
