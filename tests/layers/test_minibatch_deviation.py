"""The deviation over groups of a batch, against a loop in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from gdl_keras.layers import MinibatchDeviation


def random_images(count, shape=(2, 3, 4)):
    return np.random.default_rng(0).normal(size=(count, *shape)).astype("float32")


def expected(x, group_size=4, channels=1):
    """(batch, channels): written out group by group."""
    groups = max(1, len(x) // group_size)
    answer = np.zeros((len(x), channels))
    for group in range(groups):
        members = x[group::groups]
        deviation = np.sqrt(members.var(axis=0) + 1e-8)
        answer[group::groups] = [part.mean() for part in np.split(deviation, channels, axis=-1)]
    return answer


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 12, 13])
@pytest.mark.parametrize("group_size, channels", [(4, 1), (2, 2)])
def test_every_batch_size_gives_what_the_loop_gives(count, group_size, channels):
    x = random_images(count)
    y = MinibatchDeviation(group_size, channels)(x)
    assert y.shape == (count, 2, 3, 4 + channels)
    np.testing.assert_array_equal(y[..., :4], x)
    planes = np.broadcast_to(expected(x, group_size, channels)[:, None, None], (count, 2, 3, channels))
    np.testing.assert_allclose(y[..., 4:], planes, rtol=1e-5)


def test_images_that_are_all_the_same_have_the_root_of_epsilon():
    y = MinibatchDeviation()(np.tile(random_images(1), (8, 1, 1, 1)))
    np.testing.assert_allclose(y[..., -1], 1e-4, rtol=1e-2)


def test_by_hand():
    """One pixel of one group of four, 0 0 0 1: the mean is 1/4 and the variance 3/16."""
    x = np.array([0, 0, 0, 1], "float32").reshape(4, 1, 1, 1)
    np.testing.assert_allclose(MinibatchDeviation()(x)[..., 1], np.sqrt(3 / 16), rtol=1e-6)


def test_groups_are_strided():
    """Of eight examples there are two groups, and 0 is in one with 2, 4 and 6."""
    x = random_images(8)
    before = MinibatchDeviation()(x)[:, 0, 0, -1]
    swapped = MinibatchDeviation()(x[[2, 1, 0, 3, 4, 5, 6, 7]])[:, 0, 0, -1]
    np.testing.assert_allclose(swapped, before, rtol=1e-6)
    mixed = MinibatchDeviation()(x[[1, 0, 2, 3, 4, 5, 6, 7]])[:, 0, 0, -1]
    assert np.abs(mixed - before).min() > 1e-3


def test_half_precision_computes_in_float32():
    """Of deviations near 1/1000, float16 would keep no square."""
    x = (1 + 1e-3 * random_images(8)).astype("float16")
    y = MinibatchDeviation(dtype="mixed_float16")(x)
    assert y.dtype == "float16"
    np.testing.assert_allclose(y[..., -1], expected(x.astype("float64"))[:, :, None] * np.ones((8, 2, 3)), rtol=1e-3)


def test_one_trace_serves_every_batch_size():
    layer = MinibatchDeviation()
    layer.build((None, 2, 3, 4))
    call = tf.function(layer, input_signature=[tf.TensorSpec((None, 2, 3, 4))])
    for count in (1, 7, 8):
        x = random_images(count)
        np.testing.assert_allclose(call(x)[:, 0, 0, 4:], expected(x), rtol=1e-5)


def test_saved_and_loaded():
    layer = MinibatchDeviation(8, 2)
    assert MinibatchDeviation.from_config(layer.get_config()).get_config() == layer.get_config()
