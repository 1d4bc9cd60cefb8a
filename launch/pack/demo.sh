#!/usr/bin/env bash
# The demo with this archive's program. Options by environment: see launch/demo.sh.
set -euo pipefail
root=$(dirname "$(readlink -f "$0")")
AUTODIDACT_PROGRAM=$root/bin/autodidact exec "$root/launch/demo.sh"
