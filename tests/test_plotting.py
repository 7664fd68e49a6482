"""Pictures of images: where each lies, and what colours it has."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from gdl_keras import plotting


def test_images_lie_in_rows_with_a_white_line_between():
    images = np.random.default_rng(0).uniform(size=(5, 4, 3, 3)).astype("float32")
    picture = plotting.mosaic(images, columns=3)
    assert picture.shape == (2 * 5 - 1, 3 * 4 - 1, 3)
    for number, image in enumerate(images):
        top, left = 5 * (number // 3), 4 * (number % 3)
        np.testing.assert_array_equal(picture[top : top + 4, left : left + 3], np.rint(image * 255))
    assert (picture[4] == 255).all() and (picture[5:, 8:] == 255).all()


def test_grey_is_dark_on_white():
    picture = plotting.mosaic(np.array([0.0, 0.2, 1.0])[:, None, None, None] * np.ones((1, 2, 2, 1)), columns=3)
    assert picture[0, ::3, 0].tolist() == [255, 204, 0]


@pytest.mark.parametrize(("size", "factor"), [(4, 16), (16, 4), (24, 2), (28, 2), (32, 2), (64, 2), (100, 2)])
def test_a_saved_mosaic_has_some_pixels_for_one_and_more_where_images_are_small(size, factor, tmp_path):
    images = np.random.default_rng(0).uniform(size=(4, size, size, 3)).astype("float32")
    plotting.save_mosaic(images, tmp_path / "page.png", 2)
    saved = np.asarray(Image.open(tmp_path / "page.png"))
    assert saved.shape == (factor * (2 * size + 1), factor * (2 * size + 1), 3)
    for place in (0, factor - 1):
        np.testing.assert_array_equal(saved[place::factor, place::factor], plotting.mosaic(images, 2))


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (["accuracy"], "accuracy"),
        (["bits_per_dim"], "bits_per_dim"),
        (["discriminator_loss", "generator_loss"], "loss"),
        (["loss", "reconstruction_loss", "kl_loss"], "loss"),
        (["loss", "accuracy"], ""),
    ],
)
def test_the_axis_of_several_curves_is_named_by_what_all_are(names, label):
    figure = plotting.curves({name: [2.0, 1.0] for name in names}, names)
    assert figure.axes[0].get_ylabel() == label
    assert plotting.curves({name: [2.0] for name in names}, names, y_label="nats").axes[0].get_ylabel() == "nats"


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


def test_every_public_name_is_a_figure_or_writes_one():
    history = {"loss": [2.0, 1.0], "val_loss": [2.0, 1.5]}
    images = np.zeros((4, 4, 4, 1))
    points, labels = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    figures = [
        plotting.curves(history, ["loss"]),
        plotting.bars([1, 2], ["a", "b"], level=1.5),
        plotting.confusion(labels, labels, ["a", "b"]),
        plotting.grid(images, title="a title"),
        plotting.numbered(images, ["a", "b", "c", "d\ne"]),
        plotting.panels({"a": images[0]}, symmetric=False),
        plotting.rows({"a": images, "b": images[:2]}),
        plotting.histograms(points),
        plotting.latent_scatter(points, labels, ["a", "b"], marked=points[:2], title="a title"),
        plotting.scatters({"a": points, "b": points}, labels, ["a", "b"]),
    ]
    assert all(figure.axes for figure in figures)


def test_each_history_is_a_line_in_each_panel():
    histories = {
        "a": {"kl": [0, 1, 3], "score": [0, 2, 5], "truth": [1, 2, 0]},
        "b": {"kl": [0], "score": [1], "truth": [4]},
    }
    figure = plotting.paths(histories, "kl", {"truth": "the truth", "score": "a score"}, x_label="nats")
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes] == [
        ("nats", "the truth"),
        ("nats", "a score"),
    ]
    drawn = [[line.get_xydata().tolist() for line in axes.lines] for axes in figure.axes]
    assert drawn == [[[[0, 1], [1, 2], [3, 0]], [[0, 4]]], [[[0, 0], [1, 2], [3, 5]], [[0, 1]]]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_every_token_of_a_text_is_there_once_on_its_ground():
    pieces, values = ["The ", "cat.", "\n", "It ", "sat."], [0.0, 5.0, 2.5, 10.0, 99.0]
    figure = plotting.shaded(pieces, values, "bits", width=6, largest=10)
    axes = figure.axes[0]
    assert "".join(text.get_text() for text in axes.texts) == "The cat.It sat."
    # "cat." does not fit beside "The ", and what follows the line break begins a line.
    assert [bar.get_y() + 0.5 for bar in axes.patches] == [0, 1, 1, 2, 3]
    greens = [bar.get_facecolor()[1] for bar in axes.patches]
    assert greens[0] == 1 and greens[0] > greens[2] > greens[1] > greens[3] == greens[4]
    assert figure.axes[1].get_xlabel() == "bits"


def test_what_the_ground_means_can_be_read_beside_a_single_line_too(tmp_path):
    figure = plotting.shaded(["one ", "line"], [0.0, 1.0], "number 12 of the state")
    figure.savefig(tmp_path / "line.png")  # which lays it out
    label = figure.axes[1].xaxis.label.get_window_extent()
    assert figure.bbox.x0 <= label.x0 and label.x1 <= figure.bbox.x1
    assert figure.bbox.y0 <= label.y0 and label.y1 <= figure.bbox.y1


def test_texts_stand_under_their_names_and_are_wrapped():
    figure = plotting.texts({"first": "one two\n\nthree $x$", "second": ""}, width=5)
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "first",
        "one",
        "two",
        "",
        "three",
        "$x$",
        "",
        "second",
        "",
    ]


def test_the_likeliest_tokens_come_first():
    figure = plotting.next_tokens({"after 'a'": np.array([0.1, 0.6, 0.3])}, ["x", " ", "\n"], count=2)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["␣", "¶"]
    assert [bar.get_width() for bar in axes.patches] == [0.6, 0.3]
    assert axes.get_title() == "after 'a'" and not figure.axes[1].axison


def test_arrows_point_along_slopes_and_long_ones_are_cut_off():
    def slopes(points):
        return points * np.where(np.abs(points).max(axis=1, keepdims=True) > 1.7, 100.0, 1.0)

    figure = plotting.fields({"out": slopes, "in": lambda points: -points}, ((-2, 2), (-2, 2)), 2, np.zeros((3, 2)))
    arrows = [axes.collections[-1] for axes in figure.axes]
    lengths = [np.hypot(quiver.U, quiver.V) for quiver in arrows]
    place = arrows[1].XY
    short = lengths[1] < 0.99 * lengths[1].max()
    np.testing.assert_allclose(np.stack([arrows[1].U, arrows[1].V])[:, short], -place[short].T, atol=1e-9)
    along = arrows[0].U * arrows[0].XY[:, 0] + arrows[0].V * arrows[0].XY[:, 1]
    np.testing.assert_allclose(along, lengths[0] * np.hypot(*arrows[0].XY.T), rtol=1e-9)
    # One scale for both, on which arrows that would be a hundred times as long are as long as the others.
    assert arrows[0].scale == arrows[1].scale
    assert lengths[0].max() < 2 and lengths[0].max() == pytest.approx(lengths[1].max())
    assert (lengths[0] > 0.999 * lengths[0].max()).mean() == pytest.approx(0.6, abs=0.04)
    assert [axes.get_title() for axes in figure.axes] == ["out", "in"]


def test_distributions_are_outlines_over_the_range_of_nearly_all_values():
    values = {"a": np.append(np.linspace(0, 1, 1000), 1e6), "b": np.linspace(2, 3, 1000)}
    axes = plotting.distributions(values, "energy", count=30).axes[0]
    low, high = axes.get_xlim()
    assert -0.2 < low < 0.01 and 2.99 < high < 3.2
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    # The outline of b is flat over its third of the axis, and nowhere else.
    heights = {patch.get_label(): patch.get_xy()[:, 1] for patch in axes.patches}
    assert heights["b"].max() == pytest.approx(1, rel=0.15) and (heights["b"] < 0.01).mean() > 0.5
