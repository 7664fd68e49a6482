"""The energy-based model of the book's notebook beside ours: training steps a second, side by side in one run.

    python benchmarks/book_energy.py                    three turns of two steps each, a minute or two on two cores

Both have the book's network of 76,993 weights and its numbers: 128 images, 60 steps of Langevin dynamics, a buffer of
8,192.  The notebook's step is ported as it is: run eagerly, each Langevin step a Python loop's, the buffer a Python
list of single images, of which 128 are drawn with replacement, and in front of which the new ones are put.  What it
calls a score is minus an energy.
"""

import argparse
import random
import time

import numpy as np

BATCH, STEPS, STEP_SIZE, NOISE, CLIP, FRESH, PENALTY, SIZE = 128, 60, 10.0, 0.005, 0.03, 0.05, 0.1, 8192


class BookStep:
    """The notebook's training step; `network` gives scores of images in [-1, 1]."""

    def __init__(self, network, optimizer):
        import tensorflow as tf

        self.network, self.optimizer = network, optimizer
        self.buffer = [tf.random.uniform((1, 32, 32, 1)) * 2 - 1 for _ in range(BATCH)]

    def __call__(self, images):
        import tensorflow as tf

        images = tf.clip_by_value(images + tf.random.normal(images.shape, stddev=NOISE), -1.0, 1.0)
        fakes = self.new_samples()
        both = tf.concat([images, fakes], axis=0)
        with tf.GradientTape() as tape:
            of_reals, of_fakes = tf.split(self.network(both, training=True), 2, axis=0)
            divergence = tf.reduce_mean(of_fakes) - tf.reduce_mean(of_reals)
            loss = divergence + PENALTY * tf.reduce_mean(of_reals**2 + of_fakes**2)
        weights = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return float(divergence)

    def new_samples(self):
        """128 images, most of them from the buffer and further on, and in front of it afterwards."""
        import tensorflow as tf

        num_fresh = np.random.binomial(BATCH, FRESH)
        fresh = tf.random.uniform((num_fresh, 32, 32, 1)) * 2 - 1
        old = tf.concat(random.choices(self.buffer, k=BATCH - num_fresh), axis=0)
        samples = self.walked(tf.concat([fresh, old], axis=0))
        self.buffer = (tf.split(samples, BATCH, axis=0) + self.buffer)[:SIZE]
        return samples

    def walked(self, images):
        """Where 60 steps up the slope of the score lead."""
        import tensorflow as tf

        for _ in range(STEPS):
            images = tf.clip_by_value(images + tf.random.normal(images.shape, stddev=NOISE), -1.0, 1.0)
            with tf.GradientTape() as tape:
                tape.watch(images)
                scores = self.network(images)
            slopes = tf.clip_by_value(tape.gradient(scores, images), -CLIP, CLIP)
            images = tf.clip_by_value(images + STEP_SIZE * slopes, -1.0, 1.0)
        return images


def steps():
    """{name: a function that takes one training step}, both warmed up."""
    import keras
    import tensorflow as tf

    from gdl_keras import data
    from gdl_keras.models import EBM, build_energy_network

    keras.utils.set_random_seed(1)
    train = data.load("fashion_mini", "train", image_size=32, batch_size=BATCH)
    images = next(iter(train.batches()))
    network = build_energy_network((32, 32, 1))
    # Ours takes images in [0, 1], and its first layer brings them to [-1, 1], where the notebook's images are.
    theirs = keras.Model(network.layers[1].output, network.output)
    book = BookStep(theirs, keras.optimizers.Adam(1e-4))

    model = EBM(build_energy_network((32, 32, 1)), STEPS, STEP_SIZE, NOISE, CLIP, SIZE, FRESH, PENALTY, NOISE, seed=1)
    model.compile(keras.optimizers.Adam(1e-4))
    train_function = tf.function(model.train_step)
    both = {"the book's": lambda: book(2 * images - 1), "ours": lambda: float(train_function(images)["loss"])}
    for step in both.values():
        step()
    return both


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3, help="turns of each, one after the other (default 3)")
    parser.add_argument("--steps", type=int, default=2, help="training steps in a turn (default 2)")
    options = parser.parse_args()

    both = steps()
    times = {name: [] for name in both}
    for _ in range(options.turns):
        for name, step in both.items():
            began = time.perf_counter(), time.process_time()
            for _ in range(options.steps):
                step()
            spent = time.perf_counter() - began[0], time.process_time() - began[1]
            times[name].append(np.array(spent) / options.steps)
    for name, turns in times.items():
        seconds, processor = np.median(turns, axis=0)
        print(f"{name:10} {seconds:.2f} s a step, {1 / seconds:.2f} steps a second; {processor:.2f} s of the processor")
    ratios = np.array(times["the book's"]) / np.array(times["ours"])
    low, middle, high = (ratios[:, 0].min(), np.median(ratios[:, 0]), ratios[:, 0].max())
    print(f"ours takes {middle:.1f} times as many steps a second ({low:.1f} to {high:.1f} in {options.turns} turns)")


if __name__ == "__main__":
    main()
