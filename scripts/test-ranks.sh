#!/usr/bin/env bash
# The communicator's contract under a real mpirun with 1 to 4 ranks, and one training run with 1, 2, 3, 4, 5, 7 and 8 ranks that must end with the same state.
#
# Usage: scripts/test-ranks.sh        (expects a release build: scripts/test.sh, or swift build -c release)
# Exit codes: 0 passed, 1 a difference, otherwise the failing program's.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

for ranks in 1 2 3 4; do
  mpirun -n "$ranks" "$bin/ppo-ranks-check"
done

# state_sha256 and the metrics files: both must not depend on the number of ranks.
fingerprint() {
  "$bin/ppo-chunked" inspect "$1/checkpoints/latest.pt" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["state_sha256"])'
  (cd "$1/metrics" && sha256sum ./*.jsonl)
}

for environment in routing cartpole features warmstart; do
  # The last two: the routing task with everything switched on that is off by default.
  choice=(--config configs/test.json --environment "$environment")
  case "$environment" in features | warmstart) choice=(--config "configs/test-$environment.json") ;; esac
  reference=""
  for ranks in 1 2 3 4 5 7 8; do
    output="$work/$environment-$ranks"
    mpirun -n "$ranks" "$bin/ppo-chunked" train "${choice[@]}" --output-dir "$output" >"$work/log" || {
      cat "$work/log"
      exit 1
    }
    found="$(fingerprint "$output")"
    if [[ -z "$reference" ]]; then reference="$found"; fi
    if [[ "$found" != "$reference" ]]; then
      echo "test-ranks.sh: $environment with $ranks ranks differs from 1 rank:" >&2
      diff <(echo "$reference") <(echo "$found") >&2
      exit 1
    fi
    echo "$environment, $ranks ranks: state $(head -n 1 <<<"$found" | cut -c1-16)"
  done
done

# More ranks than environments: a clear refusal with code 64 (mpirun passes it on).
status=0
mpirun -n 9 "$bin/ppo-chunked" train --config configs/test.json --output-dir "$work/many" >"$work/log" 2>&1 || status=$?
if [[ "$status" != 64 ]] || ! grep -q "9 ranks" "$work/log"; then
  echo "test-ranks.sh: 9 ranks for 8 environments ended with $status instead of 64" >&2
  cat "$work/log" >&2
  exit 1
fi
echo "test-ranks.sh: passed"
