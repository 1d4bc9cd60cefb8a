#!/usr/bin/env bash
# Hosts on one machine for the tests of several hosts: network namespaces joined by a bridge, HOST K at 10.88.0.K on
# its own interface "e0", and a name of its own: Open MPI's daemons on hosts of one name would share their files.
# Needs root, iproute2 and util-linux.
#
#   netns.sh up COUNT [MBIT]     MBIT: the rate of each host's link
#   netns.sh down                whatever is left of them
#   netns.sh on K COMMAND…       runs a command on HOST K
#   netns.sh rsh HOST COMMAND…   runs a shell command on the host of this address, in the place of ssh
set -euo pipefail

bridge=adbridge
host() { echo "adhost$1"; }

down() {
  local name
  for name in $(ip netns list | awk '/^adhost/ {print $1}'); do ip netns delete "$name"; done
  ip link delete "$bridge" 2> /dev/null || true
}

up() {
  local k name
  down
  ip link add "$bridge" type bridge
  ip link set "$bridge" up
  for k in $(seq "$1"); do
    name=$(host "$k")
    ip netns add "$name"
    ip link add "adlink$k" type veth peer name e0 netns "$name"
    ip link set "adlink$k" master "$bridge" up
    ip -n "$name" address add "10.88.0.$k/24" dev e0
    ip -n "$name" link set e0 up
    ip -n "$name" link set lo up
    [ -z "${2:-}" ] || ip netns exec "$name" tc qdisc add dev e0 root tbf rate "${2}mbit" burst 256kb latency 50ms
  done
}

on() {
  local name
  name=$(host "$1")
  shift
  exec ip netns exec "$name" unshare --uts bash -c 'hostname "$0"; exec "$@"' "$name" "$@"
}

case $1 in
  up) up "$2" "${3:-}" ;;
  down) down ;;
  on) on "${@:2}" ;;
  rsh)
    shift
    while [[ $1 == -* ]]; do shift; done
    address=$1
    shift
    on "${address##*.}" bash -c "$*"
    ;;
esac
