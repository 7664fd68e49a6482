"""Products of matrices on a device that rounds what it multiplies to TF32."""

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import exact_product as file
from gdl_keras.layers.exact_product import exact_product


def to_tf32(values):
    """Rounded to 10 bits of mantissa, to the nearest, in numpy."""
    bits = np.asarray(values, "float32").view(np.uint32)
    return ((bits + 0x1000) & np.uint32(0xFFFFE000)).view(np.float32)


@pytest.fixture
def gpu(monkeypatch):
    """`tf.matmul` as a GPU has it: of rounded numbers, summed up in float32."""
    really = tf.matmul
    monkeypatch.setattr(file, "on_gpu", lambda: True)
    monkeypatch.setattr(tf, "matmul", lambda a, b: really(*(tf.constant(to_tf32(t.numpy())) for t in (a, b))))


def test_it_is_as_exact_as_float32_where_products_are_rounded(gpu):
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(20, 300)), generator.normal(size=(300, 10))
    a, b = a.astype("float32"), b.astype("float32")
    expected = np.float64(a) @ np.float64(b)
    rounded = np.abs(tf.matmul(tf.constant(a), tf.constant(b)) - expected).max()
    exact = np.abs(exact_product(tf.constant(a), tf.constant(b)) - expected).max()
    in_numpy = np.abs(a @ b - expected).max()
    assert exact < 2 * in_numpy < rounded / 100


def test_on_a_processor_it_is_the_plain_product():
    a, b = tf.random.normal((3, 4)), tf.random.normal((4, 5))
    np.testing.assert_array_equal(exact_product(a, b), tf.matmul(a, b))


def test_gradients_are_those_of_the_product(monkeypatch):
    """Cutting off bits has no slope, and none may be lost by that."""
    a, b = tf.random.normal((3, 4)), tf.random.normal((4, 5))
    slopes = []
    for on_gpu in (False, True):
        monkeypatch.setattr(file, "on_gpu", lambda on_gpu=on_gpu: on_gpu)
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            total = tf.reduce_sum(exact_product(a, b) ** 2)
        slopes.append(tape.gradient(total, [a, b]))
    for plain, in_parts in zip(*slopes):
        np.testing.assert_allclose(in_parts, plain, rtol=1e-5, atol=1e-5)
