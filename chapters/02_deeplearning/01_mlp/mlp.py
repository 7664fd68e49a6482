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
# # Multilayer perceptron: the first network
#
# The plainest network there is: all pixels of an image as one long list of numbers, two layers of units that each look
# at the whole list, and one output for each class.  It knows nothing about images.  Shuffle the pixels of all pictures
# in the same way and it learns just as well, which tells how much it leaves on the table: see `02_cnn`.
#
# Book: chapter 2, "Multilayer Perceptron (MLP)".

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run, above, at_least


@dataclass
class Settings(ImageConfig):
    """A multilayer perceptron that names what is on a picture."""

    dataset: str = "emoji"
    batch_size: int = 32
    epochs: int = 20
    # Units of each hidden layer.
    units: tuple[int, ...] = (200, 150)
    # Adam's rate.
    learning_rate: float = 5e-4

    ranges: ClassVar = {"units": at_least(1), "learning_rate": above(0)}


run = Run.start(
    Settings,
    chapter="02_deeplearning/01_mlp",
    presets={
        "book": {"dataset": "cifar10", "epochs": 10},
        "smoke": {"epochs": 1, "steps_per_epoch": 2},
    },
)

# %% [markdown]
# ## The data
# Small colour pictures, each with the name of its class.  (In the preset `book`: CIFAR-10.)

# %%
import numpy as np
from keras.optimizers import Adam

from gdl_keras import plotting
from gdl_keras.models import Classifier, build_mlp

train = run.load("train").with_labels()
test = run.load("test").with_labels()
some = np.random.default_rng(run.seed).choice(train.num_images, min(12, train.num_images), replace=False)
run.show("training_images", plotting.numbered(train.images(some), [train.class_names[i] for i in train.labels[some]]))

# %% [markdown]
# ## The network
# Nearly all of its weights stand between the pixels and the first layer.

# %%
network = build_mlp(train.image_shape, len(train.class_names), run.units)
network.summary()
plotting.show_source(build_mlp)

# %% [markdown]
# ## Training
# The loss is the cross-entropy: minus the logarithm of the probability that the network gives to the right class.

# %%
model = Classifier(network, seed=run.seed)
model.compile(Adam(run.learning_rate), **run.execution())
plotting.show_source(Classifier.train_step)

# %%
model.fit(train, validation_data=test, **run.schedule())

# %% [markdown]
# The two curves part: what is learnt about the training images helps less and less on new ones.

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

# %%
test_loss, test_accuracy = model.evaluate(test, verbose=0)
run.finish(test_loss=test_loss, test_accuracy=test_accuracy)
