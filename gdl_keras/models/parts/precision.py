"""How Keras is set: models compute in float32, or mixed with half of it, and the channels of images come last."""

import keras

from gdl_keras.errors import InputError

POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")


def check_precision(model):
    """Raises InputError unless Keras and a model are set to what models are made for."""
    if (floatx := keras.config.floatx()) != "float32":
        # Keras keeps the policy that it has made of the floatx before.
        raise InputError(
            f"Models compute in float32, and Keras is set to {floatx}: call keras.config.set_floatx('float32') and "
            "keras.config.set_dtype_policy('float32') before networks are built.  For half precision there is the "
            "policy 'mixed_bfloat16'."
        )
    if (data_format := keras.config.image_data_format()) != "channels_last":
        raise InputError(
            f"The channels of images come last, and Keras is set to {data_format}: call "
            "keras.config.set_image_data_format('channels_last') before networks are built."
        )
    if (policy := model.dtype_policy.name) not in POLICIES:
        raise InputError(
            f"{type(model).__name__} computes in {', '.join(POLICIES[:-1])} or {POLICIES[-1]}, not in {policy}: call "
            "keras.config.set_dtype_policy with one of them before networks are built."
        )
