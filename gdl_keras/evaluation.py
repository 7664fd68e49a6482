"""How good a trained model is: its samples against held-out data, with what such data reaches beside each number."""

import json

from gdl_keras import data, keywords
from gdl_keras.backend import full_float32
from gdl_keras.data.notices import say
from gdl_keras.errors import InputError, counted
from gdl_keras.files import write_json
from gdl_keras.pretrained import comes_along, folder_of
from gdl_keras.printing import aligned, measured
from gdl_keras.sampling import load_for_sampling, settings_of
from gdl_keras.training import environment
from gdl_keras.training.former import check_formers


def evaluate(run, n=None, seed=0, dataset=None, **options):
    """Generates samples and compares them with held-out data.

    Beside each metric of the samples stands its floor: the same metric of other held-out examples in their place.  One
    half of the held-out data is what both are compared with, the other half gives the floor.

    Args:
        run: a run's folder, that of a stage of one, or a `.keras` file; one that lies in no run's folder needs
            `dataset`.
        n: int, how many samples; by default as many as half of the held-out examples, and no more than the model says
            (`evaluation_size`).
        seed: int; decides the samples, and which examples they are compared with.
        dataset: name or folder, in place of the run's own.
        options: those of the kind of samples; of images `features`: "fashion", "emoji", "lite0" or "inception", by
            default fashion for grey images, emoji for the emoji, lite0 for others in colour where it is installed.

    Returns:
        dict: "metrics", {name: {"value", "standard_error" where known, how it was measured, "floor": the same of the
        floor, or None, "better"}}, and what it takes to repeat them.

    Raises:
        InputError: the model generates nothing, or there is nothing held out to compare it with, or an option is not
            for this kind.
        RunError: the data cannot be had.
    """
    if seed < 0:
        raise InputError(f"--seed is not negative, and {seed} is.")
    run = folder_of(run)
    if not run.exists():
        raise InputError(f"There is no {run}: name the folder of a run, or a .keras file.")
    settings = _settings(run, dataset)
    check_formers(settings)
    model = load_for_sampling(run)

    # Only now: loading has started TensorFlow without the lines that it prints.
    from gdl_keras.kinds import kind_of
    from gdl_keras.metrics import weights_digest

    kind = kind_of(model)
    if dataset is not None:
        data.check_names(dataset, kind.name)
    own_flags = ("--dataset", "--output", "--seed")
    options = keywords.read(options, kind.evaluation_options, f"gdl evaluate of {kind.unit}", beside=own_flags)
    if n is not None and n < kind.fewest:
        raise InputError(f"-n is at least {kind.fewest}, not {n}: fewer {kind.unit} say nothing.")
    test = _load(kind, settings, "test", model)
    train = _load(kind, settings, "train", model) if kind.compares_with_training else None
    unit = kind.unit.removesuffix("s")
    if kind.most(test) < kind.fewest:
        raise InputError(
            f"{test.name} has {counted(test.num_examples, f'test {unit}')}, too few to compare with: name a data set "
            f"that has {2 * kind.fewest} or more with --dataset."
        )
    n = n or min(model.evaluation_size, kind.most(test))
    with full_float32():
        found = kind.measure(model, train, test, n, seed, **options)
    metrics = found.pop("metrics")
    return {
        "kind": kind.name,
        "n": n,
        "seed": seed,
        "model": {"class": type(model).__name__, "weights_sha256": weights_digest(model)},
        "dataset": settings["dataset"],
        "attribute": settings.get("attribute"),
        **found,
        "packages": environment.describe()["packages"],
        "metrics": metrics,
    }


def evaluate_and_keep(run, output=False, **options):
    """Evaluates a model and writes the result into its run's metrics.json, beside what is there already.

    Args:
        run: a run's folder, or a `.keras` file, for which nothing is written unless
        output: is true: then NAME.metrics.json beside NAME.keras.
        options: as in `evaluate`.

    Returns:
        str, a table for a person to read.

    Raises:
        InputError: as in `evaluate`, or the file of metrics is damaged.
        RunError: a number is infinite or none.
    """
    run = folder_of(run)
    own = run / "metrics.json" if run.is_dir() else run.with_suffix(".metrics.json") if output else None
    path = None if comes_along(run) else own
    before = read_metrics(path) if path else {}
    result = evaluate(run, **options)
    text = table(result)
    if path:
        write_json(path, {**before, "evaluation": result})
        text += f"\nWritten to {path}" + (", in place of the evaluation there" if "evaluation" in before else "")
    return text


def table(result):
    """What `evaluate` returns, as lines for a person to read: str."""
    from gdl_keras.kinds import kind as kind_named

    kind = kind_named(result["kind"])
    rows = [("metric", "samples", "floor", "better")]
    for name, metric in result["metrics"].items():
        better = metric["better"] + (f", {metric['likelihood']} likelihood" if "likelihood" in metric else "")
        rows.append((name, measured(metric), measured(metric["floor"]), better))
    held_out, floor = result["held_out"][kind.unit], result["floor"][kind.unit]
    lines = [
        f"{result['n']:,} samples against {held_out:,} held-out {kind.unit} of {result['dataset']}",
        *kind.about(result),
        f"floor: {floor:,} other held-out {kind.unit} in place of the samples",
    ]
    if held_out < result["n"]:
        lines.append(f"These counts differ, and most metrics depend on them: -n {held_out} compares like with like.")
    return "\n".join([*lines, "", *aligned(rows, left=(0, 3))])


def _settings(run, dataset):
    settings = settings_of(run)
    if dataset is not None:
        return {**settings, "dataset": data.first_available(dataset), "data": {}, "had": settings.get("data", {})}
    if "dataset" not in settings:
        raise InputError(f"{run} does not say what its model learnt from: add --dataset.")
    data.check_is_there(settings["dataset"])
    return settings


def _load(kind, settings, split, model):
    examples = kind.load(settings, split, model)
    kept = settings.get("data", {}).get(split)
    if kept and not examples.is_called(kept):
        raise InputError(
            f"The {split} {kind.unit} of {examples.name} are not those that the run had: bring them back, or name a "
            "data set with --dataset."
        )
    if (had := settings.get("had", {}).get(split)) and not examples.is_called(had):
        say(f"The {split} {kind.unit} of {examples.name} are not those that the run had: the numbers are of these.")
    return examples.conditioned_on(settings["attribute"]) if settings.get("attribute") else examples


def read_metrics(path):
    """The content of a run's metrics.json, {} where there is none.

    Raises:
        InputError: it is damaged.
    """
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        metrics = None
    if not isinstance(metrics, dict):
        raise InputError(f"{path} is damaged: move it away, and evaluate again.")
    return metrics


def _refuse(constant):
    # What would not be written again is better told before the work.
    raise ValueError(constant)
