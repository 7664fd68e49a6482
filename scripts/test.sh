#!/usr/bin/env bash
# Runs the tests in .venv, making it if needed, with the packages of constraints.txt.
#   bash scripts/test.sh             the core: some 12 minutes on two cores
#   bash scripts/test.sh --full      every model under every precision policy and replica count, too
#   bash scripts/test.sh --newest    the same in .venv-newest with the newest packages, whatever constraints.txt says: what
#                                    fails only here, a release of somebody else has broken.  No other flag before it
#   bash scripts/test.sh tests/models -k vae     any further argument goes to pytest
set -euo pipefail
source "$(dirname "$0")/environment.sh"
environment=.venv
if [ "${1:-}" = --newest ]; then
    shift
    environment=.venv-newest
    newest_environment
else
    ensure_environment dev
fi
exec "$environment/bin/python" -m pytest --numprocesses 2 --dist worksteal "$@"
