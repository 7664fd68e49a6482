"""Points in the plane: of a known density, or the two columns of numbers of a table."""

import csv
import zlib
from functools import cache

import numpy as np

from gdl_keras.data.columns import Column
from gdl_keras.data.decoding import Unreadable
from gdl_keras.data.densities import DENSITIES
from gdl_keras.data.digests import digest, file_digest, fingerprint
from gdl_keras.data.documents import read_text
from gdl_keras.data.left_out import LeftOut
from gdl_keras.data.notices import say
from gdl_keras.data.points import PointData
from gdl_keras.data.sources.computed import Computed
from gdl_keras.data.sources.csv_table import is_number, lines_of, number_columns
from gdl_keras.data.sources.splits import HELD_OUT
from gdl_keras.data.sources.walking import visible_files
from gdl_keras.errors import InputError, check_whole, counted

VERSION = 1  # raised when the same settings come to give other points
COUNT = 10_000  # points of a density in each split, where the caller does not say
SPLITS = ("train", "test")


def load(entry, split, *, skip_unreadable, name, batch_size, seed, count=None):
    """Opens one split of a data set of points, brought to mean 0 and variance 1 along both axes.

    The points of a density are the same whatever `seed`.  Of a table's lines a tenth is held out at random, the same
    lines always; mean and variance are those of the train split.

    Args:
        entry: an `Entry`.
        count: how many points; None for 10,000 of a density, for all of a table.
        split, skip_unreadable, name, batch_size, seed: as for `gdl_keras.data.load`.

    Returns:
        a `PointData`.
    """
    if count is not None:
        check_whole("The count of points", count, 1)
    settings = {"name": name, "kind": "points", "split": split, "batch_size": batch_size, "seed": seed}
    source = entry.sources[0]
    if isinstance(source, Computed):
        density, count = _density(source.name), count or COUNT
        points = density.sample(count, [zlib.crc32(source.name.encode()), SPLITS.index(split)])
        settings |= {"identity": f"{source.name}-{split}-{count}-v{VERSION}", "density": density}
        mean, scale = density.mean, density.scale
    else:
        source, path = entry.first_that_works(lambda source: source.fetch())
        table, left_out = _table(path)
        left_out.tell(name)
        parts = _divided(_read(table, skip_unreadable), table)
        mean, scale = _moments(parts["train"], table)
        points = (_first(parts[split], count, name, split) - mean) / scale
        former = f"-{split}-{fingerprint(VERSION, file_digest(table), len(points))}"
        settings |= {"left_out": left_out.counts(), "formerly": lambda identity: identity.endswith(former)}
    column = Column(np.ascontiguousarray(points, np.float32))
    settings.setdefault("identity", f"points-{split}-{digest(column)}")
    return PointData({"points": column}, source=source.phrase, mean=mean, scale=scale, **settings)


def prepared(entry):
    """None: points are few enough to be read or computed each time."""
    return []


def describe(entry, source):
    """What `gdl data info` tells of points, as far as it is known.

    Returns:
        {"points": how many, by split, "entropy": nats, or None, "left_out": how many files are not used, by the
        reason}.
    """
    if isinstance(source, Computed):
        return {"points": dict.fromkeys(SPLITS, COUNT), "entropy": _density(source.name).entropy, "left_out": {}}
    if source is None:
        return {"points": {}, "entropy": None, "left_out": {}}
    table, left_out = _table(source.fetch())
    parts = _divided(_read(table, skip_unreadable=True), table)
    counts = {split: len(part) for split, part in parts.items()}
    return {"points": counts, "entropy": None, "left_out": left_out.counts()}


@cache
def _density(name):
    return DENSITIES[name]()


def _table(path):
    """(the table at `path` or in that folder, a `LeftOut` of the other files)."""
    left_out = LeftOut()
    files = list(visible_files(path, left_out))
    tables = [file for file in files if file.suffix.lower() == ".csv" or file == path]
    if len(tables) != 1:
        raise InputError(f"{path} holds {len(tables) or 'no'} .csv files: name the one with the points.")
    left_out.add_others(file for file in files if file != tables[0])
    return tables[0], left_out


def _read(path, skip_unreadable):
    """The points of a table: float64 (n, 2)."""
    try:
        lines = lines_of(read_text(path))
    except (Unreadable, csv.Error) as error:
        raise InputError(f"{path} is no table: {error}.") from error
    columns = number_columns(lines)
    if len(columns) != 2:
        found = f"{counted(len(columns), 'column')} of numbers"
        raise InputError(f"{path} has {found}; points have two: keep those, or write text:{path} where it holds texts.")
    cells = [[line[column] if column < len(line) else "" for column in columns] for line in lines]
    if not any(map(is_number, cells[0])):
        cells = cells[1:]  # the header
    good = [all(is_number(cell) and np.isfinite(float(cell)) for cell in pair) for pair in cells]
    bad = len(cells) - sum(good)
    if bad and not skip_unreadable:
        raise InputError(
            f"{bad:,} of {counted(len(cells), 'line')} of {path} without two numbers, such as "
            f"{cells[good.index(False)]}: mend them, or leave them out with --skip-unreadable."
        )
    if bad:
        say(f"{path}: left out: {counted(bad, 'line')} without two numbers.")
    return np.array([pair for pair, is_good in zip(cells, good) if is_good], np.float64).reshape(-1, 2)


def _divided(points, path):
    if len(points) < 3:
        raise InputError(f"{path} has {counted(len(points), 'point')}: at least three are needed.")
    # Tables are often sorted, so the end of one is not like the rest.
    points = points[np.random.default_rng(0).permutation(len(points))]
    held_out = max(1, len(points) // HELD_OUT)
    return {"train": points[held_out:], "test": points[:held_out]}


def _moments(points, path):
    mean, scale = points.mean(axis=0), points.std(axis=0)
    if not (scale > 0).all() or not np.isfinite(scale).all():
        raise InputError(f"A column of {path} has one value only: points need two that vary.")
    return mean, scale


def _first(points, count, name, split):
    if count is not None and count > len(points):
        raise InputError(f"{name} has {counted(len(points), f'{split} point')}, not {count:,}: ask for fewer.")
    return points[:count]
