#!/usr/bin/env bash
# Builds the fuzz targets (clang, libFuzzer, sanitizers) and runs each, two at a time, from a copy of its corpus below
# build/fuzz/corpus. Fails when one crashes, leaks, hangs for 10 s or takes over 2 GiB; its input lies in build/fuzz/found.
#
#   launch/fuzz.sh SECONDS [TARGET]...      TARGET: the name of a file of tests/libfuzzer (default: all)
#
# AUTODIDACT_FUZZ_SEED: of the random inputs (default 1)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:?the seconds for each target; see the head of launch/fuzz.sh}
shift
targets=("$@")
if [ $# -eq 0 ]; then
  for source in tests/libfuzzer/*.cc; do targets+=("$(basename "$source" .cc)"); done
fi
if ! command -v clang++ > /dev/null; then
  echo "fuzz: clang++ is not on this machine: install the packages of .ci/packages.txt" >&2
  exit 1
fi
launch/build.sh fuzz "${targets[@]/#/fuzz_}" > /dev/null

export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# Files that decoders read lie here.
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

fuzz_one() {
  local seconds=$1 name=$2 root=build/fuzz
  local log=$root/$name.log
  mkdir -p "$root/found" "$root/corpus/$name"
  cp "tests/libfuzzer/corpus/$name"/* "$root/corpus/$name/"
  if ! "$root/tests/libfuzzer/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
      -print_final_stats=1 -seed="${AUTODIDACT_FUZZ_SEED:-1}" \
      -artifact_prefix="$root/found/$name-" "$root/corpus/$name" > "$log" 2>&1; then
    echo "fuzz: $name failed, see $log; input:"
    sed -n 's/.*Test unit written to //p' "$log"
    return 1
  fi
  echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
}
export -f fuzz_one
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P 2 bash -c 'set -e; fuzz_one "$0" "$1" || exit 255' "$seconds"
