#!/usr/bin/env bash
# What ends a job besides its own end, with real processes: TERM, CONT and KILL to mpirun and to ranks, a second signal, ranks that do not belong
# together. No rank may stay, nothing of ours may stay in shared memory, and every run must go on to the end of an undisturbed one.
#
# Usage: scripts/test-signals.sh [TERMS]        default 4 stops by TERM
# Exit codes: 0 passed, 1 something else happened.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

terms="${1:-4}"
bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)/ppo-chunked"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
train=("$bin" train --config configs/test.json --total-requests 400000 --chunk-size 40000 --set checkpoint.interval=2048)

say() { printf 'test-signals.sh: %s\n' "$*"; }
fail() {
  say "FAILED: $*" >&2
  tail -n 20 "$work/log" >&2
  exit 1
}
progress() {
  "$bin" status --output-dir "$1" --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2" 2>/dev/null || echo 0
}
fingerprint() {
  progress "$1" latest_sha256
  (cd "$1/metrics" && sha256sum ./*.jsonl)
}
await() {
  local deadline=$((SECONDS + 60))
  until "$@"; do
    if ((SECONDS > deadline)); then fail "waited 60 s for: $*"; fi
    sleep 0.02
  done
}
is_further() { (($(progress "$1" latest_step) > $2)); }
is_gone() { ! kill -0 "$@" 2>/dev/null; }
# Starts a job in the background on run $1 with $2 ranks; sets $launcher, and $members once there are as many.
start() {
  mpirun -n "$2" "${train[@]}" --output-dir "$1" >"$work/log" 2>&1 &
  launcher=$!
  await has_members "$2"
}
has_members() {
  mapfile -t members < <(pgrep -P "$launcher" || true)
  ((${#members[@]} == $1))
}
# Waits for the job's end; sets $status. All ranks must be gone with it.
finish() {
  status=0
  wait "$launcher" 2>/dev/null || status=$?
  local member
  for member in "${members[@]}"; do await is_gone "$member"; done
}
# Shared memory files of the job that has just ended: their names hold the host and the job, ours come and go within this script.
no_litter() {
  local now
  now="$(find /dev/shm -newer "$work/begin" -name '*_segment*' -user "$(id -u)" | sort)"
  local file
  for file in $now; do
    # Jobs of others run on this machine too: a file that a living process has open or mapped is not litter.
    if ! grep -qs "$file" /proc/[0-9]*/maps; then fail "$1 left $file"; fi
  done
}
touch "$work/begin"

mpirun -n 2 "${train[@]}" --output-dir "$work/whole" >"$work/log" 2>&1 || fail "the undisturbed run"
reference="$(fingerprint "$work/whole")"
run="$work/run"

# ---- TERM to mpirun: whether or not the save gets through within the second that ranks have, the end is the same
for ((i = 1; i <= terms; i++)); do
  before="$(progress "$run" latest_step)"
  start "$run" $((i % 3 + 2))
  await is_further "$run" "$before"
  kill -TERM "$launcher"
  finish
  if ((status == 0)); then fail "TERM: mpirun ended with 0"; fi
  say "TERM $i: mpirun ended with $status, $(progress "$run" stop_reason), durable step $(progress "$run" latest_step)"
done
no_litter "TERM"

# ---- One rank dies: everything ends
before="$(progress "$run" latest_step)"
start "$run" 4
await is_further "$run" "$before"
kill -9 "${members[2]}"
begun=$SECONDS
finish
if ((status == 0)); then fail "a dead rank: mpirun ended with 0"; fi
if ((SECONDS - begun > 15)); then fail "a dead rank: the others took $((SECONDS - begun)) s to end"; fi
no_litter "a dead rank"
say "a dead rank: mpirun ended with $status within $((SECONDS - begun)) s"

# ---- mpirun is killed: the ranks vanish
before="$(progress "$run" latest_step)"
start "$run" 3
await is_further "$run" "$before"
kill -9 "$launcher"
finish
no_litter "a dead mpirun"
say "a dead mpirun: all ranks gone, status $status"

# ---- The run goes on to the same end, and a second code for a stop is passed on
mpirun -n 2 "${train[@]}" --output-dir "$run" --max-chunks 1 --requeue-exit-code 99 >"$work/log" 2>&1 && fail "--max-chunks ended with 0"
status=0
mpirun -n 2 "${train[@]}" --output-dir "$work/other" --max-chunks 1 --requeue-exit-code 99 >"$work/log" 2>&1 || status=$?
if ((status != 99)); then fail "--requeue-exit-code 99 ended with $status"; fi
mpirun -n 3 "${train[@]}" --output-dir "$run" >"$work/log" 2>&1 || fail "the run does not go on"
[[ "$(fingerprint "$run")" == "$reference" ]] || fail "the run differs from the undisturbed one"
say "after all of this: state $(progress "$run" latest_sha256 | cut -c1-16), as undisturbed"

# ---- CONT saves early. Nothing else is due for a long time.
lazy=("$bin" train --config configs/test.json --total-requests 4000000 --chunk-size 4000000 --set checkpoint.interval=4000000)
mpirun -n 2 "${lazy[@]}" --output-dir "$work/lazy" >"$work/log" 2>&1 &
launcher=$!
await grep -qs '\[Train\]' "$work/log"
[[ "$(progress "$work/lazy" latest_step)" == 0 ]] || fail "a save that was not due"
kill -CONT "$launcher"
await is_further "$work/lazy" 0
kill -USR1 "$launcher"
status=0
wait "$launcher" || status=$?
if ((status != 75)); then fail "CONT, then USR1 ended with $status"; fi
say "CONT: saved early"

# ---- A second stop signal ends the process at once: both are pending while it is stopped
"${lazy[@]}" --output-dir "$work/lazy" >"$work/log" 2>&1 &
launcher=$!
await grep -qs '\[Resume\]' "$work/log"
kill -STOP "$launcher"
kill -USR1 "$launcher"
kill -TERM "$launcher"
kill -CONT "$launcher"
status=0
wait "$launcher" || status=$?
if ((status != 138 && status != 143)); then fail "a second signal ended with $status"; fi
say "second signal: ended with $status"

# ---- Ranks that do not belong together
status=0
mpirun -n 1 "${train[@]}" --output-dir "$work/a" : -n 1 "${train[@]}" --output-dir "$work/b" >"$work/log" 2>&1 || status=$?
if ((status != 78)) || ! grep -q "different options" "$work/log"; then fail "ranks with different options ended with $status"; fi
cp "$bin" "$work/ppo-chunked"
printf 'x' >>"$work/ppo-chunked"
status=0
mpirun -n 1 "$bin" train --output-dir "$work/a" : -n 1 "$work/ppo-chunked" train --output-dir "$work/a" >"$work/log" 2>&1 || status=$?
if ((status != 78)) || ! grep -q "different programs" "$work/log"; then fail "ranks of different builds ended with $status"; fi
[[ ! -e "$work/a" && ! -e "$work/b" ]] || fail "a run began"
say "ranks that differ: 78 with both sides named"

# ---- Only rank 0 touches the run directory
cat >"$work/traced" <<'SCRIPT'
#!/usr/bin/env bash
exec strace --follow-forks --trace=%file --output="$TRACE.$OMPI_COMM_WORLD_RANK" "$@"
SCRIPT
chmod +x "$work/traced"
traced=("$work/traced" "$bin" train --config configs/test.json --output-dir "$work/touched")
status=0
TRACE="$work/trace" mpirun -n 3 "${traced[@]}" --max-chunks 1 >"$work/log" 2>&1 || status=$?
if ((status != 75)); then fail "the traced run ended with $status"; fi
TRACE="$work/again" mpirun -n 3 "${traced[@]}" --resume "$work/touched/checkpoints/latest.pt" >"$work/log" 2>&1 || fail "the traced run, resumed"
for rank in 0 1 2; do cat "$work/again.$rank" >>"$work/trace.$rank"; done
counts=()
for rank in 0 1 2; do counts+=("$(grep -c "$work/touched" "$work/trace.$rank" || true)"); done
# Each start of a rank names the directory once, in its arguments.
if ((counts[0] < 20 || counts[1] > 2 || counts[2] > 2)); then fail "file operations of the ranks below the run directory: ${counts[*]}"; fi
if grep -v execve "$work/trace.1" "$work/trace.2" | grep -q "$work/touched"; then fail "ranks 1 and 2 touched the run directory"; fi
say "file operations below the run directory: rank 0 ${counts[0]}, others 0"

say "passed"
