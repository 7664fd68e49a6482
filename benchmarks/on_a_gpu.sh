#!/usr/bin/env bash
# What this project wants to know of a GPU, part by part, each within a time of its own.
#
#     bash benchmarks/on_a_gpu.sh FOLDER                     all parts
#     bash benchmarks/on_a_gpu.sh FOLDER race loop           some of them:
#
#     race      training steps beside the plain port and PyTorch, which has to be installed: race.txt, race.json
#     loop      what `fit` costs beside the steps: loop.txt
#     tests     layers, metrics, samplers, losses, models on the GPU, in as many processes as pytest-xdist is given by
#               WORKERS (8), each test by its name as it ends, so that a run that is cut short tells all it knows: tests.txt
#     presets   DCGAN, WGAN-GP and hinge GAN on Fashion-MNIST to their end and evaluated, one after the other, with the
#               seconds of each: presets.txt, and of each its settings, history, numbers and pictures in presets.tar.gz
#
# PYTHON names the interpreter (python3).  A part that fails, or takes longer than SECONDS_EACH (600), does not keep the
# others from running.
set -uo pipefail
folder=$(mkdir -p "${1:?usage: bash benchmarks/on_a_gpu.sh FOLDER [race|loop|tests|presets ...]}" && cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD:${PYTHONPATH:-}" PYTHONUNBUFFERED=1
limit=${SECONDS_EACH:-600}
export python=${PYTHON:-python3}

race() {
    "$python" benchmarks/training_steps.py ${MODELS:-hinge_gan vae dcgan wgan_gp cgan} --device gpu --graphs --log "$folder/log" \
        --policy float32 mixed_float16 mixed_bfloat16 --together 24 --json "$folder/race.json"
}

loop() {
    "$python" benchmarks/loop.py ${MODELS:-dcgan vae} --device gpu
}

tests() {
    "$python" -m pytest -n "${WORKERS:-8}" --dist worksteal -v -p no:cacheprovider --tb=short tests/layers tests/metrics \
        tests/samplers tests/models tests/test_losses.py tests/test_adversarial_losses.py tests/test_optimizers.py \
        tests/test_every_model.py
}

presets() {
    for command in "04_gan/05_hinge_gan" "04_gan/02_wgan_gp --dataset fashion" "04_gan/01_dcgan"; do
        run="$folder/runs/$(basename "${command%% *}")"
        # shellcheck disable=SC2086  # a program and its flags
        start=$SECONDS
        "$python" -m gdl_keras run $command --out "$run" && echo "gdl run $command: $((SECONDS - start)) s"
        "$python" -m gdl_keras evaluate "$run"
        tar --directory "$folder" -czf "$folder/presets.tar.gz" --exclude '*.keras' --exclude checkpoint runs
    done
}

[ $# -gt 0 ] || set -- race loop tests presets
for part in "$@"; do
    case $part in race | loop | tests | presets) ;; *) echo "There is no part $part." >&2; exit 2 ;; esac
done
export folder
export -f race loop tests presets
for part in "$@"; do
    timeout "$limit" bash -c "$part" > "$folder/$part.txt" 2>&1
    code=$?
    echo "$part: $([ $code = 124 ] && echo "cut short after $limit s" || echo "ended with $code"), $folder/$part.txt"
done
