"""A run that builds on a former one, or only shows it: the model of that, and that it stays the same one."""

from pathlib import Path

from gdl_keras.errors import InputError
from gdl_keras.pretrained import shipped_folder
from gdl_keras.training import checkpoint


def load_former(setting, folder, kept=None):
    """The model of the run that a setting names, and the digest of its file.

    Args:
        setting: the setting's flag, such as "--codec".
        folder: a run's folder, or a `.keras` file.
        kept: digest of the file that the run began with, or None where it begins only now.

    Returns:
        (`keras.Model`, str).

    Raises:
        InputError: there is no model, or another one than the run began with.
    """
    file = checkpoint.model_file(folder)
    digest = checkpoint.digest(file)
    if digest != (kept or digest):
        raise InputError(
            f"{setting} {folder} holds another model than the one that this run began with: "
            f"name the one that it began with by {setting}, or start a new run."
        )
    return checkpoint.load_model(file), digest


def check_formers(config):
    """Raises InputError where a run's config.json names a former run whose model has changed since.

    One that is gone is no error: what the run needs of it is inside its own model.
    """
    for name, kept in config.get("built_on", {}).items():
        # What only began with another run's weights has its own by now.
        folder = config.get(name) if name != "start_from" else None
        if folder and Path(folder).exists() and checkpoint.digest(checkpoint.model_file(folder)) != kept:
            raise InputError(
                f"The model in {folder} is not the one that this run was built on: bring that back, or run it again."
            )


def shown_folder(name, chapter):
    """The folder that --from names: a finished run's, or, for "pretrained", that of the model that comes along.

    Args:
        name: `Path`.
        chapter: such as "03_vae/02_vae_fashion".

    Raises:
        InputError: there is no finished model.
    """
    if str(name) == "pretrained":
        return shipped_folder(chapter)
    if not (name / "model.keras").is_file():
        raise InputError(f"--from {name} has no finished model: name the folder of a run that has come to its end.")
    return name
