"""Makes docs/results.md and its figure of the runs in a folder, evaluating those that were not evaluated yet.

python scripts/build_notebooks.py --keep results     trains every chapter in its preset cpu
bash scripts/compare_families.sh results             trains every family on the same images
python scripts/make_results.py results
"""

import argparse
import csv
import json
import statistics
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

import gdl_keras
from gdl_keras import plotting
from gdl_keras.evaluation import evaluate_and_keep
from gdl_keras.files import write_text
from gdl_keras.metrics import weights_digest

ROOT = Path(__file__).resolve().parent.parent
FIGURE = ROOT / "docs" / "pictures" / "results_families.png"
FCD = "frechet_classifier_distance"
KCD = "kernel_classifier_distance"
# Beside these columns of their own, what else a run has to say for itself: {key of metrics.json: words}.
SHOWN = {
    "test_accuracy": "accuracy {:.3f}",
    "nats": "{:.1f} nats",
    "bits_per_dim": "{:.3f} bits per dim",
    "reconstruction_psnr": "PSNR {:.1f} dB",
    "share_as_asked": "{:.2f} as asked",
}


def main(folder, remark=""):
    """Reads every finished run below `folder` and writes the page.

    Raises:
        SystemExit: the runs come from different machines or versions: their minutes do not compare.
    """
    folders = [path.parent for path in sorted(Path(folder).rglob("metrics.json"))]
    runs = [read(folder) for folder in folders if is_of_images(folder)]
    presets = [run for run in runs if not run["config"]["every"] and run["history"]]
    families = [run for run in runs if run["config"]["every"]]
    text = [
        "# Results",
        "",
        f"Made by `python scripts/make_results.py` of runs that it reads, nothing here by hand. {where(runs)}"
        + f" {remark}" * bool(remark),
        "",
        "FCD is the Fréchet classifier distance: the Fréchet distance in the features of our own small classifiers "
        "(`gdl_keras/metrics/weights`), smaller is better; it does not compare with FID. KCD is the kernel distance in "
        "the same features. Samples are compared with one half of the held-out images; in brackets the floor, what the "
        "other half reaches in their place. Few images lift an FCD, whatever they show: with under ten a feature (960) "
        "it is extrapolated to infinitely many, and marked so; with under two (`emoji` has 87 in each half) it says "
        "nothing and is left out. KCD has no such bias, and an error of its own, which on `emoji` is as large as what "
        "sets its GANs apart.",
    ]
    if families:
        text += ["", *families_section(families)]
    text += ["", *presets_section(presets), "", *metrics_section(presets)]
    write_text(ROOT / "docs" / "results.md", "\n".join(text) + "\n")


def is_of_images(folder):
    """Whether a folder is a run, and no stage of one, on images: texts and points have their chapters' pages."""
    config = folder / "config.json"
    return config.exists() and "image_size" in json.loads(config.read_text())


def where(runs):
    """What the runs were measured on, as a sentence."""
    machines = {
        (machine["processors"], machine["packages"]["tensorflow"], machine["packages"]["keras"])
        for machine in (json.loads((run["folder"] / "environment.json").read_text()) for run in runs)
    }
    if len(machines) > 1:
        raise SystemExit(f"These runs do not compare, (processors, TensorFlow, Keras) differ: {sorted(machines)}")
    processors, tensorflow, keras = machines.pop()
    return (
        f"Measured on {processors} processor cores without a GPU, TensorFlow {tensorflow}, Keras {keras}. Minutes are "
        "those of the clock, all cores at work; whatever else a machine does meanwhile lengthens them, so differences "
        "below a factor of two say little (`docs/performance.md` has speeds that were measured side by side). Sampling "
        "is timed when this page is made, the median of five."
    )


def read(folder):
    """What there is to know of a run: a dict."""
    metrics = json.loads((folder / "metrics.json").read_text())
    model = gdl_keras.load(folder) if (folder / "model.keras").exists() else None
    if hasattr(model, "generate") and not is_current(metrics.get("evaluation"), model):
        print(evaluate_and_keep(folder))
        metrics = json.loads((folder / "metrics.json").read_text())
    history = list(csv.DictReader((folder / "history.csv").open())) if model is not None else []
    return {
        "folder": folder,
        "config": json.loads((folder / "config.json").read_text()),
        "metrics": metrics,
        "history": history,
        "seconds": np.cumsum([float(line["seconds"]) for line in history]),
        # Not in the histories of older runs.
        "cpu_seconds": np.cumsum([float(line.get("cpu_seconds", "nan")) for line in history]),
        "parameters": sum(int(np.prod(w.shape)) for w in model.trainable_variables) if model is not None else 0,
        "sampling": sampling_seconds(model) if hasattr(model, "generate") else None,
    }


def is_current(evaluation, model):
    """Whether a stored evaluation is what `gdl evaluate RUN` finds of this model, and not one with flags of its own."""
    return (
        evaluation is not None
        and KCD in evaluation["metrics"]
        and evaluation["seed"] == 0
        and evaluation["floor"]["split"] == evaluation["held_out"]["split"]
        and evaluation["n"] == evaluation["held_out"]["images"] == evaluation["floor"]["images"]
        and evaluation["model"]["weights_sha256"] == weights_digest(model)
    )


def sampling_seconds(model, n=1000, rounds=5):
    """Seconds for `n` images: the median of some rounds after a first one."""
    conditions = model.conditions.in_turn(n)
    seconds = []
    for _ in range(rounds + 1):
        started = time.monotonic()
        model.generate(n, seed=0, **conditions)
        seconds.append(time.monotonic() - started)
    return statistics.median(seconds[1:])


def families_section(runs):
    """The figure and its table."""
    plotting.save(draw_families(runs), FIGURE)
    lines = [
        "## The families of chapters 3 and 4 on the same images",
        "",
        f"![FCD against CPU time, recall against precision, FCD against the time of sampling](pictures/{FIGURE.name})",
        "",
        "*Fashion-MNIST at 32x32, 1,000 samples after each epoch against 1,000 held-out images; "
        f"`bash scripts/compare_families.sh`. The table: {of_samples(runs)}. CPU minutes are "
        "those of all cores together, spent on training steps. Bits per dim of "
        "a bernoulli likelihood take each pixel for a coin; they do not compare with those of models of bytes.*",
        "",
        "| model | trainable parameters | CPU minutes of training | FCD (floor) | precision | recall | bits per dim | "
        "seconds for 1,000 samples |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        evaluated = run["metrics"]["evaluation"]["metrics"]
        bits = evaluated.get("bits_per_dim")
        lines.append(
            f"| `{run['folder'].name}` | {run['parameters']:,} | {run['cpu_seconds'][-1] / 60:.1f} | "
            f"{distance_with_floor(evaluated)} | {evaluated['precision']['value']:.2f} | "
            f"{evaluated['recall']['value']:.2f} | {in_words(bits) if bits else ''} | {run['sampling']:.1g} |"
        )
    return lines


def of_samples(runs):
    """How many samples the evaluations of some runs had, in words."""
    counts = sorted({run["metrics"]["evaluation"]["n"] for run in runs})
    return f"{' or '.join(f'{n:,}' for n in counts)} samples against as many held-out images"


def draw_families(runs):
    """FCD against CPU minutes, recall against precision at the end, FCD against seconds of sampling: a `Figure`."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    training, shares, sampling = figure.subplots(1, 3)
    for run in runs:
        name, minutes = run["folder"].name, run["cpu_seconds"] / 60
        distances = [float(line[FCD]) for line in run["history"]]
        (line,) = training.plot(minutes, distances, marker=".", label=name)
        sampling.plot(run["sampling"], distances[-1], "o", color=line.get_color())
        evaluated = run["metrics"]["evaluation"]["metrics"]
        shares.plot(evaluated["precision"]["value"], evaluated["recall"]["value"], "o", color=line.get_color())
    training.set(xscale="log", yscale="log", xlabel="CPU minutes of training", ylabel="FCD, 1,000 samples")
    shares.set(xlabel="precision at the end", ylabel="recall at the end", xlim=(0, 1), ylim=(0, 1))
    sampling.set(xscale="log", yscale="log", xlabel="seconds for 1,000 samples", ylabel="FCD at the end")
    for axis in (training.xaxis, training.yaxis, sampling.xaxis, sampling.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
    figure.legend(loc="outside lower center", ncols=len(runs), frameon=False, fontsize=8)
    return figure


def presets_section(runs):
    """One row for each chapter's preset cpu."""
    lines = [
        "## Chapters 2 to 4 in their preset `cpu`",
        "",
        "| command | data | minutes of training | trainable parameters | samples | FCD (floor) | KCD (floor) | and |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in in_order(runs):
        config, metrics = run["config"], run["metrics"]
        evaluation = metrics.get("evaluation", {})
        evaluated = evaluation.get("metrics", {})
        values = {**metrics, **{name: metric["value"] for name, metric in evaluated.items()}}
        others = [words.format(values[name]) for name, words in SHOWN.items() if name in values]
        kernel = with_floor(evaluated[KCD]) if KCD in evaluated else ""
        samples = f"{evaluation['n']:,}" if evaluated else ""
        lines.append(
            f"| `gdl run {config['chapter']}` | `{config['dataset']}` | {run['seconds'][-1] / 60:.1f} | "
            f"{run['parameters']:,} | {samples} | {distance_with_floor(evaluated)} | {kernel} | {', '.join(others)} |"
        )
    return lines


def metrics_section(runs):
    """All metrics of these runs."""
    runs = [run for run in in_order(runs) if "evaluation" in run["metrics"]]
    names = list(dict.fromkeys(name for run in runs for name in run["metrics"]["evaluation"]["metrics"]))
    lines = [
        "## All metrics of these runs",
        "",
        "*As `gdl evaluate` prints them: the value, ± its standard error where it is known, in brackets the floor.*",
        "",
        f"| metric | {' | '.join(run['config']['chapter'] for run in runs)} |",
        f"|---{'|---' * len(runs)}|",
    ]
    for name in names:
        metrics = [run["metrics"]["evaluation"]["metrics"].get(name) for run in runs]
        lines.append(f"| {name} | {' | '.join(with_floor(metric) if metric else '' for metric in metrics)} |")
    return lines


def in_order(runs):
    """The runs as the book has the chapters; only unchanged presets belong on the page."""
    changed = [str(run["folder"]) for run in runs if run["config"]["preset"] != "cpu"]
    if changed:
        raise SystemExit(f"Not runs of the preset cpu: {', '.join(changed)}. Move them out of the folder.")
    return sorted(runs, key=lambda run: run["config"]["chapter"])


def distance_with_floor(evaluated):
    """The FCD among all metrics, and its floor, as text; empty where there were too few images for one."""
    for name, mark in ((FCD, ""), (f"{FCD}_extrapolated", ", extrapolated")):
        if name in evaluated:
            return f"{evaluated[name]['value']:.1f} ({evaluated[name]['floor']['value']:.1f}){mark}"
    return ""


def with_floor(metric):
    """A metric and its floor, as text."""
    return in_words(metric) + (f" ({in_words(metric['floor'])})" if metric["floor"] else "")


def in_words(metric):
    """A metric as text: value, error, and of which likelihood."""
    error = f" ± {metric['standard_error']:.1g}" if "standard_error" in metric else ""
    kind = f", {metric['likelihood']}" if "likelihood" in metric else ""
    return f"{metric['value']:.3g}{error}{kind}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="where the runs are")
    parser.add_argument("--remark", default="", help="a sentence on how these were measured")
    options = parser.parse_args()
    main(options.folder, options.remark)
