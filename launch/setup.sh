#!/usr/bin/env bash
# Makes this machine ready to build: the Debian packages of launch/packages.txt and the pinned libtorch in .venv.
# Idempotent: with everything in place it does nothing and returns at once.
#
#   launch/setup.sh [--cuda] [--packages FILE]...
#     --cuda           make .venv-cuda instead: the whole torch wheel with its CUDA libraries and NCCL
#     --packages FILE  a further list of Debian packages
#
# Environment:
#   AUTODIDACT_LIBTORCH  a libtorch of your own (the folder that holds include/ and lib/): no environment is made
#   AUTODIDACT_PYTHON    the Python that makes the environment (default python3; 3.10 or newer)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

cuda=no
lists=(launch/packages.txt)
while [ $# -gt 0 ]; do
  case $1 in
    --cuda) cuda=yes ;;
    --packages) shift; lists+=("${1:?--packages needs a file}") ;;
    *) die "unknown option '$1'; see the head of launch/setup.sh" ;;
  esac
  shift
done

missing_packages() {
  local package
  sed 's/#.*//' "${lists[@]}" | tr -s '[:space:]' '\n' | while read -r package; do
    [ -n "$package" ] || continue
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

install_packages() {
  local missing
  if ! command -v dpkg-query > /dev/null; then
    say "not a Debian system: the packages of ${lists[*]} are not checked"
    return
  fi
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    # Without a terminal nobody can type the password: then sudo must work without one.
    if command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true 2> /dev/null; }; then
      as_root=(sudo)
    else
      say "these Debian packages are missing, and this is neither root nor sudo:"
      die "apt-get install ${missing[*]}"
    fi
  fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get -q update >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}" >&2
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] || die "still missing after apt-get install: ${missing[*]}"
}

# make_environment FOLDER PIP-ARGUMENT...
# The stamp holds the arguments, so that a new pin is installed over an old environment.
make_environment() {
  local folder=$1 stamp=$1/.autodidact python=${AUTODIDACT_PYTHON:-python3}
  shift
  [ "$(cat "$stamp" 2> /dev/null)" != "$*" ] || return 0
  [ -x "$folder/bin/python" ] || "$python" -m venv "$folder" >&2
  say "installing into $folder: $*"
  "$folder/bin/python" -m pip --disable-pip-version-check install -q "$@" >&2
  echo "$*" > "$stamp"
}

install_packages
mkdir -p build
exec 9> build/.setup.lock
flock 9
if [ "$cuda" = yes ]; then
  make_environment .venv-cuda torch==2.11.0 numpy==2.4.6 transformers==5.23.0 safetensors jinja2==3.1.6
elif [ -z "${AUTODIDACT_LIBTORCH:-}" ]; then
  # --no-deps: these three hold all that the CPU libraries load, at a third of the size.
  make_environment .venv --no-deps torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85
fi
