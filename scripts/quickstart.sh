#!/usr/bin/env bash
# From a fresh clone to pictures: installs into .venv, then trains the variational autoencoder of chapter 3 on real
# Fashion-MNIST images (at most 4 minutes of training on two processor cores), and names the pictures it wrote.
#   bash scripts/quickstart.sh [flags of the chapter, such as --preset smoke]
set -euo pipefail
source "$(dirname "$0")/environment.sh"
ensure_environment
exec .venv/bin/gdl run 03_vae/02_vae_fashion "$@"
