#!/usr/bin/env bash
# Builds our measuring programs and runs side_by_side.py: decoding beside transformers and llama.cpp, a GRPO step beside
# TRL, in one run. About twelve minutes on two quiet cores; --quick takes three.
#
#   benchmarks/side_by_side.sh PEERS_ENV PEERS_FOLDER [options of side_by_side.py, e.g. --quick]
#
# PEERS_ENV      a Python environment (its folder) with torch, transformers, trl, accelerate, datasets, gguf, llama-cpp-python
# PEERS_FOLDER   the folder with trl_grpo.py, hf_generate.py, llama_cpp_generate.py and make_model.py
set -euo pipefail
if [ $# -lt 2 ]; then
  sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
peers_env=$(realpath -s "$1")
peers=$(realpath "$2")
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."
launch/build.sh release bench_step engine_decode > /dev/null
exec "$peers_env/bin/python" benchmarks/side_by_side.py --programs build/release/benchmarks --peers "$peers" "$@"
