"""The answers to this chapter's exercises: `python chapters/10_advanced_gans/answers.py` runs them all."""

import math

from gdl_keras.exercises import run_all
from gdl_keras.layers import FiniteScalarQuantizer, VectorQuantizer
from gdl_keras.layers.quantizer import straight_through
from gdl_keras.models import VQGAN, build_codec_decoder, build_codec_encoder
from gdl_keras.models.quantised.code_use import Perplexity
from gdl_keras.models.quantised.vqgan import build_patch_discriminator

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


def how_soon_a_word_follows():
    """Exercise 3: A word keeps 0.98 of itself in each step. After how many steps has it come half way to new vectors?

    What is left of where it was is 0.98^n: half after 34.3 steps.  In code, where uses do not change, after 35.
    """
    layer = VectorQuantizer(1, 1, decay=0.98, start="uniform", revive_below=0.0, seed=1)
    layer.codebook.assign([[0.0]])
    steps = 0
    while float(layer.codebook.numpy()[0, 0]) < 0.5:
        layer(np.ones((1, 8, 1), "float32"), training=True)
        steps += 1
    foreseen = math.log(0.5) / math.log(0.98)
    assert steps == math.ceil(foreseen)
    return {"foreseen": foreseen, "steps": steps}


def words_without_a_codebook():
    """Exercise 4: Four numbers are rounded to 8, 5, 5 and 5 levels. How many words is that, and which is number 617?

    8 * 5 * 5 * 5 = 1,000.  617 = 1 + 8 * (2 + 5 * (0 + 5 * 3)): the digits 1, 2, 0, 3, which are the levels
    -3/4, 0, -1, 1/2.
    """
    layer = FiniteScalarQuantizer((8, 5, 5, 5))
    vector = layer.vectors_of(617).numpy()
    np.testing.assert_allclose(vector, [(1 - 4) / 4, (2 - 2) / 2, (0 - 2) / 2, (3 - 2) / 2])
    assert layer.num_codes == 1000
    return {"words": layer.num_codes, **{f"number {n + 1}": value for n, value in enumerate(vector)}}


def how_much_an_adversary_is_heard():
    """Exercise 5: At the last layer likeness pulls with 0.02 and the adversary with 5. What is the adversary's weight?

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


if __name__ == "__main__":
    run_all(globals())
