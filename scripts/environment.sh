# Sourced by the other scripts: makes .venv where it is missing and installs what is missing, nothing twice.
#   ensure_environment        the package and what its chapters need
#   ensure_environment dev    and what its tests need

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

ensure_environment() {
    local extra=${1:-} wanted
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        local python
        python=$(find_python) || exit 2
        echo "Making .venv with $($python --version)"
        "$python" -m venv --clear .venv
    fi
    wanted=$(cat requirements.txt pyproject.toml | .venv/bin/python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
    for installed in ".venv/installed-$extra" .venv/installed-dev; do
        if [ "$(cat "$installed" 2>/dev/null)" = "$wanted" ]; then return; fi
    done
    echo "Installing what is missing (the first time some 600 MB)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".${extra:+[$extra]}"
    echo "$wanted" > ".venv/installed-$extra"
}
