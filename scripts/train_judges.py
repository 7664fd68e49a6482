"""Trains the classifiers that judge generated images, and writes their weights into the package.

    python scripts/train_judges.py fashion      some 10 minutes on two cores
    python scripts/train_judges.py emoji

The network is the CNN of chapter 2 with the Classifier's own `train_step`; the learning rate falls to zero along a
cosine, and half of the training images are mirrored.  Weights are stored as float16.
"""

import argparse
import json

import keras
import numpy as np
import tensorflow as tf

from gdl_keras import data
from gdl_keras.files import whole_file, write_text
from gdl_keras.metrics.judge import WEIGHTS
from gdl_keras.models.classifier import Classifier, build_cnn

BATCH_SIZE = 128
RECIPES = {
    "fashion": {"epochs": 10, "filters": (24, 32, 48, 64), "units": 96},
    "emoji": {"epochs": 60, "filters": (24, 32, 48, 64), "units": 96},
}


def train(name, epochs, filters, units, seed=1):
    """Returns (model, training data, test data)."""
    keras.utils.set_random_seed(seed)
    train_data, test_data = (
        data.load(name, s, image_size=32, batch_size=BATCH_SIZE, seed=seed) for s in ("train", "test")
    )
    network = build_cnn(train_data.image_shape, len(train_data.class_names), filters, units)
    model = Classifier(network, seed=seed)
    steps = train_data.steps_per_epoch
    model.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(2e-3, epochs * steps), weight_decay=1e-2)
    )
    batches = train_data.batches(labels=True).map(mirror_some)
    model.fit(batches, epochs=epochs, steps_per_epoch=steps, validation_data=test_data, shuffle=False)
    return model, train_data, test_data


def mirror_some(images, labels):
    """Mirrors about half of the images: which ones is fixed by their own pixels, the same in every epoch."""
    chosen = tf.cast(tf.reduce_sum(images, axis=(1, 2, 3)) * 255, tf.int32) % 2 == 0
    return tf.where(chosen[:, None, None, None], images[:, :, ::-1], images), labels


def store(name, model, train_data, test_data, recipe):
    """Writes NAME.npz and NAME.json; the accuracy stated is that of the weights as stored."""
    weights = [np.asarray(weight, "float16") for weight in model.network.get_weights()]
    model.network.set_weights([weight.astype("float32") for weight in weights])
    _, accuracy = model.evaluate(test_data, verbose=0)
    WEIGHTS.mkdir(exist_ok=True)
    with whole_file(WEIGHTS / f"{name}.npz") as partial:
        np.savez_compressed(partial, **{str(index): weight for index, weight in enumerate(weights)})
    about = {
        "test_accuracy": round(accuracy, 4),
        "class_names": train_data.class_names,
        "image_shape": train_data.image_shape,
        **recipe,
        "made_by": f"python scripts/train_judges.py {name}",
        "data": train_data.source,
    }
    write_text(WEIGHTS / f"{name}.json", json.dumps(about, indent=1) + "\n")
    print(f"{name}: test accuracy {accuracy:.4f}, {(WEIGHTS / f'{name}.npz').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted(RECIPES))
    for name in parser.parse_args().names:
        store(name, *train(name, **RECIPES[name]), RECIPES[name])
