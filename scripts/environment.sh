# Sourced by the other scripts.
#   ensure_environment        makes .venv where it is missing and installs what is missing, nothing twice: the package and
#                             what its chapters need, in the versions of constraints.txt
#   ensure_environment dev    and what its tests need
#   newest_environment        makes .venv-newest, with all that the tests need in the newest versions that fit together

cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "gdl_keras needs Python 3.11, 3.12 or 3.13 with its venv module; found: $(python3 --version 2>&1 || echo none)." >&2
    echo "Install one of them (on Debian or Ubuntu: apt install python3 python3-venv) and run this again." >&2
    exit 2
}

make_environment() {
    "$1/bin/python" -c 'import pip' 2>/dev/null && return
    local python
    python=$(find_python) || exit 2
    echo "Making $1 with $($python --version)"
    "$python" -m venv --clear "$1"
}

ensure_environment() {
    local extra=${1:-} wanted installed
    make_environment .venv
    wanted=$(cat requirements.txt pyproject.toml constraints.txt | .venv/bin/python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
    for installed in ".venv/installed-$extra" .venv/installed-dev; do
        if [ "$(cat "$installed" 2>/dev/null)" = "$wanted" ]; then return; fi
    done
    echo "Installing what is missing (the first time some 600 MB)"
    rm -f .venv/installed-*  # whoever stops it half-way has neither the old packages nor the new ones
    # What builds packages comes first: pip would fetch the newest for it, whatever constraints.txt says.
    pip_install .venv --constraint constraints.txt setuptools
    pip_install .venv --constraint constraints.txt --no-build-isolation -e ".${extra:+[$extra]}"
    echo "$wanted" > ".venv/installed-$extra"
}

newest_environment() {
    make_environment .venv-newest
    echo "Installing the newest packages (the first time some 600 MB)"
    pip_install .venv-newest --upgrade --upgrade-strategy eager -e '.[dev]'
    echo "Other than in constraints.txt:"
    .venv-newest/bin/python -m pip freeze --all --exclude pip --exclude-editable |
        awk -F== '{ gsub(/[-_.]+/, "-", $1); print tolower($1) "==" $2 }' | grep -vxFf constraints.txt || echo "nothing"
}

pip_install() {
    local environment=$1
    shift
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}
