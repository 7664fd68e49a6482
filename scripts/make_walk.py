"""Makes the moving picture of README.md: each tile goes round in the latent space of a trained GAN, its label fixed.

gdl run 04_gan/05_hinge_gan --out runs/hinge
python scripts/make_walk.py runs/hinge docs/pictures/hinge_gan_walk.gif
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import gdl_keras
from gdl_keras import plotting
from gdl_keras.files import whole_file


def main(run, output, rows=2, frames=28, scale=2, seed=1):
    """Writes an endless GIF; the columns are the classes.

    Between two points a and b of a normal distribution, a cos(t) + b sin(t) stays as probable as they are, and comes
    back to where it began.
    """
    model = gdl_keras.load(run)
    classes = model.conditions.count
    labels = np.tile(np.arange(classes), rows)
    start, turn = model.sample_latents(2 * len(labels), seed=seed).reshape(2, len(labels), -1)
    pages = []
    for angle in np.linspace(0, 2 * np.pi, frames, endpoint=False):
        points = start * np.cos(angle) + turn * np.sin(angle)
        page = plotting.mosaic(model.generate(latents=points.astype("float32"), labels=labels), columns=classes)
        image = Image.fromarray(np.round(page * 255).astype(np.uint8))
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.BICUBIC)
        pages.append(image.quantize(16))
    with whole_file(output) as partial:
        pages[0].save(partial, "GIF", save_all=True, append_images=pages[1:], duration=90, loop=0, optimize=True)
    print(f"{output}: {output.stat().st_size / 1000:,.0f} kB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run of a conditional model")
    parser.add_argument("output", type=Path, help="such as walk.gif")
    options = parser.parse_args()
    main(options.run, options.output)
