# shellcheck shell=bash disable=SC2034
# Sourced by the other scripts: paths, Open MPI settings for containers and small machines. Sets variables, runs nothing.
#
# As root Open MPI wants to be told twice; with more ranks than cores it has to share them and to yield while it waits.

project_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

if [[ "$(id -u)" == 0 ]]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1

# Every build of ours: imports must be declared in Package.swift.
swift_flags=(--explicit-target-dependency-import-check error)
