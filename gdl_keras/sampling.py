"""New samples from a trained model, as a picture, as an array, or as whatever else files of their kind are."""

from pathlib import Path

from gdl_keras import data, keywords
from gdl_keras.errors import InputError
from gdl_keras.pretrained import folder_of
from gdl_keras.training.config import read_config


def sample(run, n, output=None, seed=None, label=None, **options):
    """Generates `n` samples with the model of `run` and writes them to `output`.

    Args:
        run: a run's folder, that of a stage of one, or a `.keras` file; or a program whose trained model comes along.
        n: int, how many samples.
        output: path that ends as files of this kind do; of images .png (a grid), .npz (`images`, uint8 array (n,
            height, width, channels)), or in nothing (a folder of .png files).  By default samples.png, or what pages of
            another kind end in.
        seed: int or None; the same seed gives the same samples.
        label: what a conditional model draws: the number or the name of a class or of the one attribute, which the
            model or else the run's data set knows; by default all in turn.
        options: keywords of the model's own `generate`; texts are read as numbers where those are wanted.

    Returns:
        `Path` of the file.

    Raises:
        InputError: the model cannot be loaded, takes no label, not this one or not these options, `n` is below 1, or
            `output` ends in something else.
    """
    if n < 1:
        raise InputError(f"-n is at least 1, not {n}.")
    model = load_for_sampling(run)

    # Only now: loading has started TensorFlow without the lines that it prints.
    from gdl_keras.kinds import kind_of

    kind = kind_of(model)
    output = Path(output or f"samples{kind.sheet_suffix}")
    kind.check_path(output)
    own_flags = ("--label", "--output", "--seed")
    options = keywords.read(options, sampling_options(model), type(model).__name__, beside=own_flags)
    kind.write(model.generate(n, seed=seed, **conditions_of(model, run, n, label), **options), output)
    return output


def load_for_sampling(run):
    """The model of a run, which must be able to generate."""
    from gdl_keras import load

    model = load(run)
    if not hasattr(model, "generate"):
        raise InputError(f"{run} holds a {type(model).__name__}, which generates no images.")
    return model


def settings_of(run):
    """The settings of a run, {} where there are none: of its folder, of a stage's in it, of a file in one of these.

    Raises:
        InputError: `run` is the folder of no run.
    """
    run = folder_of(run)
    folder = run if run.is_dir() else run.parent
    for place in (folder, folder.resolve().parent):
        if (place / "config.json").exists():
            return read_config(place)
    return read_config(run) if run.is_dir() else {}


def sampling_options(model):
    """What else a model's `generate` can be asked for on the command line: {name: `inspect.Parameter`}."""
    # Latent points are for programs; the first two have flags of their own.
    return keywords.of(model.generate, model.draw, but=("n", "seed", "latents"))


def conditions_of(model, run, n, label):
    """What a conditional model is to draw, as keywords of `generate`; {} for others.

    Args, errors as in `sample`.
    """
    if label is None:
        return model.conditions.in_turn(n)
    if not model.conditions:
        raise InputError(f"{type(model).__name__} is not conditional: leave --label away.")
    conditions = model.conditions
    if conditions.names is None and not str(label).isdigit():
        conditions = type(conditions)(conditions.count, _names(run))
    return conditions.same(label, n)


def _names(run):
    """What the labels of a run are called whose model does not know it: as its settings or its data set tell."""
    settings = settings_of(run) if folder_of(run).exists() else {}
    if settings.get("attribute") not in (None, "all"):
        return [f"not {settings['attribute']}", settings["attribute"]]
    try:
        known = data.info(settings["dataset"]) if "dataset" in settings else {}
    except InputError:
        known = {}  # the folder is no longer there
    return known.get("classes") or known.get("attributes") or []
