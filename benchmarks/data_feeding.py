"""How fast images reach the device: each source's prepared store against decoding each epoch and arrays in memory.

    python benchmarks/data_feeding.py                                jpegs, fashion, emoji
    python benchmarks/data_feeding.py fashion ./photos --rounds 5

Counts images a second (shuffled over all images, float32 in [0, 1], same batch size): the median of several rounds of a
second, taken in turn.  "jpegs" is a folder made of the photographs that come with scikit-learn, which has to be
installed, of CelebA's size.  All are endless streams that are warm, and what they read ahead while others were measured
does not count:

    decoding        of jpegs alone: read, decode and resize each file in every pass, by a parallel tf.data pipeline
    store           gdl_keras.data, from its second pass on
    tf.data array   uint8 array in memory: from_tensor_slices, shuffle, batch, cast
    numpy array     uint8 array in memory, gathered by numpy along a permutation and cast: no pipeline at all
"""

import argparse
import json
import os
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import machine
import numpy as np

HEIGHT, WIDTH = 218, 178
READ_AHEAD = 32  # batches, more than tf.data was seen to keep ready
PAUSE = 1.0  # seconds, in which the stream before fills its buffers and falls silent


def make_folder(folder, count, generator):
    """Writes `count` JPEGs, crops of two photographs."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    for index in range(count):
        photograph = photographs[index % len(photographs)]
        top = generator.integers(photograph.shape[0] - HEIGHT + 1)
        left = generator.integers(photograph.shape[1] - WIDTH + 1)
        crop = Image.fromarray(photograph[top : top + HEIGHT, left : left + WIDTH])
        crop.save(folder / f"{index:06}.jpg", quality=90)


def decoding(files, size, batch_size):
    """The usual pipeline over files."""
    import tensorflow as tf

    def read(path):
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.image.resize(image, (size, size), antialias=True) / 255.0

    dataset = tf.data.Dataset.from_tensor_slices(files).shuffle(len(files)).repeat()
    dataset = dataset.map(read, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.batch(batch_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def tensor_slices(pixels, batch_size):
    """The usual pipeline over an array; the cast is done once a batch, which is its quicker place."""
    import tensorflow as tf

    dataset = (
        tf.data.Dataset.from_tensor_slices(pixels).shuffle(len(pixels)).repeat().batch(batch_size, drop_remainder=True)
    )
    dataset = dataset.map(lambda images: tf.cast(images, tf.float32) / 255.0, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE)


def numpy_gather(pixels, batch_size, generator):
    """Batches without any pipeline."""
    while True:
        order = generator.permutation(len(pixels))
        for start in range(0, len(pixels) - batch_size + 1, batch_size):
            yield pixels[order[start : start + batch_size]].astype(np.float32) / np.float32(255)


def images_a_second(batches, batch_size):
    """Speed of an iterator over at least a second."""
    time.sleep(PAUSE)
    for _ in range(READ_AHEAD):
        next(batches)
    count, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < 1:
        next(batches)
        count += batch_size
    return count / seconds


def measure(source, arguments, folder):
    """Median speeds of one source: {"images": n, "shape": [...], "images_per_second": {name: speed}}."""
    from gdl_keras import data

    generator = np.random.default_rng(0)
    files = None
    if source == "jpegs":
        source = folder / "jpegs"
        source.mkdir()
        make_folder(source, arguments.images, generator)
        files = sorted(map(str, source.iterdir()))
    train = data.load(source, "train", image_size=arguments.image_size, batch_size=arguments.batch_size)
    pixels = np.uint8(train.images(slice(None)) * 255 + 0.5)
    size, batch_size = train.image_shape[0], arguments.batch_size
    streams = {
        "store": iter(train.batches()),
        "tf.data array": iter(tensor_slices(pixels, batch_size)),
        "numpy array": numpy_gather(pixels, batch_size, generator),
    }
    if files:
        streams["decoding"] = iter(decoding(files[: train.num_images], size, batch_size))
    speeds = {name: [] for name in streams}
    # The first round warms everything up; then in turn, so that a busy moment of the machine hits all alike.
    for _ in range(arguments.rounds + 1):
        for name, batches in streams.items():
            speeds[name].append(images_a_second(batches, batch_size))
    medians = {name: float(np.median(values[1:])) for name, values in speeds.items()}
    return {"images": train.num_images, "shape": list(train.image_shape), "images_per_second": medians}


def table(source, result):
    """The speeds of one source as lines of text."""
    speeds = result["images_per_second"]
    yield f"{source}, {result['images']:,} images {'x'.join(map(str, result['shape']))}"
    yield f"  {'':15}{'images/s':>12}{'store is':>12}"
    for name, speed in speeds.items():
        yield f"  {name:15}{speed:12,.0f}{speeds['store'] / speed:11.2f}x"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", default=["jpegs", "fashion", "emoji"], help="data sets, folders, jpegs")
    parser.add_argument("--images", type=int, default=4000, help="how many JPEGs (default 4000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--output", type=Path, help="a JSON file for the results")
    arguments = parser.parse_args()
    if "jpegs" in arguments.sources and not find_spec("sklearn"):
        parser.error("the photographs of jpegs come with scikit-learn: pip install scikit-learn, or name other sources")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    description = machine.describe()
    print(machine.sentence(description), flush=True)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GDL_DATA_DIR"] = folder
        for source in arguments.sources:
            results[source] = measure(source, arguments, Path(folder))
            print("", *table(source, results[source]), sep="\n", flush=True)
            if arguments.output:
                content = {"machine": description, "rounds": arguments.rounds, "sources": results}
                arguments.output.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
