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
# # Convolutional network: looking at neighbours first
#
# A convolution looks at a small window of the image, with the same few weights wherever the window stands.  That is
# what an image asks for: neighbouring pixels belong together, and a cat on the left is a cat on the right.  Two helpers
# make it train well: **batch normalisation**, which keeps the numbers inside the network in range, and **dropout**,
# which blanks a random half of the features in training so that none is relied on too much.
#
# Book: chapter 2, "Convolutional Neural Network (CNN)".

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run, above, at_least


@dataclass
class Settings(ImageConfig):
    """A convolutional network that names what is on a picture."""

    dataset: str = "emoji"
    batch_size: int = 32
    epochs: int = 20
    # Channels after each convolution; every second one halves the image.
    filters: tuple[int, ...] = (32, 32, 64, 64)
    # Share of the features that is blanked in training.
    dropout: float = 0.5
    # Adam's rate.
    learning_rate: float = 5e-4

    ranges: ClassVar = {"filters": at_least(1), "dropout": at_least(0, below=1), "learning_rate": above(0)}


run = Run.start(
    Settings,
    chapter="02_deeplearning/02_cnn",
    presets={
        "book": {"dataset": "cifar10", "epochs": 10},
        "smoke": {"epochs": 1, "steps_per_epoch": 2},
    },
)

# %% [markdown]
# ## The data
# The same as for the multilayer perceptron.

# %%
import numpy as np
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.models import Classifier, build_cnn

train = run.load("train").with_labels()
test = run.load("test").with_labels()
run.show("training_images", plotting.grid(train.sample(20), columns=10))

# %% [markdown]
# ## The network
# Count the weights: the four convolutions together have fewer than the one dense layer behind them.

# %%
network = build_cnn(train.image_shape, len(train.class_names), run.filters, dropout=run.dropout)
network.summary()
plotting.show_source(build_cnn)

# %% [markdown]
# ## Training

# %%
model = Classifier(network, seed=run.seed)
model.compile(Adam(run.learning_rate), **run.execution())
model.fit(train, validation_data=test, **run.schedule())

# %%
run.show("loss", plotting.curves(run.history, ["loss"], y_label="cross-entropy, nats"))
run.show("accuracy", plotting.curves(run.history, ["accuracy"], y_label="accuracy, share of images"))

# %% [markdown]
# ## What it says about new pictures
# Under each picture: the network's answer, then the truth.

# %%
some = np.random.default_rng(run.seed).choice(test.num_images, min(12, test.num_images), replace=False)
answers = model.predict(test.images(some), verbose=0).argmax(axis=1)
captions = [f"{test.class_names[a]}\n({test.class_names[t]})" for a, t in zip(answers, test.labels[some])]
run.show("predictions", plotting.numbered(test.images(some), captions))

# %% [markdown]
# ## Which classes it takes for which
# Rows: the truth; columns: the answer; each row adds up to 1.

# %%
answers = model.predict(test, verbose=0).argmax(axis=1)
run.show("confusion", plotting.confusion(test.labels, answers, test.class_names))

# %%
test_loss, test_accuracy = model.evaluate(test, verbose=0)
run.finish(test_loss=test_loss, test_accuracy=test_accuracy)
