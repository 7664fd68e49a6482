"""What `model(inputs)`, `predict` and an exported model take, and a sentence for what they do not."""

import keras
import numpy as np

from gdl_keras.errors import InputError


def specs_of(*tensors):
    """`keras.InputSpec`s of networks' inputs, for any number of examples: one, or a list where there are several."""
    specs = [keras.InputSpec(shape=(None, *t.shape[1:]), dtype=t.dtype) for t in tensors]
    for spec, tensor in zip(specs, tensors):
        spec.name = tensor.name
    return specs[0] if len(specs) == 1 else specs


def check_inputs(model, inputs=None):
    """Raises InputError where `model(inputs)` does not go.

    Args:
        model: a `TapeModel`.
        inputs: a tensor, an array or a list of them; of anything else, such as a stream of batches, and of None it is
            asked only whether the model can be called.
    """
    name = type(model).__name__
    if type(model).call is keras.Model.call:
        others = [method for method in ("generate", "evaluate") if hasattr(model, method)]
        raise InputError(f"{name} has no call(), and is asked by its methods: {' or '.join(others)}.")
    wanted = model.input_signature
    if wanted is None or not (hasattr(inputs, "shape") or isinstance(inputs, (list, tuple))):
        return
    wanted = wanted if isinstance(wanted, list) else [wanted]
    given = list(inputs) if isinstance(inputs, (list, tuple)) and len(wanted) > 1 else [inputs]
    shapes = [_shape(one) for one in given]
    if len(given) == len(wanted) and all(map(_fits, wanted, shapes)):
        return
    what = " and ".join(f"{spec.name} {_text(spec.shape)}" for spec in wanted)
    what = f"a list of {what}" if len(wanted) > 1 else what
    elsewhere = "; points of its latent space go to generate(latents=...)" if hasattr(model, "encode") else ""
    raise InputError(f"{name} is called with {what}, not {' and '.join(map(_text, shapes))}{elsewhere}.")


def _shape(value):
    """A tuple, or None where a traced step knows none."""
    shape = getattr(value, "shape", None)
    if shape is None:
        return np.shape(value)
    return None if getattr(shape, "rank", 0) is None else tuple(shape)


def _fits(spec, shape):
    if shape is None:
        return True
    return len(shape) == len(spec.shape) and all(None in (a, b) or a == b for a, b in zip(spec.shape[1:], shape[1:]))


def _text(shape):
    if not shape:
        return "one number" if shape == () else "an unknown shape"
    return f"({', '.join(['n', *('any' if size is None else str(size) for size in shape[1:])])})"
