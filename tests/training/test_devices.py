"""Several devices: N of them take the step that one would, on one machine and on several, as programs of a chapter."""

import csv
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import gdl_keras
from gdl_keras.backend import full_float32
from gdl_keras.errors import InputError
from gdl_keras.training import command_line, config, devices
from tests.harness import long, weights

PROGRAM = str(Path(__file__).parent / "one_autoencoder.py")
EPOCHS = ["--epochs", "2"]
# The program on a machine whose two GPUs are two halves of the processor.
ON_TWO_HALVES = """
import runpy
import sys
import time
from gdl_keras.training import devices

def two_halves(wanted, batch_size):
    devices.start_tensorflow(prepare=split)
    import tensorflow as tf
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    devices.share_among(strategy, batch_size)
    return strategy

def split(tf):
    processor = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)

devices.use_devices = two_halves
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def start(command, **environment):
    """A program as a process of its own."""
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
    )


def finished(*processes):
    """What each process printed; fails with it where one did not end well."""
    try:
        printed = [process.communicate(timeout=600)[0] for process in processes]
    finally:
        for process in processes:  # one machine waits for the other without end
            process.kill()
    for process, text in zip(processes, printed):
        assert process.returncode == 0, text
    return printed


def in_this_process(command):
    """A program here, as a process of its own would run it, but for the seconds in which TensorFlow starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", command)
        patch.setattr(sys, "excepthook", sys.excepthook)
        runpy.run_path(command[0], run_name="__main__")


def run(folder, *flags):
    return [PROGRAM, "--out", str(folder), *flags]


def history(folder):
    with open(folder / "history.csv", newline="") as file:
        return [
            {name: float(value) for name, value in line.items() if "seconds" not in name}
            for line in csv.DictReader(file)
        ]


def assert_equal_runs(one, other, numbers=weights):
    for first, second in zip(history(one), history(other), strict=True):
        assert first == pytest.approx(second, rel=1e-5)
    models = [gdl_keras.load(folder) for folder in (one, other)]
    for first, second in zip(*(numbers(model) for model in models), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)


@pytest.fixture(scope="module")
def on_one_device(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    in_this_process(run(folder))
    return folder


def test_two_devices_equal_one(on_one_device, tmp_path):
    (printed,) = finished(start(["-c", ON_TWO_HALVES, *run(tmp_path / "two")]))
    assert "Training on 2 devices, 12 images each" in printed
    assert_equal_runs(on_one_device, tmp_path / "two")


def test_parts_of_a_batch_equal_the_batch(on_one_device, tmp_path):
    in_this_process(run(tmp_path / "parts", "--accumulate", "2"))
    # The running mean of the latent points, which no optimizer moves, follows the parts.
    assert_equal_runs(on_one_device, tmp_path / "parts", numbers=lambda model: model.trainable_weights)


def test_parts_on_two_devices_are_refused(two_replicas, monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "use_devices", lambda wanted, batch_size: two_replicas)
    with pytest.raises(InputError, match="--accumulate goes with one device: choose one by --devices 0"):
        in_this_process(run(tmp_path / "two", "--accumulate", "2"))
    assert not any(tmp_path.iterdir())


@pytest.mark.full
def test_two_machines_equal_one_and_the_first_one_writes(on_one_device, tmp_path):
    folder = tmp_path / "shared"
    first, second = on_two_machines(run(folder))
    for printed in (first, second):
        assert "Training on 2 devices, 12 images each" in printed
    assert f"Everything goes to {folder}" in first and f"The trained model: {folder}" in first
    # What it writes itself is gone by now.
    assert "The first machine writes the run" in second
    assert "Everything goes to" not in second and "The trained model" not in second
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]
    assert_equal_runs(on_one_device, folder)


@pytest.mark.full
def test_two_machines_that_were_stopped_go_on(on_one_device, tmp_path):
    folder = tmp_path / "shared"
    on_two_machines(run(folder, "--epochs", "1"))
    for printed in on_two_machines([PROGRAM, "--resume", str(folder), *EPOCHS]):
        assert f"Going on after epoch 1 in {folder}" in printed
    assert_equal_runs(on_one_device, folder)


def test_a_machine_that_waits_for_another_says_so_and_hears_ctrl_c(tmp_path):
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    alone = start(run(tmp_path / "run"), TF_CONFIG=machine(workers, 0))
    try:
        assert any("Waiting for 1 other machine(s) of TF_CONFIG" in line for line in alone.stdout)
        time.sleep(3)  # until it waits
        alone.send_signal(signal.SIGINT)
        assert alone.wait(timeout=20) == -signal.SIGINT
    finally:
        alone.kill()


def test_accumulation_over_several_machines_is_refused_before_they_meet(tmp_path):
    config = machine([f"127.0.0.1:{port}" for port in free_ports(2)], 0)
    refused = start(run(tmp_path / "run", "--accumulate", "2"), TF_CONFIG=config)
    printed, _ = refused.communicate(timeout=60)
    assert refused.returncode == 2
    assert printed.endswith("Error: --accumulate goes with one device: leave it away, or unset TF_CONFIG.\n")


def test_a_wrong_device_is_all_that_is_spoken_of(tmp_path):
    """TensorFlow has looked for GPUs by then, and what it says of them does not matter here."""
    refused = start(run(tmp_path / "run", "--devices", "gpu:0"))
    printed, _ = refused.communicate(timeout=60)
    assert refused.returncode == 2
    *preset, error = printed.splitlines()
    assert error.startswith("Error: --devices is 'all', 'cpu', or numbers of GPUs such as 0,1, not 'gpu:0'")
    assert len(preset) <= 1


def on_two_machines(command):
    """What each of the two prints that train together, on a disk that they share."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return finished(*[start(command, TF_CONFIG=machine(workers, index)) for index in range(2)])


def machine(workers, index):
    """The `TF_CONFIG` of one of them."""
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.mark.parametrize("wanted", ["0", "0,1", "gpu", "-1", ""])
def test_devices_that_are_not_there_are_refused(wanted):
    with pytest.raises(InputError, match=r"'all', 'cpu', or numbers of GPUs such as 0,1.*there is no GPU"):
        devices.use_devices(wanted)


@pytest.mark.parametrize("wanted", ["all", "cpu"])
def test_one_device_needs_no_strategy(wanted):
    assert devices.use_devices(wanted, batch_size=7) is None


@pytest.fixture
def made_up_tensorflow(monkeypatch):
    """made_up_tensorflow(4): from now on, a machine with four GPUs; returns what `use_devices` does to it."""

    def make(number_of_gpus):
        done = SimpleNamespace(visible=[], strategy=None, computes=False)

        def set_visible_devices(gpus, kind):
            assert kind == "GPU" and not done.computes
            done.visible = gpus

        def list_logical_devices():
            done.computes = True

        def strategy(kind):
            def make_one():
                assert not done.computes
                return SimpleNamespace(kind=kind, num_replicas_in_sync=len(done.visible))

            return make_one

        config = SimpleNamespace(
            list_physical_devices=lambda kind: [f"{kind} {number}" for number in range(number_of_gpus)],
            get_visible_devices=lambda kind: done.visible,
            set_visible_devices=set_visible_devices,
            list_logical_devices=list_logical_devices,
        )
        distribute = SimpleNamespace(
            MirroredStrategy=strategy("one machine"),
            MultiWorkerMirroredStrategy=strategy("several machines"),
            experimental_set_strategy=lambda strategy: setattr(done, "strategy", strategy),
        )
        monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(config=config, distribute=distribute))
        return done

    return make


@pytest.mark.parametrize(
    ("wanted", "numbers"), [("all", [0, 1, 2, 3]), ("1,3", [1, 3]), ("3, 0", [3, 0]), ("2", [2]), ("cpu", [])]
)
def test_the_gpus_that_are_asked_for_train_together(wanted, numbers, made_up_tensorflow):
    done = made_up_tensorflow(4)
    strategy = devices.use_devices(wanted, batch_size=24)
    assert done.visible == [f"GPU {number}" for number in numbers] and done.computes
    # Models are built under it.
    assert strategy is done.strategy
    assert (strategy is not None) == (len(numbers) > 1)
    if strategy:
        assert (strategy.kind, strategy.num_replicas_in_sync) == ("one machine", len(numbers))


def test_the_gpus_of_several_machines_train_together(made_up_tensorflow, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", machine(["a:1", "b:2"], 0))
    made_up_tensorflow(1)
    assert devices.use_devices("all", batch_size=7).kind == "several machines"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("4", "not '4': there is GPUs 0 to 3"),
        ("0,²", "not '²'"),
        ("0,0", "--devices 0,0 names a GPU twice"),
        ("1,2,01", "names a GPU twice"),
    ],
)
def test_wrong_numbers_are_refused(wanted, words, made_up_tensorflow):
    made_up_tensorflow(4)
    with pytest.raises(InputError, match=words):
        devices.use_devices(wanted)


@pytest.mark.parametrize("chosen", [None, long("false")])
def test_a_program_of_ones_own_takes_gpu_memory_as_it_needs_it(chosen, monkeypatch):
    """The imports of the README's program: TensorFlow asks the environment when it makes its devices, after them."""
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)
    program = """
import os
import signal
from keras.optimizers import Adam
from gdl_keras.models import VAE
import tensorflow as tf
# Refused once there are devices.
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [])
print("growth:", os.environ["TF_FORCE_GPU_ALLOW_GROWTH"])
"""
    (printed,) = finished(start(["-c", program], **({"TF_FORCE_GPU_ALLOW_GROWTH": chosen} if chosen else {})))
    assert f"growth: {chosen or 'true'}" in printed


def test_a_batch_that_cannot_be_shared_is_refused(two_replicas):
    with pytest.raises(InputError, match=r"25 cannot be shared equally by 2 devices: choose 24 or 26 or --devices 0\."):
        devices.share_among(two_replicas, 25)
    with pytest.raises(InputError, match=r"1 cannot be shared equally by 2 devices: choose 2 or --devices 0\."):
        devices.share_among(two_replicas, 1)


def test_the_usual_batch_on_eight_gpus_is_told_of_five(made_up_tensorflow):
    made_up_tensorflow(8)
    with pytest.raises(InputError, match=r"100 .* by 8 devices: choose 96 or 104 or --devices 0,1,2,3,4\."):
        devices.use_devices("all", batch_size=100)
    made_up_tensorflow(8)
    assert devices.use_devices("0,1,2,3,4", batch_size=100).num_replicas_in_sync == 5


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1", "b:2"]}}',
        '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
        '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"index": 0}}',
        # Number 0 twice; and, of each, one that would take itself for a single machine.
        '{"cluster": {"chief": ["a:1"], "worker": ["b:2", "c:3"]}, "task": {"type": "chief", "index": 0}}',
        '{"cluster": {"chief": ["a:1"], "worker": ["b:2", "c:3"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
        '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "evaluator", "index": 0}}',
        '{"cluster": {"worker": ["a:1", "b:2"], "ps": ["c:3"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_a_wrong_list_of_machines_is_refused_with_an_example(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=r"TF_CONFIG cannot be used .* such as"):
        devices.number_of_workers()
    with pytest.raises(InputError, match="TF_CONFIG cannot be used"):
        devices.is_chief()


def test_the_first_machine_is_the_chief(monkeypatch):
    assert devices.number_of_workers() == 1 and devices.is_chief()
    for index, chief in ((0, True), (1, False)):
        monkeypatch.setenv("TF_CONFIG", machine(["a:1", "b:2"], index))
        assert devices.number_of_workers() == 2 and devices.is_chief() is chief


@pytest.mark.parametrize(
    ("on_gpu", "flags", "expected"),
    [
        (False, [], {"determinism"}),
        (True, [], set()),
        (True, ["--deterministic"], {"determinism"}),
        (True, ["--full-float32"], {"full float32"}),
    ],
    ids=str,
)
def test_what_a_gpu_may_round_and_reorder(on_gpu, flags, expected, monkeypatch):
    import tensorflow as tf

    done = set()
    experimental = tf.config.experimental
    monkeypatch.setattr(experimental, "enable_op_determinism", lambda: done.add("determinism"))
    monkeypatch.setattr(experimental, "enable_tensor_float_32_execution", lambda on: on or done.add("full float32"))
    monkeypatch.setattr(devices, "use_devices", lambda *_: None)
    monkeypatch.setattr(devices, "on_gpu", lambda: on_gpu)
    devices.prepare(command_line.parse(config.ImageConfig, {}, "chapter", flags))
    assert done == expected


def test_float32_is_full_where_something_is_measured():
    import tensorflow as tf

    enabled = tf.config.experimental.tensor_float_32_execution_enabled
    tf.config.experimental.enable_tensor_float_32_execution(True)
    try:
        with full_float32():
            assert not enabled()
        assert enabled()

        @full_float32()
        def measured():
            raise ValueError(enabled())

        with pytest.raises(ValueError, match="False"):
            measured()
        assert enabled()
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(False)
