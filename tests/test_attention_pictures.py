"""Pictures of attention: every token is there once more in each line after it, on the ground of its share."""

import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from gdl_keras import plotting

PIECES = ["a", "<b>", "\n", "&", "c"]
WEIGHTS = np.tril([[1, 0, 0, 0, 0], [0.25, 0.75, 0, 0, 0], [0.5, 0.5, 0, 0, 0], [0, 0, 0.2, 0.8, 0], [0.2] * 5])


class Well(HTMLParser):
    """Raises AssertionError where a tag ends that is not the last one begun."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def lines_of(html):
    """[(shares in percent, grounds, the line's text)]."""
    lines = re.findall(r"<div style[^>]*>(.*)</div>", html)
    return [
        (
            [float(share) for share in re.findall(r'title="([\d.]+) %"', line)],
            [float(ground) for ground in re.findall(r"rgba\(240, 96, 77, ([\d.]+)\)", line)],
            unescape(re.sub(r"<[^>]*>", "", line)),
        )
        for line in lines
    ]


def test_each_token_has_a_line_with_all_that_it_was_foreseen_from():
    html = plotting.attention_html(PIECES, WEIGHTS, first=1, notes=["", "x < y", "", "", "last"])
    parser = Well()
    parser.feed(html)
    assert not parser.open
    lines = lines_of(html)
    assert [text for *_, text in lines] == ["|a<b>   x < y", "|a<b>¶   ", "|a<b>¶&   ", "|a<b>¶&c   last"]
    for place, (shares, grounds, _) in enumerate(lines, start=1):
        row = WEIGHTS[place][: place + 1]
        np.testing.assert_allclose(shares, 100 * row, atol=0.05)
        np.testing.assert_allclose(grounds, row / row.max(), atol=1e-3)


def test_what_a_text_says_is_no_html():
    html = plotting.attention_html(["<script>", '"', "x"], np.tril(np.ones((3, 3))), beginning="<end>")
    assert "<script>" not in html and "<end>" not in html and "&lt;script&gt;" in html


def test_a_map_has_a_row_for_each_token_and_a_column_for_each_that_it_is_foreseen_from():
    figure = plotting.attention_maps(PIECES, {"head 1": WEIGHTS, "head $2": WEIGHTS / 2, "mean": WEIGHTS})
    first, second, third, unused = figure.axes[:4]
    assert [axes.get_title() for axes in (first, second, third)] == ["head 1", "head $2", "mean"]
    assert not unused.axison
    assert [label.get_text() for label in first.get_yticklabels()] == ["a", "<b>", "¶", "&", "c"]
    assert [label.get_text() for label in first.get_xticklabels()] == ["|", "a", "<b>", "¶", "&"]
    np.testing.assert_allclose(second.images[0].get_array(), WEIGHTS / 2)
    assert second.images[0].norm.vmax == 1
    figure.canvas.draw()


@pytest.mark.parametrize("count", [1, 2])
def test_maps_stand_side_by_side(count):
    figure = plotting.attention_maps(["a"], {str(number): [[1.0]] for number in range(count)})
    assert len(figure.axes) == count + 1  # the last one is the scale


def test_where_places_of_images_look_is_reddest_where_most_comes_from():
    """White images, so that what is seen is the ground alone."""
    images, places = np.zeros((2, 8, 8, 1), "float32"), [(0, 0), (5, 7), (3, 3)]
    shares = np.full((2, 3, 4, 4), 0.01)
    shares[:, :, 1, 3] = 0.85
    figure = plotting.attended_places(images, shares, places)
    assert len(figure.axes) == 2 * 4
    assert [axes.get_title() for axes in figure.axes[:4]] == ["image", "place 0, 0", "place 5, 7", "place 3, 3"]
    for number, axes in enumerate(figure.axes):
        shown = np.asarray(axes.images[0].get_array())
        assert shown.shape == (8, 8, 3)
        reddest = np.argwhere(shown[..., 2] == shown[..., 2].min())
        if number % 4 == 0:
            assert len(reddest) == 64
        else:
            np.testing.assert_array_equal(reddest, [[2, 6], [2, 7], [3, 6], [3, 7]])
            (cross,) = axes.lines
            assert (cross.get_ydata()[0], cross.get_xdata()[0]) == places[number % 4 - 1]
