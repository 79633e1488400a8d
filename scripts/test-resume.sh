#!/usr/bin/env bash
# Kills a training run at random moments (mpirun, rank 0 or another rank, with -9; also a clean stop with USR1), restarts it with another number of
# ranks, and demands the state_sha256 and the metrics files of an undisturbed run.
#
# Usage: scripts/test-resume.sh [KILLS] [SEED] [CONFIG] [DECISIONS]
#        default 10 kills, seed from the clock (printed), configs/test.json, 60000 decisions in three chunks
# Exit codes: 0 passed, 1 a difference or a run that does not go on.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

kills="${1:-10}"
RANDOM_SEED="${2:-$(date +%s)}"
RANDOM=$((RANDOM_SEED % 32768))
config="${3:-configs/test.json}"
decisions="${4:-60000}"
bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
echo "test-resume.sh: $kills kills, seed $RANDOM_SEED, $config"

fingerprint() {
  "$bin/ppo-chunked" inspect "$1/checkpoints/latest.pt" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["state_sha256"])'
  (cd "$1/metrics" && sha256sum ./*.jsonl)
}
step_of() { "$bin/ppo-chunked" status --output-dir "$1" --json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["latest_step"])'; }

train=("$bin/ppo-chunked" train --config "$config" --set run.total_requests="$decisions" --set run.chunk_size="$(((decisions + 2) / 3))"
  --set checkpoint.interval=1024)

mpirun -n 2 "${train[@]}" --output-dir "$work/whole" >"$work/log" || { cat "$work/log"; exit 1; }
reference="$(fingerprint "$work/whole")"

output="$work/killed"
done_kills=0
attempts=0
while true; do
  ranks=$((RANDOM % 4 + 1))
  attempts=$((attempts + 1))
  if ((attempts > 20 * kills + 20)); then
    echo "test-resume.sh: no progress after $attempts attempts" >&2
    exit 1
  fi
  if ((done_kills >= kills)); then
    mpirun -n "$ranks" "${train[@]}" --output-dir "$output" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    break
  fi
  mpirun -n "$ranks" "${train[@]}" --output-dir "$output" >"$work/log" 2>&1 &
  launcher=$!
  # A random moment: somewhere between start-up and the whole run's length.
  python3 -c "import random, time; random.seed($RANDOM_SEED * 1000 + $attempts); time.sleep(random.uniform(0.5, 2.0))"
  mapfile -t members < <(pgrep -P "$launcher" || true)
  case $((RANDOM % 4)) in
    0) what="mpirun"; kill -9 "$launcher" 2>/dev/null || true ;;
    1) what="rank 0"; kill -9 "${members[0]:-$launcher}" 2>/dev/null || true ;;
    2) what="last rank"; kill -9 "$(printf '%s\n' "${members[@]:-$launcher}" | tail -n 1)" 2>/dev/null || true ;;
    3) what="USR1"; kill -USR1 "$launcher" 2>/dev/null || true ;;
  esac
  status=0
  wait "$launcher" 2>/dev/null || status=$?
  # Ranks of a killed launcher end by themselves; the run directory is free when they have.
  for member in ${members[@]+"${members[@]}"}; do
    while kill -0 "$member" 2>/dev/null; do python3 -c 'import time; time.sleep(0.05)'; done
  done
  if ((status == 0)); then
    # Finished before the kill: begin a new run, so that every kill hits a living one.
    if [[ "$(fingerprint "$output")" != "$reference" ]]; then break; fi
    rm -rf "$output"
    continue
  fi
  done_kills=$((done_kills + 1))
  echo "kill $done_kills: $what with $ranks ranks, exit $status, durable step $(step_of "$output" || echo none)"
done

found="$(fingerprint "$output")"
if [[ "$found" != "$reference" ]]; then
  echo "test-resume.sh: the killed run differs from the undisturbed one (seed $RANDOM_SEED):" >&2
  diff <(echo "$reference") <(echo "$found") >&2
  exit 1
fi
echo "test-resume.sh: passed, state $(head -n 1 <<<"$found" | cut -c1-16) after $done_kills kills"
