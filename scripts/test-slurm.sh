#!/usr/bin/env bash
# Runs the scripts of `ppo-chunked job-script slurm` on a real Slurm (three virtual nodes on this machine) and does to them what clusters do. Every
# run must end with the state_sha256 and the metrics files of one that nothing happened to.
#
# Usage: scripts/test-slurm.sh [short|full|NAME...]        short (default, CI): one minute; full: ten minutes; NAME: single tests
# Exit codes: 0 passed, 1 a difference or a job that does not end as it should. Installs Slurm (Debian, Ubuntu) if it is missing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
source "$(dirname "${BASH_SOURCE[0]}")/slurm-cluster.sh"
cd "$project_root"

short=(signal chain cancel failing)
full=("${short[@]}" bounded stopfile singleton nodes preempted lost limit twice)
case "${1:-short}" in
  short) tests=("${short[@]}") ;;
  full) tests=("${full[@]}") ;;
  *) tests=("$@") ;;
esac
if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v sbatch >/dev/null; then
  scripts/install-dependencies.sh slurm
fi
bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)/ppo-chunked"
work="$(mktemp -d)"
trap 'slurm_stop; rm -rf "$work"' EXIT
# Virtual nodes share a host name: no shared memory between ranks of two of them.
export OMPI_MCA_btl=tcp,self

say() { printf 'test-slurm.sh: %s\n' "$*"; }
fail() {
  say "FAILED: $*" >&2
  squeue >&2 || true
  tail -n 40 "$work/$name.log" >&2 || true
  exit 1
}

# A value of a run's progress file, 0 if there is none.
progress() {
  "$bin" status --output-dir "$work/$1" --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2" 2>/dev/null || echo 0
}
is_further() { (($(progress "$1" latest_step) > $2)); }
fingerprint() {
  progress "$1" latest_sha256
  (cd "$work/$1/metrics" && sha256sum ./*.jsonl)
}
state_of() { squeue --noheader --jobs "$1" --format %T 2>/dev/null || true; }
is_gone() { [[ -z "$(state_of "$1")" ]]; }
is_running() { [[ "$(state_of "$1")" == RUNNING ]]; }
node_of() { squeue --noheader --jobs "$1" --format %N; }
ended_with() { grep "ended with" "$work/$1.log" | sed 's/.*ended with \([0-9]*\).*/\1/' | tr '\n' ' '; }

# The training that all jobs of a size share.
small=(--config "$project_root/configs/test.json" --total-requests 160000 --chunk-size 40000 --set checkpoint.interval=2048)
# Longer than Slurm needs to look at a limit or to miss a node.
large=(--config "$project_root/configs/test.json" --total-requests 3200000 --chunk-size 320000 --set checkpoint.interval=2048)

# Submits a run of the test's name. $1: options of job-script, $2: of sbatch, $3...: of train. Sets $job.
submit() {
  local script_options="$1" sbatch_options="$2"
  shift 2
  # shellcheck disable=SC2086 # lists of options
  "$bin" job-script slurm $script_options --output-dir "$work/$name" -- "$@" >"$work/$name.sbatch"
  # shellcheck disable=SC2086
  job="$(sbatch --parsable --output="$work/$name.log" --open-mode=append $sbatch_options "$work/$name.sbatch")"
}

expect_reference() {
  [[ "$(progress "$name" status)" == completed ]] || fail "$name: the run is not complete"
  [[ "$(fingerprint "$name")" == "$1" ]] || fail "$name: differs from the undisturbed run"
  say "$name: passed; jobs' ends: $(ended_with "$name"), state $(progress "$name" latest_sha256 | cut -c1-16)"
}

# The undisturbed run of a size, made once; sets $reference. $1: small or large.
reference_of() {
  if [[ ! -e "$work/$1" ]]; then
    local -n arguments="$1"
    mpirun -n 2 "$bin" train "${arguments[@]}" --output-dir "$work/$1" >"$work/reference.log" 2>&1 || { name=reference fail "the undisturbed run"; }
  fi
  reference="$(fingerprint "$1")"
}

# The warning that --signal=B:USR1@120 makes Slurm send, then a requeue by hand (TERM to everything), on one run
test_signal() {
  name=signal
  submit "--nodes 1 --ranks-per-node 2 --time 10:00" "" "${small[@]}"
  slurm_wait 60 "training" is_further "$name" 5000
  scancel --batch --signal=USR1 "$job"
  slurm_wait 60 "a requeue after the signal" grep -qs "requeue: stopped with work left" "$work/$name.log"
  [[ "$(ended_with "$name")" == "75 " ]] || fail "the signal ended with $(ended_with "$name")"
  reached="$(progress "$name" latest_step)"
  slurm_wait 60 "training after the requeue" is_further "$name" "$reached"
  is_running "$job" || fail "the job is not running: $(state_of "$job")"
  scontrol requeue "$job"
  slurm_wait 60 "the job to end" is_gone "$job"
  grep -q "restart 2 of" "$work/$name.log" || fail "Slurm did not restart the job after scontrol requeue"
  reference_of small
  expect_reference "$reference"
}

# Chain: an array of links with one chunk each, more links than chunks, ranks started by srun
test_chain() {
  name=chain
  submit "--chain --launcher srun --nodes 2 --ranks-per-node 1 --time 10:00" "--array=1-5%1" "${small[@]}"
  slurm_wait 120 "the array to end" is_gone "$job"
  [[ "$(ended_with chain)" == "75 75 75 0 0 " ]] || fail "links ended with $(ended_with chain)"
  reference_of small
  expect_reference "$reference"
}

# scancel stays cancelled
test_cancel() {
  name=cancel
  submit "--nodes 1 --ranks-per-node 2 --time 10:00" "" "${small[@]}"
  slurm_wait 60 "training" is_further "$name" 5000
  scancel "$job"
  slurm_wait 30 "the job to end" is_gone "$job"
  [[ "$(scontrol show job "$job" | grep -o 'JobState=[A-Z]*')" == JobState=CANCELLED ]] || fail "scancel did not cancel"
  # The scheduler has looked at its queue several times by then.
  for _ in {1..15}; do
    is_gone "$job" || fail "a cancelled job is back"
    sleep 0.2
  done
  say "cancel: passed, stays cancelled"
}

# A failing job is not requeued
test_failing() {
  name=failing
  submit "--nodes 1 --ranks-per-node 2 --time 10:00" "" "${small[@]}" --start resume
  slurm_wait 30 "the job to end" is_gone "$job"
  [[ "$(ended_with failing)" == "66 " ]] || fail "ended with $(ended_with failing)"
  say "failing: passed, code 66 once"
}

# A job that always stops is requeued a bounded number of times
test_bounded() {
  name=bounded
  "$bin" job-script slurm --nodes 1 --ranks-per-node 2 --output-dir "$work/$name" -- "${small[@]}" --time-budget 1 |
    sed 's/^PPO_REQUEUE_MAX=.*/PPO_REQUEUE_MAX=2/' >"$work/$name.sbatch"
  job="$(sbatch --parsable --output="$work/$name.log" --open-mode=append "$work/$name.sbatch")"
  slurm_wait 90 "the job to end" is_gone "$job"
  [[ "$(ended_with bounded)" == "75 75 75 " ]] || fail "ended with $(ended_with bounded)"
  say "bounded: passed, two requeues and no more"
}

# A file STOP ends the job and is no reason for a requeue
test_stopfile() {
  name=stopfile
  submit "--nodes 1 --ranks-per-node 2 --time 10:00" "" "${small[@]}"
  slurm_wait 60 "training" is_further "$name" 5000
  touch "$work/$name/STOP"
  slurm_wait 30 "the job to end" is_gone "$job"
  [[ "$(progress "$name" stop_reason)" == stop_file && "$(ended_with "$name")" == "75 " ]] || fail "the STOP file"
  [[ "$(scontrol show job "$job" | grep -o 'JobState=[A-Z]*')" == JobState=COMPLETED ]] || fail "the job did not complete"
  say "stopfile: passed, not requeued"
}

# Chain of jobs of one name
test_singleton() {
  name=singleton
  for _ in 1 2 3 4; do
    submit "--chain --nodes 1 --ranks-per-node 3 --time 10:00 --job-name one" "--dependency=singleton" "${small[@]}"
  done
  slurm_wait 120 "the chain to end" slurm_no_jobs
  reference_of small
  expect_reference "$reference"
}

# mpirun over two nodes
test_nodes() {
  name=nodes
  submit "--nodes 2 --ranks-per-node 2 --time 10:00" "" "${small[@]}"
  slurm_wait 120 "the job to end" is_gone "$job"
  reference_of small
  expect_reference "$reference"
}

# Preemption by a job of a higher partition, over two nodes: USR1, 75, requeue, and on afterwards
test_preempted() {
  name=preempted
  submit "--nodes 2 --ranks-per-node 2 --time 10:00" "--partition=low" "${small[@]}"
  slurm_wait 60 "training" is_further "$name" 5000
  high="$(sbatch --parsable --partition=high --nodes=3 --ntasks-per-node=4 --output=/dev/null --wrap 'sleep 8')"
  slurm_wait 60 "the higher job to run" is_running "$high"
  [[ "$(ended_with "$name")" == "75 " ]] || fail "preemption ended with $(ended_with "$name")"
  slurm_wait 120 "the job to end" is_gone "$job"
  reference_of small
  expect_reference "$reference"
}

# A node is lost with everything on it
test_lost() {
  name=lost
  submit "--nodes 1 --ranks-per-node 2 --time 10:00" "" "${small[@]}"
  slurm_wait 60 "training" is_further "$name" 5000
  node="$(node_of "$job")"
  mapfile -t victims < <(
    pgrep -f "^slurmd .*-N $node " || true
    pgrep -f "slurmstepd: \[$job\." || true
    for process in /proc/[0-9]*; do
      if tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -qx "SLURM_JOB_ID=$job"; then basename "$process"; fi
    done
  )
  kill -9 "${victims[@]}" 2>/dev/null || true
  say "killed ${#victims[@]} processes of $node"
  slurm_wait 90 "the job to run elsewhere" grep -qs "restart 1 of" "$work/$name.log"
  slurm_wait 120 "the job to end" is_gone "$job"
  slurm_start_node "$node"
  slurm_wait 60 "the node to come back" slurm_nodes_idle 3
  reference_of small
  expect_reference "$reference"
}

# The real time limit of a minute. Slurm looks at limits every half minute, so that the warning comes up to that much early or late.
test_limit() {
  name=limit
  submit "--nodes 1 --ranks-per-node 2 --time 1:00" "--signal=B:USR1@55" "${large[@]}"
  slurm_wait 300 "the job to end" is_gone "$job"
  [[ "$(ended_with "$name")" == 75* ]] || fail "the limit ended with $(ended_with "$name")"
  reference_of large
  expect_reference "$reference"
}

# Only slurmd of the node dies: the ranks live on while Slurm starts the job again elsewhere. The second instance waits for the lock.
test_twice() {
  name=twice
  # mpirun starts the ranks by itself, as it does where the node has its own name; else they would be a step that Slurm ends.
  submit "--nodes 1 --ranks-per-node 2 --time 10:00" "--export=ALL,OMPI_MCA_plm=isolated,OMPI_MCA_ras=^slurm" "${large[@]}"
  slurm_wait 60 "training" is_further "$name" 5000
  node="$(node_of "$job")"
  kill -9 "$(pgrep -f "^slurmd .*-N $node ")"
  slurm_wait 90 "the second instance" grep -qs "restart 1 of" "$work/$name.log"
  [[ "$(progress "$name" status)" == running ]] || fail "the first instance had ended before the second began: make the run longer"
  slurm_wait 300 "the job to end" is_gone "$job"
  # The second one has waited for the lock and found nothing left to do.
  grep -q "^\[Resume\].* step=3200000 " "$work/$name.log" || fail "two instances trained"
  slurm_start_node "$node"
  slurm_wait 60 "the node to come back" slurm_nodes_idle 3
  reference_of large
  expect_reference "$reference"
}

slurm_start "$work/slurm" 3
say "Slurm $(sinfo --version | cut -d' ' -f2) with $(sinfo -h -o %D | head -n 1) nodes"
for test in "${tests[@]}"; do "test_$test"; done
say "passed (${tests[*]})"
