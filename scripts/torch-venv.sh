#!/usr/bin/env bash
# Makes the Python environments in which tests read our files with the real PyTorch, and prints the path of the python.
#
# Usage: scripts/torch-venv.sh [newest|older]
#   newest  (default) the newest PyTorch with a CPU wheel, numpy and safetensors
#   older   one of years ago: Debian's python3-torch (1.13 in Debian 12), where there is none version 2.5.1 from PyTorch's own index
#   PPO_CHUNKED_TEST_VENV  where to (default: ~/.cache/ppo-chunked-tests/venv); the older one goes to the same name with -older
#   PPO_CHUNKED_TORCH      requirement of the CPU wheel tried first (default: torch==2.13.0+cpu)
# Safe to repeat: an environment that imports its packages is left as it is. Without them those tests are skipped and say so.
# Exit codes: 0 ready, 64 usage, 66 no python3 with venv, 69 packages could not be installed.
set -euo pipefail

venv="${PPO_CHUNKED_TEST_VENV:-$HOME/.cache/ppo-chunked-tests/venv}"
requirement="${PPO_CHUNKED_TORCH:-torch==2.13.0+cpu}"

works() { "$python" -c "import $1" > /dev/null 2>&1; }

make_venv() {  # interpreter, options
  if ! "$@" "$venv" >&2; then
    echo "torch-venv.sh: $* failed; on Debian: apt-get install python3-venv" >&2
    exit 66
  fi
}

finish() {
  if ! works "$1"; then
    echo "torch-venv.sh: $1 could not be installed in $venv" >&2
    exit 69
  fi
  echo "$python"
}

newest() {
  python="$venv/bin/python"
  if ! works "torch, numpy, safetensors.torch"; then
    make_venv python3 -m venv
    # The CPU wheel from the configured sources, then from PyTorch's own index, then whatever PyPI has (that one may be large).
    works "torch, numpy" ||
      "$python" -m pip install --quiet "$requirement" numpy >&2 ||
      "$python" -m pip install --quiet --index-url https://download.pytorch.org/whl/cpu torch numpy >&2 ||
      "$python" -m pip install --quiet torch numpy >&2 || true
    "$python" -m pip install --quiet safetensors >&2 || true
  fi
  finish "torch, numpy, safetensors.torch"
}

older() {
  venv="$venv-older"
  python="$venv/bin/python"
  if ! works torch; then
    # Debian's package belongs to Debian's interpreter.
    if ! /usr/bin/python3 -c "import torch" > /dev/null 2>&1 && [[ "$(id -u)" == 0 ]] && command -v apt-get > /dev/null; then
      { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-torch ||
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-torch; }; } >&2 || true
    fi
    if /usr/bin/python3 -c "import torch" > /dev/null 2>&1; then
      make_venv /usr/bin/python3 -m venv --without-pip --system-site-packages
    else
      make_venv python3 -m venv
      "$python" -m pip install --quiet --index-url https://download.pytorch.org/whl/cpu "torch==2.5.1" "numpy<2" >&2 || true
    fi
  fi
  finish torch
}

case "${1:-newest}" in
  newest) newest ;;
  older) older ;;
  *)
    echo "torch-venv.sh: \"$1\" is neither newest nor older" >&2
    exit 64
    ;;
esac
