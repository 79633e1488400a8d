#!/usr/bin/env bash
# Installs what the build and the tests need beside the Swift toolchain: Open MPI, libcrypto, pkg-config (Debian,
# Ubuntu); Python, procps and strace for the test scripts; what single tests ask for.
#
# Usage: scripts/install-dependencies.sh [slurm] [hosts] [shellcheck]
# Safe to repeat; does nothing when everything is there. Exit codes: 0 installed, 1 no way to install.
set -euo pipefail

packages=()
command -v pkg-config >/dev/null || packages+=(pkg-config)
command -v mpirun >/dev/null || packages+=(openmpi-bin)
if ! command -v pkg-config >/dev/null || ! pkg-config --exists ompi-c; then packages+=(libopenmpi-dev); fi
if ! command -v pkg-config >/dev/null || ! pkg-config --exists libcrypto; then packages+=(libssl-dev); fi

command -v python3 >/dev/null || packages+=(python3)
command -v pgrep >/dev/null || packages+=(procps)
command -v strace >/dev/null || packages+=(strace)
for wish in "$@"; do
  case "$wish" in
    slurm) command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v sbatch >/dev/null ||
      packages+=(slurmctld slurmd slurm-client libpmix2) ;;
    hosts) command -v ip >/dev/null || packages+=(iproute2) ;;
    *) command -v "$wish" >/dev/null || packages+=("$wish") ;;
  esac
done

if [[ ${#packages[@]} == 0 ]]; then exit 0; fi

run=()
if [[ "$(id -u)" != 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "install-dependencies.sh: missing ${packages[*]}; run as root, or install them with your package manager" >&2
    exit 1
  fi
  run=(sudo)
fi
if ! command -v apt-get >/dev/null; then
  echo "install-dependencies.sh: missing ${packages[*]} and there is no apt-get; install them with your package manager" >&2
  exit 1
fi
echo "installing ${packages[*]}"
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
