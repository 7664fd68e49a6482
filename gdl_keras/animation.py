"""Moving pictures: the samples of each epoch, a walk through a latent space, samples while they are made."""

from pathlib import Path

import numpy as np
from PIL import Image

from gdl_keras.errors import InputError
from gdl_keras.files import whole_file

SUFFIXES = (".gif", ".webp")
COLUMNS, MOST_COLUMNS = 8, 10  # of a walk: where there are no classes to be the columns, and of classes
GREYS, COLOURS = 16, 64  # of a frame of a GIF
LAST = 1500  # milliseconds that samples are seen for once they are made


def animate(run, output=None, *, walk=False, sampling=False, frames=28, rows=2, scale=2, seed=1, milliseconds=None):
    """Writes an endless moving picture.

    Args:
        run: a run's folder or that of a stage of one; for a walk and for sampling a `.keras` file will do.
        output: path that ends in .gif or .webp; by default samples.gif, walk.gif or sampling.gif.
        walk: whether it goes round in the latent space; else it shows the page of samples of each epoch, unless
        sampling: shows how samples are made, step by step or pixel by pixel.
        frames, rows, scale, seed: of these two, as in `walk_pages`.
        milliseconds: int, how long a page is seen; by default 400 for an epoch, 90 otherwise.

    Returns:
        `Path` of the file.

    Raises:
        InputError: there are no pictures to show, the model has no latent space, or `output` ends in something else.
    """
    if walk and sampling:
        raise InputError("A moving picture is a walk or shows sampling: leave --walk or --sampling away.")
    output = Path(output or ("walk.gif" if walk else "sampling.gif" if sampling else "samples.gif"))
    if output.suffix.lower() not in SUFFIXES:
        raise InputError(f"{output} is to be a moving picture: give it a name that ends in .gif or .webp.")
    if walk or sampling:
        from gdl_keras.sampling import load_for_sampling

        pages = (walk_pages if walk else sampling_pages)(load_for_sampling(run), frames, rows, scale, seed)
    else:
        pages = pages_of_epochs(run)
    durations = [milliseconds or (90 if walk or sampling else 400)] * len(pages)
    # What was made is to be seen before it begins again.
    save_pages(pages, output, [*durations[:-1], max(LAST, durations[-1])] if sampling else durations)
    return output


def pages_of_epochs(run):
    """The pages of samples that a run kept, one an epoch: list of `PIL.Image`.

    Raises:
        InputError: it is the folder of no run, kept none, or they are no pictures.
    """
    from gdl_keras.reports import account_of

    account = account_of(run)
    paths = [path for path in account.samples if path.suffix == ".png"]
    if not paths:
        reason = "are no pictures" if account.samples else "are not there"
        raise InputError(
            f"The samples of each epoch {reason} in {account.folder}/samples: there is nothing to animate."
        )
    return [Image.open(path).convert("RGB") for path in paths]


def walk_pages(model, frames=28, rows=2, scale=2, seed=1):
    """Samples whose latent points go round and come back to where they began: list of `PIL.Image`.

    They go round the circle of `LatentModel.between`, in a cube from one point to another and back.

    Args:
        model: a `LatentModel` of images; where it is conditional, its classes are the columns.
        frames: int, pages of a round.
        rows: int, rows of samples.
        scale: int, pixels of the page for one of an image.
        seed: int, which points.

    Raises:
        InputError: the model has no latent space, or makes no images.
    """
    from gdl_keras.models.generative import LatentModel

    if not isinstance(model, LatentModel) or model.makes != "images":
        raise InputError(f"{type(model).__name__} has no latent space of images to walk through: leave --walk away.")
    count, columns, conditions = _laid_out(model, rows)
    start, turn = model.sample_latents(2 * count, seed=seed).reshape(2, count, *model.latent_shape)
    pages = []
    for share in np.linspace(0, 4, frames, endpoint=False):
        if model.latents_fill_a_cube:
            share = (1 - np.cos(np.pi / 2 * share)) / 2
        samples = model.generate(latents=model.between(start, turn, share).astype("float32"), **conditions)
        pages.append(_page(samples, columns, scale))
    return pages


def sampling_pages(model, frames=28, rows=2, scale=2, seed=1):
    """Samples while they are made, step by step or pixel by pixel: list of `PIL.Image`.

    Args:
        model: makes images, and has `on_the_way`: diffusion, flow matching, energies, pixels.
        frames, rows, scale, seed: as in `walk_pages`.

    Raises:
        InputError: the model makes its images in one go, or makes none.
    """
    if not hasattr(model, "on_the_way") or model.makes != "images":
        raise InputError(f"{type(model).__name__} makes no images step by step: leave --sampling away.")
    count, columns, conditions = _laid_out(model, rows)
    return [_page(samples, columns, scale) for samples in model.on_the_way(count, seed, frames, **conditions)]


def _laid_out(model, rows):
    """(how many samples, columns, conditions): the classes of a conditional model are the columns."""
    columns = min(MOST_COLUMNS, model.conditions.count) if model.conditions else COLUMNS
    return rows * columns, columns, model.conditions.in_turn(rows * columns)


def _page(samples, columns, scale):
    from gdl_keras import plotting

    page = Image.fromarray(plotting.mosaic(samples, columns))
    return page.resize((page.width * scale, page.height * scale), Image.Resampling.BICUBIC)


def save_pages(pages, path, milliseconds):
    """Writes pages, list of `PIL.Image` of one size, as an endless GIF or WebP, whole or not at all.

    Args:
        milliseconds: list of int, how long each is seen.
    """
    is_gif = path.suffix.lower() == ".gif"
    pages = [page.quantize(GREYS if _is_grey(page) else COLOURS) for page in pages] if is_gif else pages
    with whole_file(path) as partial:
        options = {"optimize": True} if is_gif else {"quality": 80, "method": 4}
        pages[0].save(partial, save_all=True, append_images=pages[1:], duration=milliseconds, loop=0, **options)


def _is_grey(page):
    red, green, blue = page.split()
    return red.tobytes() == green.tobytes() == blue.tobytes()
