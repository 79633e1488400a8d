#!/usr/bin/env bash
# Damages files that a run wrote, in one process: every bit and every length of a small checkpoint and of a progress file, and random damage of a
# checkpoint and a progress file of the default configuration; then fuzzes the pickle reader. All damage must be detected.
#
# Usage: scripts/test-damage.sh [CASES] [FUZZ_CASES]      (default: 100000 1000000; about five minutes on two cores)
# Prints the rows of the table in docs/testing.md. Needs a release build with tests (scripts/test.sh makes one).
# Exit codes: 0 all detected, 1 something was not, 64 usage.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

cases="${1:-100000}"
fuzz="${2:-1000000}"
for number in "$cases" "$fuzz"; do
  if ! [[ "$number" =~ ^[1-9][0-9]*$ ]]; then
    echo "test-damage.sh: \"$number\" is no number of cases" >&2
    exit 64
  fi
done

work="$(mktemp --directory)"
trap 'rm --recursive --force "$work"' EXIT
# Long enough that moments, statistics and actions are not zero.
.build/release/ppo-chunked train --output-dir "$work/run" --total-requests 6000 --chunk-size 3000 > /dev/null
PPO_CHUNKED_DAMAGE_CASES="$cases" PPO_CHUNKED_DAMAGE_RUN="$work/run" PPO_CHUNKED_FUZZ_CASES="$fuzz" \
  swift test --configuration release "${swift_flags[@]}" --skip-build -Xswiftc -enable-testing --filter 'DamageSweepTests|PickleFuzzTests' \
  2>&1 | tee "$work/log" | grep --extended-regexp '^\||^damage|^fuzz|recorded an issue|Test run with' || true
grep --quiet 'Test run with .* passed' "$work/log" || exit 1
echo "test-damage.sh: passed, all damage was detected"
