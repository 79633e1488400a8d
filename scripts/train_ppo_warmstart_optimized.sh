#!/usr/bin/env bash
# The predecessor's launcher by name and options; it only translates them and calls `ppo-chunked train`.
#
# Usage: scripts/train_ppo_warmstart_optimized.sh [options] [-- options of ppo-chunked train]
#   --config FILE             configuration: ours, or the predecessor's JSON, which is converted (default: configs/ppo_warmstart.json)
#   --num-replicas N          cluster.num_replicas
#   --qps R                   workload.qps
#   --ppo-requests N          decisions of a run without --chunk-mode
#   --bc-epochs N             warmstart.epochs
#   --demo-steps N            demonstrations per behaviour policy, shared out over the scenarios
#   --output-dir DIR          run directory (default: outputs/warmstart_training_optimized)
#   --external-pretrain PATH  begin with this model, tuned by behaviour cloning
#   --skip-bc-training        ... without tuning; needs --external-pretrain
#   --force-warmstart         begin with behaviour cloning, whatever the directory holds
#   --chunk-mode              divide the run into chunks of --chunk-size N (default 5000), --total-requests N in all (default 40000)
#   --quick-test              5000 decisions at 3 requests/s without behaviour cloning
#   --verbose                 accepted; the log always goes to the terminal, too
#   --ranks N                 start under mpirun with N ranks
#   --print                   print the command and do nothing
# The same command again resumes. Nothing is asked unless ppo-chunked finds a terminal and an ambiguity.
# Exit codes: those of ppo-chunked (docs/operating.md); 64 for an unknown option.
set -euo pipefail

# shellcheck source=scripts/environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

program="${PPO_CHUNKED:-$project_root/.build/release/ppo-chunked}"
config="$project_root/configs/ppo_warmstart.json"
output_dir="outputs/warmstart_training_optimized"
ppo_requests=5000 total_requests=40000 chunk_size=5000
chunk_mode=false skip_bc=false quick_test=false force=false print=false
external="" ranks=""
arguments=()

usage() { sed --quiet '2,/^set -euo/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
fail() {
  echo "train_ppo_warmstart_optimized.sh: $1" >&2
  exit 64
}
value() { [[ $# -ge 2 ]] || fail "$1 needs a value"; }

while [[ $# -gt 0 ]]; do
  case "$1" in
    --config) value "$@"; config="$2"; shift 2 ;;
    --num-replicas | --qps) value "$@"; arguments+=("$1" "$2"); shift 2 ;;
    --ppo-requests) value "$@"; ppo_requests="$2"; shift 2 ;;
    --bc-epochs) value "$@"; arguments+=(--set "warmstart.epochs=$2"); shift 2 ;;
    --demo-steps)
      value "$@"
      [[ "$2" =~ ^[1-9][0-9]*$ ]] || fail "--demo-steps is $2, expected a number above 0"
      # Four episodes in each of five scenarios.
      arguments+=(--set warmstart.episodes=4 --set "warmstart.episode_decisions=$((($2 + 19) / 20))")
      shift 2
      ;;
    --output-dir) value "$@"; output_dir="$2"; shift 2 ;;
    --external-pretrain) value "$@"; external="$2"; shift 2 ;;
    --skip-bc-training) skip_bc=true; shift ;;
    --force-warmstart) force=true; shift ;;
    --chunk-mode) chunk_mode=true; shift ;;
    --chunk-size) value "$@"; chunk_size="$2"; shift 2 ;;
    --total-requests) value "$@"; total_requests="$2"; shift 2 ;;
    --quick-test) quick_test=true; shift ;;
    --verbose) shift ;;
    --ranks) value "$@"; ranks="$2"; shift 2 ;;
    --print) print=true; shift ;;
    --help | -h) usage; exit 0 ;;
    --) shift; arguments+=("$@"); break ;;
    *) fail "unknown option $1 (--help lists them)" ;;
  esac
done

[[ -f "$config" ]] || { echo "train_ppo_warmstart_optimized.sh: $config: no such configuration" >&2; exit 66; }
if "$quick_test"; then
  arguments=(--qps 3 --set warmstart.enabled=false "${arguments[@]}")
  ppo_requests=5000 chunk_mode=false skip_bc=true
elif "$skip_bc" && [[ -z "$external" ]]; then
  fail "--skip-bc-training needs --external-pretrain PATH"
fi
if grep --quiet --extended-regexp '"(ppo_config|model_dimensions|kl_regularization)"' "$config"; then
  mkdir -p "$output_dir"
  "$program" config convert "$config" --output "$output_dir/converted.json"
  config="$output_dir/converted.json"
  "$quick_test" || arguments=(--set warmstart.enabled=true "${arguments[@]}")
fi
if "$chunk_mode"; then
  arguments=(--total-requests "$total_requests" --chunk-size "$chunk_size" "${arguments[@]}")
else
  arguments=(--total-requests "$ppo_requests" --chunk-size "$ppo_requests" "${arguments[@]}")
fi
if [[ -n "$external" ]]; then
  mode=finetune
  "$skip_bc" && mode=direct
  arguments+=(--external-pretrain "$external" --external-mode "$mode")
fi
"$force" && arguments+=(--force-warmstart)

command=("$program" train --config "$config" --output-dir "$output_dir" "${arguments[@]}")
[[ -n "$ranks" ]] && command=(mpirun -n "$ranks" "${command[@]}")
if "$print"; then
  printf '%q ' "${command[@]}"
  echo
  exit 0
fi
exec "${command[@]}"
