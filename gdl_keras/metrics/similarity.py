"""How alike two images are in structure: SSIM, and the same over several scales; how alike a model's images are."""

import numpy as np

from gdl_keras.errors import InputError

# Of 1, 1/2, ... 1/16 of the size (Wang, Simoncelli & Bovik 2003, section 3.2).
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
FILTER_SIZE = 11
BATCH_SIZE = 256


def ssim(first, second):
    """The structural similarity of pairs of images: 1 where they are equal (Wang et al. 2004, section III.B).

    The window is a Gaussian of standard deviation 1.5 over 11x11 pixels, less where the images are smaller; colours
    are compared one by one and averaged.

    Args:
        first, second: float arrays (n, height, width, channels) in [0, 1].

    Returns:
        float64 array (n,), at most 1.

    Raises:
        InputError: the shapes differ.
    """
    import tensorflow as tf

    filter_size = scales(first.shape[1:])["filter_size"]
    return _in_batches(lambda x, y: tf.image.ssim(x, y, 1.0, filter_size), first, second)


def ms_ssim(first, second):
    """SSIM over several scales, each half the size of the one before: see `scales` for how many.

    Args, errors as in `ssim`.

    Returns:
        float64 array (n,) in [0, 1].
    """
    import tensorflow as tf

    settings = scales(first.shape[1:])
    return _in_batches(lambda x, y: tf.image.ssim_multiscale(x, y, 1.0, **settings), first, second)


def pairwise_ms_ssim(images):
    """How alike images of one set are: the MS-SSIM of the first with the second, the third with the fourth, ...

    The mean of random images' pairs falls as they differ more (Odena et al. 2017, section 4.2).  Compare it with that
    of real images: noise is the least alike of all.

    Args:
        images: float array (n, height, width, channels) in [0, 1], in random order; of an odd number the last is
            left out.

    Returns:
        float64 array (n // 2,).

    Raises:
        InputError: there are fewer than two images.
    """
    pairs = len(images) // 2
    if not pairs:
        raise InputError(f"A pair takes two images, and there are {len(images)}.")
    return ms_ssim(images[: 2 * pairs : 2], images[1 : 2 * pairs : 2])


def scales(image_shape):
    """How SSIM looks at images of a shape: {"filter_size": int, "power_factors": tuple of weights, one a scale}.

    The paper's five scales and window of 11 pixels need 176 pixels.  Smaller images get as many scales as leave room
    for the window, and the first of the paper's weights, divided by their sum; below 11 pixels the window shrinks to
    the largest odd number of pixels that fits.
    """
    side = min(image_shape[:2])
    filter_size = min(FILTER_SIZE, side - 1 + side % 2)
    number = sum(side // 2**scale >= filter_size for scale in range(len(SCALE_WEIGHTS)))
    total = sum(SCALE_WEIGHTS[:number])
    return {"filter_size": filter_size, "power_factors": tuple(weight / total for weight in SCALE_WEIGHTS[:number])}


def _in_batches(compare, first, second):
    if first.shape != second.shape:
        raise InputError(f"Images {first.shape} and {second.shape} differ in shape: compare images of one size.")
    first, second = np.asarray(first, "float32"), np.asarray(second, "float32")
    slices = [slice(start, start + BATCH_SIZE) for start in range(0, len(first), BATCH_SIZE)]
    return np.concatenate([np.asarray(compare(first[part], second[part]), "float64") for part in slices])
