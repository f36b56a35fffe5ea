#!/usr/bin/env bash
# Sets everything up and runs the tests, three at a time. Arguments go to pytest: `bash tests/run.sh -m "not slow"`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. deployments/set_up.sh
set_up dev
exec .venv/bin/python -m pytest --numprocesses 3 --dist loadgroup "$@"
