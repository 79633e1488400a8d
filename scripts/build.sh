#!/usr/bin/env bash
# Builds the program in release form; installs what is missing where that is possible (root or sudo with apt-get). Needs neither root nor apt if the Swift
# toolchain, Open MPI and libcrypto with its headers are there.
#
# Usage: scripts/build.sh [--mpi-prefix DIR] [--static-swift-stdlib] [--no-install]
#   --mpi-prefix DIR        the Open MPI (4 or 5) below DIR, with DIR/bin/mpirun, DIR/include/mpi.h and DIR/lib/libmpi.so
#   --static-swift-stdlib   a program that runs on nodes without Swift
#   --no-install            never install anything
# Headers of libcrypto elsewhere: set PKG_CONFIG_PATH. Builds with options go to a folder of their own, .build-cluster.
# Prints the path of the folder with the programs as its last line. Exit codes: 0 built, 64 unknown option, 66 something is missing, otherwise the
# failing step's.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

mpi_prefix=""
is_installing=1
options=()
while (($# > 0)); do
  case "$1" in
    --mpi-prefix)
      mpi_prefix="${2:?--mpi-prefix needs a folder}"
      shift
      ;;
    --static-swift-stdlib) options+=(--static-swift-stdlib) ;;
    --no-install) is_installing=0 ;;
    *)
      echo "build.sh: unknown option $1, allowed are --mpi-prefix DIR, --static-swift-stdlib, --no-install" >&2
      exit 64
      ;;
  esac
  shift
done

missing() {
  echo "build.sh: missing: $1" >&2
  exit 66
}

command -v swift >/dev/null || missing "a Swift toolchain on PATH; see https://www.swift.org/install"
if [[ -n "$mpi_prefix" ]]; then
  mpi_prefix="$(cd "$mpi_prefix" 2>/dev/null && pwd)" || missing "the folder given to --mpi-prefix"
  [[ -e "$mpi_prefix/include/mpi.h" ]] || missing "$mpi_prefix/include/mpi.h"
  [[ -e "$mpi_prefix/lib/libmpi.so" ]] || missing "$mpi_prefix/lib/libmpi.so"
  # Some installations have no pkg-config file; the program finds the library again by its run path.
  mkdir -p .build-cluster/pkgconfig
  cat >.build-cluster/pkgconfig/ompi-c.pc <<PC
Name: ompi-c
Description: Open MPI below $mpi_prefix
Version: 0
Cflags: -I$mpi_prefix/include
Libs: -L$mpi_prefix/lib -lmpi
PC
  export PKG_CONFIG_PATH="$PWD/.build-cluster/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
  options+=(-Xlinker -rpath -Xlinker "$mpi_prefix/lib")
fi
if ! command -v pkg-config >/dev/null || ! pkg-config --exists ompi-c libcrypto; then
  if ((is_installing)); then scripts/install-dependencies.sh >&2; fi
  pkg-config --exists ompi-c || missing "Open MPI with headers and pkg-config: load its module, install libopenmpi-dev, or use --mpi-prefix DIR"
  pkg-config --exists libcrypto || missing "libcrypto with headers and pkg-config: load a module of OpenSSL, or install libssl-dev"
fi

if ((${#options[@]} > 0)); then options+=(--scratch-path .build-cluster); fi
swift build --configuration release "${swift_flags[@]}" ${options[@]+"${options[@]}"} --product ppo-chunked >&2
swift build --configuration release ${options[@]+"${options[@]}"} --show-bin-path
