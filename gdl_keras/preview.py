"""What a model would see of a data set: a page of examples, as they come to it."""

from pathlib import Path

import numpy as np

from gdl_keras import data
from gdl_keras.backend import use_tensorflow
from gdl_keras.errors import InputError, counted


def preview(name, output=None, n=64, **options):
    """Writes a page of training examples, spread evenly over the data set, after all that a run does to them.

    Args:
        name: as for `data.load`.
        output: path that ends as pages of this kind do; by default preview.png, of text preview.txt.
        n: int, how many examples, or all where there are fewer.
        options: keywords of `data.load`, such as `image_size=32`.

    Returns:
        str, what a person should know: where the page is, how many examples there are of each split and class.

    Raises:
        InputError: the data cannot be used, `n` is below 1, or `output` ends in something else.
        RunError: the data cannot be had.
    """
    if n < 1:
        raise InputError(f"-n is at least 1, not {n}.")
    use_tensorflow()
    from gdl_keras import kinds

    kind_name = data.info(name)["kind"]
    if kind_name not in kinds.names():
        raise InputError(f"{name} holds {kind_name}, of which no page can be drawn.")
    kind = kinds.kind(kind_name)
    output = Path(output or f"preview{kind.sheet_suffix}")
    if output.suffix != kind.sheet_suffix:
        raise InputError(f"{output} is to be a page of {kind.unit}: give it a name that ends in {kind.sheet_suffix}.")
    train, test = (data.load(name, split, **options) for split in ("train", "test"))
    chosen = train.spread(n)
    kind.write_sheet(kind.examples(train, chosen), None, output)
    of = f"{len(chosen):,} of {counted(train.num_examples, 'training example')}, {test.num_examples:,} held out"
    return "\n".join([f"{output}: {of}", *_by_class(train)])


def _by_class(train):
    names = getattr(train, "class_names", None)
    if not names:
        return []
    counts = np.bincount(np.asarray(train.labels).reshape(-1).astype(int), minlength=len(names))
    return [f"{name}: {count:,}" for name, count in zip(names, counts)]
