"""Makes gdl_keras/data/assets/fashion_mini.npz: a tenth of Fashion-MNIST that travels inside the package.

    apt-get install dataset-fashion-mnist
    python scripts/make_fashion_mini.py

Draws 600 training and 100 test images of each of the ten classes with a fixed seed; running it
again gives the same bytes.
"""

from pathlib import Path

import numpy as np

from gdl_keras.data.sources.debian import FASHION_CLASSES, FOLDER, read_idx
from gdl_keras.files import whole_file

ASSET = Path(__file__).parents[1] / "gdl_keras" / "data" / "assets" / "fashion_mini.npz"
SEED = 2017  # the year of the data set


def draw(prefix, per_class, generator):
    """`per_class` images of each class, mixed: (images uint8 (n, 28, 28), labels uint8 (n,))."""
    images = read_idx(FOLDER / f"{prefix}-images-idx3-ubyte.gz", 3)
    labels = read_idx(FOLDER / f"{prefix}-labels-idx1-ubyte.gz", 1)
    classes = range(len(FASHION_CLASSES))
    chosen = [generator.choice(np.flatnonzero(labels == label), per_class, replace=False) for label in classes]
    chosen = generator.permutation(np.concatenate(chosen))
    return images[chosen], labels[chosen]


def main():
    generator = np.random.default_rng(SEED)
    train_images, train_labels = draw("train", 600, generator)
    test_images, test_labels = draw("t10k", 100, generator)
    with whole_file(ASSET) as partial:
        np.savez_compressed(
            partial,
            train_images=train_images,
            train_labels=train_labels,
            test_images=test_images,
            test_labels=test_labels,
            class_names=np.array(FASHION_CLASSES),
        )
    print(f"{ASSET}: {len(train_images)} + {len(test_images)} images, {ASSET.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
