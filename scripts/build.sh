#!/usr/bin/env bash
# Installs what is missing and builds the program in release form.
#
# Usage: scripts/build.sh
# Prints the path of the folder with the programs as its last line. Exit codes: 0 built, otherwise the failing step's.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

if ! command -v swift >/dev/null; then
  echo "build.sh: no Swift toolchain on PATH; see https://www.swift.org/install" >&2
  exit 1
fi
scripts/install-dependencies.sh >&2
swift build --configuration release "${swift_flags[@]}" --product ppo-chunked >&2
swift build --configuration release --show-bin-path
