"""The layers of StyleGAN3: published tables, the filters that follow from them, the number of weights."""

import numpy as np
import pytest
import scipy.signal
import scipy.special

from gdl_keras.errors import InputError
from gdl_keras.models.stylegan3 import build_synthesis
from gdl_keras.models.stylegan3.filters import jinc, kaiser_filter, radial_filter
from gdl_keras.models.stylegan3.networks import nonlinearity
from gdl_keras.models.stylegan3.table import layer_table
from tests.harness import long

# (size, channels, rate) as often as they come, and the cut-offs.
TABLES = {
    64: (
        [(36, 512, 16)] * 4 + [(52, 512, 32)] * 4 + [(84, 512, 64)] * 5 + [(64, 512, 64), (64, 3, 64)],
        [2.00, 2.52, 3.17, 4.00, 5.04, 6.35, 8.00, 10.08, 12.70, 16.00, 20.16, 25.40, 32, 32, 32],
        7.40,
    ),
    256: (
        [(36, 512, 16)] * 3
        + [(52, 512, 32)] * 2
        + [(84, 512, 64)] * 2
        + [(148, 512, 128)] * 2
        + [(148, 362, 128), (276, 256, 256), (276, 181, 256), (276, 128, 256), (256, 128, 256), (256, 3, 256)],
        [2, 2.83, 4, 5.66, 8, 11.31, 16, 22.63, 32, 45.25, 64, 90.51, 128, 128, 128],
        29.59,
    ),
    1024: (
        [(36, 512, 16)] * 2
        + [(52, 512, 32)] * 2
        + [(84, 512, 64)]
        + [(148, 512, 128)] * 2
        + [(276, 323, 256), (276, 203, 256), (532, 128, 512), (1044, 81, 1024), (1044, 51, 1024)]
        + [(1044, 32, 1024), (1024, 32, 1024), (1024, 3, 1024)],
        None,
        None,
    ),
}


@pytest.mark.parametrize("image_size", TABLES)
def test_layers_are_the_published_ones(image_size):
    table = layer_table(image_size)
    shapes, cutoffs, last_half_width = TABLES[image_size]
    assert [(layer.size, layer.channels, layer.rate) for layer in table] == shapes
    assert [layer.is_critical for layer in table] == [False] * 12 + [True] * 3
    if cutoffs:
        np.testing.assert_allclose([layer.cutoff for layer in table], cutoffs, atol=0.005)
        assert table[12].half_width == pytest.approx(last_half_width, abs=0.005)


def test_padding_is_the_published_one():
    """Of layers that keep their rate, that double it, and that cut the margin off."""
    table = layer_table(1024)
    paddings = [nonlinearity(*pair, kernel_size=3)["padding"] for pair in zip(table[:1] + table[:-2], table[:-1])]
    for before, after, padding in zip(table[:1] + table[:-2], table[:-1], paddings):
        if after.size == 1024:
            assert padding == (-11, -12)
        else:
            assert padding == ((9, 8) if before.rate == after.rate else (-6, -9))


@pytest.mark.parametrize(("taps", "cutoff", "width", "rate"), [(12, 2, 12, 32), (24, 2.5, 5, 64), (12, 25, 7, 64)])
def test_kaiser_filters_are_scipys(taps, cutoff, width, rate):
    wanted = scipy.signal.firwin(taps, cutoff, width=width, fs=rate)
    np.testing.assert_allclose(kaiser_filter(taps, cutoff, width, rate), wanted, atol=1e-12)


def test_radial_filters_are_a_jinc_behind_kaisers_window():
    x = np.linspace(0, 30, 400)
    np.testing.assert_allclose(jinc(x)[1:], scipy.special.j1(x[1:]) / x[1:], atol=1e-12)
    assert jinc(np.zeros(1))[0] == 0.5
    taps, cutoff, width, rate = 12, 4.0, 8.0, 32
    places = (np.arange(taps) - 5.5) / rate
    radius = np.hypot(*np.meshgrid(places, places))
    window = np.kaiser(taps, scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(taps, width / (rate / 2))))
    wanted = scipy.special.j1(2 * np.pi * cutoff * radius) / (np.pi * radius) * np.outer(window, window)
    found = radial_filter(taps, cutoff, width, rate)
    np.testing.assert_allclose(found, wanted / wanted.sum(), atol=1e-12)
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize(
    ("rotation", "count"), [(False, 22_313_167), long(True, 15_093_151)], ids=["translation", "rotation"]
)
def test_number_of_weights_is_the_published_one(rotation, count):
    """With a mapping network of two layers, 512 numbers each."""
    network = build_synthesis((1024, 1024, 3), rotation=rotation)
    weights = sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)
    assert weights + 2 * (512 * 512 + 512) == count
    assert network.output.shape == (None, 1024, 1024, 3)


def test_sizes_that_there_is_no_network_for_are_refused():
    for shape in ((24, 24, 3), (8, 8, 3), (16, 32, 3)):
        with pytest.raises(InputError):
            build_synthesis(shape)
    with pytest.raises(InputError):
        layer_table(64, num_layers=2, num_critical=2)
