"""What a model has learnt in the formats of other programs: TensorFlow's SavedModel, LiteRT, ONNX."""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gdl_keras.errors import InputError, RunError
from gdl_keras.files import whole_file, whole_folder

FORMATS = {"": "SavedModel", ".tflite": "LiteRT", ".onnx": "ONNX"}
# Of numbers around 1, what sums in another order may make of them.
TOLERANCE = 1e-4


def export(run, output):
    """Writes what a model does to a file of another format, runs that, and compares.

    What is written takes latent points (and labels) and gives images, where the model decodes such points by a network;
    else it does what `model(inputs)` does: a classifier's answers, the logits of a text.

    Args:
        run: a run's folder, a `.keras` file, or a program whose trained model comes along.
        output: path; its suffix says which format, see `FORMATS`: none for a folder with a SavedModel.

    Returns:
        str, what it takes and gives, and how far its numbers are from the model's own.

    Raises:
        InputError: the suffix is of no format, something is there already, or what it takes is not installed.
        RunError: what was written gives other numbers.
    """
    output = Path(output)
    _check(output)
    from gdl_keras import load

    model = load(run)
    function, signature, inputs = served(model)
    whole = whole_file if output.suffix else whole_folder
    with whole(output) as partial:
        ours = [np.asarray(part) for part in _flat(function(*inputs.values()))]
        try:
            WRITERS[output.suffix](model, function, signature, partial)
            theirs = run_exported(partial, inputs)
        except Exception as error:  # each library has its own for an operation that it does not know
            reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise RunError(
                f"{type(model).__name__} cannot be had as {FORMATS[output.suffix]}, try another format: {reason[:300]}"
            ) from error
        away = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
        if not away <= TOLERANCE * max(1.0, *[float(np.abs(part).max()) for part in ours]):
            raise RunError(
                f"As {FORMATS[output.suffix]} the model gives other numbers, by up to {away:.2g}: not written."
            )
    takes = ", ".join(f"{spec.name} {spec.dtype.name} {_shape(spec.shape)}" for spec in signature)
    gives = ", ".join(f"{part.dtype} {_shape((None, *part.shape[1:]))}" for part in ours)
    return f"{output}: takes {takes}; gives {gives}; within {away:.2g} of the model itself"


def served(model):
    """What is exported of a model: (function, list of `tf.TensorSpec`, inputs to try it with, {name: array}).

    Raises:
        InputError: there is nothing that a tensor goes into.
    """
    import tensorflow as tf

    from gdl_keras.models.generative import LatentModel

    generator = np.random.default_rng(0)
    if isinstance(model, LatentModel) and model.decoding_network is not None:
        inputs = {"latents": model.sample_latents(3, seed=0), **model.conditions.in_turn(3)}
        signature = [tf.TensorSpec((None, *values.shape[1:]), values.dtype, name) for name, values in inputs.items()]
        return model.decode, signature, inputs
    if model.input_signature is None:
        raise InputError(f"{type(model).__name__} is not called with tensors: there is nothing to export.")
    signature, inputs = [], {}
    for place, spec in enumerate(tf.nest.flatten(model.input_signature)):
        shape = [size or (3 if axis == 0 else 5) for axis, size in enumerate(spec.shape)]
        signature.append(tf.TensorSpec(spec.shape, spec.dtype, spec.name or f"input_{place}"))
        inputs[signature[-1].name] = (2 * generator.random(shape)).astype(spec.dtype)
    is_list = isinstance(model.input_signature, list)
    return (lambda *tensors: model(list(tensors) if is_list else tensors[0])), signature, inputs


def run_exported(path, inputs):
    """What an exported model makes of inputs: list of numpy arrays.

    Args:
        path: a `.tflite` or `.onnx` file, or the folder of a SavedModel.
        inputs: {name: numpy array}, in the order of its signature.
    """
    import tensorflow as tf

    path = Path(path)
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return session.run(None, inputs)
    if path.suffix == ".tflite":
        answer = tf.lite.Interpreter(str(path)).get_signature_runner()(**inputs)
    else:
        loaded = tf.saved_model.load(str(path))
        answer = loaded.serve(*map(tf.constant, inputs.values()))
    return [np.asarray(part) for part in _flat(answer)]


def _write_onnx(model, function, signature, path):
    import tensorflow as tf
    import tf2onnx

    whole = tf.function(function, input_signature=signature)
    tf2onnx.convert.from_function(whole, input_signature=signature, output_path=str(path))


def _write_litert(model, function, signature, path):
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        _write_saved_model(model, function, signature, folder)
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def _write_saved_model(model, function, signature, folder):
    from keras.export import ExportArchive

    archive = ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", function, input_signature=signature)
    archive.write_out(str(folder), verbose=False)


WRITERS = {"": _write_saved_model, ".tflite": _write_litert, ".onnx": _write_onnx}


def _check(output):
    if output.suffix not in FORMATS:
        known = ", ".join(f"{suffix or 'no suffix'} ({name})" for suffix, name in FORMATS.items())
        raise InputError(f"{output} ends in no format that is known: {known}.")
    if output.exists():
        raise InputError(f"There is {output} already: choose another -o.")
    if output.suffix == ".onnx" and not (find_spec("tf2onnx") and find_spec("onnxruntime")):
        raise InputError("ONNX needs two more packages: pip install tf2onnx onnxruntime")


def _flat(answer):
    if isinstance(answer, dict):
        return list(answer.values())
    return list(answer) if isinstance(answer, list | tuple) else [answer]


def _shape(shape):
    return f"({', '.join(['n', *('any' if size is None else str(size) for size in shape[1:])])})"
