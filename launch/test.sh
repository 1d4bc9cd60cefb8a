#!/usr/bin/env bash
# Sets up, builds and runs the tests; ends with ctest's closing lines. The exit code is ctest's.
#
#   launch/test.sh [PRESET] [CTEST-ARGUMENT]...      e.g.  launch/test.sh release -L unit -R Tokenizer
#
# PRESET: release (default), dev, asan, tsan (these two: unit tests only), cuda.
# Environment:
#   AUTODIDACT_DATA  the public data sets that some tests read (default: ../shared/data); without them they are skipped
#   AUTODIDACT_JOBS  compile jobs and tests at a time
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=release
case ${1:-} in
  release | dev | asan | tsan | cuda) preset=$1; shift ;;
esac
targets=(all)
case $preset in
  asan | tsan) targets=(unit_tests) ;;
esac
launch/build.sh "$preset" "${targets[@]}" > /dev/null
runner=()
# ThreadSanitizer's shadow memory needs the addresses where it expects them.
if [ "$preset" = tsan ] && setarch -R true 2> /dev/null; then runner=(setarch -R); fi
"${runner[@]}" ctest --preset "$preset" -j "${AUTODIDACT_JOBS:-$(nproc)}" "$@"
