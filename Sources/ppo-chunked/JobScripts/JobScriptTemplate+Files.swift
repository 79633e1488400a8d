// swift-format-ignore-file
// Made from the files under cluster/ by `UPDATE_GOLDEN=1 swift test --filter JobScriptTests`.

extension JobScriptTemplate {
  /// `cluster/slurm/train.sbatch`
  static let slurm = JobScriptTemplate(path: "cluster/slurm/train.sbatch", text: ##"""
#!/usr/bin/env bash
# Slurm: trains in one job that requeues itself until the run is complete. Tested on Slurm 22.05 (scripts/test-slurm.sh).
#
# Usage: sbatch train.sbatch [OPTIONS OF ppo-chunked train]      options of sbatch on the command line win over those below
#        bash train.sbatch --print                               shows the command, runs nothing
# `ppo-chunked job-script slurm --nodes 2 --time 4:00:00 ...` prints this file filled in.
# Exit codes: those of the program (docs/operating.md), 0 also after a stop that somebody asked for by a file STOP.

# ---- edit from here ----
#SBATCH --job-name=ppo-chunked
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=1
#SBATCH --time=04:00:00
#SBATCH --output=ppo-chunked-%j.log
##SBATCH --partition=NAME
##SBATCH --account=NAME
# Seconds before the time limit (and at a preemption, where preempt_send_user_signal is set) at which the job is told to stop.
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
# The program, and a run directory on a file system that all nodes see; relative to the folder that sbatch was called in.
PPO_PROGRAM=.build/release/ppo-chunked
PPO_OUTPUT_DIR=outputs/slurm
# Options of `ppo-chunked train`.
PPO_ARGUMENTS=()
# mpirun, or srun where Slurm and Open MPI share PMIx (srun --mpi=list).
PPO_LAUNCHER=mpirun
# Most requeues of this job; 0 never requeues.
PPO_REQUEUE_MAX=100
# Folder on each node for Open MPI's temporary files, made if it is missing; empty: TMPDIR or /tmp.
PPO_SCRATCH=
# Whatever brings Open MPI and libcrypto to the nodes.
# module load openmpi/4.1
# ---- to here ----

set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-$PWD}"
say() { printf 'train.sbatch: %s\n' "$*"; }
is_print=0
if [[ "${1:-}" == "--print" ]]; then
  is_print=1
  shift
fi

if [[ -n "$PPO_SCRATCH" ]]; then export TMPDIR="$PPO_SCRATCH" OMPI_MCA_orte_tmpdir_base="$PPO_SCRATCH"; fi
# A lost node or a pulled cable is noticed by mpirun within 15 s with these, and not at all without them.
keepalive=(--mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3)
case "$PPO_LAUNCHER" in
  mpirun) launch=(mpirun -n "${SLURM_NTASKS:-1}" "${keepalive[@]}") ;;
  # Ranks that outlive a dead one for 10 s are ended.
  srun) launch=(srun --mpi=pmix --wait=10) ;;
  *)
    say "PPO_LAUNCHER is $PPO_LAUNCHER, allowed are mpirun and srun"
    exit 64
    ;;
esac
command=("${launch[@]}" "$PPO_PROGRAM" train --output-dir "$PPO_OUTPUT_DIR" ${PPO_ARGUMENTS[@]+"${PPO_ARGUMENTS[@]}"} "$@")
restarts="${SLURM_RESTART_COUNT:-0}"
say "job ${SLURM_JOB_ID:-none}, restart $restarts of at most $PPO_REQUEUE_MAX: $(printf '%q ' "${command[@]}")"
if ((is_print)); then exit 0; fi

# A value of the run's progress file, empty if there is none.
progress() {
  "$PPO_PROGRAM" status --output-dir "$PPO_OUTPUT_DIR" --json 2>/dev/null |
    sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -n 1 || true
}

# Slurm before 23.02 does not tell a job its end; the program stops by itself before it, should the signal be lost.
if [[ -z "${SLURM_JOB_END_TIME:-}" && -n "${SLURM_JOB_ID:-}" ]]; then
  SLURM_JOB_END_TIME="$(date --date "$(squeue --noheader --jobs "$SLURM_JOB_ID" --format %e)" +%s 2>/dev/null || true)"
  export SLURM_JOB_END_TIME
fi

launcher=""
is_interrupted=0
is_stopping=0
is_cancelled=0
# USR1 reaches the ranks through the launcher, which kills nothing for it. Once: a second stop signal ends a rank before it has saved.
pass_on() {
  is_interrupted=1
  if [[ -n "$launcher" ]] && ((!is_stopping)); then
    is_stopping=1
    kill -USR1 "$launcher" 2>/dev/null || true
  fi
}
# TERM (scancel, scontrol requeue, the time limit) as a rule reaches launcher and ranks too; if they live on, it was meant for this script.
# shellcheck disable=SC2317 # called by a trap
cancel() {
  is_interrupted=1
  is_cancelled=1
  { sleep 3 && kill -USR1 "${launcher:-$$}" 2>/dev/null; } &
}
# CONT must stay untrapped: bash loses USR1 in scripts that trap both.
trap pass_on USR1
trap cancel TERM

before="$(progress latest_step)"
"${command[@]}" &
launcher=$!
# A signal that came before there was a launcher.
if ((is_interrupted && !is_cancelled)); then pass_on; fi
# A trapped signal ends `wait` early: wait until the launcher has ended.
status=0
is_interrupted=1
while ((is_interrupted)); do
  is_interrupted=0
  status=0
  wait "$launcher" || status=$?
done
trap '' USR1
# What a killed mpirun leaves in the temporary directory of this host.
rm -rf "${TMPDIR:-/tmp}"/ompi.*/"pid.$launcher"
# An mpirun whose remote daemon was taken away has been seen to end with 0.
if ((status == 0)) && [[ "$(progress status)" != completed ]]; then
  say "the launcher ended with 0 and the run is not complete"
  status=1
fi
after="$(progress latest_step)"
say "ended with $status, durable step ${before:-none} -> ${after:-none}"

requeue() {
  if ((restarts >= PPO_REQUEUE_MAX)); then
    say "not requeued: restart $restarts of at most $PPO_REQUEUE_MAX"
    exit "$status"
  fi
  say "requeue: $1"
  if [[ -n "${SLURM_JOB_ID:-}" ]]; then scontrol requeue "$SLURM_JOB_ID" || say "scontrol requeue failed: fine if Slurm was faster"; fi
  # Where an administrator has set RequeueExit=75 the code alone requeues.
  exit 75
}

if ((status == 0)); then exit 0; fi
# After scancel the job stays cancelled; after `scontrol requeue` and a preemption Slurm itself starts it again.
if ((is_cancelled)); then
  say "TERM was seen: left to Slurm"
  exit "$status"
fi
case "$status" in
  75)
    if [[ "$(progress stop_reason)" == stop_file ]]; then
      say "stopped by a file STOP: not requeued"
      exit 0
    fi
    requeue "stopped with work left"
    ;;
  # The launcher or a node went away.
  1 | 69 | 12[89] | 1[3-9][0-9] | 2[0-9][0-9])
    if [[ "$after" != "$before" ]]; then requeue "launcher or node lost, the run got further"; fi
    say "launcher or node lost and the run got no further: not requeued"
    ;;
  *) say "not requeued: docs/operating.md explains $status" ;;
esac
exit "$status"

"""##)

  /// `cluster/slurm/chain.sbatch`
  static let slurmChain = JobScriptTemplate(path: "cluster/slurm/chain.sbatch", text: ##"""
#!/usr/bin/env bash
# Slurm: one link of a chain of jobs; each does its share of chunks and ends, none requeues. Tested on Slurm 22.05 (scripts/test-slurm.sh).
#
# Usage: sbatch --array=1-20%1 chain.sbatch [OPTIONS OF ppo-chunked train]                              an array, one element at a time
#        for i in {1..20}; do sbatch --dependency=singleton chain.sbatch; done                         jobs of one name, one at a time
# More links than needed do no harm: those after the last chunk end within a second.
# `ppo-chunked job-script slurm --chain --nodes 2 --time 1:00:00 ...` prints this file filled in.
# Exit codes: 0 this link did its share (so --dependency=afterok works too), otherwise those of the program (docs/operating.md).

# ---- edit from here ----
#SBATCH --job-name=ppo-chunked
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=1
#SBATCH --time=01:00:00
#SBATCH --output=ppo-chunked-%j.log
##SBATCH --partition=NAME
##SBATCH --account=NAME
# Seconds before the time limit at which the job is told to stop.
#SBATCH --signal=B:USR1@120
#SBATCH --no-requeue
# The program, and a run directory on a file system that all nodes see; relative to the folder that sbatch was called in.
PPO_PROGRAM=.build/release/ppo-chunked
PPO_OUTPUT_DIR=outputs/slurm
# Options of `ppo-chunked train`.
PPO_ARGUMENTS=()
# Chunks of one link.
PPO_MAX_CHUNKS=1
# mpirun, or srun where Slurm and Open MPI share PMIx (srun --mpi=list).
PPO_LAUNCHER=mpirun
# Folder on each node for Open MPI's temporary files, made if it is missing; empty: TMPDIR or /tmp.
PPO_SCRATCH=
# Whatever brings Open MPI and libcrypto to the nodes.
# module load openmpi/4.1
# ---- to here ----

set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-$PWD}"
say() { printf 'chain.sbatch: %s\n' "$*"; }
is_print=0
if [[ "${1:-}" == "--print" ]]; then
  is_print=1
  shift
fi

if [[ -n "$PPO_SCRATCH" ]]; then export TMPDIR="$PPO_SCRATCH" OMPI_MCA_orte_tmpdir_base="$PPO_SCRATCH"; fi
# A lost node or a pulled cable is noticed by mpirun within 15 s with these, and not at all without them.
keepalive=(--mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3)
case "$PPO_LAUNCHER" in
  mpirun) launch=(mpirun -n "${SLURM_NTASKS:-1}" "${keepalive[@]}") ;;
  # Ranks that outlive a dead one for 10 s are ended.
  srun) launch=(srun --mpi=pmix --wait=10) ;;
  *)
    say "PPO_LAUNCHER is $PPO_LAUNCHER, allowed are mpirun and srun"
    exit 64
    ;;
esac
command=(
  "${launch[@]}" "$PPO_PROGRAM" train --output-dir "$PPO_OUTPUT_DIR" --max-chunks "$PPO_MAX_CHUNKS"
  ${PPO_ARGUMENTS[@]+"${PPO_ARGUMENTS[@]}"} "$@"
)
say "job ${SLURM_JOB_ID:-none}, element ${SLURM_ARRAY_TASK_ID:-none}: $(printf '%q ' "${command[@]}")"
if ((is_print)); then exit 0; fi

# A value of the run's progress file, empty if there is none.
progress() {
  "$PPO_PROGRAM" status --output-dir "$PPO_OUTPUT_DIR" --json 2>/dev/null |
    sed -n "s/^ *\"$1\": *\"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" | head -n 1 || true
}

# Slurm before 23.02 does not tell a job its end; the program stops by itself before it, should the signal be lost.
if [[ -z "${SLURM_JOB_END_TIME:-}" && -n "${SLURM_JOB_ID:-}" ]]; then
  SLURM_JOB_END_TIME="$(date --date "$(squeue --noheader --jobs "$SLURM_JOB_ID" --format %e)" +%s 2>/dev/null || true)"
  export SLURM_JOB_END_TIME
fi

launcher=""
is_interrupted=0
is_stopping=0
is_cancelled=0
# USR1 reaches the ranks through the launcher, which kills nothing for it. Once: a second stop signal ends a rank before it has saved.
pass_on() {
  is_interrupted=1
  if [[ -n "$launcher" ]] && ((!is_stopping)); then
    is_stopping=1
    kill -USR1 "$launcher" 2>/dev/null || true
  fi
}
# TERM (scancel, the time limit) as a rule reaches launcher and ranks too; if they live on, it was meant for this script.
# shellcheck disable=SC2317 # called by a trap
cancel() {
  is_interrupted=1
  is_cancelled=1
  { sleep 3 && kill -USR1 "${launcher:-$$}" 2>/dev/null; } &
}
# CONT must stay untrapped: bash loses USR1 in scripts that trap both.
trap pass_on USR1
trap cancel TERM

"${command[@]}" &
launcher=$!
# A signal that came before there was a launcher.
if ((is_interrupted && !is_cancelled)); then pass_on; fi
# A trapped signal ends `wait` early: wait until the launcher has ended.
status=0
is_interrupted=1
while ((is_interrupted)); do
  is_interrupted=0
  status=0
  wait "$launcher" || status=$?
done
trap '' USR1
# What a killed mpirun leaves in the temporary directory of this host.
rm -rf "${TMPDIR:-/tmp}"/ompi.*/"pid.$launcher"

# An mpirun whose remote daemon was taken away has been seen to end with 0.
if ((status == 0)) && [[ "$(progress status)" != completed ]]; then
  say "the launcher ended with 0 and the run is not complete"
  status=1
fi
say "ended with $status"
# Stopped with work left: the next link goes on.
if ((status == 75 && !is_cancelled)); then exit 0; fi
exit "$status"

"""##)

  /// `cluster/sge/train.sh`
  static let sge = JobScriptTemplate(path: "cluster/sge/train.sh", text: ##"""
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

"""##)

  /// `cluster/pbs/train.pbs`
  static let pbs = JobScriptTemplate(path: "cluster/pbs/train.pbs", text: ##"""
#!/usr/bin/env bash
# PBS (OpenPBS, PBS Professional, Torque): trains in a job that submits its successor until the run is complete. UNTESTED on a real PBS.
#
# Usage: qsub train.pbs             further options of `ppo-chunked train`: PPO_ARGUMENTS below
# `ppo-chunked job-script pbs --nodes 2 --time 4:00:00 ...` prints this file filled in.
# PBS does not requeue by exit code. A job that stops with work left submits this file again, at most PPO_REQUEUE_MAX times in a row.
# Exit codes: 0 done, stopped by a file STOP, or a successor was submitted; otherwise those of the program (docs/operating.md).

# ---- edit from here ----
#PBS -N ppo-chunked
#PBS -j oe
#PBS -l select=1:ncpus=8:mpiprocs=8
##PBS -q NAME
# Hard limit; the job stops by itself PPO_STOP_MARGIN earlier. PBS sends TERM at the limit and KILL 10 s later (kill_delay).
#PBS -l walltime=04:00:00
# Rerunnable: PBS starts it again when it was preempted with requeue (qrerun) or its node was lost.
#PBS -r y
# The same limit for the program, less the margin in seconds.
PPO_TIME=04:00:00
PPO_STOP_MARGIN=120
# The program, and a run directory on a file system that all nodes see; relative to the folder that qsub was called in.
PPO_PROGRAM=.build/release/ppo-chunked
PPO_OUTPUT_DIR=outputs/pbs
# Options of `ppo-chunked train`.
PPO_ARGUMENTS=()
# This file, for the successor; empty never submits one.
PPO_JOB_FILE=cluster/pbs/train.pbs
PPO_REQUEUE_MAX=100
# Folder on each node for Open MPI's temporary files, made if it is missing; empty: TMPDIR or /tmp.
PPO_SCRATCH=
# Whatever brings Open MPI (built --with-tm) and libcrypto to the nodes.
# module load openmpi/4.1
# ---- to here ----

set -euo pipefail
say() { printf 'train.pbs: %s\n' "$*"; }
cd "${PBS_O_WORKDIR:-$PWD}"
restarts="${PPO_RESTARTS:-0}"
IFS=: read -r hours minutes seconds <<<"$PPO_TIME"
budget=$((10#$hours * 3600 + 10#$minutes * 60 + 10#$seconds - PPO_STOP_MARGIN))
is_cancelled=0
if [[ -n "$PPO_SCRATCH" ]]; then export TMPDIR="$PPO_SCRATCH" OMPI_MCA_orte_tmpdir_base="$PPO_SCRATCH"; fi
# A lost node or a pulled cable is noticed by mpirun within 15 s with these, and not at all without them.
keepalive=(--mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3)
ranks=1
if [[ -n "${PBS_NODEFILE:-}" ]]; then ranks="$(wc -l <"$PBS_NODEFILE")"; fi
command=(
  mpirun -n "$ranks" "${keepalive[@]}" "$PPO_PROGRAM" train --output-dir "$PPO_OUTPUT_DIR" --time-budget "$budget"
  ${PPO_ARGUMENTS[@]+"${PPO_ARGUMENTS[@]}"}
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
trap pass_on USR1 USR2
trap 'is_cancelled=1; pass_on' TERM

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

successor() {
  if [[ "$after" == "$before" ]]; then say "the run got no further: no successor"; exit "$status"; fi
  if [[ -z "$PPO_JOB_FILE" ]] || ((restarts >= PPO_REQUEUE_MAX)); then
    say "no successor: $restarts of at most $PPO_REQUEUE_MAX"
    exit "$status"
  fi
  say "successor: $(qsub -v "PPO_RESTARTS=$((restarts + 1))" "$PPO_JOB_FILE")"
  exit 0
}
if ((status == 0)); then exit 0; fi
if ((is_cancelled)); then
  say "TERM was seen (qdel, qrerun, the limit): no successor"
  exit "$status"
fi
case "$status" in
  75)
    if [[ "$(progress stop_reason)" == stop_file ]]; then
      say "stopped by a file STOP: no successor"
      exit 0
    fi
    successor
    ;;
  # The launcher or a node went away.
  1 | 69 | 12[89] | 1[3-9][0-9] | 2[0-9][0-9]) successor ;;
esac
say "no successor: docs/operating.md explains $status"
exit "$status"

"""##)

  /// `cluster/lsf/train.bsub`
  static let lsf = JobScriptTemplate(path: "cluster/lsf/train.bsub", text: ##"""
#!/usr/bin/env bash
# LSF: trains in one job that is requeued until the run is complete. UNTESTED on a real LSF.
#
# Usage: bsub < train.bsub             further options of `ppo-chunked train`: PPO_ARGUMENTS below
# `ppo-chunked job-script lsf --nodes 2 --time 4:00:00 ...` prints this file filled in.
# Exit codes: 75 = requeue me (bsub -Q), 0 done or stopped by a file STOP, otherwise those of the program (docs/operating.md).

# ---- edit from here ----
#BSUB -J ppo-chunked
#BSUB -oo ppo-chunked-%J.log
#BSUB -n 8
#BSUB -R "span[ptile=8]"
##BSUB -q NAME
# Hours and minutes. USR1 comes two minutes before the limit (and before a preemption or kill).
#BSUB -W 04:00
#BSUB -wa USR1
#BSUB -wt 2
# Requeue on 75; rerun when the host is lost.
#BSUB -Q "75"
#BSUB -r
# The program, and a run directory on a file system that all nodes see; relative to the folder that bsub was called in.
PPO_PROGRAM=.build/release/ppo-chunked
PPO_OUTPUT_DIR=outputs/lsf
# Options of `ppo-chunked train`.
PPO_ARGUMENTS=()
# Folder on each node for Open MPI's temporary files, made if it is missing; empty: TMPDIR or /tmp.
PPO_SCRATCH=
# Whatever brings Open MPI (built --with-lsf) and libcrypto to the nodes.
# module load openmpi/4.1
# ---- to here ----

set -euo pipefail
say() { printf 'train.bsub: %s\n' "$*"; }
if [[ -n "$PPO_SCRATCH" ]]; then export TMPDIR="$PPO_SCRATCH" OMPI_MCA_orte_tmpdir_base="$PPO_SCRATCH"; fi
# A lost node or a pulled cable is noticed by mpirun within 15 s with these, and not at all without them.
keepalive=(--mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3)
command=(
  mpirun -n "${LSB_DJOB_NUMPROC:-1}" "${keepalive[@]}" "$PPO_PROGRAM" train --output-dir "$PPO_OUTPUT_DIR" ${PPO_ARGUMENTS[@]+"${PPO_ARGUMENTS[@]}"}
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
  75)
    if [[ "$(progress stop_reason)" == stop_file ]]; then
      say "stopped by a file STOP: not requeued"
      exit 0
    fi
    # A stop that got nothing done would be repeated for ever.
    if [[ "$after" != "$before" ]]; then exit 75; fi
    say "the run got no further: not requeued"
    exit 70
    ;;
  # The launcher or a node went away.
  1 | 69 | 12[89] | 1[3-9][0-9] | 2[0-9][0-9])
    if [[ "$after" != "$before" ]]; then exit 75; fi
    ;;
esac
say "not requeued: docs/operating.md explains $status"
exit "$status"

"""##)

  /// `cluster/kubernetes/mpijob.yaml`
  static let kubernetes = JobScriptTemplate(path: "cluster/kubernetes/mpijob.yaml", text: ##"""
# Kubernetes: trains as an MPIJob of the Kubeflow MPI operator (kubeflow.org/v2beta1). UNTESTED on a real cluster.
#
# Usage: kubectl apply -f mpijob.yaml
# `ppo-chunked job-script kubernetes --nodes 2 --ranks-per-node 8 ...` prints this file filled in.
#
# A launcher pod runs mpirun, worker pods run the ranks. When a pod is evicted (a drained node, a spot machine) Kubernetes sends TERM to its main
# process; the launcher passes USR1 on to mpirun, the program saves and ends with 75, and restartPolicy OnFailure starts the launcher again, at most
# backoffLimit times. A worker that vanishes ends mpirun with a failure, and the same happens. 0 completes the job. Kubernetes has no codes
# that mean "do not try again": 64 ... 78 are repeated until backoffLimit; each of these ends within seconds.
#
# The lines to edit have a comment "edit".
apiVersion: kubeflow.org/v2beta1
kind: MPIJob
metadata:
  name: ppo-chunked  # edit
spec:
  slotsPerWorker: 8  # edit: ranks of a worker
  runPolicy:
    cleanPodPolicy: Running
    backoffLimit: 20
  mpiReplicaSpecs:
    Launcher:
      replicas: 1
      restartPolicy: OnFailure
      template:
        spec:
          terminationGracePeriodSeconds: 60
          containers:
            - name: launcher
              image: registry.example.org/ppo-chunked:latest  # edit: cluster/container/Dockerfile
              env:
                - name: PPO_RANKS
                  value: "8"  # edit: workers times ranks of a worker
                - name: PPO_OUTPUT_DIR
                  value: /data/runs/a  # edit: on the volume below
                - name: PPO_ARGUMENTS
                  value: ""  # edit: options of ppo-chunked train
                - name: OMPI_ALLOW_RUN_AS_ROOT
                  value: "1"
                - name: OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
                  value: "1"
              command: ["/bin/bash", "-c"]
              args:
                - |
                  set -u
                  # shellcheck disable=SC2086 # options are separated by spaces
                  mpirun -n "$PPO_RANKS" --mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3 \
                    ppo-chunked train --output-dir "$PPO_OUTPUT_DIR" $PPO_ARGUMENTS &
                  launcher=$!
                  is_interrupted=1
                  trap 'is_interrupted=1; kill -USR1 "$launcher"; trap "" TERM' TERM
                  while ((is_interrupted)); do is_interrupted=0; status=0; wait "$launcher" || status=$?; done
                  exit "$status"
              volumeMounts:
                - name: data
                  mountPath: /data
          volumes:
            - name: data
              persistentVolumeClaim:
                claimName: ppo-chunked  # edit: ReadWriteMany
    Worker:
      replicas: 1  # edit: workers
      template:
        spec:
          terminationGracePeriodSeconds: 60
          containers:
            - name: worker
              image: registry.example.org/ppo-chunked:latest  # edit: the same
              resources:
                limits:
                  cpu: "8"  # edit: one core a rank
                  memory: 8Gi
              volumeMounts:
                - name: data
                  mountPath: /data
          volumes:
            - name: data
              persistentVolumeClaim:
                claimName: ppo-chunked  # edit: ReadWriteMany

"""##)
}
