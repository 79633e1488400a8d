# shellcheck shell=bash
# Sourced by test-slurm.sh: a real Slurm of several virtual nodes on this machine, started from files below one folder, without systemd, munge
# or accounting. Needs slurmctld, slurmd and the client commands.
#
# Virtual nodes share the host name, so Open MPI's shared memory would mix them up; jobs over several nodes must use TCP.

# Starts the controller and the nodes; sets SLURM_CONF. $1: an empty folder, $2: number of nodes.
slurm_start() {
  local folder="$1" nodes="$2" host
  host="$(hostname)"
  slurm_folder="$folder"
  mkdir -p "$folder/state" "$folder/log"
  # Ports of this process, so that several clusters can run side by side.
  local base=$((20000 + $$ % 20000))
  cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$base
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TmpFS=$folder/tmp-%n
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=2,sched_min_interval=200000,batch_sched_delay=0
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
KillWait=10
ReturnToService=2
SlurmdTimeout=10
CONF
  local i
  for ((i = 1; i <= nodes; i++)); do
    echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((base + i)) CPUs=4 State=UNKNOWN" >>"$folder/slurm.conf"
  done
  {
    echo "PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE GraceTime=20 State=UP"
    echo "PartitionName=high Nodes=ALL MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF State=UP"
  } >>"$folder/slurm.conf"
  export SLURM_CONF="$folder/slurm.conf"
  slurmctld -D -c -f "$SLURM_CONF" >"$folder/log/slurmctld.out" 2>&1 &
  slurm_pids=("$!")
  for ((i = 1; i <= nodes; i++)); do slurm_start_node "n$i"; done
  slurm_wait 30 "all nodes idle" slurm_nodes_idle "$nodes"
}

# Starts the daemon of one node.
slurm_start_node() {
  mkdir -p "$slurm_folder/spool-$1" "$slurm_folder/tmp-$1"
  slurmd -D -N "$1" -f "$SLURM_CONF" >"$slurm_folder/log/$1.out" 2>&1 &
  slurm_pids+=("$!")
}

slurm_nodes_idle() { [[ "$(sinfo -h -N -p low -o %t 2>/dev/null | grep -c '^idle$')" == "$1" ]]; }

# Waits until a command succeeds. $1: seconds, $2: what is waited for, then the command.
slurm_wait() {
  local seconds="$1" what="$2" deadline=$((SECONDS + $1))
  shift 2
  until "$@"; do
    if ((SECONDS > deadline)); then
      echo "waited $seconds s for: $what" >&2
      squeue >&2 || true
      return 1
    fi
    sleep 0.2
  done
}

# Ends all jobs and daemons that slurm_start started.
slurm_stop() {
  if [[ -z "${slurm_pids[*]:-}" ]]; then return; fi
  scancel --user "$(id -un)" >/dev/null 2>&1 || true
  slurm_wait 20 "no jobs" slurm_no_jobs 2>/dev/null || true
  local pid
  for pid in "${slurm_pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${slurm_pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  # Step daemons have their own life; those of this cluster have its folder in their command or files.
  for pid in $(pgrep slurmstepd || true); do
    if readlink "/proc/$pid/cwd" 2>/dev/null | grep -q "^$slurm_folder"; then kill -9 "$pid" 2>/dev/null || true; fi
  done
}

slurm_no_jobs() { [[ -z "$(squeue -h 2>/dev/null)" ]]; }
