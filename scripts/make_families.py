"""Makes docs/families.md, a map of the families of models, of the trained models that come along.

    python scripts/make_families.py

Numbers are those that each run had when it was evaluated; sampling is timed now, on one machine for all.
"""

import csv
from pathlib import Path

from make_results import sampling_seconds

import gdl_keras
from gdl_keras import pretrained
from gdl_keras.files import write_text
from gdl_keras.models.generative import LatentModel
from gdl_keras.reports import account_of

PAGE = Path(__file__).resolve().parent.parent / "docs" / "families.md"
FCD = "frechet_classifier_distance"
TIMED = 100  # images

# What each program's family is called, what its model learns by, and what it is for.
FAMILIES = {
    "03_vae/01_autoencoder": ("autoencoder", "drawing again what it saw", "few numbers for an image; what is odd"),
    "03_vae/02_vae_fashion": ("variational autoencoder", "the same, with noise", "a latent space to walk in"),
    "04_gan/04_gan": ("GAN, dense", "fooling a judge", "seeing a collapse"),
    "04_gan/01_dcgan": ("GAN, convolutional", "fooling a judge", "sharp images at once; watch the judge"),
    "04_gan/05_hinge_gan": ("GAN, conditional, averaged", "fooling a judge", "the best images here, by class, at once"),
    "05_autoregressive/02_pixelcnn": ("autoregressive", "the next pixel", "the rest of an image; exact bits"),
    "05_autoregressive/03_pixelcnn_md": ("autoregressive, mixtures", "the next pixel", "exact bits of bytes"),
    "06_normflow/02_image_flow": ("normalizing flow", "the density itself", "there and back without loss; bits"),
    "07_ebm/01_ebm": ("energy", "telling data from its own samples", "what is odd; combining with others"),
    "08_diffusion/01_ddm": ("diffusion", "taking noise away", "variety; filling in; patience buys quality"),
    "08_diffusion/02_flow_matching": ("flow matching", "the way from noise to data", "the same, in a page of code"),
}

BEFORE = """# Which family?

A row for each family of which a trained model of garments (`fashion`) comes along: `gdl sample NAME` and `gdl explore
NAME` play with it. Made by `python scripts/make_families.py`; the numbers of a row are those of its model, of the
preset `cpu`.

- **CPU minutes**: those that cores were at work on training steps, on several machines: half or double says nothing.
- **FCD**: the Fréchet distance in the features of a small classifier, smaller is better; in brackets what other real
  images reach. That of images of 16x16 does not compare with that of 32x32.
- **Recall**: the share of real images that are like some sample.
- **Bits per dim** of coins (the variational autoencoder's), of four levels (the PixelCNN's), of bytes do not compare.
- **Seconds**: for 100 images, the median of three, on two processor cores.

"""
HEADINGS = "program family learns_by likelihood latent_space pixels weights CPU_minutes FCD recall bits seconds for"
AFTER = """
Which one, then?

- **Sharp images at once, of a class**: a GAN with labels.
- **A space to walk in, after minutes of training**: the variational autoencoder.
- **How probable is this?** Autoregressive models say it exactly, flows nearly; where only the order counts, an energy.
- **To fill in what is missing**: autoregressive models from above to below, diffusion anywhere.
- **Text**: `05_autoregressive/01_lstm` to see it work, `09_transformer/01_gpt` otherwise.
- **Points in the plane**: `06_normflow/01_realnvp`.
"""


def main():
    names = [name for name in FAMILIES if name in pretrained.names()]
    rows = [row_of(name) for name in names]
    headings = [heading.replace("_", " ") for heading in HEADINGS.split()]
    table = [f"| {' | '.join(headings)} |", "|" + "---|" * len(headings), *rows]
    write_text(PAGE, BEFORE + "\n".join(table) + "\n" + AFTER)
    print(f"{PAGE}: {len(rows)} families")


def row_of(name):
    """A line of the table."""
    family, learns_by, good_for = FAMILIES[name]
    account = account_of(pretrained.FOLDER / name)
    model = gdl_keras.load(name)
    metrics = account.metrics["evaluation"]["metrics"]
    bits = metrics.get("bits_per_dim")
    weights = sum(weight.shape.num_elements() for weight in model.trainable_variables)
    cells = [
        f"`{name}`",
        family,
        learns_by,
        model.likelihood_is or "none",
        latent_space(model),
        "x".join(map(str, model.generate(1, seed=0, **model.conditions.in_turn(1)).shape[1:3])),
        f"{weights:,}",
        f"{cpu_minutes(pretrained.FOLDER / name):.1f}",
        f"{metrics[FCD]['value']:.1f} ({metrics[FCD]['floor']['value']:.1f})",
        f"{metrics['recall']['value']:.2f}",
        f"{bits['value']:.2f}" if bits else "",
        f"{sampling_seconds(model, TIMED, rounds=3):.2g}",
        good_for,
    ]
    return f"| {' | '.join(cells)} |"


def latent_space(model):
    """Where its samples come from, in words."""
    if not isinstance(model, LatentModel):
        return "none"
    shape = model.latent_shape
    return f"{shape[0]} numbers" if len(shape) == 1 else "noise of the image's size"


def cpu_minutes(folder):
    """Minutes of processor time spent on training steps."""
    with open(folder / "history.csv", newline="") as file:
        return sum(float(line["cpu_seconds"]) for line in csv.DictReader(file)) / 60


if __name__ == "__main__":
    main()
