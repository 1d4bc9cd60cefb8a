#!/bin/sh
# Starts the program of this name in libexec/; see environment.sh there.
set -eu
self=$(readlink -f "$0")
root=$(dirname "$(dirname "$self")")
. "$root/libexec/environment.sh"
run "$(basename "$0")" "$@"
