"""Features brought to unit power by an average over training, which is the same for all images and places."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="gdl_keras")
class MagnitudeNormalization(keras.layers.Layer):
    """Divides by the root of a running mean of squares, one number for all.

        power += (1 - decay) (mean of squares - power)          in training
        outputs = inputs / sqrt(power)

    What a layer gets then has unit power on average, and an image of more contrast still has more (Karras et al. 2021,
    section 3.2, configuration D).

    Args:
        decay: float in [0, 1), how much of itself the running mean keeps in each step.

    Call arguments:
        inputs: float tensor (batch, ...).
        training: bool, whether the running mean moves.

    Returns:
        float tensor of that shape.
    """

    def __init__(self, decay=0.999, **kwargs):
        super().__init__(**kwargs)
        self.decay = decay
        # Of replicas, whose images differ, it is the mean of all their means; and it is read as the float32 that it is.
        kept = {"trainable": False, "dtype": "float32", "autocast": False, "aggregation": "mean"}
        self.power = self.add_weight(shape=(), initializer="ones", name="power", **kept)
        self.built = True

    def call(self, inputs, training=False):
        power = self.power.value
        if training:
            seen = ops.mean(ops.square(ops.cast(ops.stop_gradient(inputs), "float32")))
            power = power + (1 - self.decay) * (seen - power)
            self.power.assign(power)
        return inputs * ops.cast(ops.rsqrt(power), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "decay": self.decay}
