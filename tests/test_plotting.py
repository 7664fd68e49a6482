"""Pictures of images: where each lies, and what colours it has."""

import numpy as np
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


def test_a_saved_mosaic_has_two_pixels_for_one(tmp_path):
    images = np.random.default_rng(0).uniform(size=(4, 4, 4, 3)).astype("float32")
    plotting.save_mosaic(images, tmp_path / "page.png", 2)
    saved = np.asarray(Image.open(tmp_path / "page.png"))
    np.testing.assert_array_equal(saved[::2, 1::2], plotting.mosaic(images, 2))


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
    assert figure.axes[1].get_ylabel() == "bits"


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
