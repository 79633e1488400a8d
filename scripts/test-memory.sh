#!/usr/bin/env bash
# Trains a tiny run of one rank under valgrind: no read of memory that was not written, no access outside of what was allocated. Two starts, so that
# a resume with its replay is read too.
#
# Usage: scripts/test-memory.sh [portable]       the portable kernels; default: what the program chooses
# Exit codes: 0 clean, 9 valgrind found an error in the run, otherwise the run's own.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

if [[ $# -ge 1 ]]; then export PPO_CHUNKED_KERNELS="$1"; fi
if ! command -v valgrind >/dev/null; then
  as_root=()
  if [[ "$(id -u)" != 0 ]]; then as_root=(sudo); fi
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" apt-get install -y -q valgrind
fi
bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# Valgrind gives up on the debug information of Swift; the symbols stay.
strip --strip-debug -o "$work/ppo-chunked" "$bin/ppo-chunked"

# The Swift runtime reads padding of its own metadata while it lays out a generic type; nothing of ours is in it.
cat >"$work/suppressions" <<'END'
{
   swift-runtime-generic-metadata
   Memcheck:Cond
   fun:swift_initStructMetadata
   ...
}
END

SECONDS=0
for chunks in 1 2; do
  status=0
  valgrind --tool=memcheck --error-exitcode=9 --leak-check=no --suppressions="$work/suppressions" --log-file="$work/valgrind.log" \
    "$work/ppo-chunked" train --config configs/test.json --set run.total_requests=640 --set run.chunk_size=320 \
    --set rollout.length=16 --max-chunks 1 --output-dir "$work/run" >"$work/log" 2>&1 || status=$?
  # The first chunk ends with work left: 75.
  if ((status != 0 && !(status == 75 && chunks == 1))); then
    cat "$work/valgrind.log" "$work/log" >&2
    exit "$status"
  fi
done
grep "ERROR SUMMARY" "$work/valgrind.log"
echo "test-memory.sh: passed in $SECONDS s"
