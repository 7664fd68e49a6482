"""Several devices: N of them take the step that one would, on one machine and on several, through `gdl run`."""

import csv
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

import gdl_keras
from gdl_keras.errors import InputError
from gdl_keras.training import devices
from tests.harness import weights

# A model without batch statistics and without noise: what N devices learn is exactly what one would.
CHAPTER = "03_vae/01_autoencoder"
FLAGS = ["--preset", "smoke", "--dataset", "fashion_mini", "--epochs", "2", "--steps-per-epoch", "5"]
FLAGS += ["--batch-size", "24", "--seed", "3"]
# `gdl run` on a machine whose two GPUs are two halves of the processor.
ON_TWO_HALVES = """
import sys
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
from gdl_keras.cli import main
sys.exit(main(sys.argv[1:]))
"""


def start(command, **environment):
    """`gdl run` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
    )


def finished(*processes):
    """What each process printed; fails with it where one did not end well."""
    printed = [process.communicate(timeout=300)[0] for process in processes]
    for process, text in zip(processes, printed):
        assert process.returncode == 0, text
    return printed


def run(folder, *flags):
    return ["-m", "gdl_keras", "run", CHAPTER, *FLAGS, "--out", str(folder), *flags]


def history(folder):
    with open(folder / "history.csv", newline="") as file:
        return [
            {name: float(value) for name, value in line.items() if name != "seconds"} for line in csv.DictReader(file)
        ]


def assert_equal_runs(one, other):
    for first, second in zip(history(one), history(other), strict=True):
        assert first == pytest.approx(second, rel=1e-5)
    models = [gdl_keras.load(folder) for folder in (one, other)]
    for first, second in zip(*(weights(model) for model in models), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)


@pytest.fixture(scope="module")
def on_one_device(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    finished(start(run(folder)))
    return folder


def test_two_devices_equal_one(on_one_device, tmp_path):
    command = run(tmp_path / "two")
    (printed,) = finished(start(["-c", ON_TWO_HALVES, *command[2:]]))
    assert "Training on 2 devices, 12 images each" in printed
    assert_equal_runs(on_one_device, tmp_path / "two")


def test_two_machines_equal_one_and_the_first_one_writes(on_one_device, tmp_path):
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        # A shared disk: both are given the same folder, and go on in it afterwards.
        processes.append(start(run(tmp_path / "shared"), TF_CONFIG=json.dumps(config)))
    for printed in finished(*processes):
        assert "Training on 2 devices, 12 images each" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]
    assert_equal_runs(on_one_device, tmp_path / "shared")


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


def test_a_batch_that_cannot_be_shared_is_refused(two_replicas):
    with pytest.raises(InputError, match="25 cannot be shared equally by 2 devices: choose 24 or 26"):
        devices.share_among(two_replicas, 25)
    with pytest.raises(InputError, match="1 cannot be shared equally by 2 devices: choose 2 or 2"):
        devices.share_among(two_replicas, 1)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"cluster": {"worker": ["a:1", "b:2"]}}',
        '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
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
        config = {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        assert devices.number_of_workers() == 2 and devices.is_chief() is chief
