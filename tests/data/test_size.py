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
import gdl_keras
from gdl_keras import data
from gdl_keras.models import Autoencoder, build_decoder, build_encoder

images = data.load("emoji", "train", batch_size=64)
assert images.num_images == 202_599
model = Autoencoder(build_encoder(images.image_shape, 16), build_decoder(images.image_shape, 16))
model.compile()
model.fit(images, epochs=1, steps_per_epoch=100, verbose=0)
status = dict(line.split(":") for line in open("/proc/self/status"))
print("anonymous", int(status["RssAnon"].split()[0]) * 1024)
"""


@pytest.mark.full
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads Linux's account of a process' memory")
def test_images_of_celebas_number_train_in_less_than_3_gb(tmp_path, monkeypatch):
    monkeypatch.setenv("GDL_DATA_DIR", str(tmp_path))
    store = tmp_path / "prepared" / data.load("emoji", "train").identity
    blow_up(store)
    training = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True, timeout=600, check=False)
    assert training.returncode == 0, training.stderr
    assert int(training.stdout.split()[-1]) < 3e9


def blow_up(store):
    """Makes the store say that it has SHAPE images, all black: a file with a hole that takes no room on the disk."""
    meta = json.loads((store / "meta.json").read_text())
    (store / "meta.json").write_text(json.dumps({**meta, "shape": list(SHAPE)}))
    np.save(store / "labels.npy", np.zeros(SHAPE[0], "int64"))
    with open(store / "images.npy", "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": SHAPE}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + int(np.prod(SHAPE)))
