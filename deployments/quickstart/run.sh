#!/usr/bin/env bash
# Sets everything up and scores the quickstart: a hundred questions, asked of a small model on this machine.
# Called again, it continues where it was stopped, and ends in seconds if everything is scored. Arguments go to `mcqa score`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. deployments/set_up.sh
set_up local
exec .venv/bin/mcqa score --config deployments/quickstart/config.yaml "$@"
