"""The codec that a former run has learnt."""

from gdl_keras.errors import InputError
from gdl_keras.models.quantised.image_transformer import ImageTransformer
from gdl_keras.models.quantised.vqvae import VQVAE


def codec_of(model, name, image_shape):
    """The codec in a model: the model itself, or the one that an `ImageTransformer` keeps.

    Args:
        model: `keras.Model`.
        name: str, the flag that names its run, for errors.
        image_shape: (height, width, channels) that it is to take.

    Raises:
        InputError: there is none, or it takes images of another shape.
    """
    codec = model.codec if isinstance(model, ImageTransformer) else model
    if not isinstance(codec, VQVAE):
        raise InputError(f"The model of {name} is no codec: name a run of 01_vqvae, 02_vqgan or 04_vit_vqgan.")
    if codec.image_shape != tuple(image_shape):
        raise InputError(
            f"The codec of {name} takes images {codec.image_shape}, and these are {tuple(image_shape)}: "
            "choose the --dataset and --image-size that it learnt from."
        )
    return codec
