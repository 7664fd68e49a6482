"""Do features see what images show?  Features that cannot tell them from noise rank nothing, whatever their distance.

The noise has all that a blind eye could go by: it is normal, with the mean and the covariance of the pixels of the
images themselves.  Of images and as much noise each one is asked whether its nearest neighbour among all others is of
its own sort (the 1-NN two-sample test: Lopez-Paz & Oquab 2017; of metrics for GANs Xu et al. 2018): a half of them is
what guessing reaches.  Where the data has classes, features also say how often an image lies nearest to the mean of its
own class.
"""

import numpy as np

from gdl_keras.metrics import lite0

# As many images tell the share within 0.03.
LOOKED_AT = 250
# The share told from noise under which features count as blind: midway between guessing and knowing.  Of 100 images
# beside as much noise lite0 told 0.96 to 1, of photographs, digits, garments and emoji; emoji 0.53 to 0.69 of the first
# three, 0.65 to 0.75 of held-out emoji and 0.79 to 0.84 of those that it has learnt from.
BLIND = 0.75


def sight(features, noise, labels=None):
    """How well features see images that their network has not learnt from.

    Args:
        features: float array (n, d), of images in random order.
        noise: float array (m, d), m up to n: features of `normal_noise`, made of other images of their kind.
        labels: int array (n or more,), their classes, or None.

    Returns:
        {"told_from_noise": share from 0 to 1, by guessing 0.5; "images": m, beside as much noise; "blind": bool}, and
        where two classes or more have two images each {"told_classes": share; "guessed_classes": that of the largest
        class}.
    """
    features, noise = np.asarray(features, "float64"), np.asarray(noise, "float64")
    share = told_apart(features[: len(noise)], noise)
    told = {"told_from_noise": share, "images": len(noise), "blind": share < BLIND}
    return told | classes_told(features, labels)


def describe(seen, name):
    """What `sight` has found, of the features of a name: list of lines."""
    lines = [
        f"{name} has not learnt from this data: {_percent(seen['told_from_noise'])} told from noise (guessing: 50 %)"
    ]
    if "told_classes" in seen:
        lines[0] += (
            f", {_percent(seen['told_classes'])} from other classes (guessing: {_percent(seen['guessed_classes'])})"
        )
    if seen["blind"]:
        lines.append("These features are all but BLIND to these images: the numbers in them rank nothing.")
    if name == "emoji" or (seen["blind"] and name == "fashion"):
        install = "" if lite0.weights_file() else f"{lite0.COMMAND}, then "
        lines.append(f"A network that has seen photographs: {install}gdl evaluate with --features lite0.")
    return lines


def normal_noise(images, n, seed=0):
    """Noise with the mean and the covariance of images, pixel by pixel, cut off at 0 and 1: float32 (n, h, w, c).

    Args:
        images: float array (m, height, width, channels) in [0, 1], 2 or more.
        n: int, how many.
        seed: int.
    """
    pixels = np.asarray(images, "float32").reshape(len(images), -1)
    mean = pixels.mean(axis=0)
    # A random mixture of the centred images has their covariance, which itself would be far too large to write down.
    mixture = np.random.default_rng(seed).normal(0, (len(images) - 1) ** -0.5, (n, len(images))).astype("float32")
    noise = mean + mixture @ (pixels - mean)
    return np.clip(noise, 0, 1).reshape(n, *images.shape[1:])


def told_apart(first, second):
    """Of two sets of features, the share of rows whose nearest other row is of their own set: float.

    Args:
        first, second: float arrays (n, d), of one length.  Equal distances count as a half each.
    """
    rows = np.concatenate([first, second])
    is_first = np.arange(len(rows)) < len(first)
    distances = _squared_distances(rows, rows)
    np.fill_diagonal(distances, np.inf)
    own = np.where(is_first == is_first[:, None], distances, np.inf).min(axis=1)
    other = np.where(is_first != is_first[:, None], distances, np.inf).min(axis=1)
    return float(((own < other) + 0.5 * (own == other)).mean())


def classes_told(features, labels):
    """How often an image lies nearest to the mean of its own class, itself left out: the last two of `sight`, or {}."""
    if labels is None or np.ndim(labels) != 1:
        return {}
    _, numbers, counts = np.unique(labels[: len(features)], return_inverse=True, return_counts=True)
    features, numbers = features[counts[numbers] > 1], numbers[counts[numbers] > 1]
    classes, numbers, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        return {}
    means = np.stack([features[numbers == number].mean(axis=0) for number in range(len(classes))])
    distances = _squared_distances(features, means)
    rows = np.arange(len(features))
    # Without x the mean of its class of n lies n / (n - 1) times as far from it.
    distances[rows, numbers] *= (counts[numbers] / (counts[numbers] - 1)) ** 2
    told = distances.argmin(axis=1) == numbers
    return {"told_classes": float(told.mean()), "guessed_classes": float(counts.max() / counts.sum())}


def _squared_distances(first, second):
    squares = np.square(first).sum(axis=1)[:, None] + np.square(second).sum(axis=1)
    return np.maximum(squares - 2 * first @ second.T, 0)


def _percent(share):
    return f"{100 * share:.0f} %"
