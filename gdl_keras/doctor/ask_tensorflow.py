"""What TensorFlow itself sees, as JSON on the last line: a program that `tensorflow_probe` runs in its own process.

It imports nothing of this project, and takes no GPU memory unless told to `compute`.
"""

import json
import sys


def main(compute):
    """Prints what TensorFlow sees, as JSON."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    seen = {
        "version": tf.__version__,
        "has_cuda": tf.test.is_built_with_cuda(),
        "gpus": [detail.get("device_name", "GPU") for detail in details],
    }
    print(json.dumps(seen), flush=True)  # said before computing, which may end this process
    if compute and gpus:
        print(json.dumps({**seen, "compute_error": _compute_error(gpus)}))


def _compute_error(gpus):
    """Why a convolution, which needs cuDNN, does not work on the first GPU; or None."""
    import tensorflow as tf

    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    try:
        with tf.device("GPU:0"):
            tf.nn.conv2d(tf.ones((1, 8, 8, 3)), tf.ones((3, 3, 3, 4)), 1, "SAME").numpy()
    except Exception as error:  # whatever it is, it is the finding
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


if __name__ == "__main__":
    main("compute" in sys.argv[1:])
