"""Image sizes that networks can halve."""

from gdl_keras.errors import InputError, counted


def reduced_size(image_shape, halvings):
    """What is left of an image that a network halves again and again.

    Args:
        image_shape: (height, width, channels).
        halvings: a sequence with one entry for each time.

    Returns:
        (height, width).

    Raises:
        InputError: it cannot be halved that often.
    """
    step = 2 ** len(halvings)
    height, width, _ = image_shape
    if height % step or width % step:
        raise InputError(
            f"An image of {height}x{width} cannot be halved {counted(len(halvings), 'time')}: choose an image size "
            f"that is a multiple of {step}, or fewer filters."
        )
    return height // step, width // step
