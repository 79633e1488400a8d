#!/usr/bin/env bash
# Installs, builds, trains two chunks on the built-in workload with two ranks (configs/counterfactual.json, shortened) and compares the policy with rules.
#
# Usage: scripts/quickstart.sh [OUTPUT_DIR]        default outputs/quickstart
# Run it again and it goes on where it stopped, or prints the comparison at once when the training is complete.
# Exit codes: 0 done, otherwise the failing step's (docs/operating.md lists those of the program).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$project_root"

output="${1:-outputs/quickstart}"
program="$(scripts/build.sh)/ppo-chunked"

mpirun -n 2 "$program" train --config configs/counterfactual.json --output-dir "$output" --total-requests 60000 --chunk-size 30000

echo
"$program" compare --policies "ckpt:$output,random,round_robin,lor_full,lot" --seeds 3 --requests 3000
echo
echo "checkpoints: $output/checkpoints (latest.pt points to the newest)"
echo "next:        $program status --output-dir $output"
