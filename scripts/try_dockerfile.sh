#!/usr/bin/env bash
# Builds the Dockerfile where no Docker engine runs, and tries the image: buildah runs the file's own steps.  The base
# python:3.13-slim-trixie is a small Debian trixie with Python 3.13; here debootstrap makes one.
#
#     sudo bash scripts/try_dockerfile.sh                            without GPU: some 10 minutes and the tests, 15 GB of disk
#     sudo bash scripts/try_dockerfile.sh 'tensorflow[and-cuda]'     CUDA's libraries, too: some 40 GB; they must load
#
# Needs the packages debootstrap and buildah.  Fails when any step fails; keeps nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
tensorflow=${1:-tensorflow}

for tool in debootstrap buildah; do
    command -v $tool > /dev/null || { echo "$tool is missing.  Run: apt install debootstrap buildah" >&2; exit 2; }
done
[ "$(id -u)" = 0 ] || { echo "debootstrap needs root.  Run: sudo bash $0" >&2; exit 2; }

work=$(mktemp -d /var/tmp/try_dockerfile.XXXXXX)
export TMPDIR=$work BUILDAH_ISOLATION=chroot
buildah() { command buildah --root "$work/storage" --runroot "$work/state" "$@"; }
clean_up() {
    buildah rm --all > /dev/null || true
    umount "$work/storage/overlay" 2> /dev/null || true
    rm -rf --one-file-system "$work"  # what is still mounted in it stays
}
trap clean_up EXIT
step() { printf '\n== %s\n' "$*"; }

step "A clean Debian with Python in the place of python:3.13-slim-trixie"
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv trixie "$work/debian" > "$work/debootstrap.log" ||
    { tail "$work/debootstrap.log" >&2; exit 1; }
# What this machine trusts, the certificate of a company's proxy for example.
cp /etc/ssl/certs/ca-certificates.crt "$work/debian/etc/ssl/certs/"
container=$(buildah from scratch)
buildah add --quiet "$container" "$work/debian" / > /dev/null
buildah commit --quiet "$container" localhost/debian > /dev/null
buildah rm "$container" > /dev/null

step "Building"
mkdir "$work/context"
git ls-files -z | xargs -0 cp --parents --target-directory "$work/context"
secrets=(.env chapters/03_vae/.env gdl_keras/kaggle.json)
for secret in "${secrets[@]}"; do echo "KAGGLE_KEY=secret" > "$work/context/$secret"; done
build() {
    buildah build --layers --format docker --build-arg BASE=localhost/debian --build-arg TENSORFLOW="$tensorflow" \
        --tag gdl-keras "$work/context"
}
build
buildah images --format '{{.Name}} {{.Size}}'

step "New code installs nothing again"
echo "# A change." >> "$work/context/gdl_keras/__init__.py"
build | tee "$work/build.log"
grep --after-context 3 'RUN pip install.*--requirement' "$work/build.log" | grep --quiet 'Using cache'

container=$(buildah from gdl-keras)
inside() { buildah run "$container" -- "$@"; }

step "Nobody's secrets, not root"
inside sh -c 'test "$(id --user)" != 0 && touch /data/mine /app/runs/mine'
for secret in "${secrets[@]}"; do inside test ! -e "/app/$secret"; done

if [ "$tensorflow" != tensorflow ]; then
    step "Every CUDA library loads by its name, but those that need the driver of a GPU"
    inside python - << 'PYTHON'
import ctypes
from pathlib import Path

for library in sorted(Path("/opt/cuda").iterdir()):
    try:
        ctypes.CDLL(library.name)
    except OSError as error:
        assert "libcuda.so.1" in str(error), error
loaded = {line.split(maxsplit=5)[5] for line in Path("/proc/self/maps").read_text().splitlines() if "/nvidia/" in line}
print("\n".join(sorted(path.strip() for path in loaded)))
assert all(path.startswith("/opt/venv/") for path in loaded)
assert any("libcudnn.so.9" in path for path in loaded)
PYTHON
fi

step "The health check"
mapfile -t check < <(buildah inspect --type image --format '{{range .Docker.Config.Healthcheck.Test}}{{println .}}{{end}}' gdl-keras)
inside "${check[@]:1}"

step "A run, and TensorBoard on it"
inside gdl run 03_vae/01_autoencoder --preset smoke --tensorboard --out runs/tried
inside tensorboard --inspect --logdir runs

step "A notebook works in /app, as a command does"
inside sh -c 'cd chapters && echo "import os; print(os.getcwd())" | jupyter run' | tee "$work/folder.log"
grep --quiet '^/app$' "$work/folder.log"

step "The core of the tests"
(cd "$work/context" && rm "${secrets[@]}")
buildah copy --quiet --chown 1000:1000 "$container" "$work/context" /app > /dev/null
buildah run --user root "$container" -- \
    pip install --quiet --no-cache-dir --constraint constraints.txt --no-build-isolation --editable '.[dev]'
inside python -m pytest --quiet -p no:cacheprovider --numprocesses 2 --dist worksteal

step "All steps done with $tensorflow"
