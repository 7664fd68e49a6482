"""Whether a network's image moves and turns as what it is made from does: EQ-T and EQ-R, in decibels.

        10 log10(range^2 / mean of (g(t z) - t g(z))^2)          over the places that both images have

Paper: Karras et al. 2021, Alias-free generative adversarial networks, arXiv:2106.12423, appendix E.
"""

import math

import numpy as np

# The largest shift, as a share of the image.
REACH = 0.125
# Neighbours on either side that an image is read between its pixels from, in the windows of Lanczos.
LANCZOS = 3
# The same for turned images.
TURNED = 8


def translation_equivariance(make, count, size, whole=True, seed=0):
    """EQ-T, or with `whole=False` EQ-T_frac, whose shifts are no whole pixels: float, decibels.

    Args:
        make: function, transform float32 (3, 3) -> images (batch, size, size, channels) in [0, 1], the same but for
            the transform, which maps places of the image made to those of the image at rest: (x, y, 1) with x to the
            right and y down from the middle, the image's side as unit.
        count: int, how many shifts.
        size: int, pixels a side.
        whole: bool, whether shifts are whole pixels.
        seed: int.
    """
    rng = np.random.default_rng(seed)
    still = make(np.eye(3, dtype="float32"))
    errors = []
    for right, down in size * rng.uniform(-REACH, REACH, (count, 2)):
        right, down = (round(right), round(down)) if whole else (right, down)
        transform = np.array([[1, 0, -right / size], [0, 1, -down / size], [0, 0, 1]], "float32")
        wanted, is_there = moved(still, right, down)
        errors.append(np.mean(np.square(make(transform) - wanted)[:, is_there]))
    return decibels(errors)


def rotation_equivariance(make, count, size, seed=0):
    """EQ-R: float, decibels.

    The image at rest is turned by a filter that holds what a grid and the grid turned can both hold; what is compared
    with it goes through the same filter, turned along.

    Args:
        make, count, size, seed: as in `translation_equivariance`.
    """
    rng = np.random.default_rng(seed)
    still = make(np.eye(3, dtype="float32"))
    errors = []
    for angle in rng.uniform(-math.pi, math.pi, count):
        back = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        transform = np.eye(3, dtype="float32")
        transform[:2, :2] = back
        wanted, is_there = resampled(still, back, back)
        found, is_there_too = resampled(make(transform), np.eye(2), back)
        errors.append(np.mean(np.square(found - wanted)[:, is_there & is_there_too]))
    return decibels(errors)


def decibels(errors):
    """The ratio of the range of images, 1, to the root of the mean of these squared errors: float."""
    return float(-10 * np.log10(np.mean(errors)))


def moved(images, right, down):
    """Images moved by any number of pixels, and which pixels that leaves known.

    Returns:
        (float array of the shape of `images`, bool array (height, width)).
    """
    rows, known_rows = _shift(images.shape[1], down)
    columns, known_columns = _shift(images.shape[2], right)
    return np.einsum("ij,njkc,lk->nilc", rows, images, columns), known_rows[:, None] & known_columns


def _shift(size, distance):
    places = np.arange(size)[:, None] - distance - np.arange(size)
    weights = np.where(abs(places) < LANCZOS, np.sinc(places) * np.sinc(places / LANCZOS), 0)
    first = np.arange(size) - distance
    reach = 0 if float(distance).is_integer() else LANCZOS
    known = (first - reach >= -1e-9) & (first + reach <= size - 1 + 1e-9)
    return weights / np.where(known, weights.sum(axis=1), 1)[:, None], known


def resampled(images, back, turn):
    """Images read at other places, through the filter of what two grids can hold, one turned against the other.

    Args:
        images: float array (batch, size, size, channels).
        back: float array (2, 2), from places (x, y) of the outcome to places of `images`.
        turn: float array (2, 2), the way back of a turn.  The filter passes what fits a grid along the outcome's axes
            and one along those before the turn.

    Returns:
        (float array of the shape of `images`, bool array (size, size) of places that need nothing from outside).
    """
    size = images.shape[1]
    middle = (size - 1) / 2
    line = np.arange(size) - middle
    targets = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    sources = targets @ back.T + middle
    nearest = np.floor(sources).astype(int)
    steps = np.arange(1 - TURNED, TURNED + 1)
    offsets = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    pixels = nearest[:, None] + offsets
    distances = sources[:, None] - pixels
    # The filter lies along the axes before the turn, whichever the image's are.
    weights = both_grids(distances @ (turn @ np.linalg.inv(back)).T, turn)
    weights = weights * _window(np.hypot(distances[..., 0], distances[..., 1]))
    weights /= weights.sum(axis=1, keepdims=True)
    columns, rows = np.moveaxis(np.clip(pixels, 0, size - 1), -1, 0)
    values = np.einsum("pk,npkc->npc", weights, images[:, rows, columns])
    known = ((sources >= TURNED - 1) & (sources <= size - TURNED)).all(axis=-1)
    return values.reshape(images.shape), known.reshape(size, size)


def _window(radius):
    return np.where(radius < TURNED, np.sinc(np.minimum(radius, TURNED) / TURNED), 0)


def both_grids(places, turn):
    """The filter that passes all frequencies of two grids, one turned against the other, and no others.

        K(x) = integral over P of exp(2 pi i f x) df,      P: all f with |f_x|, |f_y|, |(R^T f)_x|, |(R^T f)_y| <= 1/2

    By Gauss's theorem it is a sum over the edges e of P, of length l, normal n, direction d and middle m:

        K(x) = sum_e l (k n) / (i |k|^2) exp(i k m) sinc(k d l / 2),      k = 2 pi x

    Args:
        places: float array (..., 2), along the axes of the first grid.
        turn: float array (2, 2), R, from places on the second grid to places on the first.

    Returns:
        float array (...).
    """
    corners = common_polygon(turn)
    edges = np.roll(corners, -1, axis=0) - corners
    k = 2 * np.pi * places
    square = np.sum(k**2, axis=-1)
    area = np.sum(corners[:, 0] * np.roll(corners[:, 1], -1) - corners[:, 1] * np.roll(corners[:, 0], -1)) / 2
    is_middle = square < 1e-16
    total = np.zeros(places.shape[:-1])
    for corner, edge in zip(corners, edges):
        outward = np.array([edge[1], -edge[0]])
        phase = k @ (corner + edge / 2)
        total += (k @ outward) * np.sin(phase) * np.sinc(k @ edge / (2 * np.pi))
    return np.where(is_middle, area, total / np.where(is_middle, 1, square))


def common_polygon(turn):
    """P of `both_grids`, the square of the one grid cut by the edges of the other's: its corners in order, (n, 2)."""
    polygon = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    for normal in np.concatenate([turn.T, -turn.T]):
        sides = polygon @ normal - 0.5
        kept = []
        for corner, following, side, next_side in zip(polygon, np.roll(polygon, -1, 0), sides, np.roll(sides, -1)):
            if side <= 0:
                kept.append(corner)
            if side * next_side < 0:
                kept.append(corner + (following - corner) * side / (side - next_side))
        polygon = np.array(kept)
    return polygon
