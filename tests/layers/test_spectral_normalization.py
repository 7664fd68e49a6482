"""Spectral normalisation against the singular value from numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from gdl_keras.errors import InputError
from gdl_keras.layers import DoublingConv2DTranspose, HalvingConv2D, SpectralNormalization


@pytest.fixture
def float64():
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")


def built(layer, shape):
    """(wrapped layer after 300 passes in training, its kernel as a matrix, an input)."""
    normalized = SpectralNormalization(layer)
    rng = np.random.default_rng(0)
    table = isinstance(layer, layers.Embedding)
    x = rng.integers(0, layer.input_dim, (2, *shape)) if table else rng.normal(size=(2, *shape))
    x = tf.constant(x, "int32" if table else keras.config.floatx())
    normalized(x)
    iterate = tf.function(lambda: normalized.sigma(training=True))
    for _ in range(300):
        iterate()
    return normalized, matrix(layer), x


def matrix(layer):
    """Output channels against the rest, written out for each kind of kernel; an embedding's table."""
    if isinstance(layer, layers.Embedding):
        return np.asarray(layer.embeddings)
    kernel = np.asarray(layer.kernel)
    if "Transpose" in type(layer).__name__:
        return np.stack([kernel[..., channel, :].ravel() for channel in range(kernel.shape[-2])])
    return np.stack([kernel[..., channel].ravel() for channel in range(kernel.shape[-1])])


KINDS = {
    "dense": (lambda: layers.Dense(5), (7,)),
    "one unit": (lambda: layers.Dense(1), (7,)),
    "convolution": (lambda: layers.Conv2D(6, 3, padding="same"), (4, 4, 2)),
    "1x1": (lambda: layers.Conv2D(6, 1, use_bias=False), (4, 4, 2)),
    "groups": (lambda: layers.Conv2D(6, 3, groups=2), (4, 4, 4)),
    "halving convolution": (lambda: HalvingConv2D(6, 4, strides=2, padding="same"), (4, 4, 2)),
    "transposed convolution": (lambda: layers.Conv2DTranspose(6, 3, strides=2), (4, 4, 2)),
    "transposed convolution, 1-D": (lambda: layers.Conv1DTranspose(2, 5), (4, 3)),
    "doubling convolution": (lambda: DoublingConv2DTranspose(3, 4, strides=2, padding="same"), (4, 4, 7)),
    "embedding": (lambda: layers.Embedding(9, 4), (3,)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kernel_is_divided_by_its_largest_singular_value(kind):
    build, shape = KINDS[kind]
    layer = build()
    normalized, kernel, x = built(layer, shape)
    sigma = np.linalg.svd(kernel, compute_uv=False)[0]
    np.testing.assert_allclose(normalized.sigma(), sigma, rtol=1e-4)
    # All biases start at zero, so that the output scales as the kernel does.
    np.testing.assert_allclose(normalized(x), np.asarray(layer(x)) / sigma, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "kind", ["dense", "convolution", "transposed convolution", "doubling convolution", "embedding"]
)
def test_gradient_is_that_of_finite_differences(kind, float64):
    """Of an output, cubed, along a random direction; where the vectors have converged to the singular ones."""
    build, shape = KINDS[kind]
    layer = build()
    normalized, _, x = built(layer, shape)
    weight = layer.embeddings if kind == "embedding" else layer.kernel
    start = np.asarray(weight)
    direction = np.random.default_rng(1).normal(size=start.shape)

    def loss():
        return ops.sum(normalized(x) ** 3)

    def loss_at(distance):
        weight.assign(start + distance * direction)
        return float(loss())

    with tf.GradientTape() as tape:
        value = loss()
    computed = float((tf.convert_to_tensor(tape.gradient(value, weight.value)) * direction).numpy().sum())
    measured = (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6
    assert computed == pytest.approx(measured, rel=1e-6)


@pytest.mark.parametrize("kind", ["transposed convolution", "embedding"])
def test_saved_and_loaded(kind, tmp_path):
    build, shape = KINDS[kind]
    inputs = keras.Input(shape, dtype="int32" if kind == "embedding" else None)
    model = keras.Model(inputs, SpectralNormalization(build())(inputs))
    x = np.ones((2, *shape), "int32" if kind == "embedding" else "float32")
    model(x, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(model(x), loaded(x))
    np.testing.assert_array_equal(model.layers[-1].vector, loaded.layers[-1].vector)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.DepthwiseConv2D(3), (4, 4, 2)),
        (layers.SeparableConv2D(3, 3), (4, 4, 2)),
        (layers.EinsumDense("ab,bcd->acd", (2, 3)), (4,)),
        (layers.Dense(3, lora_rank=1), (4,)),
        (layers.Embedding(3, 2, lora_rank=1), (4,)),
        (layers.BatchNormalization(), (4,)),
        (layers.ReLU(), (4,)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_layer_without_such_a_kernel_is_refused(layer, shape):
    with pytest.raises(InputError, match=f"{layer.name!r} .*Embedding, without LoRA"):
        SpectralNormalization(layer)(tf.zeros((1, *shape)))


def test_estimate_rises_to_the_singular_value_and_the_kernel_stays():
    normalized = SpectralNormalization(layers.Dense(6))
    x = tf.ones((1, 8))
    normalized(x)
    kernel = np.asarray(normalized.layer.kernel)
    sigma = np.linalg.svd(kernel, compute_uv=False)[0]
    estimates = []
    for _ in range(20):
        estimates.append(float(normalized.sigma()))
        normalized(x, training=True)
    assert (np.diff(estimates) >= -1e-5).all()
    assert estimates[0] < estimates[-1] <= sigma * (1 + 1e-5)
    np.testing.assert_array_equal(normalized.layer.kernel, kernel)


def test_one_iteration_in_training_and_none_otherwise():
    normalized = SpectralNormalization(layers.Dense(6))
    x = tf.ones((1, 8))
    normalized(x)
    start = np.asarray(normalized.vector)
    normalized(x, training=False)
    np.testing.assert_array_equal(normalized.vector, start)
    normalized(x, training=True)
    kernel = np.asarray(normalized.layer.kernel)
    expected = kernel.T @ (kernel @ start)
    np.testing.assert_allclose(normalized.vector, expected / np.linalg.norm(expected), rtol=1e-5, atol=1e-6)


def test_gradient_passes_through_sigma():
    """<W, dL/dW> = 0: making the kernel longer changes nothing, as it is divided by its length."""
    normalized, _, x = built(layers.Dense(5), (7,))
    with tf.GradientTape() as tape:
        loss = ops.sum(ops.square(normalized(x)))
    kernel = normalized.layer.kernel
    gradient = np.asarray(tape.gradient(loss, kernel.value))
    assert np.abs(gradient).max() > 0.1
    assert abs((np.asarray(kernel) * gradient).sum()) < 1e-4


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_precision_and_round_trip(policy):
    keras.config.set_dtype_policy(policy)
    images = keras.Input((4, 4, 2))
    model = keras.Model(images, SpectralNormalization(layers.Conv2D(3, 3))(images))
    x = np.ones((2, 4, 4, 2), "float32")
    model(x, training=True)
    assert model(x).dtype == model.layers[-1].compute_dtype
    assert all(w.dtype == "float32" for w in model.weights)
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(model(x), copy(x))


def test_a_kernel_of_zeros_gives_zeros():
    normalized = SpectralNormalization(layers.Dense(3, kernel_initializer="zeros"))
    np.testing.assert_array_equal(normalized(tf.ones((2, 4)), training=True), np.zeros((2, 3)))


@pytest.mark.parametrize("policy", ["mixed_float16", "float32"])
def test_its_output_has_the_precision_of_the_layer(policy):
    keras.config.set_dtype_policy(policy)
    inputs = keras.Input((7,))
    for layer, dtype in ((layers.Dense(2, dtype="float32"), "float32"), (layers.Dense(2), policy[-7:])):
        network = keras.Model(inputs, SpectralNormalization(layer)(inputs))
        assert network.outputs[0].dtype == network(np.zeros((1, 7), "float32")).dtype.name == dtype
