#!/usr/bin/env bash
# From nothing but a clone to a before/after table: sets up, builds, trains a small model without labels on data that
# the project generates itself, and prints what it gained. Minutes on two cores; a second run starts within seconds.
#
#   launch/demo.sh
#
# Environment:
#   AUTODIDACT_DEMO_RUN  the folder of the run (default runs/demo); an older run there is moved aside
#   AUTODIDACT_DEMO_SEED the run's seed (default: the config's)
#   AUTODIDACT_JOBS, AUTODIDACT_LIBTORCH, AUTODIDACT_PYTHON: see launch/build.sh and launch/setup.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

run=${AUTODIDACT_DEMO_RUN:-runs/demo}
binary=$(launch/build.sh release | tail -n 1)
[ ! -e "$run" ] || mv "$run" "$run.$(date +%Y%m%d-%H%M%S)"
set_options=()
[ -z "${AUTODIDACT_DEMO_SEED:-}" ] || set_options+=(--seed "$AUTODIDACT_DEMO_SEED")

"$binary" demo --out "$run" "${set_options[@]}"

cat <<END

The run is in $run: summary.json (before and after), metrics.jsonl, rollouts/, checkpoints/.
What to try next:
  $binary eval configs/demo/eval.yaml                       the estimators at each G, again
  $binary train configs/demo/train.yaml --dry-run           what the run resolved to, without running it
  $binary train configs/demo/train.yaml --set estimator.kind=majority
                                                            the same with majority votes as the reference
  $binary --help                                            every command; README.md says how to bring your own prompts
END
