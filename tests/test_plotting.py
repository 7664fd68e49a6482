"""Pictures of images: where each lies, and what colours it has."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
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


@pytest.mark.parametrize(("size", "factor"), [(4, 24), (16, 6), (24, 4), (28, 4), (32, 3), (64, 2), (100, 2), (400, 2)])
def test_a_saved_mosaic_has_some_pixels_for_one_and_more_where_images_are_small(size, factor, tmp_path):
    images = np.random.default_rng(0).uniform(size=(4, size, size, 3)).astype("float32")
    plotting.save_mosaic(images, tmp_path / "page.png", 2)
    saved = np.asarray(Image.open(tmp_path / "page.png"))
    assert saved.shape == (factor * (2 * size + 1), factor * (2 * size + 1), 3)
    for place in (0, factor - 1):
        np.testing.assert_array_equal(saved[place::factor, place::factor], plotting.mosaic(images, 2))


def drawn(figure):
    """The pixels of a figure, uint8 array (height, width, 3), before colours are saved."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


@pytest.mark.parametrize(("size", "factor"), [(7, 14), (16, 6), (24, 4), (28, 4), (32, 3), (64, 2), (96, 1), (150, 1)])
def test_images_have_at_least_96_pixels_in_figures_each_pixel_of_theirs_a_square(size, factor):
    images = np.random.default_rng(0).uniform(size=(9, size, size, 3)).astype("float32")
    expected = plotting.mosaic(images, 3).repeat(factor, axis=0).repeat(factor, axis=1)
    assert size * factor >= 96
    np.testing.assert_array_equal(drawn(plotting.grid(images, 3)), expected)
    labelled = plotting.rows({"first": images[:3], "the second": images[3:6], "third": images[6:]}, "what it is")
    model = SimpleNamespace(generate=lambda latents: images)
    plane = plotting.latent_plane(model, np.arange(3), np.arange(3))
    height, width, _ = expected.shape
    for figure in (labelled, plane):
        left, below, right, above = (round(edge) for edge in figure.axes[0].get_window_extent().extents)
        pixels = drawn(figure)
        assert (right - left, above - below) == (width, height)
        np.testing.assert_array_equal(pixels[len(pixels) - above : len(pixels) - below, left:right], expected)
    for axes in plotting.numbered(images, [str(number) for number in range(9)], 4).axes:
        assert np.round(axes.get_window_extent().size).tolist() == [factor * size] * 2


def test_large_images_are_made_smaller_but_not_below_96_pixels():
    for size in (192, 200, 256, 500):
        sides = plotting.grid(np.zeros((4, size, size, 1)), 2).axes[0].get_window_extent().size
        assert (sides >= 2 * 96).all() and (sides < 4 * 96 + 2).all()


def test_labels_and_titles_of_rows_are_within_the_figure():
    figure = plotting.rows(
        {"a long label of a row": np.zeros((3, 8, 8, 1))}, "a title that is longer than three images " * 3
    )
    drawn(figure)
    texts = [*figure.axes[0].get_yticklabels(), *figure.texts]
    for box in (text.get_window_extent() for text in texts):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
    assert figure.texts[-1].get_window_extent().y0 >= figure.axes[0].get_window_extent().y1


def test_pages_are_shown_pixel_for_pixel(tmp_path):
    pages = {}
    for name, width in (("one", 400), ("two", 350), ("three", 400), ("four", 400)):
        pages[name] = tmp_path / f"{name}.png"
        Image.fromarray(np.random.default_rng(width).integers(0, 256, (50, width, 3), np.uint8)).save(pages[name])
    figure = plotting.pictures(pages)
    pixels = drawn(figure)
    assert pixels.shape[1] < 1400  # three beside each other, and one below them
    for axes, path in zip(figure.axes, pages.values()):
        left, below, right, above = (round(edge) for edge in axes.get_window_extent().extents)
        shown = pixels[len(pixels) - above : len(pixels) - below, left:right]
        np.testing.assert_array_equal(shown, np.asarray(Image.open(path)))


@pytest.mark.parametrize(
    ("names", "label", "curves"),
    [
        (["accuracy"], "accuracy", ["training", "held out"]),
        (["bits_per_dim"], "bits per dim", ["training", "held out"]),
        (["wasserstein_distance"], "Wasserstein distance", ["training", "held out"]),
        (
            ["discriminator_loss", "generator_loss"],
            "loss",
            ["discriminator", "discriminator, held out", "generator", "generator, held out"],
        ),
        (
            ["loss", "reconstruction_loss", "kl_loss"],
            "loss",
            ["total", "total, held out", "reconstruction", "reconstruction, held out", "KL", "KL, held out"],
        ),
        (
            ["real_accuracy", "fake_accuracy"],
            "accuracy",
            ["real", "real, held out", "generated", "generated, held out"],
        ),
        (["loss", "accuracy"], "", ["loss", "loss, held out", "accuracy", "accuracy, held out"]),
        (
            ["n of 3", "n_of_3 and more"],
            "",
            ["n of 3", "n of 3, held out", "n of 3 and more", "n of 3 and more, held out"],
        ),
    ],
)
def test_the_axis_of_several_curves_is_named_by_what_all_are_and_each_by_the_rest(names, label, curves):
    history = {f"{val}{name}": [2.0, 1.0] for name in names for val in ("", "val_")}
    axes = plotting.curves(history, names).axes[0]
    assert axes.get_ylabel() == label
    assert [text.get_text() for text in axes.get_legend().get_texts()] == curves
    assert plotting.curves({name: [2.0] for name in names}, names, y_label="nats").axes[0].get_ylabel() == "nats"
    alone = plotting.curves({name: [2.0] for name in names}, names).axes[0].get_legend()
    assert (alone is None) == (len(names) == 1)  # the axis says what a single curve is


def test_curves_begin_where_they_are_told():
    line, below = (plotting.curves({"p": [3.0, 4.0]}, ["p"], first=first).axes[0].lines[0] for first in (1, 0))
    assert line.get_xdata().tolist() == [1, 2] and below.get_xdata().tolist() == [0, 1]


def test_alternative_text_is_what_a_picture_says_in_letters():
    images = np.zeros((4, 8, 8, 1))
    history = {"discriminator_loss": [1.0], "generator_loss": [2.0]}
    figures = {
        "the_game": plotting.curves(history, list(history), y_label="nats"),
        "new_images": plotting.grid(images, 2),
        "rows": plotting.rows({"original": images, "-1": images}, "what is added"),
        "bars": plotting.bars([1, 2], ["boots", "bags"], y_label="share"),
        "long": plotting.texts({"a" * 400: "text"}),
    }
    texts = {name: plotting.alternative_text(figure, name) for name, figure in figures.items()}
    assert texts["the_game"] == "the game: nats against epoch. discriminator; generator"
    assert texts["new_images"] == "new images: 4 images in 2 rows of 2"
    assert texts["rows"] == "rows: rows of images, 4 in each. what is added. original"
    assert texts["bars"] == "bars: share. boots; bags"
    assert len(texts["long"]) == 300 and texts["long"].startswith("long: texts: aaa") and texts["long"].endswith(" ...")
    assert plotting.alternative_text(Figure(), "an_empty_one") == "an empty one"


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
