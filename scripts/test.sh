#!/usr/bin/env bash
# Runs the tests in .venv, making it if needed.
#   bash scripts/test.sh             the core: under 15 minutes on two cores
#   bash scripts/test.sh --full      every model under every precision policy and replica count, too
#   bash scripts/test.sh tests/models -k vae     any further argument goes to pytest
set -euo pipefail
source "$(dirname "$0")/environment.sh"
ensure_environment dev
exec .venv/bin/python -m pytest --numprocesses 2 --dist worksteal "$@"
