#!/usr/bin/env bash
# Grid Engine: trains in one job that is requeued until the run is complete. UNTESTED on a real Grid Engine.
#
# Usage: qsub train.sh [OPTIONS OF ppo-chunked train]
# `ppo-chunked job-script sge --nodes 2 --time 4:00:00 ...` prints this file filled in.
# Exit codes: 99 = requeue me (also with -r n), 0 done or stopped by a file STOP, 100 = error state, a person must look.

# ---- edit from here ----
#$ -N ppo-chunked
#$ -S /bin/bash
#$ -cwd
#$ -j y
# Parallel environment and slots, one a rank.
#$ -pe mpi 8
##$ -q NAME
# Hard limit; the job stops by itself PPO_STOP_MARGIN earlier.
#$ -l h_rt=04:00:00
# USR1 before a suspension, USR2 before a kill; rerun after a crash of the host.
#$ -notify
#$ -r y
# The same limit for the program, less the margin.
PPO_TIME=04:00:00
PPO_STOP_MARGIN=120
# The program, and a run directory on a file system that all nodes see; relative to the folder that qsub was called in.
PPO_PROGRAM=.build/release/ppo-chunked
PPO_OUTPUT_DIR=outputs/sge
# Options of `ppo-chunked train`.
PPO_ARGUMENTS=()
# Folder on each node for Open MPI's temporary files, made if it is missing; empty: TMPDIR or /tmp.
PPO_SCRATCH=
# Whatever brings Open MPI (built --with-sge) and libcrypto to the nodes.
# module load openmpi/4.1
# ---- to here ----

set -euo pipefail
say() { printf 'train.sh: %s\n' "$*"; }
IFS=: read -r hours minutes seconds <<<"$PPO_TIME"
budget=$((10#$hours * 3600 + 10#$minutes * 60 + 10#$seconds - PPO_STOP_MARGIN))
if [[ -n "$PPO_SCRATCH" ]]; then export TMPDIR="$PPO_SCRATCH" OMPI_MCA_orte_tmpdir_base="$PPO_SCRATCH"; fi
# A lost node or a pulled cable is noticed by mpirun within 15 s with these, and not at all without them.
keepalive=(--mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3)
command=(
  mpirun -n "${NSLOTS:-1}" "${keepalive[@]}" "$PPO_PROGRAM" train --output-dir "$PPO_OUTPUT_DIR" --time-budget "$budget" --requeue-exit-code 99
  ${PPO_ARGUMENTS[@]+"${PPO_ARGUMENTS[@]}"} "$@"
)

# A value of the run's progress file, empty if there is none.
progress() {
  "$PPO_PROGRAM" status --output-dir "$PPO_OUTPUT_DIR" --json 2>/dev/null |
    sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -n 1 || true
}

# In a process group of its own: batch systems signal the whole group of the script, and a second stop signal ends a rank before
# it has saved.
set -m
launcher=""
is_interrupted=0
is_stopping=0
pass_on() {
  is_interrupted=1
  if [[ -n "$launcher" ]] && ((!is_stopping)); then
    is_stopping=1
    kill -USR1 "$launcher" 2>/dev/null || true
  fi
}
# CONT must stay untrapped: bash loses USR1 in scripts that trap both.
trap pass_on USR1 USR2 TERM

before="$(progress latest_step)"
"${command[@]}" &
launcher=$!
# A signal that came before there was a launcher.
if ((is_interrupted)); then pass_on; fi
# A trapped signal ends `wait` early: wait until the launcher has ended.
status=0
is_interrupted=1
while ((is_interrupted)); do
  is_interrupted=0
  status=0
  wait "$launcher" || status=$?
done
# What a killed mpirun leaves in the temporary directory of this host.
rm -rf "${TMPDIR:-/tmp}"/ompi.*/"pid.$launcher"
# An mpirun whose remote daemon was taken away has been seen to end with 0.
if ((status == 0)) && [[ "$(progress status)" != completed ]]; then
  say "the launcher ended with 0 and the run is not complete"
  status=1
fi
after="$(progress latest_step)"
say "ended with $status, durable step ${before:-none} -> ${after:-none}"

case "$status" in
  0) exit 0 ;;
  99)
    if [[ "$(progress stop_reason)" == stop_file ]]; then
      say "stopped by a file STOP: not requeued"
      exit 0
    fi
    # A stop that got nothing done would be repeated for ever.
    if [[ "$after" != "$before" ]]; then exit 99; fi
    say "the run got no further: not requeued"
    exit 75
    ;;
  # The launcher or a node went away.
  1 | 69 | 12[89] | 1[3-9][0-9] | 2[0-9][0-9])
    if [[ "$after" != "$before" ]]; then exit 99; fi
    ;;
esac
say "not requeued: docs/operating.md explains $status"
exit "$status"
