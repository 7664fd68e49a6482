#!/usr/bin/env bash
# Trains every family of models on the same images, Fashion-MNIST at 32x32, and keeps the distance after every epoch.
#
#     bash scripts/compare_families.sh results        an hour of processor time where other work goes on beside;
#                                                     the runs go to results/families
#     python scripts/make_results.py results          makes docs/results.md of them
set -euo pipefail
source "$(dirname "$0")/environment.sh"
ensure_environment

folder="${1:?usage: bash scripts/compare_families.sh FOLDER}/families"
compare() { # name, chapter, flags
    [ -e "$folder/$1/model.keras" ] || .venv/bin/gdl run "$2" --dataset fashion --image-size 32 --every 1 --out "$folder/$1" "${@:3}"
}
compare autoencoder 03_vae/01_autoencoder --epochs 6 --steps-per-epoch 300 --latent-dim 16 --compare-steps 1
compare vae 03_vae/02_vae_fashion --epochs 6 --steps-per-epoch 300 --latent-dim 16 --compare-steps 1
compare gan 04_gan/04_gan --epochs 10 --steps-per-epoch 1870
compare dcgan 04_gan/01_dcgan --epochs 10 --compare-steps 1
compare wgan_gp 04_gan/02_wgan_gp --epochs 10
compare cgan 04_gan/03_cgan --epochs 10
compare hinge_gan 04_gan/05_hinge_gan --epochs 6 --steps-per-epoch 312
