"""A map in which one half of the channels says how the other one is stretched and moved: as easy to undo as to do."""

import keras
from keras import layers, ops


def build_coupling_convolutions(input_shape, outputs, filters):
    """The network within a coupling: what it sees is 5x5 pixels; at the start it says "as it is".

    Args:
        input_shape: (height, width, channels) of what the coupling sees.
        outputs: int, channels of what it changes.
        filters: int, of its two hidden layers.

    Returns:
        `keras.Model`, (batch, *input_shape) -> float32 (batch, height, width, 2 * outputs): shifts and scales.
    """
    hidden = {"activation": "relu", "kernel_initializer": "he_normal"}
    seen = keras.Input(input_shape, name="seen")
    x = layers.Conv2D(filters, 3, padding="same", name="neighbours", **hidden)(seen)
    x = layers.Conv2D(filters, 1, name="pixel", **hidden)(x)
    said = layers.Conv2D(2 * outputs, 3, padding="same", kernel_initializer="zeros", dtype="float32", name="said")
    return keras.Model(seen, said(x), name="network")


@keras.saving.register_keras_serializable(package="gdl_keras")
class AffineCoupling(layers.Layer):
    """The second half of the channels, moved and stretched by what a network says of the first (Dinh et al. 2017).

        x = (a, b),      y = (a, (b + shift(a)) exp(log_scale(a))),      log |det dy/dx| = sum log_scale(a)

    The network need not be invertible: `a` is still there when the way back is gone.

    Args:
        filters: int, of the network's hidden layers.
        limit: float; log_scale stays between -limit and limit, so that no single map stretches without bounds.

    Call arguments:
        inputs: float32 tensor (batch, height, width, channels).
        context: float32 tensor (batch, height, width, features) that the network sees as well, or None; as when built.

    Returns:
        (float32 tensor of the inputs' shape, log-determinants (batch,)).
    """

    def __init__(self, filters=64, limit=1.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.filters = filters
        self.limit = limit

    def build(self, inputs_shape, context_shape=None):
        *size, channels = inputs_shape[1:]
        seen = channels // 2 + (0 if context_shape is None else context_shape[-1])
        self.network = build_coupling_convolutions((*size, seen), channels - channels // 2, self.filters)

    def call(self, inputs, context=None):
        given, changed = self._halves(inputs)
        shift, log_scale = self._shift_and_log_scale(given, context)
        outputs = ops.concatenate([given, (changed + shift) * ops.exp(log_scale)], axis=-1)
        return outputs, ops.sum(log_scale, axis=(1, 2, 3))

    def inverse(self, outputs, context=None):
        """The inputs that outputs come from: float32 tensor of the same shape."""
        given, changed = self._halves(outputs)
        shift, log_scale = self._shift_and_log_scale(given, context)
        return ops.concatenate([given, changed * ops.exp(-log_scale) - shift], axis=-1)

    def _halves(self, tensor):
        # Not two slices: the gradient of each would be as large as the whole, filled with zeros.
        return ops.split(tensor, [tensor.shape[-1] // 2], axis=-1)

    def _shift_and_log_scale(self, given, context):
        seen = given if context is None else ops.concatenate([given, context], axis=-1)
        shift, raw = ops.split(self.network(seen), 2, axis=-1)
        return shift, self.limit * ops.tanh(raw / self.limit)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "limit": self.limit}
