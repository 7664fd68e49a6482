"""In which precision models compute: float32, or mixed with half of it; not in all that Keras can be set to."""

import keras

from gdl_keras.errors import InputError

POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")


def check_precision(model):
    """Raises InputError unless Keras and a model are set to a precision that models are made for."""
    if (floatx := keras.config.floatx()) != "float32":
        raise InputError(
            f"Models compute in float32, and Keras is set to {floatx}: call keras.config.set_floatx('float32') before "
            "networks are built.  For half precision there is keras.config.set_dtype_policy('mixed_bfloat16')."
        )
    if (policy := model.dtype_policy.name) not in POLICIES:
        raise InputError(
            f"{type(model).__name__} computes in {', '.join(POLICIES[:-1])} or {POLICIES[-1]}, not in {policy}: call "
            "keras.config.set_dtype_policy with one of them before networks are built."
        )
