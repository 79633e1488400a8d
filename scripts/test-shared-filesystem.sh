#!/usr/bin/env bash
# Two jobs on one run directory over a real shared file system with two mounts (glusterfs over FUSE), each mount with a host name of its own: a live
# owner is respected, a silent one is taken over after the lease, a paused one wakes up and does no harm; the end is that of an undisturbed run.
#
# Usage: scripts/test-shared-filesystem.sh     as root, with glusterfs-server, glusterfs-client and fuse3 (apt-get); expects a release build
# Exit codes: 0 passed, 1 a check failed, 77 nothing could be mounted here.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)"
work="$(mktemp -d)"
daemon=""
owner=""
cleanup() {
  if [[ -n "$owner" ]]; then kill -KILL "$owner" 2>/dev/null || true; fi
  for mount in a b; do if mountpoint -q "$work/$mount"; then umount -l "$work/$mount"; fi; done
  gluster --mode=script volume stop ppochunked force >/dev/null 2>&1 || true
  gluster --mode=script volume delete ppochunked >/dev/null 2>&1 || true
  if [[ -n "$daemon" ]]; then kill "$daemon" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
skip() {
  echo "test-shared-filesystem.sh: SKIPPED: $1" >&2
  exit 77
}
fail() {
  echo "test-shared-filesystem.sh: $1" >&2
  tail -n 20 "$work"/*.log >&2 || true
  exit 1
}
pause() { read -r -t "$1" <> <(:) || true; }
SECONDS=0

command -v glusterd >/dev/null || skip "no glusterd (apt-get install glusterfs-server glusterfs-client fuse3)"
mkdir -p "$work/brick" "$work/a" "$work/b"
glusterd --no-daemon --log-file "$work/glusterd.log" &
daemon=$!
for _ in $(seq 100); do if gluster --mode=script pool list >/dev/null 2>&1; then break; fi; pause 0.2; done
# The bricks' folder is on the system's disk, hence force.
gluster --mode=script volume create ppochunked "$(hostname):$work/brick" force >"$work/volume.log" 2>&1 || skip "volume create: $(cat "$work/volume.log")"
gluster --mode=script volume start ppochunked >"$work/volume.log" 2>&1 || skip "volume start: $(cat "$work/volume.log")"
for mount in a b; do
  glusterfs --volfile-server="$(hostname)" --volfile-id=ppochunked --log-file="$work/mount-$mount.log" "$work/$mount" || skip "mount: $(tail -n 3 "$work/mount-$mount.log")"
done
echo "shared" >"$work/a/probe"
for _ in $(seq 50); do if [[ -f "$work/b/probe" ]]; then break; fi; pause 0.1; done
[[ "$(cat "$work/b/probe")" == shared ]] || skip "the second mount does not show what the first wrote"
echo "glusterfs: two mounts of one volume after $SECONDS s"

# Runs a command as on the host "node-$1".
on() {
  local host="node-$1"
  shift
  unshare --uts sh -c 'hostname "$0" && exec "$@"' "$host" "$@"
}
state() { "$bin/ppo-chunked" inspect "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["state_sha256"])'; }
metrics() { (cd "$1/metrics" && sha256sum ./*.jsonl); }
train=("$bin/ppo-chunked" train --config configs/test.json --set run.total_requests=60000 --set run.chunk_size=20000 --lock-lease 10)

"${train[@]}" --output-dir "$work/whole" >"$work/whole.log" 2>&1
# A process of its own, not a shell around it: it is stopped below.
(exec unshare --uts sh -c 'hostname "$0" && exec "$@"' node-a "${train[@]}" --output-dir "$work/a/run") >"$work/owner.log" 2>&1 &
owner=$!
for _ in $(seq 200); do if grep -q "saved.*step=[1-9]" "$work/owner.log"; then break; fi; pause 0.1; done
status=0
on b "${train[@]}" --output-dir "$work/b/run" >"$work/second.log" 2>&1 || status=$?
[[ "$status" == 73 ]] || fail "a second job on the other mount ended with $status instead of 73"
grep -q "on host node-a" "$work/second.log" || fail "the owner is not named"
echo "live owner on the other mount: 73, $(grep -o 'held by.*' "$work/second.log")"

# Paused in the middle of its work, overtaken, and woken when the successor is at work.
kill -STOP "$owner"
# A view of the other mount may be a second old; an advance of the counter that is seen late would still mean a live owner.
pause 3
begin=$SECONDS
status=0
on b "${train[@]}" --output-dir "$work/b/run" --max-chunks 1 >"$work/successor.log" 2>&1 || status=$?
[[ "$status" == 75 ]] || fail "the successor ended with $status"
echo "silent owner on the other mount: taken over, one chunk done after $((SECONDS - begin)) s"
kill -CONT "$owner"
status=0
wait "$owner" || status=$?
owner=""
[[ "$status" == 73 ]] || fail "the paused owner ended with $status instead of 73"
echo "paused owner: woke up and ended with 73"
on a "${train[@]}" --output-dir "$work/a/run" >"$work/last.log" 2>&1 || fail "the last job ended with $?"
[[ "$(state "$work/b/run")" == "$(state "$work/whole")" ]] || fail "the state differs from an undisturbed run"
[[ "$(metrics "$work/b/run")" == "$(metrics "$work/whole")" ]] || fail "the metrics differ from an undisturbed run"
"$bin/ppo-chunked" inspect "$work/b/run" >/dev/null
# Saves on this file system, for the record.
python3 - "$work/a/run/logs/timing.jsonl" <<'PYTHON'
import json, sys
saves = [json.loads(line) for line in open(sys.argv[1])]
saves = sorted(line["seconds"] for line in saves if line["what"] == "save")
print(f"{len(saves)} saves on the shared file system: median {saves[len(saves) // 2] * 1000:.0f} ms, longest {saves[-1] * 1000:.0f} ms")
PYTHON
echo "test-shared-filesystem.sh: passed in $SECONDS s"
