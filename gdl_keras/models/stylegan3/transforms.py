"""Where places of an image that is moved and turned come from, as the matrices that `FourierInput` takes."""

import math

from keras import ops


def moved_and_turned(right, down, turn, size):
    """The matrix of an image that is turned about its middle and then moved.

        p = R (p' - t)      p': a place of the outcome, p: of the image at rest, with x to the right and y down

    Args:
        right, down: float or float32 scalar, pixels.
        turn: the same, degrees, counter-clockwise.
        size: int, pixels a side.

    Returns:
        float32 tensor (3, 3), of (x, y, 1), 0 in the middle of the image and its side as unit.
    """
    right, down, turn = (ops.convert_to_tensor(number, "float32") for number in (right, down, turn))
    right, down, angle = right / size, down / size, turn * (math.pi / 180)
    cosine, sine, zero, one = ops.cos(angle), ops.sin(angle), ops.zeros_like(angle), ops.ones_like(angle)
    rows = (
        (cosine, -sine, sine * down - cosine * right),
        (sine, cosine, -sine * right - cosine * down),
        (zero, zero, one),
    )
    return ops.stack([ops.stack(row) for row in rows])
