"""Pictures of bent grids and of ways: how many panels, and that lines are where the map puts them."""

import numpy as np

from gdl_keras import plotting
from gdl_keras.plotting.flows import GRID_LINES, GRID_RADIUS, POINTS_OF_A_LINE

LIMITS = ((-4, 4), (-3, 3))


def turning(points):
    """A quarter turn in two stations."""
    turned = np.stack([-points[:, 1], points[:, 0]], axis=1)
    return [points, (points + turned) / 2**0.5, turned]


def test_a_grid_has_a_panel_for_each_station_and_lines_where_the_map_puts_them():
    behind = np.zeros((7, 2))
    figure = plotting.bent_grid(turning, LIMITS, ["a", "b", "c"], columns=2, behind=behind)
    shown = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in shown] == ["a", "b", "c"] and len(figure.axes) == 4
    assert all(axes.get_xlim() == LIMITS[0] and axes.get_ylim() == LIMITS[1] for axes in shown)
    first, _, last = (np.array(axes.collections[-1].get_segments()) for axes in shown)
    assert first.shape == (2 * GRID_LINES, POINTS_OF_A_LINE, 2)
    # Round: it ends on the circle that holds 95 % of a normal distribution.
    np.testing.assert_allclose(np.linalg.norm(first[:, [0, -1]], axis=-1), GRID_RADIUS, rtol=1e-6)
    assert np.exp(-(GRID_RADIUS**2) / 2) - 0.05 < 1e-12
    # Upright lines first, then level ones; a quarter turn makes each of the other sort.
    assert np.ptp(first[:GRID_LINES, :, 0], axis=1).max() == 0 == np.ptp(first[GRID_LINES:, :, 1], axis=1).max()
    np.testing.assert_allclose(last[..., 0], -first[..., 1], atol=1e-6)
    np.testing.assert_allclose(last[..., 1], first[..., 0], atol=1e-6)
    # Only the last panel has the points behind it.
    assert [len(axes.collections) for axes in shown] == [1, 1, 2]


def test_ways_lead_from_beginnings_to_ends():
    begun = np.random.default_rng(0).normal(size=(5, 2))
    figure = plotting.ways(turning(begun), LIMITS, title="there")
    lines, beginnings, ends = figure.axes[0].collections
    assert np.array(lines.get_segments()).shape == (5, 3, 2)
    np.testing.assert_allclose(beginnings.get_offsets(), begun)
    np.testing.assert_allclose(ends.get_offsets(), turning(begun)[-1])
    assert figure.axes[0].get_title() == "there"
    assert plotting.alternative_text(figure, "ways").startswith("ways: the ways of 5 points through the plane")
