"""What quantisers share: vectors in, the nearest of a finite set of codes out, and a gradient past the choice.

Papers: van den Oord et al. 2017, Neural discrete representation learning, arXiv:1711.00937, for the straight-through
gradient; Fifty et al. 2024, Restructuring vector quantization with the rotation trick, arXiv:2410.06424.
"""

import keras
import tensorflow as tf

from gdl_keras.errors import check_one_of
from gdl_keras.layers.settings import Adjustable

EPSILON = 1e-6


def straight_through(vectors, codes):
    """The codes, with the gradient of the vectors: what pulls at a code pulls at the vector alike.

        x + stop_gradient(q - x)

    Args:
        vectors, codes: float32 tensors (n, dim).
    """
    return vectors + tf.stop_gradient(codes - vectors)


def rotated_to(vectors, codes):
    """The codes, as the vectors turned and stretched; that map stays, so a gradient is turned back and stretched, too.

        q = s R x,   s = |q| / |x|,   R = I - 2 r r^T + 2 q' x'^T,   r = (x' + q') / |x' + q'|,   x', q' of length 1

    The angle between gradient and code is that between what the encoder gets and its vector (Fifty et al., section 4).

    Args:
        vectors, codes: float32 tensors (n, dim).
    """
    stretch = tf.stop_gradient(_norm(codes) / _norm(vectors))
    start, end = (tf.stop_gradient(x / _norm(x)) for x in (vectors, codes))
    middle = tf.stop_gradient((start + end) / _norm(start + end))

    def along(direction):
        return tf.reduce_sum(vectors * direction, axis=-1, keepdims=True)

    return stretch * (vectors - 2 * along(middle) * middle + 2 * along(start) * end)


def _norm(vectors):
    return tf.maximum(tf.norm(vectors, axis=-1, keepdims=True), EPSILON)


GRADIENTS = {"straight_through": straight_through, "rotation": rotated_to}


class Quantizer(Adjustable, keras.layers.Layer):
    """Puts the nearest of `num_codes` codes in the place of each vector.

    A subclass writes `nearest` and `vectors_of`, and where it learns, `learn` and `losses_of`.  It computes in float32
    under every precision policy: a code is one choice of many that lie close together.

    Args:
        num_codes: int.
        code_dim: int, numbers of a vector.
        decay: float in [0, 1), how much of itself the average of how often codes are chosen keeps in each step.
        gradient: "straight_through" or "rotation", how a gradient passes the choice.

    Attributes:
        uses: float32 (num_codes,), how often each code is chosen, an average over batches; saved.

    Call arguments:
        vectors: float tensor (batch, ..., code_dim).
        training: bool; whether it learns of them.

    Returns:
        (float32 tensor of that shape, codes int32 (batch, ...), losses float32 (batch,)).
    """

    def __init__(self, num_codes, code_dim, decay=0.99, gradient="straight_through", **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_one_of("gradient", gradient, GRADIENTS)
        self.num_codes, self.code_dim, self.decay, self.gradient = num_codes, code_dim, decay, gradient
        # All replicas assign the same, so that the mean is what each has.
        self.uses = self.add_weight((num_codes,), "zeros", trainable=False, aggregation="mean", name="uses")

    def call(self, vectors, training=False):
        vectors = tf.cast(vectors, tf.float32)
        flat = self.placed(tf.reshape(vectors, (-1, self.code_dim)))
        if training:
            everyone = of_all_replicas(tf.stop_gradient(flat))
            self.begin(everyone)
        codes = self.nearest(flat)
        chosen = tf.gather(self.table(), codes)
        losses = self.losses_of(flat, chosen)
        outputs = GRADIENTS[self.gradient](flat, chosen)
        if training:
            self.learn(everyone, of_all_replicas(codes))
        shape = tf.shape(vectors)
        losses = tf.reduce_mean(tf.reshape(losses, (shape[0], -1)), axis=1)
        return tf.reshape(outputs, shape), tf.reshape(codes, shape[:-1]), losses

    # ---- what a subclass says ------------------------------------------------------------------------------------

    def placed(self, vectors):
        """Vectors (n, code_dim) where codes lie: on the sphere, within bounds; by default as they are."""
        return vectors

    def nearest(self, vectors):
        """The number of the code nearest to each vector: int32 tensor (n,)."""
        raise NotImplementedError(f"{type(self).__name__} has no codes.")

    def table(self):
        """All codes: float32 tensor (num_codes, code_dim)."""
        raise NotImplementedError(f"{type(self).__name__} has no codes.")

    def losses_of(self, vectors, chosen):
        """What a vector and its code pay for being apart: float32 tensor (n,)."""
        return tf.zeros(tf.shape(vectors)[:1])

    def begin(self, vectors):
        """Looks at the first batch, before a code is chosen."""

    def learn(self, vectors, codes):
        """Follows how often codes are chosen, of all replicas' vectors (n, code_dim) and their codes (n,)."""
        self.uses.assign(self.decay * self.uses.value + (1 - self.decay) * self.counted(codes))

    # ---- codes and vectors ---------------------------------------------------------------------------------------

    def codes_of(self, vectors):
        """The code of each vector: int32 tensor (...), of a float tensor (..., code_dim)."""
        vectors = tf.cast(vectors, tf.float32)
        codes = self.nearest(self.placed(tf.reshape(vectors, (-1, self.code_dim))))
        return tf.reshape(codes, tf.shape(vectors)[:-1])

    def vectors_of(self, codes):
        """The vectors that codes stand for: float32 tensor (..., code_dim), of an int tensor (...)."""
        return tf.gather(self.table(), codes)

    def counted(self, codes):
        """How often each code stands in an int32 tensor (n,): float32 tensor (num_codes,)."""
        return tf.math.unsorted_segment_sum(tf.ones_like(codes, tf.float32), codes, self.num_codes)

    def compute_output_spec(self, vectors, training=False):
        shape = vectors.shape
        kinds = ((shape, "float32"), (shape[:-1], "int32"), (shape[:1], "float32"))
        return tuple(keras.KerasTensor(shape, dtype) for shape, dtype in kinds)

    def get_config(self):
        names = ("num_codes", "code_dim", "decay", "gradient")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def of_all_replicas(vectors):
    """The vectors (n, ...) of all replicas, in their order: the same on each; of one alone those given."""
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return vectors
    return replica.all_gather(vectors, axis=0)
