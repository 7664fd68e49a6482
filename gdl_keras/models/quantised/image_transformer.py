"""A transformer that writes an image token by token, as a GPT writes a text.

    p(x) = prod_t p(x_t | start, x_0 ... x_{t-1})

The tokens are the levels of the image's own numbers, row by row and channel by channel, or the codes that a codec makes
of it, such as 64 of 512 for an image of thousands of numbers: then the transformer says what goes together in an image,
and the codec's decoder what that looks like.  What is read first says what to make: there is a start for each class.

Papers: Parmar et al. 2018, Image transformer, arXiv:1802.05751; Chen et al. 2020, Generative pretraining from pixels
(ICML), for levels; van den Oord et al. 2017, arXiv:1711.00937, and Esser et al. 2021, Taming transformers for
high-resolution image synthesis, arXiv:2012.09841, for codes.
"""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from gdl_keras import losses
from gdl_keras.backend import full_float32
from gdl_keras.errors import InputError
from gdl_keras.layers.settings import Annealed
from gdl_keras.models.autoregressive import stepping
from gdl_keras.models.autoregressive.base import AutoregressiveModel
from gdl_keras.models.generative import GenerativeModel
from gdl_keras.models.parts.averaging import WeightAverage
from gdl_keras.models.parts.conditions import Classes, Unconditional
from gdl_keras.models.parts.copies import freeze
from gdl_keras.models.parts.endings import is_loading, refuse_ending
from gdl_keras.models.parts.inputs import columns_of
from gdl_keras.models.parts.weights import weighted, weights_of
from gdl_keras.models.quantised.tokens import TOGETHER, CodeTokens, LevelTokens
from gdl_keras.models.quantised.transformer_network import grid_of


@keras.saving.register_keras_serializable(package="gdl_keras")
class ImageTransformer(WeightAverage, AutoregressiveModel):
    """Trains a transformer to foresee each token of an image from those before it.

        loss = -1/n sum_t log p(x_t | start, x_0 ... x_{t-1})        over the n tokens of an image

    Without a codec it learns from the column "images", and its likelihood is that of their levels, exact.  With one it
    learns from "codes", which `data.encoded(table, codec, into="codes")` makes, and has no likelihood of images.

    Args:
        network: as `build_image_transformer` makes it, or any chain of layers that begins with an `Embedding` and a
            `GridPositions`, and in which `TransformerBlock`s are all that looks at other places.
        levels: int, 2 to 256, how many each number of an image may have; without a codec.
        codec: a `VQVAE` or the like, with `num_codes`, `code_shape`, `image_shape`, `encode`, `decode_codes` and
            `frozen`; None: the tokens are levels.  A frozen copy is kept, and saved with the model.
        num_classes: int or None; with it what is read first is the label of what is to be made.
        token_noise: float in [0, 1), the share of tokens that are read in training as any others, so that the network
            gets used to mistakes, its own among them (Esser et al. 2021).  It may be annealed.
        ema_decay: float or None, of the average of the network's weights, which is evaluated and makes the samples.
        seed, label_names: as in `TapeModel`.

    Reports `loss`, nats a token, and the same in bits: `bits_per_dim` of levels, `bits_per_token` of codes.

    Raises:
        InputError: an argument is out of range, or the network does not fit the tokens.
    """

    makes = "images"
    weighs_examples = True
    token_noise = Annealed("in [0, 1)", lambda value: 0 <= value < 1)

    def __init__(self, network, levels=256, codec=None, num_classes=None, token_noise=0.0, ema_decay=None, **kwargs):
        # One out of a file is a copy already.
        codec = codec if codec is None or is_loading() else codec.frozen()
        # The metrics, which are built first, are called by what a token is.
        self.tokens = LevelTokens(grid_of(network), levels) if codec is None else CodeTokens(codec)
        super().__init__(**kwargs)
        self.network = network
        self.levels = levels
        self.codec = codec
        self.num_classes = num_classes
        self.token_noise = token_noise
        self._check_network()
        if codec is not None:
            freeze(codec)
        self.keep_average("network", ema_decay, kept_as="average")

    def _check_network(self):
        refuse_ending(self.network, type(self).__name__, compared=True)
        grid = grid_of(self.network)
        if grid not in (self.tokens.grid, (*self.tokens.grid, 1)):
            raise InputError(f"The network's grid is {grid}, and that of the codec {self.tokens.grid}.")
        count, starts = self.vocabulary_size, self.num_classes or 1
        read, written = self.network.get_layer("embedding").input_dim, self.network.output_shape[-1]
        if read < count + starts or written < count:
            raise InputError(
                f"The network reads {read} tokens and gives {written} logits, and there are {count} tokens and "
                f"{starts} to begin with: build it with vocabulary_size={count} and num_starts={starts}."
            )

    # ---- what it is ----------------------------------------------------------------------------------------------

    @property
    def metric_names(self):
        return ("loss", self.tokens.bits)

    @property
    def vocabulary_size(self):
        return self.tokens.count

    @property
    def length(self):
        """How many tokens an image has."""
        return math.prod(self.tokens.grid)

    @property
    def image_shape(self):
        """(height, width, channels)."""
        return self.tokens.image_shape

    @property
    def likelihood_is(self):
        return None if self.likelihood is None else "exact"

    @property
    def likelihood(self):
        """What bits are bits of, as in `PixelModel`; None of codes."""
        return self.tokens.likelihood

    @property
    def conditions(self):
        return Unconditional() if self.num_classes is None else Classes(self.num_classes, self.label_names)

    @property
    def learns_from(self):
        return (self.tokens.column,) if self.num_classes is None else (self.tokens.column, "labels")

    @property
    def predicts_from(self):
        return self.learns_from if self.num_classes is None else ()

    @property
    def first_network(self):
        return self.network

    @property
    def example_shape(self):
        return self.tokens.grid

    @property
    def input_signature(self):
        examples = keras.InputSpec(self.tokens.dtype, (None, *self.tokens.grid), name=self.tokens.column)
        return examples if self.num_classes is None else [examples, keras.InputSpec("int64", (None,), name="labels")]

    def call(self, inputs, training=False):
        """The logits of the tokens of images, or of codes; of a conditional model [those, labels]."""
        examples, *labels = [inputs] if self.num_classes is None else inputs
        return self.logits(self.tokens_of(examples), *labels, training=training)

    # ---- training ------------------------------------------------------------------------------------------------

    def train_step(self, data):
        tokens, labels = self.tokens_and_labels(data)
        read = self.with_noise(self.before(tokens, labels))
        with tf.GradientTape() as tape:
            logits = self.network(read, training=True)[..., : self.vocabulary_size]
            nats = weighted(ops.mean(losses.class_crossentropy(tokens, logits), axis=1), weights_of(data))
            loss = ops.mean(nats)
        self.minimize(tape, loss, self.optimizer, self.network.trainable_variables)
        self.move_average(self.optimizer)
        return self.report(**{"loss": nats, self.tokens.bits: nats / math.log(2)})

    def test_step(self, data):
        tokens, labels = self.tokens_and_labels(data)
        nats = losses.class_crossentropy(tokens, self.logits(tokens, labels))
        nats = weighted(ops.mean(nats, axis=1), weights_of(data))
        return self.report(**{"loss": nats, self.tokens.bits: nats / math.log(2)})

    def before(self, tokens, labels=None):
        """What has just been read where each token is foreseen, the start at first: int32 tensor (batch, length)."""
        tokens = tf.cast(tokens, tf.int32)
        begin = self.start_of(labels, tf.shape(tokens)[0])
        return tf.concat([begin[:, None], tokens[:, :-1]], axis=1)

    def start_of(self, labels, count):
        """What is read first: int32 tensor (count,).

        Args:
            labels: int tensor (count,), of a conditional model; None of any other.
            count: int tensor.

        Raises:
            InputError: there are none, or there should be none.
        """
        if (labels is None) != (self.num_classes is None):
            raise InputError(f"{type(self).__name__} wants labels where, and only where, it has classes.")
        return self.vocabulary_size + (tf.zeros((count,), tf.int32) if labels is None else tf.cast(labels, tf.int32))

    def with_noise(self, read):
        """What is read, with a share of the tokens, the first one excepted, replaced by any others."""
        shape = tf.shape(read)
        others = keras.random.randint(shape, 0, self.vocabulary_size, seed=self.seed_generator)
        is_noise = keras.random.uniform(shape, seed=self.seed_generator) < self.token_noise
        return tf.where(is_noise & (tf.range(shape[1]) > 0), others, read)

    def tokens_and_labels(self, data):
        """What `fit` hands to a step: int32 tensor (batch, length), int64 tensor (batch,) or None."""
        examples, *labels = columns_of(data, len(self.learns_from))
        return self.tokens_of(examples), self.labels_are.as_learnt(labels[0]) if labels else None

    def tokens_of(self, examples):
        """Images in [0, 1], or codes, as tokens one after the other: int32 tensor (batch, length)."""
        return tf.reshape(self.tokens.of(examples), (-1, self.length))

    # ---- asking the network --------------------------------------------------------------------------------------

    def logits(self, tokens, labels=None, training=False):
        network = self.network if training else self.averaged_network
        return network(self.before(tokens, labels), training=training)[..., : self.vocabulary_size]

    def initial_state(self, count, length):
        return stepping.initial_states(self.averaged_network, count, length)

    def read(self, token, place, state, labels=None):
        token = tf.where(token < 0, self.start_of(labels, tf.shape(token)[0]), token)
        logits, state = stepping.step(self.averaged_network, token, place, state)
        return logits[:, : self.vocabulary_size], state

    @full_float32()
    def negative_log_likelihood(self, batch, seed=0, first=0, labels=None):
        """-log p of the levels of each image: float64 array (n,), nats an image, exact.

        Args:
            batch: float array (n, *image_shape) in [0, 1].
            labels: int array (n,), what is asked for of a conditional model; None: the image is one of a class that is
                drawn evenly, p(x) = mean_c p(x | c).
            seed, first: as in `GenerativeModel`; nothing is random.

        Raises:
            InputError: these are parts of images.
            NotImplementedError: the tokens are codes: many images have the same.
        """
        if self.codec is not None:
            raise NotImplementedError(f"{type(self).__name__} of codes has no likelihood of images: see nats_of_codes.")
        return self._nats(self.to_tokens(batch), labels)

    @full_float32()
    def nats_of_codes(self, codes, labels=None):
        """-log p of the codes of each image: float64 array (n,), nats an image, exact.

        Args:
            codes: int array (n, height, width).
            labels: as in `negative_log_likelihood`.

        Raises:
            InputError: these are no whole grids of codes.
        """
        return self._nats(self.tokens.checked(codes), labels)

    def _nats(self, tokens, labels):
        if tokens.shape[1] != self.length:
            raise InputError(f"These are {tokens.shape[1]} tokens of images that have {self.length}: give whole ones.")
        given = {} if labels is None else self.conditions.check(len(tokens), type(self).__name__, labels=labels)
        parts = [slice(start, start + TOGETHER) for start in range(0, len(tokens), TOGETHER)]
        if given or not self.conditions:
            of_part = [self._nats_of(tokens[part], *(labels[part] for labels in given.values())) for part in parts]
            return np.concatenate(of_part)
        return np.concatenate([self._nats_of_any_class(tokens[part]) for part in parts])

    def _nats_of_any_class(self, tokens):
        labels = [np.full(len(tokens), label) for label in range(self.num_classes)]
        of_classes = np.stack([self._nats_of(tokens, of_one) for of_one in labels])
        return -np.logaddexp.reduce(-of_classes, axis=0) + math.log(self.num_classes)

    def _nats_of(self, tokens, labels=None):
        nats = losses.class_crossentropy(tokens, self.logits(tf.constant(tokens), labels))
        return np.asarray(nats, "float64").sum(axis=1)

    # ---- images and tokens ---------------------------------------------------------------------------------------

    def to_tokens(self, samples):
        """Images, or their first rows, as tokens: int32 array (n, up to the length of an image).

        Args:
            samples: as in `PixelModel.to_tokens`.  With a codec, below rows that are given the last of them is
                repeated, and of the codes of that image those are taken whose patches lie wholly in what was given.  Or
                the codes themselves, or their first rows, int array (n, rows, width).

        Raises:
            InputError: they do not fit.
        """
        return self.tokens.read(type(self).__name__, samples)

    @full_float32()
    def to_samples(self, tokens):
        """The images of int array (n, length): float32 array (n, *image_shape) in [0, 1]."""
        return self.tokens.images(tokens)

    def draw(self, count, seed, first=0, *, temperature=1.0, top_k=None, top_p=None, **given):
        """Token after token, int32 array (count, length).

        Args, errors as in `AutoregressiveModel.draw`; all images have one size.
        """
        return super().draw(count, seed, first, temperature=temperature, top_k=top_k, top_p=top_p, **given)

    def on_the_way(self, count, seed, frames, **conditions):
        """What samples look like while they are made, token by token; what is still to come is 0.

        With a codec, a patch is shown as soon as its code is there, as it looks while code 0 stands in all later ones.

        Args, returns as in `WalkingModel.on_the_way`; the first are empty.
        """
        tokens = GenerativeModel.generate(self, count, seed=seed, **conditions)
        seen = [self._first_part(tokens, known) for known in np.linspace(0, self.length, frames).round().astype(int)]
        return np.stack(seen)

    def _first_part(self, tokens, known):
        is_known = np.arange(self.length) < known
        return self.to_samples(np.where(is_known, tokens, 0)) * self.tokens.shown(is_known)
