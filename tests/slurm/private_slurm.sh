#!/bin/bash
# A Slurm of its own in a folder: source it, then call start_slurm FOLDER and stop_slurm. Needs root, slurm-wlm, munge.
# Nothing of it lies outside of the folder.

# Why there can be none here; empty: there can.
why_no_slurm() {
  [ "$(id -u)" = 0 ] || { echo "root is needed for slurmd"; return; }
  local program
  for program in slurmctld slurmd munged sbatch; do
    PATH=$PATH:/usr/sbin command -v "$program" > /dev/null || { echo "no $program (apt-get install slurm-wlm munge)"; return; }
  done
}

start_slurm() { # start_slurm FOLDER
  slurm_folder=$1
  local here
  here=$(dirname "${BASH_SOURCE[0]}")
  export PATH=$PATH:/usr/sbin SLURM_CONF=$slurm_folder/slurm.conf
  mkdir -p "$slurm_folder"/{munge,state,spool}
  chmod 755 "$slurm_folder" "$slurm_folder"/munge
  sed -e "s|FOLDER|$slurm_folder|; s|HOST|$(hostname -s)|g; s|CPUS|$(nproc)|; s|MEMORY|$(awk '/^MemTotal/ {print int($2 * 0.9 / 1024)}' /proc/meminfo)|" \
    "$here/slurm.conf" > "$SLURM_CONF"
  dd if=/dev/urandom of="$slurm_folder/munge/key" bs=1024 count=1 status=none
  chmod 600 "$slurm_folder/munge/key"
  munged --force --key-file="$slurm_folder/munge/key" --socket="$slurm_folder/munge/socket" --num-threads=2 \
    --pid-file="$slurm_folder/munge/pid" --log-file="$slurm_folder/munge/log" --seed-file="$slurm_folder/munge/seed"
  slurmctld -c -f "$SLURM_CONF"
  slurmd -f "$SLURM_CONF"
  local left
  for left in $(seq 60 -1 0); do
    [ "$(sinfo --noheader --format=%T 2> /dev/null)" = idle ] && return
    [ "$left" -gt 0 ] || { echo "Slurm does not start:" >&2; tail -n 5 "$slurm_folder"/slurm*.log >&2; return 1; }
    sleep 0.5
  done
}

stop_slurm() {
  local pid_file
  for pid_file in slurmd.pid slurmctld.pid munge/pid; do
    [ -s "$slurm_folder/$pid_file" ] && kill "$(cat "$slurm_folder/$pid_file")" 2> /dev/null
  done
  return 0
}
