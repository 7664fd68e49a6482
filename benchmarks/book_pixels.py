"""The PixelCNN of the book's notebook, trained as there: nats a pixel after each pass over 60,000 images.

    python benchmarks/book_pixels.py                    five passes, some half an hour of processor time

Images as the notebook makes them, which ours are not: resized to 16x16 by `tf.image.resize` as it comes, without
antialiasing, and cut into four greys.  Such images are harder to foresee, so that numbers compare with the notebook's
alone: 0.376 after five passes, from a mean that is taken while the network learns.
"""

import argparse
import time


def images(split):
    """Fashion-MNIST as the notebook prepares it: float32 array (n, 16, 16, 1), of thirds."""
    import numpy as np
    import tensorflow as tf

    from gdl_keras import data

    raw = np.rint(255 * data.load("fashion", split, image_size=28).images(slice(None)))
    parts = [tf.image.resize(raw[first : first + 5000], (16, 16)).numpy() for first in range(0, len(raw), 5000)]
    return (np.floor(np.concatenate(parts) / 64) / 3).astype("float32")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5, help="passes over the training images (default 5)")
    parser.add_argument("--held-out", type=int, default=2000, help="images to measure on (default 2000)")
    options = parser.parse_args()

    import keras

    from gdl_keras.models import PixelCNN, build_pixel_cnn

    keras.utils.set_random_seed(1)
    train, test = images("train"), images("test")[: options.held_out]
    model = PixelCNN(build_pixel_cnn(train.shape[1:]), seed=1)
    model.compile(keras.optimizers.Adam(5e-4))
    print(f"{len(train):,} images, {model.network.count_params():,} weights", flush=True)
    for epoch in range(options.epochs):
        began = time.process_time()
        losses = model.fit(train, batch_size=128, initial_epoch=epoch, epochs=epoch + 1, verbose=0).history["loss"]
        seconds = time.process_time() - began
        held_out = model.evaluate(test, verbose=0, return_dict=True)["loss"]
        print(f"pass {epoch + 1}: {losses[0]:.4f} in training, {held_out:.4f} held out; {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
