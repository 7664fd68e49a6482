"""Data larger than what may be in memory: it streams from the store."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from gdl_keras import data

# CelebA's training images as the book's faces are prepared: 2.5 GB.
SHAPE = (202_599, 64, 64, 3)
TRAIN = """
import threading
from gdl_keras import data
from gdl_keras.models import Classifier, build_mlp, wgan_gp

def anonymous_memory():
    status = dict(line.split(":") for line in open("/proc/self/status"))
    return int(status["RssAnon"].split()[0]) * 1024

def watch():
    while not is_done.wait(0.05):
        seen.append(anonymous_memory())

is_done, seen = threading.Event(), []
watcher = threading.Thread(target=watch)
watcher.start()
images = data.load("emoji", "train", batch_size=64)
assert images.num_images == 202_599
# Next to no network: what counts here is how the images come to it.
model = Classifier(build_mlp(images.image_shape, 10, units=(4,)))
model.compile()
model.fit(images, epochs=1, verbose=0)
print("images learnt from:", int(model.optimizer.iterations) * 64)
print("most memory:", max(seen))
# The book's networks, from the same images: a few steps hold as much as many.
model = wgan_gp.WGANGP(wgan_gp.build_generator(images.image_shape), wgan_gp.build_critic(images.image_shape))
model.compile("adam", "adam")
model.fit(images, epochs=1, steps_per_epoch=4, verbose=0)
is_done.set()
watcher.join()
print("most memory, WGAN-GP:", max(seen))
"""


@pytest.mark.full
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads Linux's account of a process' memory")
def test_images_of_celebas_number_train_in_little_memory(tmp_path, monkeypatch):
    """One pass over all of them in half of what they would fill, and the book's WGAN-GP at batch 64 in under 3 GB.

    What the process holds of mapped files does not count: it is there to be taken.
    """
    monkeypatch.setenv("GDL_DATA_DIR", str(tmp_path))
    store = tmp_path / "prepared" / data.load("emoji", "train").identity
    blow_up(store)
    training = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True, timeout=600, check=False)
    assert training.returncode == 0, training.stderr
    print(training.stdout)  # pytest -rP shows it
    learnt, most, with_networks = (int(line.split(":")[1]) for line in training.stdout.splitlines()[-3:])
    assert learnt > SHAPE[0] - 64
    assert most < np.prod(SHAPE) / 2
    assert with_networks < 3e9


def blow_up(store):
    """Makes the store say that it has SHAPE images, all black: a file with a hole that takes no room on the disk."""
    meta = json.loads((store / "meta.json").read_text())
    (store / "meta.json").write_text(json.dumps({**meta, "shape": list(SHAPE)}))
    np.save(store / "labels.npy", np.zeros(SHAPE[0], "int64"))
    with open(store / "images.npy", "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": SHAPE}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + int(np.prod(SHAPE)))
