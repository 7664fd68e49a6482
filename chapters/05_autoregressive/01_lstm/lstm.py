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
# # LSTM: text by a network that remembers
#
# The n-gram of `01_generative/02_ngram` guesses the next token from the last few, and from nothing else.  A
# **recurrent** network reads a text from its beginning, token after token, and after each one changes a **state**: some
# hundred numbers that are all it remembers.  From the state it guesses the next token.  What is worth keeping, it
# learns.
#
# Slopes that flow back through a hundred steps shrink or blow up if each step multiplies the state anew.  The **long
# short-term memory** (LSTM) has a second state beside it, which each step only adds to and forgets from, as gates of
# its own say.
#
# The model is still autoregressive, $p(x) = \prod_t p(x_t \mid x_1 \ldots x_{t-1})$: it scores texts, and writes them
# by drawing a token, reading it, drawing the next.  Book: chapter 5, "Long Short-Term Memory Network".

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import LanguageConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(LanguageConfig):
    """A recurrent network that writes text."""

    dataset: str = "austen_mini"
    tokens: Literal["characters", "words", "pieces"] = "characters"
    length: int = 100
    batch_size: int = 64
    epochs: int = 12
    # The recurrent layers: long short-term memories, or gated recurrent units, which have one state only.
    cell: Literal["lstm", "gru"] = "lstm"
    # Their widths, from the first to the last: as many layers as there are numbers.
    units: tuple[int, ...] = (256,)
    # Numbers that stand for a token.
    embedding_dim: int = 64
    # The share of what goes into a layer that is left out in training.
    dropout: float = 0.0
    # Adam's rate at the beginning; it falls to a tenth along a cosine.
    learning_rate: float = 4e-3
    # The longest gradient that moves the weights.
    clip: float = 1.0
    # How the texts below begin.
    given: str = "It is "
    # How many tokens they have.
    text_length: int = 300

    ranges: ClassVar = {
        "units": at_least(1),
        "embedding_dim": at_least(1),
        "dropout": between(0, 0.9),
        "learning_rate": above(0),
        "clip": above(0),
        "text_length": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="05_autoregressive/01_lstm",
    presets={
        "book": {
            "dataset": "recipes",
            "tokens": "words",
            "vocabulary_size": 10_000,
            "example": "text",
            "length": 199,
            "batch_size": 32,
            "epochs": 25,
            "units": (128,),
            "embedding_dim": 100,
            "learning_rate": 1e-3,
            "given": "recipe for",
            "text_length": 200,
        },
        "smoke": {
            "length": 20,
            "batch_size": 256,
            "epochs": 1,
            "steps_per_epoch": 3,
            "units": (8,),
            "embedding_dim": 4,
            "text_length": 30,
        },
    },
)

# %% [markdown]
# ## The data
# One novel to learn from, character by character, and another one held out, unless `--dataset` says otherwise
# (`--preset book` reads recipes, word by word).  A token is a number, its place in the vocabulary.

# %%
import lzma
import math

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting
from gdl_keras.kinds.text import nats_of
from gdl_keras.models import NGram, RecurrentLanguageModel, build_recurrent_network

train = run.load("train")
test = run.load("test")
vocabulary = train.vocabulary
print(f"{train.num_tokens:,} tokens to learn from, {test.num_tokens:,} held out, {len(vocabulary)} different ones")
print(vocabulary.tokens[:30])
beginning = train.rows("tokens", [0])[0]
print(vocabulary.decode(beginning))
print(beginning[:20])

# %% [markdown]
# ## The network
# A row of numbers stands for each token (the **embedding**, learnt with all the rest), the recurrent layer turns the
# row and its state into a new state, and a dense layer makes of the state one logit for each token that may come next.

# %%
network = build_recurrent_network(len(vocabulary), run.embedding_dim, run.units, run.cell, run.dropout)
network.summary()
plotting.show_source(build_recurrent_network)

# %% [markdown]
# ## The model
# The whole text is read in training: each place is asked for the next token, and all guesses are scored at once.  To
# write, the model takes one step a token and carries its state along.

# %%
model = RecurrentLanguageModel(
    network, vocabulary, length=run.text_length, one_text=run.example == "text", seed=run.seed
)
slower = CosineDecay(run.learning_rate, run.planned_steps(train), alpha=0.1)
model.compile(Adam(slower, global_clipnorm=run.clip), **run.execution())
plotting.show_source(RecurrentLanguageModel.train_step, RecurrentLanguageModel.step)

# %%
model.fit(train, validation_data=test, **run.schedule())

# %% [markdown]
# `loss` is nats a token, `perplexity` its exponential: among how many tokens, all as likely, the choice would be as
# hard.

# %%
run.show("loss", plotting.curves(run.history, ["loss"], y_label="nats a token"))
real = float(np.mean([np.asarray(model.counting(tf.constant(train.sample(500, seed=run.seed))))[:, 1:]]))
if real < 1:
    # The book counts what fills up short texts, too, which costs next to nothing once it is learnt.
    print(f"{real * run.history['loss'][-1]:.3f} nats a place, what fills up short texts taken as free")

# %% [markdown]
# ## Writing
# Three texts, each token drawn with the probability that the network gives it.

# %%
for text in model.generate(3, given=run.given, seed=run.seed):
    print(text, end="\n\n")

# %% [markdown]
# ## What may come next
# The likeliest tokens after some beginnings, at temperature 1 and at 0.2, where the likeliest takes nearly all.

# %%
prompts = ["It is a tru", "Mr. Dar", "She was qui"]
if run.preset == "book":
    prompts = ["recipe for roasted vegetables | chop 1 /", "recipe for chocolate ice cream |", "recipe for"]
expected = {}
for prompt in prompts:
    logits = np.asarray(model.logits(np.append(vocabulary.encode(prompt), vocabulary.end)[None])[0, -1])
    for temperature in (1.0, 0.2):
        expected[f"{prompt!r} at {temperature}"] = np.asarray(tf.nn.softmax(logits / temperature))
run.show("expected", plotting.next_tokens(expected, vocabulary.tokens, count=8, columns=2))

# %% [markdown]
# ## Temperature
# Below 1 the model keeps to what it is sure of, at 0 it says one thing for ever; above 1 it is bold, and soon writes
# words that are none.  Instead of all tokens, a draw may be among the likeliest only: the `top_k` of them, or as many
# as have a share `top_p` of the probability.

# %%
ways = {f"temperature {value}": {"temperature": value} for value in (0.0, 0.5, 1.0, 1.3)}
ways |= {"the 5 likeliest (top_k)": {"top_k": 5}, "nine tenths of what is likely (top_p)": {"top_p": 0.9}}
written = {name: model.generate(1, given=run.given, seed=run.seed, **way)[0] for name, way in ways.items()}
run.show("temperatures", plotting.texts(written))

# %% [markdown]
# ## Tokens that are alike
# Nobody told the network which tokens are alike.  Those that it may use in one another's place come to lie close
# together in the embedding: here those with the largest cosine to some of the commonest.

# %%
rows = model.embedding / np.linalg.norm(model.embedding, axis=1, keepdims=True)
common = [number for number, token in enumerate(vocabulary.tokens) if token.isalpha()][:12]
for number in common:
    nearest = [other for other in np.argsort(-rows @ rows[number]) if other != number][:6]
    print(f"{vocabulary.tokens[number]!r:>12}: " + ", ".join(repr(vocabulary.tokens[other]) for other in nearest))

# %% [markdown]
# ## What it remembers
# Numbers of the state, along a text that was held out, each token on a ground that is the redder the larger the number
# after reading it.  Most cannot be read.  These are the ones that move least from token to token, and yet move: what
# the network keeps for long.

# %%
states = keras.Model(network.input, model.recurrent_layers[-1].output)
count = 400 if run.tokens == "characters" else 100
row = np.concatenate([text[:-1] for text in test.texts(slice(4, 8))])[:count]
state = np.asarray(states(np.append(vocabulary.end, row)[None]))[0, 1:]
change = np.abs(np.diff(state, axis=0)).mean(axis=0) / (state.std(axis=0) + 0.1)
pieces = [vocabulary.decode([token]) + " " * (run.tokens == "words") for token in row]
for number in np.argsort(change)[:2]:
    value = state[:, number] - state[:, number].min()
    run.show(f"state_{number}", plotting.shaded(pieces, value, f"number {number} of the state"))

# %% [markdown]
# ## Against counting
# Bits that a held-out token costs: the network, the n-gram that has read the same text (n = 5 for characters, 3 for
# words and pieces), and `xz`, a compressor, alone with the held-out text.


# %%
def bits_per_token(learnt):
    """What a held-out token costs under a model: float."""
    nats, counts = nats_of(learnt, test, np.arange(test.num_examples))
    return nats.sum() / counts.sum() / math.log(2)


counting = NGram(vocabulary, {"characters": 5, "words": 3, "pieces": 3}[run.tokens], seed=run.seed)
counting.compile(None, **run.execution())
counting.fit(train, steps_per_epoch=run.steps_per_epoch, verbose=0)
held_out = vocabulary.decode(np.concatenate([text[:-1] for text in test.texts(slice(None))]))
bits = {
    f"{run.cell.upper()}, {network.count_params():,} weights": bits_per_token(model),
    f"n-gram, n = {counting.order}": bits_per_token(counting),
    "xz": 8 * len(lzma.compress(held_out.encode(), preset=9 | lzma.PRESET_EXTREME)) / len(vocabulary.encode(held_out)),
}
print({name: round(float(value), 3) for name, value in bits.items()})
run.show("against_counting", plotting.bars(list(bits.values()), list(bits), y_label="bits a held-out token"))

# %% [markdown]
# In the preset `cpu` the network beats the compressor, and not yet the n-gram: one novel is little to learn a language
# from, and few minutes little time.

# %%
of_network, of_counting, _ = bits.values()
run.finish(bits_per_token=of_network, ngram_bits_per_token=of_counting)
