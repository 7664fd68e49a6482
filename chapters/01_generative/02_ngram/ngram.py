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
# # The n-gram: text, by counting
#
# A text is a sequence of **tokens**: here letters, spaces and punctuation marks.  The probability of a whole text can
# always be written as a product, one factor for each token:
#
# $$p(x) = \prod_t p(x_t \mid x_1 \ldots x_{t-1})$$
#
# A model that learns these factors is **autoregressive**.  It can score a text, by multiplying, and write one, by
# drawing token after token.  Chapters 5 and 9 do that with networks.  Here is the smallest model of the kind: it has no
# memory beyond the last $n - 1$ tokens, and takes for the factor how often each token came after these in its training
# text.
#
# The book has no such program; `--preset book` only reads more.  It is here because every language model must beat it,
# and because all that is asked of them later can be seen in it: the likelihood of text that was held out, memory,
# samples, temperature.

# %%
from dataclasses import dataclass
from typing import ClassVar, Literal

from gdl_keras.training import Run, TextConfig
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(TextConfig):
    """An n-gram model of text."""

    dataset: str = "austen_mini"
    tokens: Literal["characters", "words"] = "characters"
    # Tokens in a window.  Windows stand end to end, and no n-gram reaches from one into the next.
    length: int = 1024
    batch_size: int = 64
    # One pass counts all there is to count; a second one would count it twice.
    epochs: int = 1
    # n: a token is guessed from the n - 1 before it.
    order: int = 5
    # What becomes of tokens that never came after these before: kneser_ney asks a shorter context, additive adds alpha
    # to every count.
    smoothing: Literal["kneser_ney", "additive"] = "kneser_ney"
    # What kneser_ney takes from every count.
    discount: float = 0.75
    # What additive adds to every count.
    alpha: float = 1.0
    # The largest order that is compared.
    orders: int = 7
    # The most different n-grams that there is room for.
    capacity: int = 2**20
    # Windows on which models are compared; by default as many as are held out.
    compared: int | None = None
    # How the texts below begin.
    given: str = "It is "
    # How many tokens they have.
    text_length: int = 300

    book_is: ClassVar = "more to read (the book has no such program)"
    ranges: ClassVar = {
        "order": at_least(1),
        "discount": between(1e-9, 1 - 1e-9),
        "alpha": above(0),
        "orders": at_least(1),
        "capacity": at_least(1),
        "compared": at_least(2),
        "text_length": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="01_generative/02_ngram",
    presets={
        "book": {"dataset": "austen,austen_mini", "batch_size": 256, "order": 6, "orders": 8, "capacity": 2**22},
        "smoke": {
            "length": 256,
            "batch_size": 16,
            "steps_per_epoch": 4,
            "order": 3,
            "orders": 2,
            "compared": 20,
            "text_length": 60,
        },
    },
)

# %% [markdown]
# ## The data
# One novel to learn from and another one, by the same author, held out, unless `--dataset` says otherwise.  A token
# is a number, its place in the vocabulary.

# %%
import lzma
import math

import numpy as np
import tensorflow as tf

from gdl_keras import plotting
from gdl_keras.models import NGram
from gdl_keras.models.autoregressive import ngram as ngram_module

train = run.load("train")
test = run.load("test")
vocabulary = train.vocabulary
print(f"{train.num_tokens:,} tokens to learn from, {test.num_tokens:,} held out, {len(vocabulary)} different ones")
beginning = train.rows("tokens", [0])[0, :300]
print(vocabulary.decode(beginning))
print(beginning[:20])

# %% [markdown]
# ## The model
# The likelihood of the training text is largest where $p(w \mid h)$ is the share of $w$ among all that came after $h$.
# There is no network and no slope to follow: training is counting, and one pass is all.
#
# What was never seen would be impossible then, and one impossible token makes a whole text impossible.  So something
# is kept back for it; the head of the model's file says how.

# %%
print(ngram_module.__doc__)
plotting.show_source(NGram.train_step, NGram.probability)

# %%
options = {"smoothing": run.smoothing, "discount": run.discount, "alpha": run.alpha, "capacity": run.capacity}
options |= {"length": run.text_length, "seed": run.seed}
model = NGram(vocabulary, run.order, **options)
model.compile(None, **run.execution())
model.fit(train, validation_data=test, **run.schedule())

# %% [markdown]
# `nats_per_token` says how well each batch was foreseen before it was counted; `val_nats_per_token` is of the
# held-out novel, after all was counted.  Divided by log 2 they are bits: what a perfect compressor that
# asks the model would need for a token.

# %% [markdown]
# ## Writing
# Draw a token, put it at the end, look at the last $n - 1$ again, and so on.

# %%
for text in model.generate(3, given=run.given, seed=run.seed):
    print(text, end="\n\n")

# %% [markdown]
# ## How much context?
# With every token more the model fits the training text better.  Some of that is English and some is this one novel,
# learnt by heart; only text that it has not read tells which.  Beside it stands `xz`, a compressor that
# knows nothing of English: alone with the held-out novel, and after it has seen the training text.


# %%
def bits_per_token(learnt, table):
    """How many bits a token of a data set costs under a model, over as many windows as are compared: float."""
    count = min(run.compared or test.num_examples, table.num_examples)
    chosen = np.random.default_rng(run.seed).permutation(table.num_examples)[:count]
    return learnt.evaluate(table.only(chosen), verbose=0, return_dict=True)["nats_per_token"] / math.log(2)


def counted(order, **others):
    """A model of another order or smoothing, after one pass over the same text."""
    other = NGram(vocabulary, order, **{**options, **others})
    other.compile(None, **run.execution())
    other.fit(train, steps_per_epoch=run.steps_per_epoch, verbose=0)
    return other


orders = range(1, run.orders + 1)
bits = {"training text": [], "held-out text": []}
written, expected = {}, {}
last = " happ" if run.tokens == "characters" else "i am not at all"
for order in orders:
    other = counted(order)
    bits["training text"].append(bits_per_token(other, train))
    bits["held-out text"].append(bits_per_token(other, test))
    written[f"n = {order}"] = other.generate(20, given=run.given, seed=run.seed)
    context = vocabulary.encode(last)[len(vocabulary.encode(last)) - order + 1 :]
    if len(context) == order - 1:
        logits = other.logits(tf.constant(np.append(context, vocabulary.end)[None], "int32"))[0, -1]
        expected[f"n = {order}, after {vocabulary.decode(context)!r}"] = np.exp(logits)
    print(f"n = {order}: " + ", ".join(f"{values[-1]:.3f} bits a token of {name}" for name, values in bits.items()))


# %%
def text_of(table):
    """All text of a data set: str."""
    windows = table.rows("tokens", slice(None))
    return vocabulary.decode(np.append(windows[:, :-1].reshape(-1), windows[-1, -1]))


def packed(text):
    """How many bits `xz` makes of a text: int."""
    return 8 * len(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


held_out, read = text_of(test), text_of(train)
xz = {
    "xz": packed(held_out) / test.num_tokens,
    "xz that has read the training text": (packed(read + held_out) - packed(read)) / test.num_tokens,
}
print({name: round(value, 3) for name, value in xz.items()})
lines = bits | {name: [value] * len(orders) for name, value in xz.items()}
run.show(
    "orders", plotting.curves(lines, list(lines), x_label="n, tokens that are counted together", y_label="bits a token")
)

# %% [markdown]
# What each of these models expects next, of the tokens likeliest to it: the longer the context, the surer the guess.

# %%
run.show("expected", plotting.next_tokens(expected, vocabulary.tokens))

# %% [markdown]
# And what each of them writes, one token drawn after the other.

# %%
run.show("written", plotting.texts({name: texts[0] for name, texts in written.items()}))

# %% [markdown]
# ## Learnt by heart?
# The share of all sequences of sixteen characters (or five words) in a text that stand in the training text, too.
# What the held-out novel has of them is what two books by one author have in common.  A model whose texts have more
# quotes the one that it has read.

# %%
from gdl_keras.metrics.ngrams import known_shares, ngrams

size = {"characters": 16, "words": 5}[run.tokens]
known = np.unique(ngrams(vocabulary.encode(read), size))
real = [vocabulary.decode(row[: run.text_length]) for row in test.sample(200, seed=run.seed)]
shares = {
    name: known_shares([vocabulary.encode(text) for text in texts], known, size).mean()
    for name, texts in {**written, "held-out text": real}.items()
}
run.show("copied", plotting.bars(list(shares.values()), list(shares), y_label="share found in the training text"))
print({name: round(float(share), 3) for name, share in shares.items()})

# %% [markdown]
# ## What smoothing is for
# Additive smoothing lifts every count by alpha.  Too little, and what was never seen costs dearly; too much, and
# what was seen counts for nothing.  It treats all unseen tokens alike.  Kneser-Ney asks the shorter context about them.

# %%
alphas = (1.0, 0.01, 1e-6)
smoothed = {"Kneser-Ney": [], **{f"additive, alpha {alpha:g}": [] for alpha in alphas}}
for order in orders:
    is_known = run.smoothing == "kneser_ney"
    value = (
        bits["held-out text"][order - 1] if is_known else bits_per_token(counted(order, smoothing="kneser_ney"), test)
    )
    smoothed["Kneser-Ney"].append(value)
    other = counted(order, smoothing="additive")
    for alpha in alphas:
        other.alpha = alpha  # the counts are the same
        other.compile(None, **run.execution())
        smoothed[f"additive, alpha {alpha:g}"].append(bits_per_token(other, test))
for name, values in smoothed.items():
    print(f"{name}: " + ", ".join(f"{value:.3f}" for value in values))
run.show("smoothing", plotting.curves(smoothed, list(smoothed), x_label="n", y_label="bits a held-out token"))

# %% [markdown]
# ## Where it is surprised
# The held-out novel, each token on a ground that is the redder the less it was expected: beginnings of words, names.

# %%
row = test.rows("tokens", [1])[0, : 500 if run.tokens == "characters" else 120]
surprise = np.asarray(model.nats_per_token(tf.constant(row[None])))[0] / math.log(2)
pieces = [vocabulary.decode([token]) + " " * (run.tokens == "words") for token in row]
run.show("surprise", plotting.shaded(pieces, surprise, "bits", largest=10))

# %% [markdown]
# ## Temperature
# Dividing the logits by a temperature below 1 makes likely tokens likelier.  At 0 the likeliest one always comes, and
# the text soon goes round in circles; above 1 it falls apart.

# %%
at_temperatures = {
    f"temperature {temperature}": model.generate(1, given=run.given, seed=run.seed, temperature=temperature)[0]
    for temperature in (0.0, 0.5, 0.8, 1.0, 1.5)
}
run.show("temperatures", plotting.texts(at_temperatures))

# %%
run.finish(
    bits_per_token=bits_per_token(model, test),
    training_bits_per_token=bits_per_token(model, train),
    xz_bits_per_token=xz["xz"],
)
