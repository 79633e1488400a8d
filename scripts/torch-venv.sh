#!/usr/bin/env bash
# Makes the Python environment in which tests read our files with the real PyTorch, and prints the path of its python.
#
# Usage: scripts/torch-venv.sh
#   PPO_CHUNKED_TEST_VENV  where to (default: ~/.cache/ppo-chunked-tests/venv)
#   PPO_CHUNKED_TORCH      requirement of the CPU wheel tried first (default: torch==2.13.0+cpu)
# Safe to repeat: an environment that imports torch and numpy is left as it is. Without it those tests are skipped.
# Exit codes: 0 ready, 66 no python3 with venv, 69 packages could not be installed.
set -euo pipefail

venv="${PPO_CHUNKED_TEST_VENV:-$HOME/.cache/ppo-chunked-tests/venv}"
python="$venv/bin/python"
requirement="${PPO_CHUNKED_TORCH:-torch==2.13.0+cpu}"

works() { "$python" -c 'import torch, numpy' > /dev/null 2>&1; }

if ! works; then
  if ! python3 -m venv "$venv" >&2; then
    echo "torch-venv.sh: python3 -m venv failed; on Debian: apt-get install python3-venv" >&2
    exit 66
  fi
  # The CPU wheel from the configured sources, then from PyTorch's own index, then whatever PyPI has (that one may be large).
  "$python" -m pip install --quiet "$requirement" numpy >&2 ||
    "$python" -m pip install --quiet --index-url https://download.pytorch.org/whl/cpu torch numpy >&2 ||
    "$python" -m pip install --quiet torch numpy >&2 || true
  if ! works; then
    echo "torch-venv.sh: torch and numpy could not be installed in $venv" >&2
    exit 69
  fi
fi
echo "$python"
