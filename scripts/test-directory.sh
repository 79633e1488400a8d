#!/usr/bin/env bash
# What a run directory goes through in earnest: a full disk and a used-up quota, a second job, a dead owner, an owner on another host, a batch system's
# patience, clocks that jump, a finished run started again.
#
# Usage: scripts/test-directory.sh        (expects a release build; strace and unshare; the full disk needs root for a mount and is skipped without)
# Exit codes: 0 passed, 1 a check failed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)"
work="$(mktemp -d)"
owner=""
cleanup() {
  if [[ -n "$owner" ]]; then kill -KILL "$owner" 2>/dev/null || true; fi
  if mountpoint -q "$work/small"; then umount "$work/small"; fi
  rm -rf "$work"
}
trap cleanup EXIT
SECONDS=0

fail() {
  echo "test-directory.sh: $1" >&2
  if [[ -f "$work/log" ]]; then tail -n 20 "$work/log" >&2; fi
  exit 1
}
# Runs a command, its output to $work/log, and demands an exit code.
expect() {
  local code="$1" status=0
  shift
  "$@" >"$work/log" 2>&1 || status=$?
  [[ "$status" == "$code" ]] || fail "ended with $status instead of $code: $*"
}
said() { grep -q -- "$1" "$work/log" || fail "did not say: $1"; }
state() { "$bin/ppo-chunked" inspect "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["state_sha256"])'; }
elsewhere() { unshare --uts sh -c 'hostname elsewhere && exec "$@"' sh "$@"; }
wait_for() { for _ in $(seq 600); do if eval "$1" 2>/dev/null; then return; fi; read -r -t 0.05 <> <(:) || true; done; fail "never came: $1"; }

train=("$bin/ppo-chunked" train --config configs/test.json --set run.total_requests=6000 --set run.chunk_size=2000)
expect 0 "${train[@]}" --output-dir "$work/whole"
reference="$(state "$work/whole")"

# A finished run started again writes nothing: names, contents, times and links of the whole tree stay.
tree() { (cd "$1" && find . -printf '%p %y %s %T@ %l %i\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum); }
tree "$work/whole" >"$work/before"
expect 0 "${train[@]}" --output-dir "$work/whole"
said "^\[Finished\]"
expect 0 "${train[@]}" --output-dir "$work/whole" --dry-run
tree "$work/whole" | cmp - "$work/before" || fail "a finished run was changed by a start"
echo "finished run: started again, nothing written"

# Other times of files, all equal or in reverse order, change no choice; and neither do clocks a day ahead or behind.
expect 75 "${train[@]}" --output-dir "$work/times" --max-chunks 1
find "$work/times/checkpoints" -type f | sort -r | while read -r file; do touch -d "2020-01-$((RANDOM % 9 + 10))" "$file"; done
expect 75 "${train[@]}" --output-dir "$work/times" --max-chunks 1
said "step=2000 "
find "$work/times" -exec touch -h -d 2031-01-01 {} +
if command -v faketime >/dev/null; then
  # The clock of the day jumps; the monotonic one does not on a real machine either.
  expect 0 env FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f "-400d" "${train[@]}" --output-dir "$work/times"
else
  expect 0 "${train[@]}" --output-dir "$work/times"
fi
[[ "$(state "$work/times")" == "$reference" ]] || fail "times of files or clocks changed the result"
echo "times of files and clocks: no choice changed"

# One owner that goes on until it is told otherwise.
long=("$bin/ppo-chunked" train --config configs/test.json --set run.total_requests=100000000 --set run.chunk_size=50000 --output-dir "$work/held")
SLURM_JOB_ID=4711 "${long[@]}" >"$work/owner.log" 2>&1 &
owner=$!
wait_for 'grep -q "^\[Train\]" "$work/owner.log"'
begin="$(date +%s%N)"
expect 73 "${long[@]}"
milliseconds=$((($(date +%s%N) - begin) / 1000000))
said "pid $owner on host $(hostname), job slurm_4711"
((milliseconds < 2000)) || fail "a second job took $milliseconds ms to be refused"
echo "second job on this host: 73 after $milliseconds ms, owner named"
expect 75 env SLURM_JOB_ID=4712 "${long[@]}" --lock-wait 2
said "requeue"
echo "batch system: 75 after --lock-wait"
hosts=1
if ! unshare --uts true 2>/dev/null; then
  hosts=0
  echo "test-directory.sh: SKIPPED what needs another host name: no right to unshare" >&2
fi
if ((hosts)); then
  expect 73 elsewhere "${long[@]}" --lock-lease 10
  said "pid $owner on host $(hostname)"
  echo "another host: 73 while the counter advances"
fi
kill -KILL "$owner"
wait "$owner" 2>/dev/null || true
begin="$(date +%s%N)"
expect 75 "${long[@]}" --max-chunks 1
echo "dead owner: taken over at once, one chunk later $((($(date +%s%N) - begin) / 1000000)) ms"
"${long[@]}" >"$work/owner.log" 2>&1 &
owner=$!
wait_for 'grep -q "^\[Train\]" "$work/owner.log"'
kill -KILL "$owner"
wait "$owner" 2>/dev/null || true
owner=""
if ((hosts)); then
  begin="$(date +%s)"
  expect 75 elsewhere "${long[@]}" --max-chunks 1 --lock-lease 5
  waited=$(($(date +%s) - begin))
  ((waited >= 5)) || fail "another host took over after $waited s, the lease is 5 s"
  echo "silent owner on another host: taken over after the lease, one chunk later $waited s"
fi

# A quota: every write of a checkpoint is refused for a while.
if strace -o /dev/null -e inject=unlink:error=EIO:when=1 true 2>/dev/null; then
  expect 0 strace -f -o /dev/null -e inject=link:error=EDQUOT:when=2..4 "${train[@]}" --output-dir "$work/quota"
  said "EDQUOT (disk quota exceeded)"
  [[ "$(state "$work/quota")" == "$reference" ]] || fail "a quota changed the result"
  echo "quota: $(grep -c '^\[Warning\] checkpoint' "$work/log") saves refused, same result"
fi

# A full disk: something else fills it while the run trains; room comes back later.
mkdir "$work/small"
if mount -t tmpfs -o size=3m tmpfs "$work/small" 2>/dev/null; then
  "${train[@]}" --set run.total_requests=60000 --set run.chunk_size=30000 --output-dir "$work/large" >"$work/log" 2>&1
  "${train[@]}" --set run.total_requests=60000 --set run.chunk_size=30000 --output-dir "$work/small/run" >"$work/full.log" 2>&1 &
  owner=$!
  wait_for 'grep -q "saved.*step=1[0-9][0-9][0-9] " "$work/full.log"'
  dd if=/dev/zero of="$work/small/ballast" bs=4k 2>/dev/null || true
  wait_for 'grep -q "^\[Warning\] checkpoint of .* bytes at step .*ENOSPC" "$work/full.log"'
  kill -0 "$owner" || fail "a full disk ended the job"
  rm "$work/small/ballast"
  wait "$owner" || fail "the job on the full disk ended with $?: $(tail -n 3 "$work/full.log")"
  owner=""
  [[ "$(state "$work/small/run")" == "$(state "$work/large")" ]] || fail "a full disk changed the result"
  grep "^\[Warning\] checkpoint" "$work/full.log" | head -n 1
  # And when no room comes back: 74 at the chunk's end.
  cp -a "$work/small/run" "$work/copy"
  rm -rf "$work/small/run"
  "${train[@]}" --set checkpoint.retry_seconds=1 --output-dir "$work/small/run" >"$work/full.log" 2>&1 &
  owner=$!
  wait_for 'grep -q "saved.*step=0 " "$work/full.log"'
  dd if=/dev/zero of="$work/small/ballast" bs=4k 2>/dev/null || true
  status=0
  wait "$owner" || status=$?
  owner=""
  [[ "$status" == 74 ]] || fail "a chunk's end on a full disk ended with $status: $(tail -n 3 "$work/full.log")"
  rm "$work/small/ballast"
  expect 0 "${train[@]}" --output-dir "$work/small/run"
  [[ "$(state "$work/small/run")" == "$reference" ]] || fail "the result after exit 74 differs"
  echo "full disk: training went on, saved when there was room; chunk's end without room: 74; same results"
else
  echo "test-directory.sh: SKIPPED the full disk: no right to mount" >&2
fi
echo "test-directory.sh: passed in $SECONDS s"
