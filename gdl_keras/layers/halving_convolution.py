"""Convolutions of 4x4 with stride 2, and their transposes, with gradients that are quick on a processor."""

import itertools

import keras
import tensorflow as tf

from gdl_keras.backend import on_gpu
from gdl_keras.layers.naming import stored_as

SIZE, STRIDE = 4, 2

# Where `python benchmarks/convolutions.py` finds the ways over blocks (below) to be quicker than TensorFlow's kernels:
# for images of so few channels, and in bfloat16 for kernels that read images of so many.
FEW_CHANNELS, MANY_CHANNELS = 8, 128


@stored_as("Conv2D")
class HalvingConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`; of 4x4 with stride 2 and padding "same", its gradients are quick on a processor.

    Of 5x5 it is that of the images, where these have few channels.

    The numbers are those of Keras' layer up to the order of their sums, in gradients of any order.  With other
    arguments, and where there is a GPU, this is Keras' layer.
    """

    def convolution_op(self, inputs, kernel):
        if self.groups == 1 and _halves(self) and all(size and size % 2 == 0 for size in inputs.shape[1:3]):
            return convolve(inputs, tf.convert_to_tensor(kernel))
        if self.groups == 1 and _halves(self, 5) and _in_few_channels(inputs.shape):
            return convolve_wider(inputs, tf.convert_to_tensor(kernel))
        return super().convolution_op(inputs, kernel)


@stored_as("Conv2DTranspose")
class DoublingConv2DTranspose(keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose`, of which holds what `HalvingConv2D` says.

    To few channels it is quicker forward, too.
    """

    def call(self, inputs):
        if self.output_padding is not None or not _halves(self) or None in inputs.shape[1:3]:
            return super().call(inputs)
        outputs = image_gradient(tf.convert_to_tensor(self.kernel), inputs)
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)


def _halves(layer, size=SIZE):
    """Whether a layer halves images, or doubles them, in the way that is quicker here, on a processor."""
    return (
        (layer.kernel_size, layer.strides) == ((size, size), (STRIDE, STRIDE))
        and (layer.padding, layer.data_format) == ("same", "channels_last")
        and not on_gpu()
    )


def _in_few_channels(shape):
    """Whether images (batch, height, width, channels) can be halved, and have few channels."""
    return all(size and size % 2 == 0 for size in shape[1:3]) and (shape[3] or FEW_CHANNELS + 1) <= FEW_CHANNELS


def convolve_wider(images, kernel):
    """The convolution by a kernel (5, 5, c, d), whose gradient for its images goes over blocks: (batch, h, w, d)."""

    @tf.custom_gradient
    def function(images, kernel):
        outputs = tf.nn.conv2d(images, kernel, STRIDE, "SAME")

        def gradient(upstream):
            return _images_by_blocks_of_six(kernel, upstream), _kernel_by_library(images, upstream, kernel.shape[0])

        return outputs, gradient

    return function(images, kernel)


def _images_by_blocks_of_six(kernel, upstream):
    """With zeros in front it is a kernel of 6x6, which over blocks of 2x2 pixels is one of 3x3 with stride 1."""
    channels, depth = kernel.shape[2:]
    blocks = tf.reshape(tf.pad(kernel, [[1, 0], [1, 0], [0, 0], [0, 0]]), (3, 2, 3, 2, channels, depth))
    turned = tf.reverse(tf.reshape(tf.transpose(blocks, (0, 2, 1, 3, 4, 5)), (3, 3, 4 * channels, depth)), (0, 1))
    return tf.nn.depth_to_space(tf.nn.conv2d(upstream, tf.transpose(turned, (0, 1, 3, 2)), 1, "SAME"), 2)


# With <a, b> for the sum of a * b, the three below are of one form, which is linear in the images x (batch, 2h, 2w, c),
# in the kernel k (4, 4, c, d) and in the upstream y (batch, h, w, d):
#
#     <convolve(x, k), y>  =  <x, image_gradient(k, y)>  =  <k, kernel_gradient(x, y)>
#
# so the gradients of each are the other two, to any order.


def convolve(images, kernel):
    """The convolution, (batch, h, w, d)."""
    # TensorFlow can lose sight of a shape on the way, such as that of images with a label's planes.
    images.set_shape((None, None, None, kernel.shape[2]))

    @tf.custom_gradient
    def function(images, kernel):
        outputs = tf.nn.conv2d(images, kernel, STRIDE, "SAME")

        def gradient(upstream):
            upstream.set_shape(outputs.shape)
            return image_gradient(kernel, upstream), kernel_gradient(images, upstream)

        return outputs, gradient

    return function(images, kernel)


def image_gradient(kernel, upstream):
    """The gradient of `convolve` for its images, and the transposed convolution of `upstream`: (batch, 2h, 2w, c)."""
    upstream.set_shape((None, None, None, kernel.shape[3]))

    @tf.custom_gradient
    def function(kernel, upstream):
        few = kernel.shape[2] <= FEW_CHANNELS
        outputs = (_images_by_blocks if few else _images_by_library)(kernel, upstream)

        def gradient(images):
            images.set_shape(outputs.shape)
            return kernel_gradient(images, upstream), convolve(images, kernel)

        return outputs, gradient

    return function(kernel, upstream)


def kernel_gradient(images, upstream):
    """The gradient of `convolve` for its kernel, (4, 4, c, d)."""

    @tf.custom_gradient
    def function(images, upstream):
        many = images.dtype == tf.bfloat16 and images.shape[-1] >= MANY_CHANNELS
        outputs = (_kernel_by_blocks if many else _kernel_by_library)(images, upstream)

        def gradient(kernel):
            kernel.set_shape(outputs.shape)
            return image_gradient(kernel, upstream), convolve(images, kernel)

        return outputs, gradient

    return function(images, upstream)


def _images_by_library(kernel, upstream):
    batch, (height, width) = tf.shape(upstream)[0], upstream.shape[1:3]
    shape = (batch, STRIDE * height, STRIDE * width, kernel.shape[2])
    return tf.nn.conv2d_transpose(upstream, kernel, shape, STRIDE, "SAME")


def _kernel_by_library(images, upstream, size=SIZE):
    shape = (size, size, images.shape[-1], upstream.shape[-1])
    return tf.raw_ops.Conv2DBackpropFilter(
        input=images, filter_sizes=shape, out_backprop=upstream, strides=[1, STRIDE, STRIDE, 1], padding="SAME"
    )


# In blocks of 2x2 pixels, which have four times the channels, the convolution is one of 2x2 with stride 1.
# PADDING gives an image the row and the column on each side that TensorFlow's "same" does.
PADDING = [[0, 0], [1, 1], [1, 1], [0, 0]]


def _images_by_blocks(kernel, upstream):
    """Turned around, the kernel of blocks goes over the padded `upstream`; then the blocks' pixels are laid out."""
    channels, depth = kernel.shape[2:]
    blocks = tf.transpose(tf.reshape(kernel, (2, 2, 2, 2, channels, depth)), (0, 2, 1, 3, 4, 5))
    turned = tf.reverse(tf.reshape(blocks, (2, 2, 4 * channels, depth)), (0, 1))
    padded = tf.nn.conv2d(upstream, tf.transpose(turned, (0, 1, 3, 2)), 1, PADDING)
    return tf.nn.depth_to_space(padded, 2)[:, 1:-1, 1:-1]


def _kernel_by_blocks(images, upstream):
    """For each of the kernel's 2x2 blocks, the product of all the images' blocks that it met with `upstream`."""
    (height, width, depth), channels = upstream.shape[1:], images.shape[-1]
    blocks = tf.nn.space_to_depth(tf.pad(images, PADDING), 2)
    upstream = tf.reshape(upstream, (-1, depth))
    products = []
    for row, column in itertools.product(range(2), repeat=2):
        met = tf.reshape(blocks[:, row : row + height, column : column + width], (-1, 4 * channels))
        products.append(tf.matmul(met, upstream, transpose_a=True))
    kernel = tf.transpose(tf.reshape(tf.stack(products), (2, 2, 2, 2, channels, depth)), (0, 2, 1, 3, 4, 5))
    return tf.reshape(kernel, (SIZE, SIZE, channels, depth))
