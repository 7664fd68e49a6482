"""Makes docs/results.md and its figure of the runs in a folder, evaluating those that were not evaluated yet.

python scripts/build_notebooks.py --keep results     trains every chapter in its preset cpu
bash scripts/compare_families.sh results             trains every family on the same images
python scripts/make_results.py results
"""

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import gdl_keras
from gdl_keras import plotting
from gdl_keras.evaluation import evaluate_and_keep
from gdl_keras.files import write_text

ROOT = Path(__file__).resolve().parent.parent
FIGURE = ROOT / "docs" / "pictures" / "results_families.png"
FCD = "frechet_classifier_distance"
# Beside these columns of their own, what else a run has to say for itself: {key of metrics.json: words}.
SHOWN = {
    "test_accuracy": "accuracy {:.3f}",
    "nats": "{:.1f} nats",
    "bits_per_dim": "{:.3f} bits per dim",
    "reconstruction_psnr": "PSNR {:.1f} dB",
    "share_as_asked": "{:.2f} as asked",
}


def main(folder):
    """Reads every finished run below `folder` and writes the page."""
    runs = [read(path.parent) for path in sorted(Path(folder).rglob("metrics.json"))]
    presets = [run for run in runs if not run["config"]["every"] and run["history"]]
    families = [run for run in runs if run["config"]["every"]]
    machine = json.loads((runs[0]["folder"] / "environment.json").read_text())
    text = [
        "# Results",
        "",
        "Made by `python scripts/make_results.py` of runs that it reads; nothing here is written by hand. "
        f"Measured on {machine['processors']} processor cores without a GPU, TensorFlow "
        f"{machine['packages']['tensorflow']}, Keras {machine['packages']['keras']}.",
        "",
        "FCD is the Fréchet classifier distance: the Fréchet distance in the features of our own small classifiers "
        "(`gdl_keras/metrics/weights`), smaller is better; it does not compare with FID. In brackets its floor, which "
        "training images reach in the samples' place.",
    ]
    if families:
        text += ["", *families_section(families)]
    text += ["", *presets_section(presets)]
    write_text(ROOT / "docs" / "results.md", "\n".join(text) + "\n")


def read(folder):
    """What there is to know of a run: a dict."""
    metrics = json.loads((folder / "metrics.json").read_text())
    model = gdl_keras.load(folder) if (folder / "model.keras").exists() else None
    if hasattr(model, "generate") and "evaluation" not in metrics:
        print(evaluate_and_keep(folder))
        metrics = json.loads((folder / "metrics.json").read_text())
    history = list(csv.DictReader((folder / "history.csv").open())) if model is not None else []
    return {
        "folder": folder,
        "config": json.loads((folder / "config.json").read_text()),
        "metrics": metrics,
        "history": history,
        "seconds": np.cumsum([float(line["seconds"]) for line in history]),
        "parameters": sum(int(np.prod(w.shape)) for w in model.trainable_variables) if model is not None else 0,
        "sampling": sampling_seconds(model) if hasattr(model, "generate") else None,
    }


def sampling_seconds(model, n=1000):
    """Seconds for `n` images, the second time."""
    labels = {"labels": np.arange(n) % model.num_classes} if hasattr(model, "num_classes") else {}
    for _ in range(2):
        started = time.monotonic()
        model.generate(n, seed=0, **labels)
    return time.monotonic() - started


def families_section(runs):
    """The figure and its table."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    lines = [
        "## Every family on the same images",
        "",
        f"![FCD against training time](pictures/{FIGURE.name})",
        "",
        "*Fashion-MNIST at 32x32, 1,000 samples after each epoch against 1,000 held-out images; "
        "`bash scripts/compare_families.sh`. The table: as many samples as there are held-out images.*",
        "",
        "| model | trainable parameters | minutes of training | FCD (floor) | precision | recall | bits per dim | "
        "seconds for 1,000 samples |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        name = run["folder"].name
        axes.plot(run["seconds"] / 60, [float(line[FCD]) for line in run["history"]], marker=".", label=name)
        evaluated = run["metrics"]["evaluation"]["metrics"]
        bits = evaluated.get("bits_per_dim")
        lines.append(
            f"| `{name}` | {run['parameters']:,} | {run['seconds'][-1] / 60:.1f} | {with_floor(evaluated)} | "
            f"{evaluated['precision']['value']:.2f} | {evaluated['recall']['value']:.2f} | "
            f"{format(bits['value'], '.3f') if bits else ''} | {run['sampling']:.2f} |"
        )
    axes.set(xscale="log", yscale="log", xlabel="minutes of training", ylabel="FCD, 1,000 samples")
    axes.legend(frameon=False, fontsize=8)
    plotting.save(figure, FIGURE)
    return lines


def presets_section(runs):
    """One row for each chapter's preset cpu."""
    lines = [
        "## Every chapter in its preset `cpu`",
        "",
        "| command | data | minutes of training | trainable parameters | FCD (floor) | and |",
        "|---|---|---|---|---|---|",
    ]
    for run in sorted(runs, key=lambda run: run["config"]["chapter"]):
        config, metrics = run["config"], run["metrics"]
        evaluated = metrics.get("evaluation", {}).get("metrics", {})
        values = {**metrics, **{name: metric["value"] for name, metric in evaluated.items() if metric}}
        others = [words.format(values[name]) for name, words in SHOWN.items() if name in values]
        lines.append(
            f"| `gdl run {config['chapter']}` | `{config['dataset']}` | {run['seconds'][-1] / 60:.1f} | "
            f"{run['parameters']:,} | {with_floor(evaluated) if evaluated else ''} | {', '.join(others)} |"
        )
    return lines


def with_floor(evaluated):
    """The distance and its floor, as text."""
    return f"{evaluated[FCD]['value']:.1f} ({evaluated[FCD]['floor']['value']:.1f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="where the runs are")
    main(parser.parse_args().folder)
