#!/usr/bin/env bash
# Installs, builds and runs every test: formatting, unit tests (release form: numerics in debug form are 100 times slower), memory under
# valgrind, ranks under mpirun, kill and resume, jobs under Slurm.
#
# Usage: scripts/test.sh
# Exit codes: 0 all passed, otherwise the failing step's.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

scripts/install-dependencies.sh shellcheck
# PyTorch reads what we write; without it those tests say that they skip.
scripts/torch-venv.sh >/dev/null || echo "test.sh: SKIPPED: no PyTorch to be had, its tests will not run" >&2
scripts/torch-venv.sh older >/dev/null || echo "test.sh: SKIPPED: no older PyTorch to be had, files are tried with the newest only" >&2
shellcheck --severity warning --external-sources --exclude SC1091,SC2154 scripts/*.sh
shellcheck cluster/slurm/*.sbatch
shellcheck --shell bash cluster/sge/train.sh cluster/pbs/train.pbs cluster/lsf/train.bsub
swift format lint --strict --recursive --parallel Package.swift Sources Tests
swift build --configuration release "${swift_flags[@]}" --build-tests -Xswiftc -enable-testing
swift test --configuration release "${swift_flags[@]}" --skip-build -Xswiftc -enable-testing
scripts/test-memory.sh
# Every 40th fault of the sweep; strace may be refused in a container, which is said.
scripts/test-storage-faults.sh 40 || [[ $? == 77 ]]
scripts/test-directory.sh
scripts/test-ranks.sh
scripts/test-resume.sh
# The same with everything switched on that is off by default.
scripts/test-resume.sh 3 "$(date +%s)" configs/test-features.json 15000
scripts/test-resume.sh 2 "$(date +%s)" configs/test-warmstart.json 30000
scripts/test-signals.sh
scripts/test-slurm.sh short
scripts/test-hosts.sh short || [[ $? == 77 ]]
