#!/usr/bin/env bash
# Trains over several hosts made of network namespaces: each with its own host name, /etc/hosts, shared memory and cable to a common switch. Launches by
# nsenter instead of ssh. A host crashes, a cable is pulled and healed, a cable is pulled for good; every run ends as an undisturbed one.
#
# Usage: scripts/test-hosts.sh [short|full]        as root; short (default): two hosts and a crash; full: everything, five minutes
# Exit codes: 0 passed, 1 something else happened, 77 no namespaces to be had here.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

form="${1:-short}"
command -v ip >/dev/null || scripts/install-dependencies.sh hosts
bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)/ppo-chunked"
work="$(mktemp -d)"
prefix="p$$"
switch="$prefix-s"
holders=()

say() { printf 'test-hosts.sh: %s\n' "$*"; }
fail() {
  say "FAILED: $*" >&2
  tail -n 30 "$work/log" >&2 || true
  exit 1
}
clean() {
  local i pid
  for i in 1 2 3 4; do
    for pid in $(ip netns pids "$prefix-$i" 2>/dev/null || true); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns delete "$prefix-$i" 2>/dev/null || true
  done
  ip netns delete "$switch" 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT

# ---- Four hosts and a switch
if ! ip netns add "$switch" 2>/dev/null || ! unshare --uts --mount true 2>/dev/null; then
  say "no network namespaces here (root and CAP_SYS_ADMIN are needed)"
  exit 77
fi
ip -n "$switch" link add br0 type bridge
ip -n "$switch" link set br0 up
for i in 1 2 3 4; do echo "10.77.0.$i $prefix-h$i"; done >"$work/hosts"
echo "127.0.0.1 localhost" >>"$work/hosts"
cat >"$work/host" <<'SCRIPT'
#!/usr/bin/env bash
# The life of a host: its own name, hosts file and shared memory.
set -euo pipefail
hostname "$1"
mount --bind "$2/hosts" /etc/hosts
mount -t tmpfs tmpfs /dev/shm
: >"$2/$1.up"
exec sleep infinity
SCRIPT
cat >"$work/on" <<SCRIPT
#!/usr/bin/env bash
# Runs a command on a host: what mpirun uses for ssh.
host="\$1"
shift
exec nsenter --target "\$(cat "$work/\$host.pid")" --net --uts --mount --wd=/ -- /bin/bash -c "\$*"
SCRIPT
chmod +x "$work/host" "$work/on"
boot() {
  local i="$1" name="$prefix-h$1"
  ip netns add "$prefix-$i"
  ip link add "v$i" netns "$switch" type veth peer name eth0 netns "$prefix-$i"
  ip -n "$switch" link set "v$i" master br0 up
  ip -n "$prefix-$i" address add "10.77.0.$i/24" dev eth0
  ip -n "$prefix-$i" link set eth0 up
  ip -n "$prefix-$i" link set lo up
  rm -f "$work/$name.up"
  nsenter --net="/run/netns/$prefix-$i" unshare --uts --mount --propagation private "$work/host" "$name" "$work" &
  holders[i]=$!
  # Its death is no news.
  disown "${holders[i]}"
  echo "${holders[i]}" >"$work/$name.pid"
  await test -e "$work/$name.up"
}
crash() {
  local pid
  for pid in $(ip netns pids "$prefix-$1"); do kill -9 "$pid" 2>/dev/null || true; done
  ip netns delete "$prefix-$1"
}
await() {
  local deadline=$((SECONDS + 90))
  until "$@"; do
    if ((SECONDS > deadline)); then fail "waited 90 s for: $*"; fi
    sleep 0.05
  done
}
progress() {
  "$bin" status --output-dir "$1" --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2" 2>/dev/null || echo 0
}
is_further() { (($(progress "$1" latest_step) > $2)); }
fingerprint() {
  progress "$1" latest_sha256
  (cd "$1/metrics" && sha256sum ./*.jsonl)
}
for i in 1 2 3 4; do boot "$i"; done

train=("$bin" train --config "$project_root/configs/test.json" --set checkpoint.interval=2048 --lock-lease 5)
small=(--total-requests 60000 --chunk-size 20000)
large=(--total-requests 480000 --chunk-size 120000)
# The options of the batch scripts, and how these hosts are reached.
# shellcheck disable=SC2054 # commas within words
mca=(--mca oob_tcp_keepalive_time 5 --mca oob_tcp_keepalive_intvl 2 --mca oob_tcp_keepalive_probes 3
  --mca plm rsh --mca plm_rsh_agent "$work/on" --mca plm_rsh_no_tree_spawn 1
  --mca btl tcp,vader,self --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0)
# Starts a job in the background: $1 run, $2 host to start on, $3 hosts with slots; sets $launcher.
start() {
  local run="$1" from="$2" hosts="$3" list=""
  shift 3
  local entry
  for entry in $hosts; do list+="${list:+,}$prefix-h${entry%:*}:${entry#*:}"; done
  # nsenter becomes mpirun: the same process.
  nsenter --target "${holders[$from]}" --net --uts --mount --wd=/ -- \
    mpirun "${mca[@]}" --host "$list" "${train[@]}" "$@" --output-dir "$run" >"$work/log" 2>&1 &
  launcher=$!
}
finish() {
  status=0
  wait "$launcher" || status=$?
}
expect_end() {
  finish
  ((status == 0)) || fail "the run ended with $status"
  [[ "$(fingerprint "$1")" == "$2" ]] || fail "$1 differs from the undisturbed run"
}

"${train[@]}" "${small[@]}" --output-dir "$work/small" >"$work/log" 2>&1 || fail "the undisturbed run"
reference="$(fingerprint "$work/small")"

start "$work/two" 1 "1:2 2:2" "${small[@]}"
expect_end "$work/two" "$reference"
say "2 hosts: passed, state $(progress "$work/two" latest_sha256 | cut -c1-16)"

# ---- A host crashes: the job ends by itself; the rest goes on with another number of ranks
start "$work/crash" 1 "1:1 2:2" "${small[@]}"
await is_further "$work/crash" 3000
begun=$SECONDS
crash 2
finish
((status != 0)) || fail "a crash: mpirun ended with 0"
((SECONDS - begun <= 15)) || fail "a crash: mpirun ended after $((SECONDS - begun)) s"
say "crash of a host: mpirun ended with $status after $((SECONDS - begun)) s at durable step $(progress "$work/crash" latest_step)"
start "$work/crash" 3 "3:2 4:1" "${small[@]}"
expect_end "$work/crash" "$reference"
say "crash of a host: passed"

if [[ "$form" == short ]]; then
  say "passed (short)"
  exit 0
fi
boot 2

start "$work/four" 1 "1:2 2:2 3:2 4:2" "${small[@]}"
expect_end "$work/four" "$reference"
say "4 hosts: passed"

# ---- The host of rank 0 and mpirun crashes: another host takes the lock over
start "$work/root" 1 "1:2 2:1" "${small[@]}"
await is_further "$work/root" 3000
crash 1
finish
begun=$SECONDS
start "$work/root" 3 "3:2 4:1" "${small[@]}"
expect_end "$work/root" "$reference"
say "crash of rank 0's host: passed, $((SECONDS - begun)) s from the new start to the end"
boot 1

"${train[@]}" "${large[@]}" --output-dir "$work/large" >"$work/log" 2>&1 || fail "the undisturbed run"
reference="$(fingerprint "$work/large")"

# ---- A cable is out for five seconds: nothing happens
start "$work/healed" 1 "1:1 2:2" "${large[@]}"
await is_further "$work/healed" 3000
ip -n "$switch" link set v2 down
sleep 5
ip -n "$switch" link set v2 up
expect_end "$work/healed" "$reference"
[[ "$(progress "$work/healed" attempts)" == 1 ]] || fail "the job did not survive"
say "cable out for 5 s: passed in one job"

# ---- A cable is pulled for good: mpirun notices, no rank stays, the rest goes on
start "$work/cable" 1 "1:1 2:2" "${large[@]}"
await is_further "$work/cable" 3000
begun=$SECONDS
ip -n "$switch" link set v2 down
finish
((status != 0)) || fail "a cable: mpirun ended with 0"
noticed=$((SECONDS - begun))
((noticed <= 17)) || fail "a cable: mpirun ended after $noticed s"
only_holder() { (($(ip netns pids "$prefix-2" | wc -l) <= 1)); }
await only_holder
say "cable pulled: mpirun ended with $status after $noticed s, the cut off ranks after $((SECONDS - begun)) s"
start "$work/cable" 3 "3:1 4:1" "${large[@]}"
expect_end "$work/cable" "$reference"
say "cable pulled: passed"
say "passed (full)"
