"""The answers to this chapter's exercises: `python chapters/10_advanced_gans/answers.py` runs them all."""

import math

from gdl_keras.exercises import run_all
from gdl_keras.layers import VectorQuantizer
from gdl_keras.layers.quantizer import straight_through
from gdl_keras.models import VQGAN, ProGAN, build_codec_decoder, build_codec_encoder
from gdl_keras.models.growing.networks import build_discriminator, build_generator
from gdl_keras.models.quantised.code_use import Perplexity
from gdl_keras.models.quantised.vqgan import build_patch_discriminator
from gdl_keras.samplers.noise import random_truncated_normal

import numpy as np
import tensorflow as tf
from keras.optimizers import SGD


def bits_of_words():
    """Exercise 1: An image of 28x28 bytes is 64 words of 512. How many bits are left, and how many at least?

    9 bits a word, 576 of 6,272: a pixel has 0.73 in place of 8.  If half of the words come a thousand times as often as
    the others, the perplexity is 258 instead of 512, and a compressor that knows how often they come needs 8.01 bits a
    word; one that knows which follow which needs fewer still.
    """
    bits = 64 * math.log2(512)
    uses = np.where(np.arange(512) < 256, 1000, 1)
    metric = Perplexity(512)
    metric.update_state(np.repeat(np.arange(512), uses))
    perplexity = float(metric.result())
    share = uses / uses.sum()
    assert math.isclose(math.log2(perplexity), -(share * np.log2(share)).sum(), rel_tol=1e-5)
    assert bits == 576
    return {"bits": bits, "bits a pixel": bits / 28**2, "perplexity": perplexity, "bits a word": math.log2(perplexity)}


def slope_of_a_choice():
    """Exercise 2: What is the true slope of the chosen word for the vector, and what is used in its place?

    The word does not move while the vector moves a little: 0 by finite differences.  The straight-through gradient is
    1 in its own direction: that of the vector, had it not been replaced.
    """
    layer = VectorQuantizer(4, 1, seed=1)
    layer.codebook.assign([[-2.0], [-1.0], [1.0], [2.0]])

    def chosen(x):
        return float(layer(np.array([[x]], "float32"))[0][0, 0])

    finite = (chosen(0.8 + 1e-2) - chosen(0.8 - 1e-2)) / 2e-2
    x = tf.constant([[0.8]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        word = straight_through(x, layer.vectors_of(layer.codes_of(x)))
    used = float(tape.gradient(word, x)[0, 0])
    assert finite == 0 and used == 1
    return {"true": finite, "used": used}


def how_much_an_adversary_is_heard():
    """Exercise 3: At the last layer likeness pulls with 0.02 and the adversary with 5. What is the adversary's weight?

    0.75 * 0.02 / 5.0001 = 0.003, so that it pulls with 0.015, three quarters of the likeness.  An adversary that pulls
    with a millionth has the weight 0.75 * 0.02 / 0.000101 = 148.5, and pulls with 0.00015: of what has no opinion,
    nothing is made.
    """
    shape, sizes = (8, 8, 1), (4, (4,), 0)
    networks = build_codec_encoder(shape, *sizes), build_codec_decoder(shape, *sizes)
    model = VQGAN(*networks, VectorQuantizer(8, 4, seed=1), build_patch_discriminator(shape, (4,)), seed=1)
    model.compile(codec_optimizer=SGD(), discriminator_optimizer=SGD())
    weights = {pull: float(model.weight_of_adversary(tf.constant([0.02]), tf.constant([pull]))) for pull in (5.0, 1e-6)}
    assert math.isclose(weights[5.0] * 5, 0.75 * 0.02, rel_tol=1e-3)
    assert math.isclose(weights[1e-6], 0.75 * 0.02 / (1e-6 + 1e-4), rel_tol=1e-4)
    return {f"weight at {pull:g}": weight for pull, weight in weights.items()}


def variance_of_truncated_points():
    """Exercise 4: What is the variance of a normal number that is drawn again until it lies within 1? Within 0.5?

    1 - 2 t phi(t) / (2 Phi(t) - 1): 0.2911 and 0.0806, not 1.  Batch normalisation followed points of variance 1, so
    that behind its old statistics all features are too near to their mean.
    """
    numbers = {}
    for within in (1.0, 0.5):
        density = math.exp(-(within**2) / 2) / math.sqrt(2 * math.pi)
        foreseen = 1 - 2 * within * density / math.erf(within / math.sqrt(2))
        drawn = np.random.default_rng(0).normal(size=400_000)
        drawn_again = drawn[abs(drawn) <= within].var()
        without_drawing_again = random_truncated_normal((400_000,), within, seed=1).var()
        np.testing.assert_allclose([drawn_again, without_drawing_again], foreseen, rtol=1e-2)
        numbers[f"within {within:g}"] = foreseen
    return numbers


def average_in_thousands_of_images():
    """Exercise 5: An average has a half-life of 10,000 images. What does it keep in a step of 64? When is half left?

    0.5^(64 / 10,000) = 0.99557, and half after 157 steps.  Whoever doubles the batch keeps 0.99117 and needs 79 steps:
    the same images.  0.999, a usual choice, is a half-life of 44,000 images at 64 in a batch, and of 88,000 at 128.
    """
    numbers = {}
    for batch_size in (64, 128):
        clock = ProGAN(
            build_generator((8, 8, 1), None, 4, 32, 4), build_discriminator((8, 8, 1), None, 32, 4), ema_ramp=None
        )
        clock.count_images(tf.zeros((batch_size, 8, 8, 1)))
        kept = float(clock.kept_share(1.0))
        assert math.isclose(kept, 0.5 ** (batch_size / 10_000), rel_tol=1e-6)
        numbers[f"kept at {batch_size}"], numbers[f"steps at {batch_size}"] = kept, math.log(0.5) / math.log(kept)
        numbers[f"images for 0.999 at {batch_size}"] = batch_size * math.log(0.5) / math.log(0.999)
    return numbers


if __name__ == "__main__":
    run_all(globals())
