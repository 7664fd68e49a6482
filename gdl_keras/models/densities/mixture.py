"""A mixture of normal distributions: several clouds, each with a share of the examples.

With enough clouds a mixture comes as near to any density as one likes.  Its maximum likelihood cannot be written down
any more, but the likelihood itself can, and so can its gradient: this is gradient ascent on the exact likelihood.
(The other classic way, expectation maximisation, climbs the same hill: Dempster et al. 1977.)

Papers: Dempster, Laird & Rubin 1977, Maximum likelihood from incomplete data via the EM algorithm; Arthur &
Vassilvitskii 2007, k-means++: the advantages of careful seeding, for where the clouds begin.
"""

import keras
import numpy as np
import tensorflow as tf

from gdl_keras.errors import InputError, counted
from gdl_keras.models.densities.density import DensityModel
from gdl_keras.models.densities.normal import lower_factor, normal_log_density
from gdl_keras.samplers.noise import SampleNoise


@keras.saving.register_keras_serializable(package="gdl_keras")
class Mixture(DensityModel):
    """p(x) = sum_k share_k N(x; mean_k, L_k L_k^T), the shares a softmax; in the plane six weights a component.

    All components begin as the standard normal distribution: call `start_from` before training, since equal ones would
    stay equal.

    Args:
        components: int, how many normal distributions.
        dimensions: int, numbers in a point.
        seed: int or None; where the components begin follows from it.

    Raises:
        InputError: `components` or `dimensions` is below 1.
    """

    def __init__(self, components=16, dimensions=2, **kwargs):
        super().__init__(**kwargs)
        if components < 1 or dimensions < 1:
            raise InputError(f"components ({components}) and dimensions ({dimensions}) are at least 1.")
        self.components = components
        self.dimensions = dimensions
        num_below = dimensions * (dimensions - 1) // 2
        shapes = {"logits": (), "means": (dimensions,), "log_scales": (dimensions,), "below": (num_below,)}
        for name, shape in shapes.items():
            setattr(self, name, self.add_weight(shape=(components, *shape), initializer="zeros", name=name))

    @classmethod
    def on_examples(cls, points, width):
        """A mixture with one round component on each example, all alike: a kernel density estimate (Parzen 1962).

        It learns nothing: it is its examples, blurred.

        Args:
            points: array (n, dimensions).
            width: float, the standard deviation of each component.

        Raises:
            InputError: `width` is not positive.
        """
        if width <= 0:
            raise InputError(f"The width of a kernel is larger than 0, not {width}.")
        model = cls(len(points), points.shape[1], seed=0)
        model.means.assign(points)
        model.log_scales.assign(np.full(points.shape, np.log(width)))
        return model

    def start_from(self, points):
        """Puts each component onto an example, all far apart, as round and as wide as fills the data's extent.

        The examples are drawn one after the other, each with a probability that grows with its squared distance from
        those drawn before (k-means++).

        Args:
            points: array (n, dimensions).

        Raises:
            InputError: there are fewer different points than components.
        """
        rng = np.random.default_rng(self.seed)
        points = np.asarray(points, "float64")
        chosen = [points[rng.integers(len(points))]]
        nearest = np.full(len(points), np.inf)
        while len(chosen) < self.components:
            nearest = np.minimum(nearest, np.square(points - chosen[-1]).sum(axis=1))
            if not nearest.any():
                raise InputError(
                    f"{counted(len(points), 'point')}, too few for {self.components} components: take fewer."
                )
            chosen.append(points[rng.choice(len(points), p=nearest / nearest.sum())])
        width = points.std(axis=0) / self.components ** (1 / self.dimensions)
        self.logits.assign(np.zeros(self.components))
        self.means.assign(np.stack(chosen))
        self.log_scales.assign(np.broadcast_to(np.log(width), self.log_scales.shape))
        self.below.assign(np.zeros(self.below.shape))

    def log_density(self, points):
        # The largest exponent is taken out of the sum, so that none of them overflows and not all of them vanish.
        each = normal_log_density(points, self.means.value, self.log_scales.value, self.below.value)
        return tf.reduce_logsumexp(tf.nn.log_softmax(self.logits.value) + each, axis=1)

    @property
    def shares(self):
        """How much of the whole each component has: float64 array (components,), their sum is 1."""
        exponentials = np.exp(np.asarray(self.logits, "float64") - np.max(self.logits))
        return exponentials / exponentials.sum()

    def draw(self, count, seed, first=0):
        noise = SampleNoise(seed, first, count)
        chosen = pick(self.shares, noise.uniform(0))
        normal = noise.normal(1, (self.dimensions,))[..., None]
        factors = tf.gather(lower_factor(self.log_scales.value, self.below.value), chosen)
        return np.asarray(tf.gather(self.means.value, chosen) + tf.matmul(factors, normal)[..., 0])


def pick(shares, uniform):
    """Numbers of components or of cells, each as often as its share says: int array (n,).

    Args:
        shares: float64 array (k,), their sum is 1.
        uniform: array (n,) of numbers uniform in [0, 1).
    """
    # Rounding may leave the last sum a little below 1.
    return np.minimum(np.searchsorted(np.cumsum(shares), np.asarray(uniform), side="right"), len(shares) - 1)
