"""Pictures of latent planes: where points lie, what their axes count, by which colours classes are told apart."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from gdl_keras import plotting
from gdl_keras.plotting.colours import class_style

# Linear light as somebody sees it whose eyes lack a kind of cone (Machado et al. 2009).
EYES = {
    "all": np.eye(3),
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


def smallest_difference(colours, eyes):
    """The smallest distance of two colours in CIELAB, in which 2 is just seen."""
    srgb = np.array([to_rgb(colour) for colour in colours])
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4) @ np.transpose(EYES[eyes])
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    xyz = light.clip(0, 1) @ to_xyz.T / (0.95047, 1, 1.08883)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return apart[~np.eye(len(lab), dtype=bool)].min()


@pytest.mark.parametrize(
    ("eyes", "least", "of_rainbow"), [("all", 22, 21), ("deuteranopia", 17, 6), ("protanopia", 15, 11)]
)
def test_ten_classes_have_colours_that_can_be_told_apart(eyes, least, of_rainbow):
    assert smallest_difference([class_style(label)["color"] for label in range(10)], eyes) > least
    assert smallest_difference(colormaps["rainbow"](np.linspace(0, 1, 10)), eyes) < of_rainbow


def test_a_class_looks_the_same_in_every_picture_and_many_like_no_other():
    points, labels = np.random.default_rng(0).normal(size=(60, 2)), np.repeat([3, 5, 13], 20)
    model = SimpleNamespace(generate=lambda latents: np.zeros((len(latents), 4, 4, 1)))
    names = [str(number) for number in range(20)]
    figures = [
        plotting.latent_scatter(points, labels, names),
        plotting.scatters({"a": points}, labels, names),
        plotting.latent_plane(model, np.arange(3), np.arange(3), points, labels),
        plotting.latent_scatter(points[20:], labels[20:], names),
    ]
    seen = [[drawn.get_facecolor()[0, :3].tolist() for drawn in figure.axes[0].collections] for figure in figures]
    expected = [list(to_rgb(class_style(label)["color"])) for label in (3, 5, 13)]
    np.testing.assert_allclose(seen[:3], [expected] * 3)
    np.testing.assert_allclose(seen[3], expected[1:])
    assert expected[0] == expected[2] and len({tuple(class_style(label).values()) for label in range(80)}) == 80


def test_axes_of_latent_planes_say_what_they_count():
    points = np.zeros((4, 2))
    model = SimpleNamespace(generate=lambda latents: np.zeros((len(latents), 4, 4, 1)))
    latent = ("first latent number", "second latent number")
    for figure in (plotting.latent_scatter(points), plotting.latent_plane(model, np.arange(2), np.arange(2))):
        assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == latent
    axes = plotting.scatters({"a": points, "b": points}, axis_names={"b": "{} share"}).axes
    assert [(one.get_xlabel(), one.get_ylabel()) for one in axes] == [latent, ("first share", "second share")]


def test_few_points_are_drawn_larger_than_many():
    def sizes(count):
        points, labels = np.zeros((count, 2)), np.arange(count) % 2
        model = SimpleNamespace(generate=lambda latents: np.zeros((len(latents), 4, 4, 1)))
        figures = [
            plotting.latent_scatter(points),
            plotting.latent_scatter(points, labels, ["a", "b"]),
            plotting.latent_plane(model, np.arange(3), np.arange(3), points, labels),
        ]
        return [figure.axes[0].collections[0].get_sizes()[0] for figure in figures]

    assert sizes(1000) == sizes(10_000) == [2, 3, 2]
    assert sizes(100) == [20, 30, 20]
    assert max(sizes(2)) < 40
