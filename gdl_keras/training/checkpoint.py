"""Checkpoints: the whole state of a training run at the end of an epoch, and the model in it.

`checkpoint/epoch_0003/` holds `model.keras` (weights, optimizers, random numbers) and `state.json` (the history so far,
and the digest that tells a whole file from a damaged one).  A folder appears by one rename, once everything is in it.
Once training has come to its end, `checkpoint/finished.json` says so.
"""

import hashlib
import json
import re
import shutil
import warnings
from pathlib import Path

from gdl_keras.backend import start_tensorflow
from gdl_keras.errors import InputError
from gdl_keras.files import whole_file, whole_folder, write_json, write_text
from gdl_keras.pretrained import folder_of

# The newest may be damaged by the disk; the one before it then serves.
KEPT = 2


def save_checkpoint(folder, model, epochs_done, history, best=None):
    """Writes `folder`/checkpoint/epoch_NNNN and removes all but the newest two and the best.

    Args:
        folder: the run's folder.
        model: a compiled `keras.Model`.
        epochs_done: int, epochs that the model has been trained for.
        history: list of {name: number}, one for each epoch.
        best: {"epoch", "by", "value"} of the best epoch so far, or None.
    """
    target = _of_epoch(folder, epochs_done)
    # One that is there already was found damaged, or this epoch would not have been trained again.
    shutil.rmtree(target, ignore_errors=True)
    with whole_folder(target) as partial:
        model.save(partial / "model.keras")
        state = {
            "epochs_done": epochs_done,
            "history": history,
            **({"best": best} if best else {}),
            "sha256": digest(partial / "model.keras"),
        }
        write_text(partial / "state.json", json.dumps(state, indent=1))
    for old in _checkpoints(folder)[:-KEPT]:
        if not best or old != _of_epoch(folder, best["epoch"]):
            shutil.rmtree(old)


def checkpoint_of(folder, epoch):
    """Path of the model.keras of a checkpoint that is there and whole, or None."""
    checkpoint = _of_epoch(folder, epoch)
    return checkpoint / "model.keras" if _state_of(checkpoint) else None


def newest_checkpoint(folder, say=print):
    """The newest whole checkpoint of a run: (path of its model.keras, state), or (None, empty state).

    Damaged ones are left out, and `say` tells so.

    Raises:
        InputError: there are checkpoints, and all are damaged.
    """
    checkpoints = _checkpoints(folder)
    for checkpoint in reversed(checkpoints):
        if state := _state_of(checkpoint):
            return checkpoint / "model.keras", state
        say(f"{checkpoint} is damaged: it is left aside.")
    if checkpoints:
        raise InputError(f"No checkpoint in {folder} is whole: start a new run.")
    return None, {"epochs_done": 0, "history": []}


def save_finished(folder, model, epochs):
    """Writes `folder`/model.keras, and that training has come to its end.

    Args:
        folder: the run's folder.
        model: a compiled `keras.Model`.
        epochs: int, how many were asked for; a callback may have ended training before.
    """
    path = Path(folder) / "model.keras"
    with whole_file(path) as partial:
        model.save(partial)
    write_json(_finished(folder), {"epochs": epochs, "sha256": digest(path)})


def finished_model(folder, epochs):
    """Path of the model.keras of a training that has come to its end, or None.

    Args:
        folder: a run's folder.
        epochs: int; where fewer were asked for at the time, there is more to do.
    """
    path = Path(folder) / "model.keras"
    try:
        finished = json.loads(_finished(folder).read_text(encoding="utf-8"))
        return path if finished["epochs"] >= epochs and finished["sha256"] == digest(path) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # the newest checkpoint will do


def restore(model, path):
    """Loads weights, optimizers and random numbers of a checkpoint's `model.keras` into `model`.

    Raises:
        InputError: they belong to a model of another shape.
    """
    try:
        with warnings.catch_warnings():
            # Keras skips what does not fit with a warning, and the run would not be the same any more.
            warnings.filterwarnings("error", message="Skipping")
            model.load_weights(path)
    except (ValueError, UserWarning) as error:
        raise InputError(
            f"{path} does not fit this model, whose code or settings have changed since: start a new run."
        ) from error


def take_over(model, former, name):
    """Gives a model the weights of another one.

    Args:
        model, former: models of one class, whose weights have the same shapes.
        name: str, how errors call the other one.

    Raises:
        InputError: these are others, or the numbers of their tokens mean other words.
    """
    if type(model) is not type(former):
        raise InputError(f"{name} holds a {type(former).__name__}, and this run trains a {type(model).__name__}.")
    if getattr(model, "vocabulary", None) != getattr(former, "vocabulary", None):
        raise InputError(f"{name} has learnt other tokens than those of this data: what it knows of them does not fit.")
    unlike = [
        (ours.path, tuple(ours.shape), tuple(theirs.shape))
        for ours, theirs in zip(model.weights, former.weights)
        if ours.shape != theirs.shape
    ]
    if unlike or len(model.weights) != len(former.weights):
        path, ours, theirs = unlike[0] if unlike else ("its weights", len(model.weights), len(former.weights))
        raise InputError(
            f"{name} does not fit: {path} is {theirs} there and {ours} here.  Give this run the settings that decide "
            "the size of its networks as that one had them, and data of as many channels and classes."
        )
    for ours, theirs in zip(model.weights, former.weights):
        ours.assign(theirs)


def load_model(path):
    """See `gdl_keras.load`."""
    file = model_file(path)
    start_tensorflow()
    import keras

    import gdl_keras.models  # noqa: F401  Keras finds a saved class only once it has been imported

    try:
        return keras.saving.load_model(file, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{file} cannot be loaded as a model of this project: {reason}") from error


def model_file(path):
    """The `.keras` file with the model of a run's folder, finished or not, or that a program's name stands for.

    Raises:
        InputError: there is none.
    """
    path = folder_of(path)
    if path.is_file():
        return path
    if not path.exists():
        raise InputError(f"There is no {path}: give the folder of a run, or a .keras file.")
    if (path / "model.keras").is_file():
        return path / "model.keras"
    file, _ = newest_checkpoint(path)
    if file is None:
        if stages := {found.parents[2] for found in path.glob("*/checkpoint/epoch_*/model.keras")}:
            raise InputError(f"{path} has a model for each stage: name {' or '.join(map(str, sorted(stages)))}.")
        raise InputError(f"{path} holds no model yet: a run writes the first one after its first epoch.")
    return file


def _finished(folder):
    return Path(folder) / "checkpoint" / "finished.json"


def _of_epoch(folder, epoch):
    return Path(folder) / "checkpoint" / f"epoch_{epoch:04d}"


def _state_of(checkpoint):
    """What state.json of a whole checkpoint holds; None of a damaged one."""
    try:
        state = json.loads((checkpoint / "state.json").read_text(encoding="utf-8"))
        return state if digest(checkpoint / "model.keras") == state["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checkpoints(folder):
    found = (Path(folder) / "checkpoint").glob("epoch_*")
    whole_names = [path for path in found if re.fullmatch(r"epoch_\d{4,}", path.name)]
    return sorted(whole_names, key=lambda path: int(path.name.removeprefix("epoch_")))


def digest(path):
    """The SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
