"""New images from a trained model, as a picture or as an array."""

from pathlib import Path

import numpy as np

from gdl_keras.errors import InputError
from gdl_keras.files import whole_file


def sample(run, n, output, seed=None, label=None):
    """Generates `n` images with the model of `run` and writes them to `output`.

    Args:
        run: a run's folder, or a `.keras` file.
        n: int, how many images.
        output: path that ends in .png (a grid) or .npz (`images`, uint8 array (n, height, width, channels)).
        seed: int or None; the same seed gives the same images.
        label: int or None, the class, or the one attribute, that a conditional model draws; by default all in turn.

    Returns:
        `Path` of the file.

    Raises:
        InputError: the model cannot be loaded or takes no label, `n` is below 1, or `output` ends in something else.
    """
    output = Path(output)
    if output.suffix not in (".png", ".npz"):
        raise InputError(f"{output} should end in .png (a grid of images) or .npz (an array).")
    if n < 1:
        raise InputError(f"-n is at least 1, not {n}.")
    model = load_for_sampling(run)
    images = model.generate(n, seed=seed, **_conditions(model, n, label))
    if output.suffix == ".png":
        from gdl_keras.plotting import save_mosaic

        save_mosaic(images, output)
    else:
        with whole_file(output) as partial:
            np.savez_compressed(partial, images=np.rint(images * 255).astype(np.uint8))
    return output


def load_for_sampling(run):
    """The model of a run, which must be able to generate."""
    from gdl_keras import load

    model = load(run)
    if not hasattr(model, "generate"):
        raise InputError(f"{run} holds a {type(model).__name__}, which generates no images.")
    return model


def _conditions(model, n, label):
    num_classes = getattr(model, "num_classes", None)
    if num_classes is None and label is None:
        return {}
    if num_classes is None:
        raise InputError(f"{type(model).__name__} is not conditional: leave --label away.")
    if label is not None and not 0 <= label < num_classes:
        raise InputError(f"--label lies between 0 and {num_classes - 1}, not {label}.")
    labels = np.arange(n) % num_classes if label is None else np.full(n, label)
    return {"labels": labels if model.has_class_labels() else np.eye(num_classes, dtype="float32")[labels]}
