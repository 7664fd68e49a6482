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
# # Convolutions by hand
#
# What one filter of a convolutional layer computes: slide a window of 3x3 weights over the image, and at each place
# multiply, add up, and write the sum down.  Here the weights are ours instead of learnt ones, and they find edges.
#
# Book: chapter 2, "Convolutional Layers".

# %%
from dataclasses import dataclass
from typing import ClassVar

from gdl_keras.training import ImageConfig, Run, at_least


@dataclass
class Settings(ImageConfig):
    """Edge filters, strides and padding, on one photograph."""

    dataset: str = "emoji"
    image_size: int = 64
    # Which training image to look at.
    image: int = 30

    ranges: ClassVar = {"image": at_least(0)}


run = Run.start(Settings, chapter="02_deeplearning/03_convolutions", presets={"book": {"dataset": "cifar10"}})

# %%
import numpy as np
from keras import ops
from numpy.lib.stride_tricks import sliding_window_view

from gdl_keras import plotting
from gdl_keras.errors import InputError

images = run.load("train")
if run.image >= images.num_images:
    raise InputError(f"There is no --image {run.image}: the largest number is {images.num_images - 1}.")
picture = images.images(slice(run.image, run.image + 1))[0]
grey = picture.mean(axis=-1)
run.show("picture", plotting.panels({"in colour": picture, "in grey": grey[..., None].repeat(3, axis=-1)}))

# %% [markdown]
# ## The convolution
# `padding` rows and columns of zeros around the image, all windows of the filter's size, every `stride`-th of them in
# both directions; in each the sum of products.  (What networks call a convolution is a cross-correlation in
# mathematics: the filter is not turned round.)


# %%
def convolve(image, kernel, stride=1, padding=1):
    """out[i, j] = sum over (u, v) of padded[stride i + u, stride j + v] kernel[u, v]"""
    windows = sliding_window_view(np.pad(image, padding), kernel.shape)[::stride, ::stride]
    return (windows * kernel).sum(axis=(-2, -1))


# %% [markdown]
# ## Two edge filters
# The first answers where it is bright above and dark below, the second where it is dark on the left and bright on the
# right; where the image is flat, the weights cancel.

# %%
horizontal = np.array([[1, 1, 1], [0, 0, 0], [-1, -1, -1]], "float32")
vertical = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]], "float32")
filters = {"horizontal edges": horizontal, "vertical edges": vertical}
maps = {f"{name}, stride {stride}": convolve(grey, k, stride) for stride in (1, 2) for name, k in filters.items()}
run.show("edges", plotting.panels({name: response[..., None] for name, response in maps.items()}, symmetric=True))

# %% [markdown]
# The lines along the border are edges, too: the picture is white there, and beyond it stand the zeros of the padding.
#
# Stride 2 halves the picture; that is how the networks of this book shrink images.  Padding decides what becomes of the
# border: with 1 row of zeros the size stays, without it a ring is lost.

# %%
for padding in (0, 1):
    for stride in (1, 2):
        shape = convolve(grey, horizontal, stride, padding).shape
        print(f"padding {padding}, stride {stride}: {grey.shape[0]}x{grey.shape[1]} -> {shape[0]}x{shape[1]}")

# %% [markdown]
# ## The same by Keras
# Our sums against those of the layer that networks use: equal at every pixel, the border included.

# %%
largest = 0.0
for kernel in filters.values():
    for padding in (0, 1):
        for stride in (1, 2):
            padded = np.pad(grey, padding)[None, :, :, None]
            theirs = ops.conv(padded, kernel[:, :, None, None], strides=stride, padding="valid")[0, :, :, 0]
            ours = convolve(grey, kernel, stride, padding)
            np.testing.assert_allclose(ours, theirs, atol=1e-5)
            largest = max(largest, float(np.abs(ours - theirs).max()))

run.finish(largest_difference_from_keras=largest)
