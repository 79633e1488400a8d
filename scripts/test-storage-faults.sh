#!/usr/bin/env bash
# Injects faults into every write-side system call of a real job (strace) and demands that the run goes on afterwards and ends as an undisturbed one:
# KILL, EIO, ENOSPC, EDQUOT, EINTR and short writes, once and from that call on; and an owner that is paused before a call, overtaken by a job on
# another host and woken up again.
#
# Usage: scripts/test-storage-faults.sh [SLICE]      every SLICE-th case, default 1 = all (about 1200 cases); CI takes a slice
# Expects a release build and strace. Prints a table of what the jobs ended with and whether the old or the new checkpoint was resumed from.
# Exit codes: 0 passed, 1 a case failed (its directory is kept), 77 strace cannot trace here.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

bin="$(swift build --configuration release "${swift_flags[@]}" --show-bin-path)"
if ! strace -o /dev/null -e inject=unlink:error=EIO:when=1 true 2>/dev/null; then
  echo "test-storage-faults.sh: SKIPPED, strace cannot trace processes here (ptrace not allowed?)" >&2
  exit 77
fi
SECONDS=0
python3 scripts/storage_faults.py --program "$bin/ppo-chunked" --slice "${1:-1}"
# The same with the checkpoint writer on its own thread, in a coarser slice: the calls are the same.
python3 scripts/storage_faults.py --program "$bin/ppo-chunked" --slice "$((${1:-1} * 5))" --what faults --asynchronous >/dev/null
echo "test-storage-faults.sh: passed in $SECONDS s"
