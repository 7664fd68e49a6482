#!/usr/bin/env bash
# Downloads data sets by the names that the book uses:  scripts/download.sh faces bricks
# Works from any folder, on the host and inside Docker.
set -euo pipefail

names="faces bricks recipes flowers wines cellosuites chorales mnist fashion cifar10"

if [ $# -eq 0 ] || [ "$1" = -h ] || [ "$1" = --help ]; then
    {
        echo "usage: scripts/download.sh NAME..."
        echo "names: $names"
        echo "faces, bricks, recipes, flowers and wines come from Kaggle and need a key: see .env.example"
    } >&2
    [ $# -eq 0 ] && exit 2
    exit 0
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
gdl=$root/.venv/bin/gdl
if [ ! -x "$gdl" ]; then
    gdl=$(command -v gdl) || {
        echo "The command gdl was not found: run scripts/quickstart.sh, or pip install -e $root" >&2
        exit 2
    }
fi

# The reader's .env lies in the root, wherever the command was given.
cd "$root"
exec "$gdl" data download "$@"
