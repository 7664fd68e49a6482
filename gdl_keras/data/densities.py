"""Points in the plane whose density is known: two moons, three rings, the land of the Earth.

Each is drawn by a formula from uniform numbers, and brought to mean 0 and variance 1 along both axes by the exact
moments of the density, so that `log_density` is that of the very points that are drawn.
"""

from functools import cached_property

import numpy as np

from gdl_keras.data.sources.bundled import ASSETS

CHUNK = 8192  # points at a time: what stands between them and the nodes of a sum must fit into memory
FAR_CHUNK = 512


class Density:
    """A density in the plane.  A subclass knows it in coordinates of its own; here it is brought to standard ones.

    Attributes:
        mean, scale: float64 (2,); own coordinates are `points * scale + mean`.
        limits: ((lowest, highest), (lowest, highest)) in own coordinates; next to nothing lies beyond.
        step: distance of a grid in own coordinates on which the density is a smooth function.
    """

    def sample(self, n, seed):
        """`n` points, float64 (n, 2); the first of them are the same however many are asked for.

        Args:
            seed: int, or a list of them.
        """
        return (self.draw(np.random.default_rng(seed).random((n, 4))) - self.mean) / self.scale

    def log_density(self, points):
        """The logarithm of the density at points (n, 2) in standard coordinates, in nats: float64 (n,)."""
        points = np.asarray(points, np.float64).reshape(-1, 2) * self.scale + self.mean
        chunks = [self.own_log_density(points[start : start + CHUNK]) for start in range(0, len(points), CHUNK)]
        return np.concatenate([*chunks, np.empty(0)]) + np.log(self.scale).sum()

    @cached_property
    def entropy(self):
        """-E[log density] in standard coordinates, in nats; by the rectangle rule, which is exact for smooth ones."""
        x, y = (np.arange(low, high, self.step) for low, high in self.limits)
        grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        logs = self.log_density((grid - self.mean) / self.scale)
        return float(-np.sum(np.exp(logs) * logs) * self.step**2 / self.scale.prod())

    def draw(self, uniform):
        """Points in own coordinates (n, 2) from numbers (n, 4), each uniform in [0, 1)."""
        raise NotImplementedError

    def own_log_density(self, points):
        """The logarithm of the density at points (n, 2), both in own coordinates."""
        raise NotImplementedError


class Moons(Density):
    """Two half circles of radius 1 that reach into each other, each point moved by normal noise.

    The density is an integral over the angle of normal densities; Gauss's rule with this many nodes has it to twelve
    digits wherever it is above 1e-300.
    """

    noise = 0.1
    nodes = 160
    limits = ((-2.0, 3.0), (-1.5, 2.0))
    step = 0.025

    def __init__(self):
        # Of the angle t, uniform in [0, pi]: E[cos t] = 0, E[sin t] = 2 / pi, E[cos^2 t] = E[sin^2 t] = 1 / 2.
        self.mean = np.array([0.5, 0.25])
        height = 2 / np.pi
        within, between = 0.5 - height**2, (height - 0.25) ** 2
        self.scale = np.sqrt(np.array([0.5 + 0.25, within + between]) + self.noise**2)
        nodes, weights = np.polynomial.legendre.leggauss(self.nodes)
        angles = (nodes + 1) * np.pi / 2
        self._centres = np.concatenate([self._upper(angles), self._lower(angles)])
        self._log_weights = np.log(np.concatenate([weights, weights]) / 4)  # they add up to 2 on each arc

    def draw(self, uniform):
        angles = np.pi * uniform[:, 1]
        is_upper = uniform[:, :1] < 0.5
        return np.where(is_upper, self._upper(angles), self._lower(angles)) + self.noise * _normal(uniform[:, 2:])

    def own_log_density(self, points):
        logs = self._log_weights - _squared_distances(points, self._centres) / (2 * self.noise**2)
        return _log_sum(logs) - np.log(2 * np.pi * self.noise**2)

    @staticmethod
    def _upper(angles):
        return np.stack([np.cos(angles), np.sin(angles)], axis=-1)

    @staticmethod
    def _lower(angles):
        return np.stack([1 - np.cos(angles), 0.5 - np.sin(angles)], axis=-1)


class ThinMoons(Moons):
    """The same with half the noise, as the book and other libraries' examples have them."""

    noise = 0.05


class Rings(Density):
    """Three circles about one centre, each as likely as the others, each point moved by normal noise.

    The integral over the angle is a Bessel function: at the distance r from the centre, the ring of radius R has the
    density exp(-(r - R)^2 / (2 s^2)) exp(-z) I0(z) / (2 pi s^2) with z = r R / s^2.
    """

    noise = 0.1
    radii = np.array([1.0, 2.0, 3.0])
    limits = ((-4.0, 4.0), (-4.0, 4.0))
    step = 0.025

    def __init__(self):
        self.mean = np.zeros(2)
        self.scale = np.full(2, np.sqrt((self.radii**2).mean() / 2 + self.noise**2))

    def draw(self, uniform):
        radii = self.radii[(len(self.radii) * uniform[:, 0]).astype(int)]
        angles = 2 * np.pi * uniform[:, 1]
        circles = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        return circles + self.noise * _normal(uniform[:, 2:])

    def own_log_density(self, points):
        variance = self.noise**2
        distances = np.hypot(*points.T)[:, None]
        logs = _log_scaled_bessel(distances * self.radii / variance) - (distances - self.radii) ** 2 / (2 * variance)
        return _log_sum(logs) - np.log(2 * np.pi * variance * len(self.radii))


class Map(Density):
    """Points of a map of the Earth (longitude and latitude in degrees), as likely in every cell of land.

    A cell is a normal density about its middle; those of neighbours add up to a plain that is flat to a thousandth.
    """

    noise = 1.2  # two thirds of a cell's side
    limits = ((-190.0, 190.0), (-68.0, 94.0))
    step = 0.9

    def __init__(self):
        with (ASSETS / "land.npz").open("rb") as file, np.load(file, allow_pickle=False) as content:
            land = np.unpackbits(content["land"], axis=1).astype(np.float64)
        rows, columns = land.shape
        self._longitudes = -180 + 360 / columns * (np.arange(columns) + 0.5)
        latitudes = 90 - 180 / rows * (np.arange(rows) + 0.5)
        self._land, self._latitudes = land[land.any(axis=1)], latitudes[land.any(axis=1)]
        row, column = np.nonzero(self._land)
        self._centres = np.stack([self._longitudes[column], self._latitudes[row]], axis=-1)
        self.mean = self._centres.mean(axis=0)
        self.scale = np.sqrt(self._centres.var(axis=0) + self.noise**2)

    def draw(self, uniform):
        cells = (len(self._centres) * uniform[:, 0]).astype(int)
        return self._centres[cells] + self.noise * _normal(uniform[:, 2:])

    def own_log_density(self, points):
        # A normal density is a product of one along each axis, so the sum over cells is one of two small matrices.
        axes = (self._longitudes, self._latitudes)
        logs = [-((own[:, None] - middles) ** 2) / (2 * self.noise**2) for own, middles in zip(points.T, axes)]
        largest = [log.max(axis=1) for log in logs]
        east, north = (np.exp(log - top[:, None]) for log, top in zip(logs, largest))
        sums = np.einsum("nr,nr->n", north, east @ self._land.T)
        with np.errstate(divide="ignore"):
            result = np.log(sums) + sum(largest)
        # Far out at sea that sum is too small for a number: there the cells are added up one by one.
        far = np.flatnonzero(sums < 1e-280)
        for some in np.array_split(far, len(far) // FAR_CHUNK + 1):
            result[some] = _log_sum(-_squared_distances(points[some], self._centres) / (2 * self.noise**2))
        return result - np.log(2 * np.pi * self.noise**2 * len(self._centres))


DENSITIES = {"moons": Moons, "thin_moons": ThinMoons, "rings": Rings, "map": Map}


def _normal(uniform):
    """Normal numbers (n, 2) from uniform ones (n, 2), by the method of Box and Muller."""
    radii, angles = np.sqrt(-2 * np.log1p(-uniform[:, 0])), 2 * np.pi * uniform[:, 1]
    return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _squared_distances(points, centres):
    """Between points (n, 2) and centres (m, 2): (n, m)."""
    return (points[:, :1] - centres[:, 0]) ** 2 + (points[:, 1:] - centres[:, 1]) ** 2


def _log_sum(logs):
    """log(sum(exp(logs))) along the last axis."""
    largest = logs.max(axis=-1)
    return largest + np.log(np.exp(logs - largest[..., None]).sum(axis=-1))


def _log_scaled_bessel(z):
    """log(exp(-z) I0(z)) for z >= 0."""
    small = np.minimum(z, 500.0)  # beyond 700, I0 itself is no number
    large = np.maximum(z, 500.0)
    series = 1 + 1 / (8 * large) + 9 / (128 * large**2) + 225 / (3072 * large**3)
    return np.where(z < 500, np.log(np.i0(small)) - small, np.log(series / np.sqrt(2 * np.pi * large)))
