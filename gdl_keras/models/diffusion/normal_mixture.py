"""A mixture of normal distributions: a model of images whose denoiser is known, before any network has learnt."""

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.backend import on_gpu
from gdl_keras.errors import InputError, counted
from gdl_keras.layers.exact_product import exact_product

# How many images the principal directions are found from.
IMAGES_FOR_DIRECTIONS = 10_000
ROUNDS = 15
# The covariance of all clusters together counts in each as much as so many images.
IMAGES_OF_ALL = 10
SMALLEST_VARIANCE = 1e-6


@keras.saving.register_keras_serializable(package="gdl_keras")
class NormalMixture(keras.layers.Layer):
    """Clusters of images, each a normal distribution that is wide along a few axes (Tipping & Bishop 1999).

        p(y) = sum_c share_c N(y; m_c, C_c),      C_c = A_c diag(s_c^2) A_c' + r_c^2 (I - A_c A_c')

    Of a noisy image, x = signal y + noise epsilon, the mean of all that y may be has a closed form:

        E[y | x] = sum_c p(c | x) (m_c + signal C_c (signal^2 C_c + noise^2 I)^-1 (x - signal m_c))

    A network in front of which it stands learns what is left: what is not normal.  (Richardson & Weiss 2018, On GANs
    and GMMs, arXiv:1805.12462, for how good such mixtures are.)

    Args:
        image_shape: (height, width, channels).
        clusters: int.
        axes: int, how many a cluster has of its own, s_c.
        directions: int, the principal directions of all images, within which the axes and the means lie; no more than
            there are numbers in an image.

    Call arguments:
        x: float32 tensor (n, *image_shape).
        signal, noise: float32 tensors (n,), noise above 0.

    Returns:
        float32 tensor (n, *image_shape), E[y | x].

    Raises:
        InputError: an argument is out of range.
    """

    def __init__(self, image_shape, clusters=200, axes=32, directions=128, **kwargs):
        # Sums over all pixels, and small differences of large numbers: float32 whatever the precision.
        super().__init__(**{**kwargs, "autocast": False, "trainable": False, "dtype": "float32"})
        numbers = int(np.prod(image_shape))
        directions = min(directions, numbers)
        axes = min(axes, directions)
        for name, value in {"clusters": clusters, "axes": axes, "directions": directions}.items():
            if value < 1:
                raise InputError(f"{name} is at least 1, not {value}.")
        self.image_shape, self.clusters, self.axes, self.directions = tuple(image_shape), clusters, axes, directions
        shapes = {
            "basis": (numbers, directions),
            "shares": (clusters,),
            "means": (clusters, directions),
            "turns": (directions, clusters, axes),
            "variances": (clusters, axes),
            "rests": (clusters,),
        }
        for name, shape in shapes.items():
            start = "ones" if name in ("shares", "variances", "rests") else "zeros"
            setattr(self, name, self.add_weight(shape=shape, initializer=start, dtype="float32", name=name))
        self.built = True

    def fit(self, images):
        """Finds clusters by k-means within the principal directions, and in each of them its axes.

        Args:
            images: float32 array (n, *image_shape).

        Raises:
            InputError: there are fewer images than clusters.
        """
        if len(images) < self.clusters:
            raise InputError(f"{counted(len(images), 'image')}, too few for {self.clusters} clusters: ask for fewer.")
        random = np.random.default_rng(0)
        flat = images.reshape(len(images), -1)
        basis = principal_directions(flat[random.permutation(len(flat))[:IMAGES_FOR_DIRECTIONS]], self.directions)
        places = flat @ basis
        outside = np.maximum(np.square(flat).sum(axis=1) - np.square(places).sum(axis=1), 0)
        cluster, means = k_means(places, self.clusters, random)
        counts = np.bincount(cluster, minlength=self.clusters)
        away = places - means[cluster]
        pooled = away.T @ away / len(away)
        turns = np.zeros(self.turns.shape, "float32")
        variances = np.zeros(self.variances.shape, "float32")
        rests = np.zeros(self.rests.shape, "float32")
        others = flat.shape[1] - self.axes
        for c in range(self.clusters):
            mine = away[cluster == c]
            total = len(mine) + IMAGES_OF_ALL
            spread, axes = np.linalg.eigh((mine.T @ mine + IMAGES_OF_ALL * pooled) / total)
            turns[:, c], variances[c] = axes[:, -self.axes :], spread[-self.axes :]
            beyond = (outside[cluster == c].sum() + IMAGES_OF_ALL * outside.mean()) / total
            rests[c] = (spread[: -self.axes].sum() + beyond) / max(1, others)
        self.basis.assign(basis)
        self.shares.assign((counts + 1) / (len(flat) + self.clusters))
        self.means.assign(means)
        self.turns.assign(turns)
        self.variances.assign(np.maximum(variances, SMALLEST_VARIANCE))
        self.rests.assign(np.maximum(rests, SMALLEST_VARIANCE))

    def call(self, x, signal, noise):
        flat = tf.reshape(x, (-1, self.basis.shape[0]))
        signal, noise = signal[:, None], noise[:, None]
        # Whichever cluster it is, it is told by small differences of large numbers.
        places = exact_product(flat, self.basis.value)
        means, turns = self.means.value, tf.reshape(self.turns, (self.directions, -1))
        # Along each cluster's axes, from its mean: (n, clusters, axes).
        of_means = self._along_its_axes(means)
        along = tf.reshape(exact_product(places, turns), (-1, self.clusters, self.axes)) - signal[:, :, None] * of_means
        noisy = (signal**2)[:, :, None] * self.variances + (noise**2)[:, :, None]
        noisy_rest = signal**2 * self.rests + noise**2
        from_mean = tf.reduce_sum(flat**2, 1, keepdims=True) - 2 * signal * exact_product(places, tf.transpose(means))
        from_mean += signal**2 * tf.reduce_sum(means**2, 1)
        rest = (from_mean - tf.reduce_sum(along**2, 2)) / noisy_rest
        rest += (self.basis.shape[0] - self.axes) * tf.math.log(noisy_rest)
        axes = tf.reduce_sum(along**2 / noisy + tf.math.log(noisy), 2)
        which = tf.nn.softmax(tf.math.log(self.shares) - 0.5 * (axes + rest))
        # How much of a difference is signal, and what all clusters say together.
        gain, gain_rest = signal[:, :, None] * self.variances / noisy, signal * self.rests / noisy_rest
        moved = tf.reshape(which[:, :, None] * (gain - gain_rest[:, :, None]) * along, (-1, turns.shape[1]))
        within = tf.matmul(which * (1 - signal * gain_rest), means) + tf.matmul(moved, turns, transpose_b=True)
        guess = tf.matmul(within, self.basis, transpose_b=True)
        return tf.reshape(guess + tf.reduce_sum(which * gain_rest, 1, keepdims=True) * flat, tf.shape(x))

    def _along_its_axes(self, means):
        # Products of single numbers are exact on a GPU, too; on a processor those of matrices are, and quicker.
        if on_gpu():
            return tf.reduce_sum(tf.transpose(means)[:, :, None] * self.turns.value, axis=0)
        return tf.einsum("cd,dca->ca", means, self.turns.value)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        settings = {name: getattr(self, name) for name in ("image_shape", "clusters", "axes", "directions")}
        return {**super().get_config(), **settings}


def principal_directions(rows, count, rounds=4):
    """Orthonormal directions along which rows vary most, by subspace iteration: float32 array (numbers, count).

    Args:
        rows: float array (n, numbers), of mean 0.
        count: int, at most `numbers`.
        rounds: int; each brings the directions nearer.
    """
    more = min(rows.shape[1], count + 8)
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(rows.shape[1], more)))[0].astype("float32")
    for _ in range(rounds):
        basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
    # Of the space that was found the directions themselves, the widest first.
    places = rows @ basis
    turns = np.linalg.eigh(places.T @ places)[1][:, ::-1]
    return (basis @ turns[:, :count]).astype("float32")


def k_means(points, count, random):
    """Lloyd's algorithm: (cluster of each point, int array (n,); their means, float array (count, d)).

    It begins with points that are far from each other: each is drawn with a probability that grows with the square of
    its distance to the nearest one so far (Arthur & Vassilvitskii 2007, k-means++).

    Args:
        points: float array (n, d).
        count: int, how many clusters.
        random: `np.random.Generator`; it chooses the points to begin with, and one in place of a cluster without any.
    """
    means, nearest = points[[random.integers(len(points))]], np.inf
    for _ in range(count - 1):
        nearest = np.minimum(nearest, np.square(points - means[-1]).sum(axis=1, dtype="float64"))
        odds = nearest if nearest.any() else np.ones(len(points))  # there are fewer different points than clusters
        means = np.concatenate([means, points[[random.choice(len(points), p=odds / odds.sum())]]])
    for _ in range(ROUNDS):
        parts = np.array_split(points, 1 + len(points) // 4096)
        cluster = np.concatenate([(np.square(means).sum(1) - 2 * part @ means.T).argmin(1) for part in parts])
        means = np.stack(
            [
                points[cluster == c].mean(axis=0) if (cluster == c).any() else points[random.integers(len(points))]
                for c in range(count)
            ]
        )
    return cluster, means
