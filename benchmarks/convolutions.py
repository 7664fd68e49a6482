"""Where the peak goes: the speed of single convolutions of a network, forward and in both gradients.

    python benchmarks/convolutions.py              the DCGAN's, and more of few channels, in batches of 128
    python benchmarks/convolutions.py --batch 64

Printed are GFLOP/s, and the share of the speed of a product of 4096x4096 float32 matrices: of TensorFlow's kernels, and
of the ways over blocks that `gdl_keras.layers.HalvingConv2D` takes where they are quicker.  A step cannot be quicker
than its convolutions are; what is in between is activations, normalisation, dropout, optimizers.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

from gdl_keras.layers import halving_convolution

# (height and width of the larger image, its channels, channels of the smaller image): 4x4 kernels with stride 2.
LAYERS = ((64, 1, 64), (64, 3, 64), (64, 8, 64), (64, 16, 64), (32, 64, 128), (16, 128, 256), (8, 256, 512))
ROUNDS = 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128, help="images (default: 128)")
    options = parser.parse_args()
    matrix = tf.random.normal((4096, 4096))
    peak = 2 * 4096**3 / seconds(lambda: tf.matmul(matrix, matrix))
    half = tf.cast(matrix, tf.bfloat16)
    low = 2 * 4096**3 / seconds(lambda: tf.matmul(half, half))
    print(f"product of matrices: {peak / 1e9:.0f} GFLOP/s, in bfloat16 {low / 1e9:.0f} ({low / peak:.0%})\n")
    columns = ("forward", "of kernel", "over blocks", "of images", "over blocks")
    print(f"{'convolution':24} {'dtype':10}" + "".join(f"{column:>15}" for column in columns))
    for dtype in (tf.float32, tf.bfloat16):
        for size, few, many in LAYERS:
            operations = 2 * options.batch * (size // 2) ** 2 * 16 * few * many
            speeds = [operations / taken for taken in convolution(options.batch, size, few, many, dtype)]
            cells = "".join(f"{speed / 1e9:9.0f} {speed / peak:5.0%}" for speed in speeds)
            print(f"{size:3}x{size:<3} {few:4} -> {many:<8} {dtype.name:10} {cells}", flush=True)


def convolution(batch, size, few, many, dtype):
    """Seconds of (the convolution, the gradient of its kernel both ways, the gradient of its images both ways)."""
    shapes = ((batch, size, size, few), (4, 4, few, many), (batch, size // 2, size // 2, many))
    images, kernel, upstream = (tf.cast(tf.random.normal(shape), dtype) for shape in shapes)
    ways = halving_convolution
    return (
        seconds(lambda: tf.nn.conv2d(images, kernel, 2, "SAME")),
        seconds(lambda: ways._kernel_by_library(images, upstream)),
        seconds(lambda: ways._kernel_by_blocks(images, upstream)),
        seconds(lambda: ways._images_by_library(kernel, upstream)),
        seconds(lambda: ways._images_by_blocks(kernel, upstream)),
    )


def seconds(compute):
    """Median time of a function, compiled; the first calls are not counted."""
    compiled = tf.function(compute)
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        compiled()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[2:])


if __name__ == "__main__":
    main()
