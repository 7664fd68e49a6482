"""How good a trained model is: its images against held-out ones, with what real images reach beside each number."""

import json
from pathlib import Path

from gdl_keras import data
from gdl_keras.errors import InputError
from gdl_keras.files import write_text
from gdl_keras.sampling import load_for_sampling
from gdl_keras.training import environment
from gdl_keras.training.config import read_config
from gdl_keras.training.former import check_formers

MOST = 10_000  # samples, unless more are asked for
FEWEST = 20  # images on each side: two for each block of the kernel distance
BETTER = {
    "frechet_classifier_distance": "smaller",
    "frechet_inception_distance": "smaller",
    "kernel_classifier_distance": "smaller",
    "kernel_inception_distance": "smaller",
    "classifier_score": "larger",
    "inception_score": "larger",
    "precision": "larger",
    "recall": "larger",
    "density": "larger",
    "coverage": "larger",
    "ms_ssim": "as the floor (larger: too much alike)",
    "share_as_asked": "larger",
    "smallest_diversity": "as the floor (smaller: too much alike)",
    "reconstruction_psnr": "larger (dB)",
    "reconstruction_ssim": "larger",
    "nats": "smaller (a bound on -log p)",
    "bits_per_dim": "smaller (a bound)",
}


def evaluate(run, n=None, seed=0, features=None, dataset=None):
    """Generates images and compares them with held-out ones.

    Beside each metric of the samples stands its floor: the same metric of as many training images in the samples'
    place; of `share_as_asked`, of the held-out images.

    Args:
        run: a run's folder, or a `.keras` file; one that lies in no run's folder needs `dataset`.
        n: int, how many images to generate; by default as many as there are test images, at most 10,000.
        seed: int; decides the samples, and which real images they are compared with.
        features: "fashion", "emoji" or "inception"; by default fashion for grey images, emoji for colour.
        dataset: name or folder, in place of the run's own.

    Returns:
        dict: "metrics", {name: {"value", "standard_error" where known, how it was measured, "floor": the same of the
        floor, or None, "better"}}, and what it takes to repeat them.

    Raises:
        InputError: the model generates no images, or there are no held-out images to compare them with.
        RunError: the data cannot be had.
    """
    if n is not None and n < FEWEST:
        raise InputError(f"-n is at least {FEWEST}, not {n}: fewer images say nothing.")
    if seed < 0:
        raise InputError(f"--seed is not negative, and {seed} is.")
    if not Path(run).exists():
        raise InputError(f"There is no {run}: name the folder of a run, or a .keras file.")
    settings = _settings(Path(run), dataset)
    check_formers(settings)
    model = load_for_sampling(run)

    # Only now: loading has started TensorFlow without the lines that it prints.
    from gdl_keras.metrics import load_extractor, measure, weights_digest

    image_shape = _image_shape(model)
    extractor = load_extractor(features, image_shape)
    train, test = (_load(settings, split, image_shape) for split in ("train", "test"))
    n = n or min(MOST, test.num_images)
    metrics = measure(model, extractor, train, test, n, seed)
    return {
        "n": n,
        "seed": seed,
        "model": {"class": type(model).__name__, "weights_sha256": weights_digest(model)},
        "extractor": {
            "name": extractor.name,
            "weights_sha256": extractor.sha256,
            "image_shape": list(extractor.image_shape),
            "resizing": extractor.resizing(image_shape),
        },
        "dataset": settings["dataset"],
        "attribute": settings.get("attribute"),
        "held_out": _part(test, n),
        "floor": _part(train, n),
        "packages": environment.describe()["packages"],
        "metrics": {name: {**metric, "better": BETTER[name]} for name, metric in metrics.items()},
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
    """
    run = Path(run)
    path = run / "metrics.json" if run.is_dir() else run.with_suffix(".metrics.json") if output else None
    before = _read_metrics(path) if path else {}
    result = evaluate(run, **options)
    text = table(result)
    if path:
        write_text(path, json.dumps({**before, "evaluation": result}, indent=1) + "\n")
        text += f"\nWritten to {path}" + (", in place of the evaluation there" if "evaluation" in before else "")
    return text


def table(result):
    """What `evaluate` returns, as lines for a person to read: str."""
    rows = [("metric", "samples", "floor", "better")]
    for name, metric in result["metrics"].items():
        better = metric["better"] + (f", {metric['likelihood']} likelihood" if "likelihood" in metric else "")
        rows.append((name, _number(metric), _number(metric["floor"]), better))
    widths = [max(map(len, column)) for column in zip(*rows)]
    extractor, held_out, floor = result["extractor"], result["held_out"], result["floor"]
    lines = [
        f"{result['n']:,} samples against {held_out['images']:,} held-out images of {result['dataset']}",
        f"features: {extractor['name']}, resizing: {extractor['resizing']}",
        f"floor: {floor['images']:,} training images in place of the samples"
        + ("; of share_as_asked, the held-out images" if "share_as_asked" in result["metrics"] else ""),
    ]
    fewest = min(held_out["images"], floor["images"])
    if fewest < result["n"]:
        lines.append(f"These counts differ, and most metrics depend on them: -n {fewest} compares like with like.")
    lines.append("")
    for name, value, real, better in rows:
        lines.append(f"{name:{widths[0]}}  {value:>{widths[1]}}  {real:>{widths[2]}}  {better}")
    return "\n".join(lines)


def _settings(run, dataset):
    folder = run if run.is_dir() else run.parent
    settings = read_config(folder) if run.is_dir() or (folder / "config.json").exists() else {}
    if dataset is not None:
        return {**settings, "dataset": data.first_available(dataset), "data": {}}
    if "dataset" not in settings:
        raise InputError(f"{run} does not say which images its model learnt from: add --dataset.")
    return settings


def _image_shape(model):
    # The page of samples is the one thing that every generative model makes without being told of its labels.
    images, _ = model.sample_sheet()
    height, width, channels = images.shape[1:] if images.ndim == 4 else (0, 0, 0)
    if height != width or channels not in (1, 3):
        raise InputError(f"{type(model).__name__} makes arrays {images.shape[1:]}: only square images are evaluated.")
    return images.shape[1:]


def _load(settings, split, image_shape):
    images = data.load(
        settings["dataset"],
        split,
        image_size=image_shape[0],
        channels=image_shape[-1],
        skip_unreadable=settings.get("skip_unreadable", False),
    )
    if settings.get("data", {}).get(split, images.identity) != images.identity:
        raise InputError(
            f"The {split} images of {images.name} are not those that the run had: bring them back, or name a data set "
            "with --dataset."
        )
    if images.num_images < FEWEST:
        raise InputError(
            f"{images.name} has {images.num_images} {split} images, too few to compare with: name a data set that has "
            f"{FEWEST} or more with --dataset."
        )
    return images.labelled_by(settings["attribute"]) if settings.get("attribute") else images


def _part(images, n):
    return {"split": images.split, "images": min(n, images.num_images), "identity": images.identity}


def _read_metrics(path):
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        metrics = None
    if not isinstance(metrics, dict):
        raise InputError(f"{path} is damaged: move it away, and evaluate again.")
    return metrics


def _number(metric):
    if metric is None:
        return "-"
    error = f" ± {metric['standard_error']:.1g}" if "standard_error" in metric else ""
    return f"{metric['value']:.4g}{error}"
