"""Batch normalisation that is told what to make: a vector decides each channel's gain and bias."""

import keras
from keras import layers

from gdl_keras.layers.batch_normalization import FusedBatchNormalization
from gdl_keras.layers.spectral_normalization import SpectralNormalization


@keras.saving.register_keras_serializable(package="gdl_keras")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Channels of mean 0 and variance 1 over the batch, then scaled and shifted as a vector says.

        y = (1 + v W) (x - mean) / sqrt(variance + epsilon) + v U

    Of one-hot vectors W and U are tables with a row for each class (Dumoulin et al. 2017, arXiv:1610.07629; de Vries et
    al. 2017, arXiv:1707.00683); of an embedding that many layers share, they are what this layer makes of it (Brock et
    al. 2019, arXiv:1809.11096, appendix B).  Statistics are those of `FusedBatchNormalization`, over all replicas.

    Args:
        spectral: whether W and U are divided by their largest singular values.
        kernel_initializer: of W and U; with zeros, labels tell nothing at first.
        momentum, epsilon: as in `keras.layers.BatchNormalization`.

    Call arguments:
        inputs: (x, vectors), float tensors (batch, height, width, channels) and (batch, size).
        training: bool; whether statistics are those of the batch.

    Returns:
        float tensor of the shape of x.
    """

    def __init__(self, spectral=False, kernel_initializer="zeros", momentum=0.9, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.spectral = spectral
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape):
        x_shape, vector_shape = input_shape
        options = {"momentum": self.momentum, "epsilon": self.epsilon, "dtype": self.dtype_policy}
        self.normalization = FusedBatchNormalization(center=False, scale=False, name="normalization", **options)
        self.normalization.build(x_shape)
        self.gain, self.bias = (self._dense(x_shape[-1], name, vector_shape) for name in ("gain", "bias"))

    def call(self, inputs, training=False):
        x, vectors = inputs
        x = self.normalization(x, training=training)
        gain, bias = 1 + self.gain(vectors), self.bias(vectors)
        return x * gain[:, None, None, :] + bias[:, None, None, :]

    def _dense(self, channels, name, vector_shape):
        options = {"kernel_initializer": self.kernel_initializer, "dtype": self.dtype_policy}
        layer = layers.Dense(channels, use_bias=False, name=name, **options)
        layer = SpectralNormalization(layer, name=f"{name}_normalized") if self.spectral else layer
        layer.build(vector_shape)
        return layer

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "spectral": self.spectral,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
