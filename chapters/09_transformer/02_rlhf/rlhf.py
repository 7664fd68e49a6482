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
# # Learning from preferences: a GPT that writes what people like
#
# A language model writes what is likely.  What people like is something else, and nobody can write it down as a loss;
# but shown two texts, they can say which one they like better.  **Reinforcement learning from human feedback** makes
# something of that, in three steps.  Book: chapter 9, "ChatGPT", which tells of it and has no code.
#
# 1. *The start*: a language model that has learnt from text, $\pi_0$.
# 2. *A reward model*: a network that gives a text one number, $r(x)$, learnt from pairs of which people preferred
#    one.
# 3. *A policy* $\pi$, which begins as the language model and learns to write what the reward model likes, while it
#    stays close to where it began:
#
# $$\max_\pi \; \mathbb{E}_{x \sim \pi}\, r(x) \; - \; \beta\, \mathrm{KL}(\pi \,\|\, \pi_0)$$
#
# Here people are played: what they like is a function of the text that we know.  So we can look at what nobody can look
# at otherwise: whether a policy gives people what they like, or only what its reward model takes for that.

# %%
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from gdl_keras.training import LanguageConfig, Run
from gdl_keras.training.ranges import above, at_least, between


@dataclass
class Settings(LanguageConfig):
    """A small GPT that learns what people like: a reward model and PPO, and DPO beside them."""

    dataset: str = "austen_mini"
    tokens: Literal["characters", "words", "pieces"] = "words"
    vocabulary_size: int | None = 2500
    length: int = 32
    batch_size: int = 32
    # Epochs of the policy.
    epochs: int = 8
    # Steps that count as one epoch of the policy; in each, `batch_size` texts are written.
    steps_per_epoch: int | None = 10
    # What people like: long words, many of one letter, or pleasant words and no unpleasant ones.
    preference: Literal["length", "letter", "pleasant"] = "length"
    # That letter.
    letter: str = "e"
    # How sure people are of a difference of one standard deviation, as odds: exp(certainty) to 1.
    certainty: float = 2.0
    # Pairs of texts that they are asked about.
    pairs: int = 6000
    # Tokens of a text, its beginning included.
    text_length: int = 30
    # Tokens of its beginning, which comes from the data.
    given_length: int = 6
    # A run of 01_gpt on the same data and tokens, whose model to begin with instead of training one.
    language: Path | None = None
    # Epochs of the language model.
    language_epochs: int = 4
    # Steps that count as one of them; by default as many as pass over the data once.
    language_steps: int | None = None
    # Numbers that stand for a token.
    embedding_dim: int = 64
    # Blocks of attention, one above the other.
    num_blocks: int = 2
    # Heads of each block.
    num_heads: int = 4
    # The share of numbers that is left out in training the language model.
    dropout: float = 0.1
    # Adam's rate for it.
    language_rate: float = 4e-3
    # Epochs of the reward model.
    reward_epochs: int = 2
    # Adam's rate for it, and for the critic, which says what a text will be worth before it is finished.
    reward_rate: float = 1e-3
    # What a nat from the language model costs, in rewards: the beta above, of PPO and of DPO.
    kl_weight: float = 0.4
    # Adam's rate for policies.
    learning_rate: float = 5e-4
    # How often each batch of texts is learnt from.
    updates: int = 2
    # How far, as a share, one batch may move the probability of a token.
    clip: float = 0.2
    # Epochs of DPO over the pairs.
    dpo_epochs: int = 1
    # Other weights of the divergence to compare.
    compare: tuple[float, ...] = (0.1, 0.02)
    # Epochs of a policy without any, which goes too far.
    too_far: int = 20

    book_is: ClassVar = "the same as cpu (the book has no such program)"
    ranges: ClassVar = {
        "certainty": at_least(0),
        "pairs": at_least(2),
        "text_length": at_least(2),
        "given_length": lambda settings: between(1, min(settings.text_length, settings.length) - 1),
        "language_epochs": at_least(1),
        "language_steps": at_least(1),
        "embedding_dim": at_least(1),
        "num_blocks": at_least(1),
        "num_heads": at_least(1),
        "dropout": between(0, 0.9),
        "language_rate": above(0),
        "reward_epochs": at_least(1),
        "reward_rate": above(0),
        "kl_weight": above(0),
        "learning_rate": above(0),
        "updates": at_least(1),
        "clip": above(0),
        "dpo_epochs": at_least(1),
        "compare": above(0),
        "too_far": at_least(1),
    }


run = Run.start(
    Settings,
    chapter="09_transformer/02_rlhf",
    presets={
        "smoke": {
            "length": 20,
            "vocabulary_size": 300,
            "epochs": 1,
            "steps_per_epoch": 2,
            "pairs": 64,
            "text_length": 10,
            "given_length": 4,
            "language_epochs": 1,
            "language_steps": 3,
            "embedding_dim": 8,
            "num_blocks": 1,
            "num_heads": 2,
            "reward_epochs": 1,
            "updates": 1,
            "dpo_epochs": 1,
            "compare": (),
            "too_far": 1,
        },
    },
)

# %% [markdown]
# ## What people like
# Stated, and checkable.  It counts what follows the beginning of a text, for the beginning is given.

# %%
import keras
import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay

from gdl_keras import plotting, preference_losses
from gdl_keras.data import preferences
from gdl_keras.errors import InputError
from gdl_keras.kinds.text import nats_of
from gdl_keras.models import DPO, GPT, PPO, RewardModel, build_gpt, build_reward_network, copied
from gdl_keras.optimizers import FusedAdam

likes = preferences.preference(run.preference, run.letter)
if run.preference == "pleasant":
    print("pleasant:", *sorted(preferences.PLEASANT))
    print("unpleasant:", *sorted(preferences.UNPLEASANT))
plotting.show_source(preferences.pleasantness, preferences.word_length, preferences.share_of_letter)

# %% [markdown]
# ## The language model
# A small GPT, as `01_gpt` has it, word by word; or the model of a run of that chapter (`--language RUN`).  From here on
# it does not change: it is what policies begin as, and what they are kept close to.

# %%
train = run.load("train")
test = run.load("test")
vocabulary = train.vocabulary
held_out = test.only(np.linspace(0, test.num_examples - 1, min(128, test.num_examples)).astype(int))
print(f"{train.num_tokens:,} tokens to learn from, {len(vocabulary):,} different ones")

one_text = run.example == "text"
language = run.former("language")
if language is None:
    stage = run.stage("language", epochs=run.language_epochs, steps_per_epoch=run.language_steps)
    network = build_gpt(
        len(vocabulary),
        max(run.length, run.text_length) + 1,  # the mark of the beginning is read, too
        run.embedding_dim,
        run.num_blocks,
        run.num_heads,
        key_dim=max(1, run.embedding_dim // run.num_heads),
        feed_forward_dim=4 * run.embedding_dim,
        dropout=run.dropout,
        norm="pre",
        positions="rotary",
        tie_weights=True,
        activation="gelu",
    )
    language = GPT(network, vocabulary, length=run.text_length, one_text=one_text, seed=run.seed)
    falling = CosineDecay(run.language_rate, stage.planned_steps(train), alpha=0.1)
    language.compile(FusedAdam(falling, beta_2=0.99, global_clipnorm=1.0), **run.execution())
    language.fit(train, validation_data=held_out, **stage.schedule())
elif not isinstance(language, GPT) or language.vocabulary != vocabulary:
    raise InputError(
        f"--language {run.language} is no GPT of the tokens that this run reads: name a run of 09_transformer/01_gpt "
        "with the same --dataset, --tokens and --vocabulary-size, or leave it away."
    )


# %% [markdown]
# It writes two texts on from each of many beginnings, which come from what it has learnt from.


# %%
def written(model, beginnings, seed):
    """Texts that a model writes on from their beginnings: int32 array (n, text_length)."""
    parts = [(first, beginnings[first : first + 256]) for first in range(0, len(beginnings), 256)]
    texts = [model.draw(len(part), seed, first, tokens=part, length=run.text_length) for first, part in parts]
    texts = np.concatenate(texts)
    if one_text:  # what comes after its end is no part of it
        is_over = np.cumsum(texts[:, run.given_length :] == vocabulary.end, axis=1) > 0
        texts[:, run.given_length :][is_over] = vocabulary.end
    return texts


def liking(texts):
    """How much people like texts, int array (n, text_length): float array (n,)."""
    return np.array([likes(vocabulary.decode(text[run.given_length :])) for text in texts])


def two_of_each(table, count, seed):
    """Two texts from each of `count` beginnings, int32 (count, 2, text_length), and how they are liked (count, 2)."""
    rows = np.random.default_rng(seed).choice(table.num_examples, count, replace=count > table.num_examples)
    beginnings = table.rows("tokens", rows)[:, : run.given_length]
    texts = np.stack([written(language, beginnings, seed + number) for number in range(2)], axis=1)
    return texts, np.stack([liking(texts[:, number]) for number in range(2)], axis=1)


texts, values = two_of_each(train, run.pairs, run.seed)
print(f"Of two texts, people like both alike in {(values[:, 0] == values[:, 1]).mean():.0%} of the pairs")

# %% [markdown]
# ## People choose
# Of each two texts, somebody prefers the one that they like better, with a probability that grows with the difference
# (Bradley & Terry 1952), so now and then the other one; where there is no difference, either.  What is learnt from is
# the choice alone.  A thousand pairs more, from beginnings of the other novel, are kept to look at.

# %%
settings = {"certainty": run.certainty, "batch_size": run.batch_size // run.accumulate, "seed": run.seed}
pairs = preferences.pairs(texts, values, **settings)
texts, values = two_of_each(test, min(1000, run.pairs), run.seed + 10)
held_out_pairs = preferences.pairs(texts, values, split="test", **settings)
plotting.show_source(preferences.choices)

for number in range(3):
    for name in ("chosen", "rejected"):
        [text] = pairs.rows(name, [number])
        beginning, end = vocabulary.decode(text[: run.given_length]), vocabulary.decode(text[run.given_length :])
        print(f"{name:8} {likes(end):6.2f}  {beginning} | {end}")
    print()

# %% [markdown]
# ## A reward model
# The language model's body with one number in the place of the logits, which begins at 0.  It learns to give the chosen
# text the larger number, $-\log \sigma(r(\text{chosen}) - r(\text{rejected}))$.

# %%
stage = run.stage("reward", epochs=run.reward_epochs)
reward = RewardModel(build_reward_network(language.network), vocabulary, one_text=one_text, seed=run.seed)
reward.compile(FusedAdam(run.reward_rate, global_clipnorm=1.0), **run.execution())
plotting.show_source(preference_losses.bradley_terry, RewardModel.train_step)
reward.fit(pairs, validation_data=held_out_pairs, **stage.schedule())
stage.show("accuracy", plotting.curves(stage.history, ["accuracy"], y_label="share of choices foreseen"))

# %% [markdown]
# Held-out pairs: how often it agrees with what people chose, and with what they like better in truth, where there is a
# difference.  Agreement with choices cannot reach 1, for who chooses errs.

# %%
lead = held_out_pairs.rows("lead", slice(None))
chosen, rejected = (reward.score(held_out_pairs.rows(name, slice(None))) for name in ("chosen", "rejected"))
reward_accuracy = (chosen > rejected).mean()
of_truth = (((chosen > rejected) == (lead > 0))[lead != 0]).mean()
by_people = (lead[lead != 0] > 0).mean()
print(f"It agrees with {reward_accuracy:.1%} of the choices; where people like one text better, it gives that one more")
print(f"in {of_truth:.1%} of the pairs, and people chose that one in {by_people:.1%}")

# %% [markdown]
# ## A policy: PPO
# Writing as a game: a text is played token by token, and at its end the reward model pays.  Each token that has become
# likelier than in the language model costs $\beta \log(\pi / \pi_0)$ at once.  A **critic** learns what a text will
# have earned at its end from how it stands, so that each token gets the credit for what it has changed: its
# *advantage*.
#
# A batch of texts is learnt from more than once, and on the second time the policy is no more the one that wrote it.
# **Proximal policy optimisation** (Schulman et al. 2017) weighs a token by how much likelier it has become, and stops
# where that goes beyond a clip.


# %%
def policy(kl_weight):
    """A policy that begins as the language model, and a critic beside it."""
    return PPO(
        copied(language.network),
        language.network,
        reward.network,
        build_reward_network(language.network),
        vocabulary,
        length=run.text_length,
        one_text=one_text,
        given_length=run.given_length,
        kl_weight=kl_weight,
        clip=run.clip,
        updates=run.updates,
        seed=run.seed,
    )


plotting.show_source(preference_losses.generalised_advantages, preference_losses.clipped_objective, PPO.train_step)

# %% [markdown]
# After each epoch we look at what a policy writes on from held-out beginnings: what the reward model says of it (the
# *score*), how it is liked *in truth*, and how far the policy has gone, $\mathrm{KL}(\pi\,\|\,\pi_0)$ in nats a text;
# and how well it still foresees the other novel.

# %%
beginnings = held_out.rows("tokens", slice(None))[:, : run.given_length]


def nats(model, texts):
    """-log p of what was written, its beginning left out: float array (n,)."""
    tokens = tf.constant(texts)
    return (model.nats_per_token(tokens) * model.counting(tokens)).numpy()[:, run.given_length :].sum(axis=1)


def looked_at(model):
    """What a model writes now: {"liking", "score", "divergence"}, means over its texts."""
    texts = written(model, beginnings, run.seed)
    divergence = nats(language, texts) - nats(model, texts)
    numbers = {"liking": liking(texts), "score": reward.score(texts), "divergence": divergence}
    return {name: float(values.mean()) for name, values in numbers.items()}


class Looking(keras.callbacks.Callback):
    """Adds to the history, after each epoch, what the model writes then."""

    def on_epoch_end(self, epoch, logs=None):
        logs.update(looked_at(self.model))


# %%
model = policy(run.kl_weight)
model.compile(FusedAdam(run.learning_rate), FusedAdam(run.reward_rate), **run.execution())
model.fit(train, validation_data=held_out, **run.schedule(callbacks=[Looking()]))


# %%
def perplexity(model):
    """Of held-out text: float."""
    total, counts = nats_of(model, held_out, np.arange(held_out.num_examples))
    return float(np.exp(total.sum() / counts.sum()))


begun = {**looked_at(language), "val_loss": np.log(perplexity(language))}


def from_start(history):
    """A policy's history, and before its first epoch what the language model does."""
    names = [name for name in begun if name in history]
    return {"epoch": [0, *history["epoch"]], **{name: [begun[name], *history[name]] for name in names}}


shown = {
    "liking": "how it is liked, in truth",
    "score": "what the reward model says",
    "val_loss": "held-out nats a token",
}
far = {"divergence": "nats from the start"}
run.show("policy", plotting.paths({"PPO": from_start(run.history)}, "epoch", shown | far))

# %% [markdown]
# ## Without a game: DPO
# For each reward there is one best policy, $\pi(x) \propto \pi_0(x)\, e^{r(x) / \beta}$.  Read backwards, each policy
# is the best one for a reward, $r(x) = \beta \log \pi(x) / \pi_0(x)$ and a constant.  So the policy itself can be the
# reward model, and learn from the pairs as that did: **direct preference optimisation** (Rafailov et al. 2023).
# Nothing is written on the way, and there is no critic.

# %%
stage = run.stage("dpo", epochs=run.dpo_epochs)
direct = DPO(
    copied(language.network),
    language.network,
    vocabulary,
    length=run.text_length,
    one_text=one_text,
    given_length=run.given_length,
    beta=run.kl_weight,
    seed=run.seed,
)
direct.compile(FusedAdam(run.learning_rate, global_clipnorm=1.0), **run.execution())
plotting.show_source(preference_losses.direct_preference, DPO.train_step)
direct.fit(pairs, validation_data=held_out_pairs, **stage.schedule())
print(f"As a reward model it agrees with {stage.history['val_accuracy'][-1]:.1%} of the held-out choices")

# %% [markdown]
# ## How far to go
# The same policy with other weights $\beta$ of the divergence, a line each and a point an epoch.  The less it costs,
# the farther a policy goes: what that is worth in truth on the left, what the reward model thinks of it in the middle,
# and what it does to the language on the right.


# %%
def with_weight(weight, name, epochs):
    """A policy with another weight, a stage of the run: (the model, its history)."""
    stage = run.stage(name, epochs=epochs, steps_per_epoch=run.steps_per_epoch)
    other = policy(weight)
    other.compile(FusedAdam(run.learning_rate), FusedAdam(run.reward_rate), **run.execution())
    other.fit(train, validation_data=held_out, verbose=0, **stage.schedule(callbacks=[Looking()]))
    return other, from_start(stage.history)


farther = {f"weight {run.kl_weight:g}": from_start(run.history)}
for weight in run.compare:
    name = f"weight {weight:g}"
    farther[name] = with_weight(weight, name.replace(" ", "_").replace(".", "_"), run.planned_epochs)[1]
run.show("weights", plotting.paths(farther, "divergence", shown, far["divergence"]))

# %% [markdown]
# ## Too far
# And without any weight, for longer.  The reward model has learnt from what the language model writes; the farther a
# policy goes from there, the less it knows, and nothing tells the policy that it has left the language.

# %%
unbound, too_far = with_weight(0.0, "too_far", run.too_far)
run.show("too_far", plotting.paths({"no weight": too_far}, "epoch", shown | far))

# %% [markdown]
# ## What it gave, and what it cost
# Beside the policies, the plainest way to what a reward model likes: let the language model write several texts and
# keep the best of them.  That costs at most $\log n - (n-1)/n$ nats, and many texts for each that is kept.

# %%
several = np.stack([written(language, beginnings, run.seed + number) for number in range(16)], axis=1)
scores = reward.score(several.reshape(-1, run.text_length)).reshape(len(several), -1)
models = {"language model": language, "PPO": model, "DPO": direct, "PPO without weight": unbound}
rows = {name: {**looked_at(each), "val_perplexity": perplexity(each)} for name, each in models.items()}
for count in (4, 16):
    best = scores[:, :count].argmax(axis=1)
    rows[f"best of {count}"] = {
        "liking": liking(several[np.arange(len(several)), best]).mean(),
        "score": scores[:, :count].max(axis=1).mean(),
        "divergence": np.log(count) - (count - 1) / count,
        "val_perplexity": rows["language model"]["val_perplexity"],
    }
print(f"{'':20} liked, in truth    score    nats from the start    held-out perplexity")
for name, row in rows.items():
    print("{:20} {:15.3f} {:8.2f} {:22.2f} {:22.1f}".format(name, *row.values()))

# %% [markdown]
# ## Side by side
# The same beginnings and the same random numbers, before and after.  Where nothing holds it, the policy writes what
# scores best, one long word over and over; by what we said that people like, they like it.  That was a stand-in for
# what people like, too.

# %%
by = {name: written(each, beginnings[:3], run.seed) for name, each in models.items()}
for number in range(len(beginnings[:3])):
    named = {f"{name}, liked {liking(some)[number]:.2f}": vocabulary.decode(some[number]) for name, some in by.items()}
    run.show(f"side_by_side_{number + 1}", plotting.texts(named))

# %%
run.finish(
    reward_accuracy=reward_accuracy,
    reward_accuracy_in_truth=of_truth,
    **{f"{name.lower().replace(' ', '_')}_{what}": value for name, row in rows.items() for what, value in row.items()},
)
