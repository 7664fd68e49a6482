"""Points in the plane: densities against integrals, samples and other libraries; tables of all sorts."""

import json
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special, stats

from gdl_keras import data
from gdl_keras.data import densities
from gdl_keras.errors import InputError

NAMES = ["moons", "thin_moons", "rings", "map"]
names = pytest.mark.parametrize("name", NAMES)


def grid(table, steps):
    """Points on a grid that holds all of the density, in standard coordinates, and the area of a cell of it."""
    points = table.rows("points", slice(None)).astype(np.float64)
    sides = zip(points.min(axis=0), points.max(axis=0), steps)
    x, y = (np.arange(low - 0.5, high + 0.5, step) for low, high, step in sides)
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2), steps[0] * steps[1]


@names
def test_the_density_integrates_to_one_and_gives_the_entropy(name):
    train = data.load(name)
    points, area = grid(train, (0.0131, 0.037) if name == "map" else (0.017, 0.019))
    logs = train.log_density(points)
    assert np.exp(logs).sum() * area == pytest.approx(1, abs=1e-6)
    assert -(np.exp(logs) * logs).sum() * area == pytest.approx(train.entropy, abs=1e-5)


@names
def test_samples_have_that_density(name):
    train = data.load(name, count=50_000)
    points = train.rows("points", slice(None))
    logs = train.log_density(points)
    # Monte Carlo: the mean of -log p over samples is the entropy.
    assert -logs.mean() == pytest.approx(train.entropy, abs=4 * logs.std() / 50_000**0.5)
    # Probabilities of the cells of a coarse grid, from the density and from the samples.
    edges = np.linspace(-2.4, 2.4, 17)
    fine, area = (edges[0] + 0.02 * (np.arange(240) + 0.5)), 0.02**2
    mesh = np.stack(np.meshgrid(fine, fine, indexing="ij"), axis=-1).reshape(-1, 2)
    expected = np.exp(train.log_density(mesh)).reshape(16, 15, 16, 15).sum(axis=(1, 3)) * area * 50_000
    seen, *_ = np.histogram2d(*points.T, bins=(edges, edges))
    often = expected > 20
    statistic = ((seen - expected)[often] ** 2 / expected[often]).sum()
    assert 1e-4 < stats.chi2.sf(statistic, often.sum()) < 1 - 1e-4
    assert seen[~often].sum() < expected[~often].sum() + 5 * expected[~often].sum() ** 0.5 + 5


@names
def test_points_are_standard_and_the_splits_are_different(name):
    train, test = data.load(name), data.load(name, "test")
    for part in (train, test):
        points = part.rows("points", slice(None))
        assert points.shape == (10_000, 2) and points.dtype == np.float32 and part.kind == "points"
        np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.05)
        np.testing.assert_allclose(points.std(axis=0), 1, atol=0.03)
    assert not np.isin(train.sample(100)[:, 0], test.rows("points", slice(None))[:, 0]).any()
    few = data.load(name, count=10, seed=8)
    np.testing.assert_array_equal(few.rows("points", slice(None)), train.rows("points", slice(10)))
    assert len({few.identity, train.identity, test.identity}) == 3
    assert next(iter(train.batches())).shape == (32, 2)


def test_moons_by_another_quadrature():
    moons = densities.Moons()

    def by_hand(x, y):
        def of_angle(angle):
            upper = (x - np.cos(angle)) ** 2 + (y - np.sin(angle)) ** 2
            lower = (x - 1 + np.cos(angle)) ** 2 + (y - 0.5 + np.sin(angle)) ** 2
            return (np.exp(-upper / 0.02) + np.exp(-lower / 0.02)) / (2 * np.pi * 2 * np.pi * 0.01)

        return integrate.quad(of_angle, 0, np.pi, epsabs=0, epsrel=1e-11, limit=200)[0]

    points = np.array([[0.0, 1.0], [1.0, -0.5], [0.5, 0.25], [-1.0, 0.0], [2.2, 0.7], [0.1, 0.3]])
    expected = np.log([by_hand(*point) for point in points]) + np.log(moons.scale).sum()
    np.testing.assert_allclose(moons.log_density((points - moons.mean) / moons.scale), expected, rtol=1e-9)


def test_rings_by_the_distribution_of_rice():
    rings = densities.Rings()
    points = np.random.default_rng(0).uniform(-4, 4, (200, 2))
    distances = np.hypot(*points.T)
    rice = sum(stats.rice.pdf(distances, radius / 0.1, scale=0.1) for radius in (1, 2, 3)) / 3
    expected = np.log(rice / (2 * np.pi * distances)) + np.log(rings.scale).sum()
    finite = np.isfinite(expected)
    assert finite.sum() > 100
    np.testing.assert_allclose(rings.log_density(points / rings.scale)[finite], expected[finite], rtol=1e-7, atol=1e-9)
    z = np.array([0, 1e-3, 1, 100, 499.9, 500.1, 900, 1e6])
    np.testing.assert_allclose(densities._log_scaled_bessel(z), np.log(special.ive(0, z)), rtol=1e-9, atol=1e-12)


def test_the_map_is_a_sum_over_cells_of_land():
    earth = densities.Map()
    with np.load(str(densities.ASSETS / "land.npz")) as content:
        land = np.unpackbits(content["land"], axis=1)
    row, column = np.nonzero(land)
    centres = np.stack([-180 + 1.8 * (column + 0.5), 90 - 1.8 * (row + 0.5)], axis=1)
    places = {"Paris": (2.4, 48.9), "Sahara": (10, 23), "Pacific": (-130, -45), "pole": (0, -90), "Alice": (134, -24)}
    points = np.array(list(places.values()))
    squares = ((points[:, None] - centres) ** 2).sum(axis=-1) / (2 * 1.2**2)
    expected = special.logsumexp(-squares, axis=1) - np.log(2 * np.pi * 1.2**2 * len(centres))
    found = earth.log_density((points - earth.mean) / earth.scale) - np.log(earth.scale).sum()
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    # Inland it is flat: one cell's share over its area.
    np.testing.assert_allclose(np.exp(found)[[1, 4]], 1 / (len(centres) * 1.8**2), rtol=2e-3)
    assert found[2] < -300 and found[3] < -300  # far from land, and still a number
    assert land.sum() == len(centres) and not land[84:].any()  # no Antarctica
    assert land.mean() == pytest.approx(0.237, abs=0.01)


@pytest.mark.parametrize("points", [np.zeros((0, 2)), [[0.0, 0.0]], np.zeros((3, 2), np.float32), [[1e3, -1e3]]])
@names
def test_any_number_of_points_anywhere(name, points):
    logs = data.load(name, count=10).log_density(points)
    assert logs.shape == (len(points),) and logs.dtype == np.float64 and np.isfinite(logs).all()


TABLE = np.random.default_rng(5).normal([100.0, -3.0], [20.0, 0.1], (50, 2))


def write(path, lines):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def original(table):
    """The points as their file has them, sorted."""
    points = table.rows("points", slice(None)).astype(np.float64) * table.scale + table.mean
    return points[np.argsort(points[:, 0])]


@pytest.mark.parametrize(
    "lines",
    [
        [f"{x},{y}" for x, y in TABLE],
        ["height;depth"] + [f"{x};{y}".replace(".", ",") for x, y in TABLE],
        ["name\tx\ty"] + [f"point{x}\t{x}\t{y}" for x, y in TABLE],
        ["\ufeffx, y", ""] + [f"{x}, {y}" for x, y in TABLE],
    ],
)
def test_any_table_with_two_columns_of_numbers(tmp_path, lines):
    file = write(tmp_path / "points" / "table.csv", lines)
    train, test = data.load(file), data.load(tmp_path / "points", "test")
    assert (train.num_examples, test.num_examples, train.kind) == (45, 5, "points")
    both = np.concatenate([original(train), original(test)])
    np.testing.assert_allclose(both[np.argsort(both[:, 0])], TABLE[np.argsort(TABLE[:, 0])], rtol=1e-5)
    points = train.rows("points", slice(None))
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(points.std(axis=0), 1, atol=1e-6)
    np.testing.assert_array_equal(train.mean, test.mean)
    assert train.entropy is None and train.log_density is None
    assert data.load(file, count=7).num_examples == 7
    with pytest.raises(InputError, match="has 5 test points, not 6"):
        data.load(file, "test", count=6)


def test_a_table_is_known_by_its_content(tmp_path):
    lines = [f"{x},{y}" for x, y in TABLE]
    first = data.load(write(tmp_path / "a" / "table.csv", lines))
    again = data.load(write(tmp_path / "b" / "table.csv", lines))
    other = data.load(write(tmp_path / "c" / "table.csv", [*lines, "1,2"]))
    assert first.identity == again.identity != other.identity


def test_lines_that_are_no_points(tmp_path, capsys):
    lines = ["x,y"] + [f"{x},{y}" for x, y in TABLE] + ["1,", "nan,2", "3"]
    file = write(tmp_path / "bad.csv", lines)
    with pytest.raises(InputError, match="has 1 column of numbers; points have two"):
        data.load(f"points:{file}")
    lines = lines[:1] + 3 * lines[1:51] + lines[51:]  # beyond what is looked at first
    write(file, lines)
    with pytest.raises(InputError, match=r"3 of 153 lines of .* without two numbers, such as \['1', ''\].*--skip"):
        data.load(file)
    assert data.load(file, skip_unreadable=True).num_examples == 135
    assert "left out: 3 lines without two numbers." in capsys.readouterr().err


@pytest.mark.parametrize(
    "lines, message",
    [
        (["1,2,3"] * 5, "has 3 columns of numbers; points have two"),
        (["a,b"] * 5, "has no column of numbers"),
        (["1,2", "3,4"], "at least three"),
        (["1,2"] * 5, "one value only"),
        (["a\0b"], "is no table"),
    ],
)
def test_tables_that_hold_no_points(tmp_path, lines, message):
    with pytest.raises(InputError, match=message):
        data.load(f"points:{write(tmp_path / 'table.csv', lines)}")


def test_a_folder_needs_one_table(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        data.load(f"points:{tmp_path / 'none'}")
    write(tmp_path / "two" / "a.csv", ["1,2"])
    write(tmp_path / "two" / "b.csv", ["1,2"])
    with pytest.raises(InputError, match=r"holds 2 \.csv files"):
        data.load(f"points:{tmp_path / 'two'}")


def test_options_and_info_of_points(tmp_path):
    with pytest.raises(InputError, match="points takes no length; it takes count"):
        data.load("moons", length=3)
    with pytest.raises(InputError, match="at least 1, not 0"):
        data.load("moons", count=0)
    for name in NAMES:
        known = data.info(name)
        assert known["points"] == {"train": 10_000, "test": 10_000} and known["is_here"]
        assert known["entropy"] == data.load(name).entropy
        json.dumps(known)
    file = write(tmp_path / "table.csv", [f"{x},{y}" for x, y in TABLE])
    assert data.info(file)["points"] == {"train": 45, "test": 5} and data.info(file)["kind"] == "points"


def test_the_script_finds_land():
    """On a made-up globe: one island across the date line, one with a lake, and the far south, which is left out."""
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
    try:
        import make_land_mask as script
    finally:
        sys.path.pop(0)

    def square(west, south, east, north):
        corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        return [corners[0]] + [[b[0] - a[0], b[1] - a[1]] for a, b in pairwise(corners)]

    arcs = [square(0, 0, 40, 40), square(10, 10, 20, 20), square(170, -10, 180, 10), square(-180, -10, -170, 10)]
    topology = {"transform": {"scale": [1, 1], "translate": [0, 0]}, "arcs": arcs}
    land = script.is_land(script.edges(topology), np.array([5.5, 15.5, 25.5, 175.5, -175.5]), np.array([15.5, 0.5]))
    assert land.tolist() == [[True, False, True, False, False], [True, True, True, True, True]]
    across = np.array([[175.0, 10, -175, 10], [-175, 10, -175, -10], [-175, -10, 175, -10], [175, -10, 175, 10]])
    found = script.is_land(across, np.array([174.5, 175.5, 179.5, -179.5, -175.5, -174.5]), np.array([0.0]))
    assert found.tolist() == [[False, True, True, True, True, False]]
