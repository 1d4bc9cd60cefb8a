#!/usr/bin/env bash
# Builds the program and prints its path as the last line of standard output; all else goes to standard error.
#
#   launch/build.sh [PRESET] [TARGET]...     PRESET: release (default), dev, asan, tsan, fuzz, cuda; TARGET: autodidact
#
# Environment:
#   AUTODIDACT_JOBS      compile jobs (default: one per core, at most one per 2 GiB of free memory)
#   AUTODIDACT_LIBTORCH  a libtorch of your own (the folder that holds include/ and lib/)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=${1:-release}
shift || true
targets=("${@:-autodidact}")
case $preset in
  release | dev | asan | tsan | fuzz) launch/setup.sh ;;
  cuda)
    launch/setup.sh
    launch/setup.sh --cuda
    command -v nvcc > /dev/null || export CUDACXX=${CUDACXX:-/usr/local/cuda/bin/nvcc}
    ;;
  *) echo "build: unknown preset '$preset': release, dev, asan, tsan, fuzz or cuda" >&2; exit 2 ;;
esac

jobs=${AUTODIDACT_JOBS:-}
if [ -z "$jobs" ]; then
  free_gib=$(awk '/^MemAvailable/ {print int($2 / 2097152)}' /proc/meminfo)
  jobs=$(nproc)
  [ "$jobs" -le "$free_gib" ] || jobs=$((free_gib > 0 ? free_gib : 1))
fi

folder=build/$preset
options=()
[ -z "${AUTODIDACT_LIBTORCH:-}" ] || options+=("-DCMAKE_PREFIX_PATH=$AUTODIDACT_LIBTORCH")
# Ninja configures again by itself when a CMake file or a folder's list of sources changes; presets it does not see.
stamp=$folder/.configured
if [ ! -f "$folder/build.ninja" ] || [ CMakePresets.json -nt "$stamp" ] ||
   [ "$(cat "$stamp" 2> /dev/null)" != "${options[*]-}" ]; then
  cmake --preset "$preset" "${options[@]}" >&2
  echo "${options[*]-}" > "$stamp"
fi
cmake --build "$folder" -j "$jobs" --target "${targets[@]}" >&2
echo "$PWD/$folder/launch/autodidact"
