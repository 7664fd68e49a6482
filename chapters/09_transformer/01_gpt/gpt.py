# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # GPT: text by looking back
#
# A recurrent network (`05_autoregressive/01_lstm`) carries all that it knows of a text along in a state of some hundred
# numbers.  A **transformer** carries nothing.  At each place it looks back at all that it has read, and takes what it
# needs from where it stands: that is **attention**.  Each place asks a question, the *query*; each place before it
# answers with a *key*, and hands out a *value* in proportion to how well the two fit:
#
# $$y_t = \sum_{s \le t} a_{ts}\, v_s, \qquad a_{ts} = \operatorname{softmax}_s \frac{q_t \cdot k_s}{\sqrt{d}}$$
#
# Several such **heads** look for different things, a small network works on what they bring, and a few **blocks** of
# the two stand one above the other.  Nothing waits for the place before: a whole text is learnt from at once.
#
# Since no place may look ahead, the model is autoregressive like those before it,
# $p(x) = \prod_t p(x_t \mid x_1 \ldots x_{t-1})$: it scores texts, and writes them token by token.  Book: chapter 9,
# "GPT".

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import LanguageConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(LanguageConfig):
    """A transformer that writes text."""

    dataset: str = "austen_mini"
    tokens: Literal["characters", "words", "pieces"] = "characters"
    length: int = 128
    batch_size: int = 8
    epochs: int = 4
    # Numbers that stand for a token, in every block.
    embedding_dim: int = 128
    # Blocks of attention, one above the other.
    num_blocks: int = 4
    # Heads of each block.
    num_heads: int = 4
    # Numbers of a query and of a key, in each head.
    key_dim: int = 32
    # Width of the network that follows attention.
    feed_forward_dim: int = 512
    # Its activation.
    activation: Literal["relu", "gelu"] = "gelu"
    # The share of numbers that is left out in training.
    dropout: float = 0.0
    # Whether each half of a block is normalised before it reads, or after it has written.
    norm: Literal["post", "pre"] = "pre"
    # How places are told apart: by a vector for each, learnt, and no text is longer; or by angles, and texts go on.
    positions: Literal["learned", "rotary"] = "rotary"
    # Whether one table stands for the tokens that are read and for those that are foreseen.
    tie_weights: bool = False
    # Adam's rate at its largest; it falls to a tenth along a cosine.
    learning_rate: float = 2e-3
    # Steps in which it rises from 0.
    warmup: int = 100
    # The longest gradient that moves the weights.
    clip: float = 1.0
    # How the texts below begin.
    given: str = "It is "
    # How many tokens they have; with learned positions no more than are learnt from at once.
    text_length: int = 300

    ranges: ClassVar = {
        "embedding_dim": at_least(1),
        "num_blocks": at_least(1),
        "num_heads": at_least(1),
        "key_dim": at_least(2),
        "feed_forward_dim": at_least(1),
        "dropout": between(0, 0.9),
        "learning_rate": above(0),
        "warmup": at_least(0),
        "clip": above(0),
        "text_length": at_least(20),
    }


run = Run.start(
    Settings,
    chapter="09_transformer/01_gpt",
    presets={
        "book": {
            "dataset": "wines",
            "tokens": "words",
            "vocabulary_size": 10_000,
            "example": "text",
            "length": 79,
            "batch_size": 32,
            "epochs": 5,
            "embedding_dim": 256,
            "num_blocks": 1,
            "num_heads": 2,
            "key_dim": 256,
            "feed_forward_dim": 256,
            "activation": "relu",
            "dropout": 0.1,
            "norm": "post",
            "positions": "learned",
            "learning_rate": 1e-3,
            "warmup": 0,
            "given": "wine review : germany :",
            "text_length": 80,
        },
        "smoke": {
            "length": 64,
            "batch_size": 256,
            "epochs": 1,
            "steps_per_epoch": 3,
            "embedding_dim": 8,
            "num_blocks": 1,
            "num_heads": 2,
            "key_dim": 4,
            "feed_forward_dim": 8,
            "warmup": 1,
            "text_length": 30,
        },
    },
)

# %% [markdown]
# ## The data
# One novel to learn from, character by character, and another one held out, unless `--dataset` says otherwise
# (`--preset book` reads reviews of wines, word by word).  An example is a window of `length` + 1 tokens; the last one
# is only foreseen, and the mark of the beginning is read before the first.

# %%
import lzma
import math
import time

import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting
from gdl_keras.kinds.text import nats_of
from gdl_keras.layers import CausalSelfAttention, TransformerBlock
from gdl_keras.models import GPT, NGram, build_gpt
from gdl_keras.optimizers import FusedAdam

train = run.load("train")
test = run.load("test")
vocabulary = train.vocabulary
print(f"{train.num_tokens:,} tokens to learn from, {test.num_tokens:,} held out, {len(vocabulary)} different ones")
print(vocabulary.decode(train.rows("tokens", [0])[0]))

# %% [markdown]
# ## The network
# A vector stands for each token.  Attention does not know by itself what stands where: either a vector for its place is
# added to each token, as in the book, or queries and keys are turned by an angle that grows with the place, so that how
# well they fit depends on how far apart they are (*rotary* positions).

# %%
network = build_gpt(
    len(vocabulary),
    run.length + 1,  # the mark of the beginning is read, too
    run.embedding_dim,
    run.num_blocks,
    run.num_heads,
    run.key_dim,
    run.feed_forward_dim,
    run.dropout,
    run.norm,
    run.positions,
    run.tie_weights,
    run.activation,
)
network.summary()
plotting.show_source(build_gpt, TransformerBlock._written, TransformerBlock._added, CausalSelfAttention._weights)

# %% [markdown]
# What each place sees, from the first row down: itself and all before it.

# %%
mask = CausalSelfAttention(1, 2)._bias(8).numpy() == 0
run.show("mask", plotting.attention_maps(list("the text"), {"seen": mask}))

# %% [markdown]
# ## The model
# In writing, the keys and values of what was read are kept, so that each new token passes through the network once.

# %%
text_length = run.text_length if run.positions == "rotary" else min(run.text_length, run.length + 1)
model = GPT(network, vocabulary, length=text_length, one_text=run.example == "text", seed=run.seed)
slower = CosineDecay(
    0.0 if run.warmup else run.learning_rate,
    max(1, run.planned_steps(train) - run.warmup),
    alpha=0.1,
    warmup_target=run.learning_rate if run.warmup else None,
    warmup_steps=run.warmup,
)
model.compile(FusedAdam(slower, beta_2=0.99, global_clipnorm=run.clip), **run.execution())
plotting.show_source(GPT.train_step, GPT.step, CausalSelfAttention.step)

# %%
model.fit(train, validation_data=test, **run.schedule())

# %% [markdown]
# `loss` is nats a token, `perplexity` its exponential: among how many tokens, all as likely, the choice would be as
# hard.

# %%
run.show("loss", plotting.curves(run.history, ["loss"], y_label="nats a token"))

# %% [markdown]
# ## Writing
# Three texts, each token drawn with the probability that the network gives it.

# %%
for text in model.generate(3, given=run.given, seed=run.seed):
    print(text, end="\n\n")

# %% [markdown]
# Below temperature 1 the model keeps to what it is sure of, at 0 it says one thing for ever; above 1 it is bold.
# Instead of all tokens, a draw may be among the likeliest only: the `top_k` of them, or as many as have a share `top_p`
# of the probability.

# %%
ways = {f"temperature {value}": {"temperature": value} for value in (0.0, 0.5, 1.0, 1.3)}
ways |= {"the 5 likeliest (top_k)": {"top_k": 5}, "nine tenths of what is likely (top_p)": {"top_p": 0.9}}
written = {name: model.generate(1, given=run.given, seed=run.seed, **way)[0] for name, way in ways.items()}
run.show("temperatures", plotting.texts(written))


# %% [markdown]
# What the cache is worth: the same text, each token drawn after all before it were read anew.


# %%
class Forgetful(GPT):
    """A GPT that keeps nothing of what it has read."""

    def initial_state(self, count, length):
        return None


def seconds_a_token(writer):
    """How long a token takes, once all is compiled: float."""
    writer.generate(1, given=run.given, seed=run.seed)
    start = time.perf_counter()
    writer.generate(1, given=run.given, seed=run.seed)
    return (time.perf_counter() - start) / text_length


forgetful = Forgetful(network, vocabulary, length=text_length)
for name, writer in {"with the cache": model, "without": forgetful}.items():
    print(f"{name}: {1000 * seconds_a_token(writer):.2f} ms a token")

# %% [markdown]
# ## Where it looks
# Attention can be looked at: how much each token was foreseen from which.  A row for each token of a text that the
# model has written, a column for each before it, the mark of the beginning first; two heads of the first block and two
# of the last.

# %%
sentence = model.generate(1, given=run.given, seed=run.seed, length=min(40, text_length), temperature=0.5)[0]
tokens = vocabulary.encode(sentence)
pieces = [vocabulary.decode([token]) + " " * (run.tokens == "words") for token in tokens]
scores = model.attention(tokens)
chosen = [(block, head) for block in sorted({0, run.num_blocks - 1}) for head in range(min(2, run.num_heads))]
maps = {f"block {block + 1}, head {head + 1}": scores[block, head] for block, head in chosen}
run.show("attention", plotting.attention_maps(pieces, maps))

# %% [markdown]
# As the book shows it: the text once more, token by token, what was looked at on a red ground (the mean of the last
# block's heads), and behind it what else was likely.

# %%
likely = np.asarray(tf.nn.softmax(model.logits(tokens[None])[0]))


def guesses(probabilities, count=5):
    """The likeliest tokens and their shares: str."""
    return ", ".join(f"{vocabulary.tokens[n]!r} {probabilities[n]:.0%}" for n in np.argsort(-probabilities)[:count])


mean = scores[-1].mean(axis=0)
first = min(len(vocabulary.encode(run.given)), len(tokens) - 1)
run.show("lines", plotting.attention_html(pieces, mean, first, notes=[guesses(row) for row in likely]))

ends = range(max(0, len(pieces) - 8), len(pieces))  # the last lines of it once more, as a picture
words = [piece for place in ends for piece in ("|", *pieces[:place], f"{pieces[place].strip()}\n")]
shares = [share for place in ends for share in (*mean[place, : place + 1], 0)]
run.show("looked_at", plotting.shaded(words, shares, "share"))

# %% [markdown]
# How far back each head looks, in held-out text: the mean distance.  A head at 1 looks at the token that has just been
# read and at little else.

# %%
text = test.texts(np.array([0]))[0][: run.length]
far = model.attention(text)
places = np.arange(len(text))
distances = (far * (1 + places[:, None] - places)).sum(axis=-1).mean(axis=-1)
names = [f"{block + 1}.{head + 1}" for block in range(run.num_blocks) for head in range(run.num_heads)]
run.show("distances", plotting.bars(list(distances.reshape(-1)), names, y_label="tokens back (block.head)"))

# %% [markdown]
# ## Tokens that are alike
# Tokens that the network may use in one another's place come to lie close together in the embedding: here those with
# the largest cosine to some of the commonest.

# %%
rows = model.embedding / np.linalg.norm(model.embedding, axis=1, keepdims=True)
common = [number for number, token in enumerate(vocabulary.tokens) if token.isalpha()][:12]
for number in common:
    nearest = [other for other in np.argsort(-rows @ rows[number]) if other != number][:6]
    print(f"{vocabulary.tokens[number]!r:>12}: " + ", ".join(repr(vocabulary.tokens[other]) for other in nearest))

# %% [markdown]
# ## Against counting
# Bits that a held-out token costs: the network (`val_loss` of its last epoch), the n-gram that has read the same text
# (n = 5 for characters, 3 for words and pieces), and `xz`, a compressor, alone with the held-out text.

# %%
counting = NGram(vocabulary, {"characters": 5, "words": 3, "pieces": 3}[run.tokens], seed=run.seed)
counting.compile(None, **run.execution())
counting.fit(train, steps_per_epoch=run.steps_per_epoch, verbose=0)
nats, counts = nats_of(counting, test, np.arange(test.num_examples))
held_out = vocabulary.decode(np.concatenate([text[:-1] for text in test.texts(slice(None))]))
bits = {
    f"GPT, {network.count_params():,} weights": run.history["val_loss"][-1] / math.log(2),
    f"n-gram, n = {counting.order}": float(nats.sum() / counts.sum()) / math.log(2),
    "xz": 8 * len(lzma.compress(held_out.encode(), preset=9 | lzma.PRESET_EXTREME)) / len(vocabulary.encode(held_out)),
}
print({name: round(value, 3) for name, value in bits.items()})
run.show("against_counting", plotting.bars(list(bits.values()), list(bits), y_label="bits a held-out token"))

# %%
of_network, of_counting, of_xz = bits.values()
run.finish(bits_per_token=of_network, ngram_bits_per_token=of_counting, xz_bits_per_token=of_xz)
