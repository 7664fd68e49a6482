"""Spectral normalisation: a layer that cannot stretch its input by more than 1."""

import keras
from keras import layers, ops

from gdl_keras.backend import on_gpu
from gdl_keras.errors import InputError

TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
# Their kernels are no matrices of output channels against the rest.
UNKNOWN = (layers.DepthwiseConv1D, layers.DepthwiseConv2D, layers.EinsumDense)

# A kernel of zeros stays one, and does not become NaN.
EPSILON = 1e-12


@keras.saving.register_keras_serializable(package="gdl_keras")
class SpectralNormalization(keras.layers.Wrapper):
    """Divides a layer's kernel by its largest singular value, wherever the kernel is used.

        W / sigma(W),   sigma ~ u W v   with u, v followed by one power iteration a step

    (Miyato et al. 2018, Spectral normalization for generative adversarial networks, arXiv:1802.05957, section 2.1 and
    algorithm 1.)  A kernel is taken as a matrix with one column per output channel, also that of a transposed
    convolution, which Keras keeps as (height, width, outputs, inputs).  The matrix of an embedding is its table.

    The stored kernel stays as the optimizer leaves it, and the gradient passes through sigma (equation 12).  The
    layer of this name in Keras overwrites the stored kernel instead, and leaves sigma out of the gradient.

    A pass in training moves the power iteration one step; other passes leave it where it is.

    Args:
        layer: `Dense`, a convolution, a transposed convolution, `Embedding`, or another layer with a `kernel` whose
            last axis counts outputs.

    Raises:
        InputError: when it is built, the layer has no such kernel.
    """

    def __init__(self, layer, **kwargs):
        # The kernel is normalised in float32; the wrapped layer then casts it as its own policy says.
        super().__init__(layer, autocast=False, **kwargs)

    def build(self, input_shape):
        super().build(input_shape)
        # Of unit length from the start: a vector of ones is an unlikely one to be orthogonal to what is sought.
        columns = _kernel_of(self.layer).shape[-2 if isinstance(self.layer, TRANSPOSED) else -1]
        self.vector = self.add_weight(
            shape=(columns, 1),
            initializer=keras.initializers.Constant(columns**-0.5),
            trainable=False,
            name="vector",
        )

    def call(self, inputs, training=False):
        kernel = _kernel_of(self.layer)
        # Within this scope the layer finds the normalised kernel in place of its own.
        with keras.StatelessScope(state_mapping=[(kernel, kernel.value / (self.sigma(training) + EPSILON))]):
            return self.layer(inputs)

    def sigma(self, training=False):
        """The estimate of the largest singular value, never above it: float32 scalar."""
        kernel = ops.convert_to_tensor(_kernel_of(self.layer))
        if isinstance(self.layer, TRANSPOSED):
            kernel = ops.swapaxes(kernel, -2, -1)
        matrix = ops.reshape(kernel, (-1, self.vector.shape[0]))
        constant = ops.stop_gradient(matrix)
        left = _unit(_product(constant, self.vector))
        right = _unit(_product(ops.transpose(constant), left))
        if training:
            self.vector.assign(right)
        return ops.sum(left * _product(matrix, right))

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def compute_output_spec(self, inputs, training=False):
        # Of the layer's own precision, which may be another one.
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), self.layer.compute_dtype)


def _kernel_of(layer):
    """The variable that holds a layer's kernel, or its table, as the optimizer leaves it."""
    kernel = getattr(layer, "embeddings" if isinstance(layer, layers.Embedding) else "kernel", None)
    # Under LoRA it is no variable, but the sum of one and a product of two.
    if not isinstance(kernel, keras.Variable) or isinstance(layer, UNKNOWN):
        raise InputError(
            f"SpectralNormalization cannot take {layer.name!r} ({type(layer).__name__}): give it a layer with one "
            "kernel or table, such as Dense, Conv2D, Conv2DTranspose or Embedding, without LoRA."
        )
    return kernel


def _product(matrix, column):
    # A GPU may round what it multiplies as matrices to 10 bits (TF32), but not this, which takes it no longer.
    return ops.sum(matrix * ops.transpose(column), axis=1, keepdims=True) if on_gpu() else ops.matmul(matrix, column)


def _unit(vector):
    return vector / (ops.sqrt(ops.sum(ops.square(vector))) + EPSILON)
