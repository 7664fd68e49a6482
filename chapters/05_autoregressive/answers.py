"""The answers to this chapter's exercises: `python chapters/05_autoregressive/answers.py` runs them all."""

import itertools
import lzma
import math
from functools import cache

from gdl_keras.exercises import run_all
from gdl_keras import data, load
from gdl_keras.layers.masked_convolution import causal_mask
from gdl_keras.models import PixelCNN, build_pixel_cnn
from gdl_keras.samplers.next_token import next_token_logits

import keras
import numpy as np
import tensorflow as tf


@cache
def lstm():
    """The trained model of characters."""
    return load("05_autoregressive/01_lstm")


def entropy_of(logits):
    """Of the softmax of one row of logits, in nats: float."""
    p = np.asarray(tf.nn.softmax(tf.cast(logits, tf.float64)))[0]
    return float(-np.sum(p * np.log(p)))


def temperature_and_entropy():
    """Exercise 1: How fast does the entropy of the next token grow with the temperature T?

    By the variance of its logits over T^3, as derivation and differences say: never negative, so that a text becomes
    less certain with every degree.
    """
    logits = np.random.default_rng(1).normal(size=(1, 20)).astype("float32")
    told = {}
    for t in (0.5, 1.0, 2.0):
        p = np.asarray(tf.nn.softmax(next_token_logits(logits, t)), "float64")
        variance = (p * logits**2).sum() - (p * logits).sum() ** 2
        above, below = (entropy_of(next_token_logits(logits, t + step)) for step in (0.01, -0.01))
        assert math.isclose(variance / t**3, (above - below) / 0.02, rel_tol=1e-2)
        told[f"nats a degree, T = {t}"] = variance / t**3
    return told


def fewest_tokens():
    """Exercise 2: Which tokens does top_p = 0.9 keep, and how many are they after "It is " and after "It is q"?

    The likeliest ones, down to the first with which they have 0.9: sixteen characters may begin the next word, and
    after q one is enough.
    """
    told = {}
    for text in ("It is ", "It is q"):
        logits = lstm().logits(lstm().to_tokens([text + "?"]))[:, -1]
        p = tf.nn.softmax(logits)[0].numpy()
        by_definition = next(n for n in range(1, len(p)) if np.sort(p)[-n:].sum() >= 0.9)
        kept = np.flatnonzero(np.isfinite(next_token_logits(logits, top_p=0.9)[0]))
        assert len(kept) == by_definition
        assert set(kept) == set(np.argsort(-p)[:by_definition])
        told[f'after "{text}"'] = len(kept)
    return told


def weights_that_a_mask_keeps():
    """Exercise 3: How many weights of a 7x7 kernel does each mask keep, of one channel, and of three to three?

    Of one, the 24 before the middle, and with mask B the middle as well.  Between three channels 9 for each of the 24;
    in the middle red, green and blue see none, one and two of each other, and with B one, two and three.
    """
    told = {}
    for channels in (1, 3):
        for mask, in_the_middle in (("A", {1: 0, 3: 3}), ("B", {1: 1, 3: 6})):
            kept = int(causal_mask((7, 7, channels, channels), mask, channels).sum())
            assert kept == 24 * channels**2 + in_the_middle[channels]
            told[f"mask {mask}, {channels} channels"] = kept
    return told


def probability_of_everything():
    """Exercise 4: Do the probabilities of all images of 2x2 pixels in black and white add up to 1, and by whose merit?

    Of all sixteen, they do, before anything was learnt: each factor is a softmax.  It is the masks' merit.  A network
    whose first layer may see the pixel itself has factors that are no conditional probabilities, and they do not.
    """
    images = np.array(list(itertools.product([0.0, 1.0], repeat=4)), "float32").reshape(16, 2, 2, 1)
    keras.utils.set_random_seed(1)
    model = PixelCNN(build_pixel_cnn((2, 2, 1), levels=2, filters=8, blocks=1))
    total = np.exp(-model.negative_log_likelihood(images)).sum()
    first = model.network.layers[1]
    first.visible = causal_mask(first.kernel.shape, "B")
    cheating = np.exp(-model.negative_log_likelihood(images)).sum()
    assert abs(total - 1) < 1e-5
    assert abs(cheating - 1) > 0.01
    return {"with mask A": float(total), "with mask B": float(cheating)}


def bits_of_a_novel():
    """Exercise 5: How many bits a character does the LSTM have on 10,100 held-out ones, and how many does xz?

    Nats over log 2: 1.62 nats are 2.34 bits, a perplexity of 5.06, which is e^1.62 as well as 2^2.34.  xz, which has
    seen no other text, takes 3.55.
    """
    windows = data.load("austen_mini", "test", tokens="characters", length=100).rows("tokens", slice(100))
    nats = float(np.mean(lstm().nats_per_token(windows)))
    text = "".join(lstm().to_samples(windows)).encode()
    bits, of_xz = nats / math.log(2), 8 * len(lzma.compress(text)) / windows.size
    np.testing.assert_allclose([bits, of_xz], [2.34, 3.55], atol=0.05)
    assert math.isclose(math.exp(nats), 2**bits)
    return {"nats": nats, "bits": bits, "perplexity": math.exp(nats), "bits of xz": of_xz}


if __name__ == "__main__":
    run_all(globals())
