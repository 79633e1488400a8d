#!/usr/bin/env bash
# Measures how long a stop takes: from USR1 to mpirun until it has ended with 75 and the last boundary is durable. The run is the built-in
# configuration; each stop hits a random moment of training, the next job resumes.
#
# Usage: scripts/measure-stops.sh [STOPS] [RANKS]        default 100 stops, 8 ranks
# Prints the distribution in seconds. Exit codes: 0 measured, 1 a stop that did not end as it should.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

stops="${1:-100}"
ranks="${2:-8}"
bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

python3 - "$bin/ppo-chunked" "$work" "$stops" "$ranks" <<'PYTHON'
import json, math, random, subprocess, sys, time, os, signal

program, work, stops, ranks = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
random.seed(7)
run = work + "/run"
command = ["mpirun", "-n", ranks, program, "train", "--total-requests", "40000000", "--chunk-size", "40000", "--output-dir", run]
times = []
while len(times) < stops:
    with open(work + "/log", "w") as log:
        job = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    # Training has begun when the log says so; the time to a resume does not count.
    deadline = time.monotonic() + 120
    while "[Train]" not in open(work + "/log").read():
        if job.poll() is not None or time.monotonic() > deadline:
            job.kill()
            sys.exit("measure-stops.sh: the job does not train:\n" + open(work + "/log").read())
        time.sleep(0.02)
    time.sleep(random.uniform(0.0, 1.5))
    begun = time.monotonic()
    job.send_signal(signal.SIGUSR1)
    code = job.wait(60)
    seconds = time.monotonic() - begun
    status = json.load(open(run + "/training_progress.json"))
    if code != 75 or status["stop_reason"] != "signal USR1" or not os.path.exists(run + "/" + status["latest_checkpoint"]):
        sys.exit(f"measure-stops.sh: stop {len(times) + 1} ended with {code}, {status['stop_reason']}")
    times.append(seconds)
times.sort()
rank = lambda share: times[math.ceil(share * len(times)) - 1]
load = open("/proc/loadavg").read().split()[0]
print(f"{len(times)} stops, {ranks} ranks, {os.cpu_count()} cores, load {load}: p50 {rank(0.5):.3f} p90 {rank(0.9):.3f} p99 {rank(0.99):.3f} max {times[-1]:.3f}")
PYTHON
