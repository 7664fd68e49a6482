"""Spectral normalisation: a layer that cannot stretch its input by more than 1."""

import keras
from keras import ops

# A kernel of zeros stays one, and does not become NaN.
EPSILON = 1e-12


@keras.saving.register_keras_serializable(package="gdl_keras")
class SpectralNormalization(keras.layers.Wrapper):
    """Divides a layer's kernel by its largest singular value, wherever the kernel is used.

        W / sigma(W),   sigma ~ u W v   with u, v followed by one power iteration a step

    (Miyato et al. 2018, Spectral normalization for generative adversarial networks, arXiv:1802.05957, section 2.1 and
    algorithm 1.)  A convolution's kernel is taken as a matrix with one column per output channel.

    The stored kernel stays as the optimizer leaves it, and the gradient passes through sigma (equation 12).  The
    layer of this name in Keras overwrites the stored kernel instead, and leaves sigma out of the gradient.

    A pass in training moves the power iteration one step; other passes leave it where it is.

    Args:
        layer: a layer with a `kernel`, such as `Dense` or `Conv2D`.
    """

    def __init__(self, layer, **kwargs):
        # The kernel is normalised in float32; the wrapped layer then casts it as its own policy says.
        super().__init__(layer, autocast=False, **kwargs)

    def build(self, input_shape):
        super().build(input_shape)
        # Of unit length from the start: a vector of ones is an unlikely one to be orthogonal to what is sought.
        columns = self.layer.kernel.shape[-1]
        self.vector = self.add_weight(
            shape=(columns, 1),
            initializer=keras.initializers.Constant(columns**-0.5),
            trainable=False,
            name="vector",
        )

    def call(self, inputs, training=False):
        kernel = self.layer.kernel
        # Within this scope the layer finds the normalised kernel in place of its own.
        with keras.StatelessScope(state_mapping=[(kernel, kernel.value / (self.sigma(training) + EPSILON))]):
            return self.layer(inputs)

    def sigma(self, training=False):
        """The estimate of the largest singular value, never above it: float32 scalar."""
        matrix = ops.reshape(self.layer.kernel, (-1, self.vector.shape[0]))
        constant = ops.stop_gradient(matrix)
        left = _unit(ops.matmul(constant, self.vector))
        right = _unit(ops.matmul(ops.transpose(constant), left))
        if training:
            self.vector.assign(right)
        return ops.sum(left * ops.matmul(matrix, right))

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


def _unit(vector):
    return vector / (ops.sqrt(ops.sum(ops.square(vector))) + EPSILON)
