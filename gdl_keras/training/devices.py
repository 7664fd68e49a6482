"""Which devices a run trains on: the processor, one GPU, all of them, or several machines.

With more than one device, each has a copy of the model and its part of every batch, and the gradients are averaged
before any copy moves (`tf.distribute`), so that N devices take the step that one would.
"""

import json
import os
import signal

from gdl_keras.backend import on_gpu, start_tensorflow
from gdl_keras.errors import InputError


def prepare(settings):
    """Makes TensorFlow ready for a run: its devices, seeds, and the precision of what is built from now on.

    Args:
        settings: a `Config`.

    Raises:
        InputError: as `use_devices`, or gradients are to be accumulated on more than one device.
    """
    if settings.accumulate > 1 and number_of_workers() > 1:
        raise InputError("--accumulate goes with one device: leave it away, or unset TF_CONFIG.")
    strategy = use_devices(settings.devices, settings.batch_size)
    if strategy is not None:
        if settings.accumulate > 1:
            raise InputError("--accumulate goes with one device: choose one by --devices 0, or leave it away.")
        replicas = strategy.num_replicas_in_sync
        share = settings.batch_size // replicas
        print(f"Training on {replicas} devices, {share} {settings.examples} each", flush=True)
    import keras
    import tensorflow as tf

    # Its advice on retracing concerns training loops, not a chapter that looks at many models in turn.
    tf.get_logger().setLevel("ERROR")
    keras.utils.set_random_seed(settings.seed)
    if settings.deterministic or not on_gpu():
        # Parallel kernels whose sums come in no fixed order would make two equal runs differ.
        tf.config.experimental.enable_op_determinism()
    if settings.full_float32:
        tf.config.experimental.enable_tensor_float_32_execution(False)
    keras.config.set_dtype_policy(settings.precision)
    if settings.preset == "book" and not tf.config.list_physical_devices("GPU"):
        print("No GPU was found: most chapters' book preset takes hours or days on a processor.", flush=True)


def use_devices(wanted="all", batch_size=None):
    """Makes everything that is built from now on train on the devices asked for.

    Several machines take part where `TF_CONFIG` says so; on each, the same command is started.

    Args:
        wanted: "all" GPUs, of which a machine without any has its processor; "cpu"; or GPUs by number: "0,2".
        batch_size: int, images in one step, which the devices share.

    Returns:
        the `tf.distribute.Strategy`, or None where there is one device.

    Raises:
        InputError: there is no such device, TensorFlow already uses another, or a device would get no image.
    """
    strategy = None

    def prepare(tf):
        nonlocal strategy
        _make_visible(tf, wanted)
        # Machines must find each other before TensorFlow makes its devices.
        if number_of_workers() > 1:
            strategy = _with_other_machines(tf)
        elif len(tf.config.get_visible_devices("GPU")) > 1:
            strategy = tf.distribute.MirroredStrategy()

    start_tensorflow(prepare)
    if strategy is not None:
        share_among(strategy, batch_size)
    return strategy


def _with_other_machines(tf):
    """The strategy for several machines, once all of them are there."""
    print(f"Waiting for {number_of_workers() - 1} other machine(s) of TF_CONFIG; Ctrl-C ends it", flush=True)
    # TensorFlow waits out of Python's sight, where only the system's own way of ending a program is heard.
    in_python = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    finally:
        signal.signal(signal.SIGINT, in_python)


def share_among(strategy, batch_size=None):
    """Makes `strategy` the one under which models are built; its replicas share each batch equally.

    Raises:
        InputError: the batch cannot be dealt out in equal parts.
    """
    import tensorflow as tf

    replicas = strategy.num_replicas_in_sync
    if batch_size and batch_size % replicas:
        # Unequal parts would weigh equally in the average.
        lower = batch_size // replicas * replicas
        ways_out = [str(size) for size in (lower, lower + replicas) if size]
        if number_of_workers() == 1:
            fewer = max(count for count in range(1, replicas) if batch_size % count == 0)
            ways_out.append("--devices " + ",".join(map(str, range(fewer))))
        raise InputError(
            f"--batch-size {batch_size} cannot be shared equally by {replicas} devices: choose {' or '.join(ways_out)}."
        )
    tf.distribute.experimental_set_strategy(strategy)


def number_of_workers():
    """How many machines `TF_CONFIG` names; 1 where it names none.  Raises InputError where it cannot be used."""
    return _worker()[1]


def is_chief():
    """Whether this machine is the one that writes the run's folder: the first, or the only one."""
    return _worker()[0] == 0


def _worker():
    """(this machine's number, how many there are)."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        cluster = config.get("cluster", {})
        if not cluster:
            return 0, 1
        # A chief, evaluator or parameter server beside them would have a number 0 of its own.
        if others := {*cluster, config["task"]["type"]} - {"worker"}:
            raise ValueError(f"{' and '.join(sorted(others))}: each machine is a worker")
        workers, index = cluster["worker"], config["task"]["index"]
        if not isinstance(workers, list):
            raise ValueError(f"{workers!r} is not a list")
        if not 0 <= index < len(workers):
            raise ValueError(f"there is no worker {index}")
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else error
        raise InputError(
            f"TF_CONFIG cannot be used ({reason}): unset it to train on this machine alone, or name them all, such as "
            '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}.'
        ) from error
    return index, len(workers)


def _make_visible(tf, wanted):
    gpus = tf.config.list_physical_devices("GPU")
    if wanted == "all":
        chosen = gpus
    else:
        numbers = [] if wanted == "cpu" else wanted.split(",")
        chosen = [_gpu(number, gpus) for number in numbers]
        if len({int(number) for number in numbers}) < len(numbers):
            raise InputError(f"--devices {wanted} names a GPU twice: name each once.")
    try:
        tf.config.set_visible_devices(chosen, "GPU")
    except RuntimeError as error:
        raise InputError("TensorFlow already uses other devices in this process: restart it.") from error


def _gpu(number, gpus):
    if not (number.strip().isdecimal() and int(number) < len(gpus)):
        here = f"GPUs 0 to {len(gpus) - 1}" if gpus else "no GPU"
        raise InputError(f"--devices is 'all', 'cpu', or numbers of GPUs such as 0,1, not {number!r}: there is {here}.")
    return gpus[int(number)]
