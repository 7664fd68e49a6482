"""Makes gdl_keras/data/assets/land.npz: where there is land, a bit for each cell of a map of the Earth.

    npm pack world-atlas@2.0.2
    python scripts/make_land_mask.py world-atlas-2.0.2.tgz

The map has 100 rows, from north to south, of 200 cells, from west to east: 1.8 degrees of latitude and of longitude
each.  A cell is land where most of it is.  Antarctica, which such a map draws larger than Africa, is left out.
"""

import json
import sys
import tarfile
from pathlib import Path

import numpy as np

from gdl_keras.files import whole_file

ASSET = Path(__file__).parents[1] / "gdl_keras" / "data" / "assets" / "land.npz"
ROWS, COLUMNS = 100, 200
PER_CELL = 8  # points that are looked at along each side of a cell
SOUTHERNMOST = -60.0


def edges(topology):
    """The edges of all coasts: float64 (n, 4), longitude and latitude of both ends in degrees."""
    scale, translate = (np.array(topology["transform"][name]) for name in ("scale", "translate"))
    # Each arc begins at a point of a fine grid and goes on by steps.
    arcs = [np.cumsum(arc, axis=0) * scale + translate for arc in topology["arcs"]]
    # Each arc of this file bounds the land once, in whatever direction, and is an edge of no second polygon.
    return np.concatenate([np.hstack([arc[:-1], arc[1:]]) for arc in arcs])


def is_land(coasts, longitudes, latitudes):
    """Whether points of a grid are on land: bool (latitudes, longitudes).

    On the way from the north pole, which is water, to a point on land one crosses coasts an odd number of times.
    """
    start, north, end, south = coasts.T
    length = (end - start + 180) % 360 - 180  # of longitude; edges may cross the date line
    land = np.empty((len(latitudes), len(longitudes)), bool)
    for column, longitude in enumerate(longitudes):
        with np.errstate(divide="ignore", invalid="ignore"):
            share = ((longitude - start + 180) % 360 - 180) / length
        crossed = (share >= 0) & (share < 1)
        crossings = np.sort((north + share * (south - north))[crossed])
        land[:, column] = (len(crossings) - np.searchsorted(crossings, latitudes)) % 2 == 1
    return land


def middles(first, last, count):
    """The middles of `count` equal parts."""
    step = (last - first) / count
    return first + step * (np.arange(count) + 0.5)


def main():
    with tarfile.open(sys.argv[1]) as package:
        topology = json.load(package.extractfile("package/land-110m.json"))
    latitudes = middles(90, -90, ROWS * PER_CELL)
    points = is_land(edges(topology), middles(-180, 180, COLUMNS * PER_CELL), latitudes)
    points[latitudes < SOUTHERNMOST] = False
    land = points.reshape(ROWS, PER_CELL, COLUMNS, PER_CELL).mean(axis=(1, 3)) > 0.5
    with whole_file(ASSET) as partial:
        np.savez_compressed(partial, land=np.packbits(land, axis=1))
    print(f"{ASSET}: {land.sum():,} cells of land, {ASSET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
