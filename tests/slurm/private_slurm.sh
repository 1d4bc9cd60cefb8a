#!/bin/bash
# A Slurm of its own in a folder: source it, then call start_slurm FOLDER [NODES] and stop_slurm. Needs root, slurm-wlm and
# munge, and for more than one node iproute2. Nodes besides the only one are network namespaces with names of their own,
# node1, node2, …, at 10.79.0.1, …, on a bridge at which the controller is 10.79.0.254.

# Why there can be none here; empty: there can.
why_no_slurm() {
  [ "$(id -u)" = 0 ] || { echo "root is needed for slurmd"; return; }
  local program
  for program in slurmctld slurmd munged sbatch; do
    PATH=$PATH:/usr/sbin command -v "$program" > /dev/null || { echo "no $program (apt-get install slurm-wlm munge)"; return; }
  done
}

make_nodes() { # make_nodes COUNT
  local k
  ip link add br79 type bridge
  ip addr add 10.79.0.254/24 dev br79
  ip link set br79 up
  for k in $(seq "$1"); do
    ip netns add "node$k"
    ip link add "n$k" type veth peer name e0 netns "node$k"
    ip link set "n$k" master br79 up
    ip -n "node$k" addr add "10.79.0.$k/24" dev e0
    ip -n "node$k" link set e0 up
    ip -n "node$k" link set lo up
  done
}

start_slurm() { # start_slurm FOLDER [NODES]
  slurm_folder=$1
  slurm_nodes=${2:-1}
  local here address=127.0.0.1 memory node left k
  here=$(dirname "${BASH_SOURCE[0]}")
  memory=$(awk '/^MemTotal/ {print int($2 * 0.9 / 1024)}' /proc/meminfo)
  [ "$slurm_nodes" = 1 ] || { make_nodes "$slurm_nodes"; address=10.79.0.254; }
  export PATH=$PATH:/usr/sbin SLURM_CONF=$slurm_folder/slurm.conf
  mkdir -p "$slurm_folder"/{munge,state}
  chmod 755 "$slurm_folder" "$slurm_folder"/munge
  {
    sed -e "s|FOLDER|$slurm_folder|; s|HOST|$(hostname -s)|; s|ADDRESS|$address|" "$here/slurm.conf"
    for k in $(seq "$slurm_nodes"); do
      node=node$k
      [ "$slurm_nodes" != 1 ] || node=$(hostname -s)
      mkdir -p "$slurm_folder/tmp.$node"
      echo "NodeName=$node NodeAddr=${address%.*}.$k CPUs=$(nproc) RealMemory=$memory State=UNKNOWN"
    done
    echo "PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverTimeLimit=0"
  } > "$SLURM_CONF"
  dd if=/dev/urandom of="$slurm_folder/munge/key" bs=1024 count=1 status=none
  chmod 600 "$slurm_folder/munge/key"
  munged --force --key-file="$slurm_folder/munge/key" --socket="$slurm_folder/munge/socket" --num-threads=2 \
    --pid-file="$slurm_folder/munge/pid" --log-file="$slurm_folder/munge/log" --seed-file="$slurm_folder/munge/seed"
  slurmctld -c -f "$SLURM_CONF"
  if [ "$slurm_nodes" = 1 ]; then
    slurmd -f "$SLURM_CONF"
  else
    for k in $(seq "$slurm_nodes"); do
      nsenter --net="/run/netns/node$k" unshare --uts sh -c "hostname node$k; slurmd -f '$SLURM_CONF'"
    done
  fi
  for left in $(seq 60 -1 0); do
    [ "$(sinfo --noheader --format=%T --Node 2> /dev/null | grep -c idle)" = "$slurm_nodes" ] && return
    [ "$left" -gt 0 ] || { echo "Slurm does not start:" >&2; cat "$slurm_folder"/slurm*.log >&2; return 1; }
    sleep 0.5
  done
}

# Waits until the daemons are gone, and their ports free.
stop_slurm() {
  local pid_file pid state k left
  for pid_file in "$slurm_folder"/slurmd.*.pid "$slurm_folder"/slurmctld.pid "$slurm_folder"/munge/pid; do
    [ -s "$pid_file" ] || continue
    pid=$(cat "$pid_file")
    kill "$pid" 2> /dev/null || continue
    for left in $(seq 100 -1 0); do
      { read -r _ _ state _ < "/proc/$pid/stat"; } 2> /dev/null || break
      [ "$state" != Z ] || break
      [ "$left" -gt 0 ] || kill -KILL "$pid"
      sleep 0.1
    done
  done
  [ "$slurm_nodes" != 1 ] || return 0
  for k in $(seq "$slurm_nodes"); do ip netns del "node$k" || true; done
  ip link del br79 || true
}
