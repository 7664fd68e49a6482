"""Where the peak goes: the speed of single convolutions of a network, forward and in both gradients.

    python benchmarks/convolutions.py              the DCGAN's, batches of 128
    python benchmarks/convolutions.py --batch 64

Printed are GFLOP/s, and the share of the speed of a product of 4096x4096 float32 matrices.  A step cannot be quicker
than its convolutions are; what is in between is activations, normalisation, dropout, optimizers.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

# (height and width of the larger image, its channels, channels of the smaller image): 4x4 kernels with stride 2.
LAYERS = ((64, 1, 64), (32, 64, 128), (16, 128, 256), (8, 256, 512))
ROUNDS = 10


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128, help="images (default: 128)")
    options = parser.parse_args()
    matrix = tf.random.normal((4096, 4096))
    peak = 2 * 4096**3 / seconds(lambda: tf.matmul(matrix, matrix))
    print(f"product of matrices: {peak / 1e9:.0f} GFLOP/s\n")
    print(f"{'convolution':24} {'dtype':10} {'forward':>14} {'of kernel':>14} {'of input':>14}")
    for dtype in (tf.float32, tf.bfloat16):
        for size, few, many in LAYERS:
            operations = 2 * options.batch * (size // 2) ** 2 * 16 * few * many
            speeds = [operations / taken for taken in convolution(options.batch, size, few, many, dtype)]
            cells = "".join(f"{speed / 1e9:8.0f} {speed / peak:5.0%}" for speed in speeds)
            print(f"{size:3}x{size:<3} {few:4} -> {many:<8} {dtype.name:10} {cells}", flush=True)


def convolution(batch, size, few, many, dtype):
    """Seconds of (the convolution, the gradient of its kernel, the gradient of its input)."""
    shapes = ((batch, size, size, few), (4, 4, few, many), (batch, size // 2, size // 2, many))
    images, kernel, upstream = (tf.cast(tf.random.normal(shape), dtype) for shape in shapes)
    options = {"strides": [1, 2, 2, 1], "padding": "SAME"}
    raw = tf.raw_ops
    return (
        seconds(lambda: raw.Conv2D(input=images, filter=kernel, **options)),
        seconds(
            lambda: raw.Conv2DBackpropFilter(input=images, filter_sizes=kernel.shape, out_backprop=upstream, **options)
        ),
        seconds(
            lambda: raw.Conv2DBackpropInput(input_sizes=images.shape, filter=kernel, out_backprop=upstream, **options)
        ),
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
