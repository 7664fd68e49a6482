"""Which layers a critic under a gradient penalty must not have."""

import warnings

from keras import layers

_NORM = "no normalisation, or gdl_keras.layers.SpectralNormalization around the layer before it,"
_INSTEAD = {
    layers.BatchNormalization: _NORM,
    layers.LayerNormalization: _NORM,
    layers.GroupNormalization: _NORM,
    layers.Resizing: "AveragePooling2D to shrink, UpSampling2D with interpolation='nearest' to grow",
    layers.UpSampling2D: "UpSampling2D with interpolation='nearest'",
}


def warn_about_second_order(critic):
    """Warns of layers whose second-order gradient TensorFlow gets wrong without an error.

    A gradient penalty is itself made of a gradient, so training takes the gradient of a gradient.  The variance in the
    normalisation layers of Keras, and resizing by interpolation, are differentiated rightly only once.

    Args:
        critic: `keras.Model`; layers within layers are found too.
    """
    for layer in critic._flatten_layers(include_self=False):
        if isinstance(layer, layers.UpSampling2D) and layer.interpolation == "nearest":
            continue
        for wrong, instead in _INSTEAD.items():
            if isinstance(layer, wrong):
                warnings.warn(
                    f"{critic.name}: through {layer.name!r} ({wrong.__name__}) TensorFlow gets the gradient of a "
                    f"gradient penalty wrong. Use {instead} instead.",
                    stacklevel=3,
                )
