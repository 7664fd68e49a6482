"""Our convolutions: those of Keras, whatever way their gradients are computed, to second order."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import DoublingConv2DTranspose, HalvingConv2D, halving_convolution

# 3 channels and 9: images are computed over blocks, or by TensorFlow's kernel.
CHANNELS = pytest.mark.parametrize("channels", [3, 9])
HALVING = {"kernel_size": 4, "strides": 2, "padding": "same"}


@pytest.fixture(params=["kernel by library", "kernel by blocks"])
def way(request, monkeypatch):
    """The gradient of kernels in every dtype the one way, then the other."""
    name = "_" + request.param.replace(" ", "_")
    for either in ("_kernel_by_library", "_kernel_by_blocks"):
        monkeypatch.setattr(halving_convolution, either, getattr(halving_convolution, name))


def factors(channels, dtype="float64"):
    """Images (2, 4, 6, channels), a kernel (4, 4, channels, 5) and an upstream (2, 2, 3, 5), at random."""
    shapes = ((2, 4, 6, channels), (4, 4, channels, 5), (2, 2, 3, 5))
    rng = np.random.default_rng(0)
    return [tf.constant(rng.normal(size=shape), dtype) for shape in shapes]


def taps(images):
    """Places (of a pixel, in the kernel, of an output) that meet in a 4x4 convolution with stride 2."""
    for batch, row, column, i, j in itertools.product(range(2), range(2), range(3), range(4), range(4)):
        y, x = 2 * row + i - 1, 2 * column + j - 1
        if 0 <= y < images.shape[1] and 0 <= x < images.shape[2]:
            yield (batch, y, x), (i, j), (batch, row, column)


@CHANNELS
def test_all_three_are_the_sums_of_the_definition(channels, way):
    tensors = factors(channels)
    images, kernel, upstream = (tensor.numpy() for tensor in tensors)
    convolved, of_images, of_kernel = np.zeros_like(upstream), np.zeros_like(images), np.zeros_like(kernel)
    for pixel, tap, output in taps(images):
        convolved[output] += images[pixel] @ kernel[tap]
        of_images[pixel] += kernel[tap] @ upstream[output]
        of_kernel[tap] += np.outer(images[pixel], upstream[output])
    near = {"rtol": 1e-12, "atol": 1e-12}
    images, kernel, upstream = tensors
    np.testing.assert_allclose(halving_convolution.convolve(images, kernel), convolved, **near)
    np.testing.assert_allclose(halving_convolution.image_gradient(kernel, upstream), of_images, **near)
    np.testing.assert_allclose(halving_convolution.kernel_gradient(images, upstream), of_kernel, **near)


@CHANNELS
@pytest.mark.parametrize("transposed", [False, True])
def test_first_and_second_gradients_are_those_of_tensorflow(channels, transposed, way):
    """Of a layer's output, cubed so that no second derivative vanishes."""
    images, kernel, upstream = factors(channels)

    def ours(inputs, kernel):
        if transposed:
            return halving_convolution.image_gradient(kernel, inputs)
        return halving_convolution.convolve(inputs, kernel)

    def theirs(inputs, kernel):
        if transposed:
            return tf.nn.conv2d_transpose(inputs, kernel, images.shape, 2, "SAME")
        return tf.nn.conv2d(inputs, kernel, 2, "SAME")

    def gradients(function):
        inputs = upstream if transposed else images
        with tf.GradientTape() as outer:
            outer.watch([inputs, kernel])
            with tf.GradientTape() as inner:
                inner.watch([inputs, kernel])
                value = tf.reduce_sum(function(inputs, kernel) ** 3)
            first = inner.gradient(value, [inputs, kernel])
            penalty = tf.add_n([tf.reduce_sum(gradient**2) for gradient in first])
        return [*first, *outer.gradient(penalty, [inputs, kernel])]

    for one, other in zip(gradients(ours), gradients(theirs), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("channels", [1, 3, 9])
def test_of_a_kernel_of_5x5_numbers_and_gradients_are_those_of_keras(channels):
    """To second order; of 9 channels it is Keras' layer."""
    images, _, _ = factors(channels)
    layers = [
        kind(5, 5, 2, "same", kernel_initializer=keras.initializers.RandomNormal(seed=1), dtype="float64")
        for kind in (HalvingConv2D, keras.layers.Conv2D)
    ]
    results = []
    for layer in layers:
        layer.build(images.shape)
        with tf.GradientTape() as outer:
            outer.watch(images)
            with tf.GradientTape() as inner:
                inner.watch(images)
                outputs = layer(images)
                value = tf.reduce_sum(outputs**3)
            first = inner.gradient(value, [images, layer.kernel.value])
            penalty = tf.add_n([tf.reduce_sum(gradient**2) for gradient in first])
        results.append([outputs, *first, *outer.gradient(penalty, [images, layer.kernel.value])])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", [HalvingConv2D, DoublingConv2DTranspose])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_tensorflow_need_not_know_shapes(kind, dtype):
    """Of images with a label's planes it does not know the channels; of an upstream it may know nothing."""
    layer = kind(5, dtype=dtype, **HALVING)
    layer.build((None, 8, 8, 3))

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, None), dtype), tf.TensorSpec(None, dtype)])
    def gradients(images, upstream):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images)
        return tape.gradient(outputs, [images, layer.kernel.value], upstream)

    images = tf.ones((2, 8, 8, 3), dtype)
    of_images, of_kernel = gradients(images, tf.ones(layer.compute_output_shape(images.shape), dtype))
    assert of_images.shape == images.shape and of_kernel.shape == layer.kernel.shape


def test_bfloat16_gradient_of_a_kernel_is_the_exact_one_rounded():
    images, _, upstream = factors(128, "bfloat16")
    rounded = halving_convolution.kernel_gradient(images, upstream)
    exact = halving_convolution.kernel_gradient(tf.cast(images, "float64"), tf.cast(upstream, "float64"))
    assert rounded.dtype == tf.bfloat16
    # Half a unit in the last of 8 binary places, and what sums that cancel lose in float32.
    np.testing.assert_allclose(tf.cast(rounded, "float64"), exact, rtol=2**-8, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((8, 8, 3), HALVING),
        ((8, 4, 9), {**HALVING, "use_bias": False, "activation": "tanh"}),
        ((7, 8, 3), HALVING),
        ((8, 8, 3), {**HALVING, "kernel_size": 3}),
        ((8, 8, 3), {**HALVING, "kernel_size": (4, 3)}),
        ((8, 8, 3), {**HALVING, "strides": 1}),
        ((8, 8, 3), {**HALVING, "padding": "valid"}),
    ],
)
@pytest.mark.parametrize(("policy", "near"), [("float32", 1e-4), ("mixed_bfloat16", 5e-2), ("mixed_float16", 1e-2)])
@pytest.mark.parametrize(
    "kinds",
    [(HalvingConv2D, keras.layers.Conv2D), (DoublingConv2DTranspose, keras.layers.Conv2DTranspose)],
    ids=["halving", "doubling"],
)
def test_layers_are_those_of_keras(kinds, policy, near, shape, arguments):
    """Where there is a quicker way, and where there is none; gradients of kernels of float32, whatever the policy."""
    images = tf.random.stateless_normal((2, *shape), seed=(0, 1))
    results = []
    for kind in kinds:
        keras.utils.set_random_seed(0)
        layer = kind(5, dtype=policy, **arguments)
        layer.build(images.shape)
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images)
            value = tf.reduce_mean(tf.cast(outputs, "float32") ** 2)
        assert outputs.dtype == layer.compute_dtype
        assert layer.compute_output_shape(images.shape) == outputs.shape
        gradients = tape.gradient(value, [images, *(weight.value for weight in layer.trainable_weights)])
        results.append([outputs, *gradients])
    for one, other in zip(*results, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(tf.cast(one, "float32"), tf.cast(other, "float32"), rtol=near, atol=near / 10)


def test_grouped_convolution_is_that_of_keras():
    images = tf.random.stateless_normal((2, 8, 8, 4), seed=(0, 1))
    ours, theirs = HalvingConv2D(6, groups=2, **HALVING), keras.layers.Conv2D(6, groups=2, **HALVING)
    outputs = ours(images)
    theirs.build(images.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(outputs, theirs(images), atol=1e-6)


def gradient_operations(channels, dtype):
    """The types of operation in the graph of a convolution's gradients."""
    layer = HalvingConv2D(5, dtype=dtype, **HALVING)
    layer.build((None, 8, 8, channels))

    @tf.function
    def gradients(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            value = tf.reduce_sum(layer(images))
        return tape.gradient(value, [images, layer.kernel.value])

    graph = gradients.get_concrete_function(tf.TensorSpec((2, 8, 8, channels), layer.compute_dtype)).graph
    return {operation.type for operation in graph.get_operations()}


def test_ways_are_chosen_by_dtype_channels_and_device(monkeypatch):
    """As is quicker on a processor; a GPU has a library of its own."""
    images, kernel = "Conv2DBackpropInput", "Conv2DBackpropFilter"
    monkeypatch.setattr(halving_convolution, "on_gpu", lambda: False)
    for dtype in ("float32", "bfloat16"):
        assert images not in gradient_operations(3, dtype) and kernel in gradient_operations(3, dtype)
    assert gradient_operations(128, "float32") >= {images, kernel}
    assert images in gradient_operations(128, "bfloat16") and kernel not in gradient_operations(128, "bfloat16")
    monkeypatch.setattr(halving_convolution, "on_gpu", lambda: True)
    assert gradient_operations(3, "float32") >= {images, kernel}
    assert gradient_operations(128, "bfloat16") >= {images, kernel}


@pytest.mark.parametrize("kind", [HalvingConv2D, DoublingConv2DTranspose])
def test_images_of_any_size_and_saved(kind, tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, kind(2, **HALVING)(inputs))
    images = np.random.default_rng(0).random((2, 8, 8, 3), dtype=np.float32)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(loaded.layers[-1]) is kind and loaded.layers[-1].get_config() == model.layers[-1].get_config()
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), model.predict(images, verbose=0))
