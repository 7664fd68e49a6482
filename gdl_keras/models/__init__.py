"""The models, one family a file: functions that build the networks, and the `keras.Model` that trains them."""

from gdl_keras.backend import use_tensorflow

use_tensorflow()

from gdl_keras.models.autoencoder import Autoencoder, build_decoder, build_encoder  # noqa: E402
from gdl_keras.models.vae import VAE, build_variational_encoder  # noqa: E402

__all__ = ["VAE", "Autoencoder", "build_decoder", "build_encoder", "build_variational_encoder"]
