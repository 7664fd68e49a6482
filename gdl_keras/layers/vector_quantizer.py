"""A codebook: each vector becomes the nearest of a number of vectors that are learnt.

Papers: van den Oord et al. 2017, Neural discrete representation learning, arXiv:1711.00937, equation 3 and appendix
A.1; Razavi et al. 2019, Generating diverse high-fidelity images with VQ-VAE-2, arXiv:1906.00446, section 2.1; Yu et al.
2022, Vector-quantized image modeling with improved VQGAN, arXiv:2110.04627, section 3.2, for codes compared by their
angle; Dhariwal et al. 2020, Jukebox, arXiv:2005.00341, section 4, for codes that nothing chooses and that start again.
"""

import keras
import tensorflow as tf

from gdl_keras.errors import InputError, check_one_of
from gdl_keras.layers.quantizer import Quantizer
from gdl_keras.layers.settings import Annealed

# Rounds of k-means on the first batch.
ROUNDS = 10
EPSILON = 1e-5


@keras.saving.register_keras_serializable(package="gdl_keras")
class VectorQuantizer(Quantizer):
    """Puts the nearest vector of a codebook in the place of each vector.

        codes:      k = argmin_j |x - e_j|^2                       by one matrix product, |e_j|^2 - 2 x . e_j
        vectors:    commitment_weight |x - stop_gradient(e_k)|^2
        codebook:   "ema": e_j = the average of the vectors that chose it; "loss": |stop_gradient(x) - e_k|^2

    Squares are means over the numbers of a vector.

    Args:
        num_codes, code_dim, decay, gradient: as in `Quantizer`.
        learning: "ema", an exponential moving average that no optimizer moves, or "loss".
        commitment_weight: float, not negative; it may be annealed.
        distance: "euclidean", or "cosine": vectors and codes have the length 1.
        start: "kmeans": the codebook begins with the centres of the first batch; "uniform": with small numbers.
        revive_below: float, a share of the even use, vectors / num_codes.  A code that is chosen more rarely becomes a
            vector of the batch; 0 for never.
        seed: int or None.

    Raises:
        InputError: an argument is out of range.
    """

    commitment_weight = Annealed("not negative", lambda value: value >= 0)

    def __init__(
        self,
        num_codes=512,
        code_dim=64,
        decay=0.99,
        gradient="straight_through",
        learning="ema",
        commitment_weight=0.25,
        distance="euclidean",
        start="kmeans",
        revive_below=0.1,
        seed=None,
        **kwargs,
    ):
        if num_codes < 1 or code_dim < 1 or not 0 <= decay < 1 or not 0 <= revive_below < 1:
            raise InputError(
                "num_codes and code_dim are at least 1, decay and revive_below lie in [0, 1), and they are "
                f"{num_codes}, {code_dim}, {decay} and {revive_below}."
            )
        super().__init__(num_codes, code_dim, decay, gradient, **kwargs)
        check_one_of("learning", learning, ("ema", "loss"))
        check_one_of("distance", distance, ("euclidean", "cosine"))
        check_one_of("start", start, ("kmeans", "uniform"))
        self.learning, self.distance, self.start = learning, distance, start
        self.commitment_weight, self.revive_below, self.seed = commitment_weight, revive_below, seed
        # All replicas must choose the same vectors: Keras's own generator gives all of them the same seeds.
        self.seed_generator = keras.random.SeedGenerator(seed)
        by_loss = learning == "loss"
        small = keras.initializers.RandomUniform(-1 / num_codes, 1 / num_codes, seed)
        kept = {"dtype": "float32", "aggregation": "mean"}
        shape = (num_codes, code_dim)
        self.codebook = self.add_weight(shape, small, trainable=by_loss, name="codebook", **kept)
        self.sums = None if by_loss else self.add_weight(shape, "zeros", trainable=False, name="sums", **kept)
        self.untouched = self.add_weight((), "ones", trainable=False, name="untouched", **kept)
        self.built = True

    def placed(self, vectors):
        return tf.math.l2_normalize(vectors, axis=-1) if self.distance == "cosine" else vectors

    def table(self):
        return self.placed(tf.convert_to_tensor(self.codebook))

    def nearest(self, vectors):
        return nearest(vectors, self.table())

    def losses_of(self, vectors, chosen):
        def apart(x, y):
            return tf.reduce_mean(tf.square(x - y), axis=-1)

        losses = self.commitment_weight * apart(vectors, tf.stop_gradient(chosen))
        if self.learning == "loss":
            losses += apart(tf.stop_gradient(vectors), chosen)
        return losses

    def begin(self, vectors):
        # No branch assigns: a `tf.cond` must not change what replicas share.
        first = self.untouched.value > 0
        codebook, uses = self.codebook.value, self.uses.value

        def centres():
            if self.start == "uniform":
                return codebook
            return k_means(vectors, self._some_of(vectors), self.placed)

        begun = tf.cond(first, centres, lambda: codebook)
        even = tf.fill((self.num_codes,), self._even_use(vectors))
        uses = tf.where(first, even, uses)
        self.codebook.assign(begun)
        self.uses.assign(uses)
        if self.sums is not None:
            self.sums.assign(tf.where(first, begun * uses[:, None], self.sums.value))
        self.untouched.assign(tf.zeros(()))

    def learn(self, vectors, codes):
        super().learn(vectors, codes)
        uses, codebook = self.uses.value, self.codebook.value
        if self.learning == "ema":
            sums = tf.math.unsorted_segment_sum(vectors, codes, self.num_codes)
            sums = self.decay * self.sums.value + (1 - self.decay) * sums
            codebook = self.placed(sums / smoothed(uses)[:, None])
        if self.revive_below:
            dead = uses < self.revive_below * self._even_use(vectors)
            codebook = tf.where(dead[:, None], self._some_of(vectors), codebook)
            # With as many uses as others have, it has time to be found.
            uses = tf.where(dead, self._even_use(vectors), uses)
            self.uses.assign(uses)
            if self.learning == "ema":
                sums = tf.where(dead[:, None], codebook * uses[:, None], sums)
        self.codebook.assign(codebook)
        if self.learning == "ema":
            self.sums.assign(sums)

    def _some_of(self, vectors):
        """A vector of the batch for each code, drawn at random."""
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        places = tf.random.stateless_uniform((self.num_codes,), seed, maxval=tf.shape(vectors)[0], dtype=tf.int32)
        return tf.gather(vectors, places)

    def _even_use(self, vectors):
        return tf.cast(tf.shape(vectors)[0], tf.float32) / self.num_codes

    def get_config(self):
        names = ("learning", "distance", "start", "revive_below", "seed")
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own, "commitment_weight": float(self.commitment_weight)}


def nearest(vectors, codebook):
    """The number of the row of `codebook` (k, dim) nearest to each of `vectors` (n, dim): int32 tensor (n,).

    |x - e|^2 = |x|^2 + |e|^2 - 2 x . e, and |x|^2 is the same for all e.
    """
    distances = tf.reduce_sum(tf.square(codebook), axis=1) - 2 * tf.matmul(vectors, codebook, transpose_b=True)
    return tf.argmin(distances, axis=1, output_type=tf.int32)


def k_means(vectors, centres, placed=tf.identity):
    """Centres (k, dim) moved to the middle of what is nearest to them, again and again (Lloyd 1982): same shape.

    Args:
        vectors: float32 tensor (n, dim).
        centres: float32 tensor (k, dim), where they begin.
        placed: what brings a centre to where codes lie.
    """
    for _ in range(ROUNDS):
        codes = nearest(vectors, centres)
        sums = tf.math.unsorted_segment_sum(vectors, codes, centres.shape[0])
        counts = tf.math.unsorted_segment_sum(tf.ones_like(codes, tf.float32), codes, centres.shape[0])[:, None]
        # One that nothing is near to stays where it is.
        centres = tf.where(counts > 0, placed(sums / tf.maximum(counts, 1)), centres)
    return centres


def smoothed(uses):
    """Laplace smoothing, which keeps a rarely chosen code from a division by nothing (appendix A.1).

    n (N_j + epsilon) / (n + k epsilon),   n = sum_j N_j
    """
    total = tf.reduce_sum(uses)
    return total * (uses + EPSILON) / (total + uses.shape[0] * EPSILON)
