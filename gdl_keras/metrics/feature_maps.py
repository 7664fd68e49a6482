"""Feature maps of networks that know photographs: what a perceptual loss compares, `VQGAN(..., perceptual=...)`.

Whoever trains a model on the features of a network measures it in those of another one: in the same ones it has learnt
to be near.

Papers: Johnson et al. 2016, Perceptual losses for real-time style transfer, arXiv:1603.08155; Zhang et al. 2018, The
unreasonable effectiveness of deep features as a perceptual metric, arXiv:1801.03924, whose weights of single features
are not here.
"""

from gdl_keras.errors import InputError
from gdl_keras.metrics.lite0 import load_lite0
from gdl_keras.metrics.networks import in_float32

# The blocks of Lite0 that halve their images; what they read is the end of a scale.
LITE0_HALVINGS = (1, 3, 5, 11)
# The last convolution of each scale of VGG16, which takes bytes less ImageNet's means, blue first.
VGG16_ENDS = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")
VGG16_MEANS = (103.939, 116.779, 123.68)


def build_lite0_feature_maps(image_shape):
    """Four feature maps of EfficientNet-Lite0, a half to a sixteenth of the image's size, with its trained weights.

    Args:
        image_shape: (height, width, 1 or 3); grey is repeated.

    Returns:
        `keras.Model`, images (batch, *image_shape) in [0, 1] -> list of float32 tensors (batch, height, width,
        channels), of 16, 24, 40 and 112 channels.

    Raises:
        InputError: the package that holds the weights is not installed, or damaged.
    """
    from keras import layers

    network = load_lite0((*image_shape[:2], 3))
    maps = [network.get_layer(f"_blocks.{number}._expand_conv").input for number in LITE0_HALVINGS]
    with in_float32():
        return _of_images(image_shape, network, maps, layers.Rescaling(255 / 128, offset=-127 / 128))


def build_vgg16_feature_maps(image_shape, weights="imagenet"):
    """Five feature maps of VGG16, the image's size to a sixteenth of it (Simonyan & Zisserman 2015, arXiv:1409.1556).

    Args:
        image_shape: (height, width, 1 or 3), at least 32 pixels a side; grey is repeated.
        weights: "imagenet", fetched by Keras once (59 MB); a path of a file with such weights; or None for random ones.

    Returns:
        as `build_lite0_feature_maps`, of 64, 128, 256, 512 and 512 channels.

    Raises:
        InputError: the weights cannot be fetched or read, or the images are too small.
    """
    import keras

    shape = (*image_shape[:2], 3)
    with in_float32():
        try:
            network = keras.applications.VGG16(include_top=False, weights=weights, input_shape=shape)
        except Exception as error:  # Keras raises no narrower one where there is no network
            raise InputError(
                f"VGG16 cannot be had ({str(error).strip().splitlines()[0]}): connect to the network once, or use "
                "build_lite0_feature_maps."
            ) from error
        maps = [network.get_layer(name).output for name in VGG16_ENDS]
        prepared = keras.layers.Rescaling(255.0, offset=[-mean for mean in VGG16_MEANS])
        return _of_images(image_shape, network, maps, lambda images: prepared(images[..., ::-1]))


def _of_images(image_shape, network, maps, prepared):
    import keras

    images = keras.Input(image_shape, name="images")
    coloured = keras.layers.Concatenate()([images] * 3) if image_shape[-1] == 1 else images
    return keras.Model(images, keras.Model(network.input, maps)(prepared(coloured)), name="feature_maps")
