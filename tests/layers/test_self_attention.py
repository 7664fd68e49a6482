"""Self-attention over an image, against loops in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import SelfAttention2D, SpectralNormalization

SHAPE = (2, 4, 6, 16)


def images(shape=SHAPE):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def opened(gate=0.7, shape=SHAPE, **options):
    """A layer whose gate is open."""
    keras.utils.set_random_seed(0)
    layer = SelfAttention2D(**options)
    layer.build(shape)
    layer.gate.assign(gate)
    return layer


def kernel(layer, name):
    """Its matrix as it is used: divided by the largest singular value where that is asked for."""
    convolution = getattr(layer, name)
    if not isinstance(convolution, SpectralNormalization):
        return np.asarray(convolution.kernel)[0, 0].astype("float64")
    matrix = np.asarray(convolution.layer.kernel)[0, 0].astype("float64")
    return matrix / float(convolution.sigma())


def by_hand(layer, x):
    """(outputs, shares), place by place."""
    step = 2 if layer.pooled else 1
    outputs, all_shares = np.zeros(x.shape), []
    for number, image in enumerate(x.astype("float64")):
        keys, values = ([], [])
        for row in range(0, image.shape[0], step):
            for column in range(0, image.shape[1], step):
                block = image[row : row + step, column : column + step]
                keys.append((block @ kernel(layer, "phi")).max(axis=(0, 1)))
                values.append((block @ kernel(layer, "g")).max(axis=(0, 1)))
        for row in range(image.shape[0]):
            for column in range(image.shape[1]):
                scores = np.array([image[row, column] @ kernel(layer, "theta") @ key for key in keys])
                shares = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
                read = sum(share * value for share, value in zip(shares, values))
                outputs[number, row, column] = image[row, column] + float(layer.gate) * read @ kernel(layer, "o")
                all_shares.append(shares)
    return outputs, np.reshape(all_shares, (len(x), -1, len(keys)))


@pytest.mark.parametrize("spectral", [True, False])
@pytest.mark.parametrize("pooled", [True, False])
def test_outputs_and_shares_are_those_of_a_loop_over_places(spectral, pooled):
    layer, x = opened(spectral=spectral, pooled=pooled), images()
    outputs, shares = by_hand(layer, x)
    np.testing.assert_allclose(layer(x), outputs, atol=2e-5)
    np.testing.assert_allclose(layer.shares(x), shares, atol=2e-5)
    np.testing.assert_allclose(np.sum(layer.shares(x), axis=-1), 1, rtol=1e-5)
    assert layer.shares(x).shape == (2, 24, 6 if pooled else 24)


def test_it_begins_as_the_identity_and_its_gate_has_a_slope():
    layer, x = SelfAttention2D(), images()
    np.testing.assert_array_equal(layer(x), x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) ** 2)
    gradients = dict(zip([w.path for w in layer.trainable_weights], tape.gradient(loss, layer.trainable_variables)))
    gate = next(gradient for path, gradient in gradients.items() if path.endswith("gate"))
    assert abs(float(gate)) > 1e-3


def test_places_that_change_seats_take_their_outputs_along():
    layer, x = opened(pooled=False), images()
    order = np.random.default_rng(2).permutation(24)
    moved = x.reshape(2, 24, 16)[:, order].reshape(x.shape)
    expected = np.asarray(layer(x)).reshape(2, 24, 16)[:, order].reshape(x.shape)
    np.testing.assert_allclose(layer(moved), expected, atol=1e-5)
    convolution = keras.layers.Conv2D(16, 3, padding="same")
    expected = np.asarray(convolution(x)).reshape(2, 24, 16)[:, order].reshape(x.shape)
    assert not np.allclose(convolution(moved), expected, atol=0.1)


@pytest.mark.parametrize("channels", [8, 64])
def test_it_has_five_quarters_of_the_squared_channels_as_weights_and_one(channels):
    layer = opened(shape=(None, 4, 4, channels))
    assert sum(np.prod(w.shape) for w in layer.trainable_weights) == 1.25 * channels**2 + 1


def test_power_iterations_move_in_training_alone():
    layer, x = opened(), images()
    before = [np.asarray(w) for w in layer.non_trainable_weights]
    layer(x, training=False)
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.non_trainable_weights))
    layer(x, training=True)
    assert len(before) == 4
    assert not any(np.array_equal(a, b) for a, b in zip(before, layer.non_trainable_weights))


def test_shares_of_half_precision_are_counted_in_float32():
    layer = opened(dtype="mixed_float16")
    assert layer.shares(images()).dtype == "float32"
    assert layer(images()).dtype == "float16"


def test_saved_and_loaded(tmp_path):
    inputs = keras.Input(SHAPE[1:])
    model = keras.Model(inputs, SelfAttention2D(pooled=False, kernel_initializer="orthogonal")(inputs))
    model.layers[-1].gate.assign(0.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].get_config() == model.layers[-1].get_config()
    np.testing.assert_array_equal(model(images()), loaded(images()))
