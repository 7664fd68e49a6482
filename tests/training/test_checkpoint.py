"""Checkpoints: what is kept, and what happens to damaged ones."""

import json
import os

import numpy as np
import pytest

import gdl_keras
from gdl_keras.errors import InputError
from gdl_keras.training import checkpoint
from tests.cases import autoencoder, vae

pytestmark = pytest.mark.eager


@pytest.fixture
def run(tmp_path):
    """A folder with checkpoints after epochs 1, 2 and 3."""
    for epoch in (1, 2, 3):
        checkpoint.save_checkpoint(tmp_path, autoencoder(), epoch, [{"epoch": e} for e in range(1, epoch + 1)])
    return tmp_path


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def test_the_newest_two_are_kept(run):
    assert sorted(os.listdir(run / "checkpoint")) == ["epoch_0002", "epoch_0003"]
    path, state = checkpoint.newest_checkpoint(run)
    assert path == run / "checkpoint" / "epoch_0003" / "model.keras"
    assert (state["epochs_done"], len(state["history"])) == (3, 3)


def test_no_checkpoint_yet_means_from_the_start(tmp_path):
    assert checkpoint.newest_checkpoint(tmp_path) == (None, {"epochs_done": 0, "history": []})


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: damage(folder / "model.keras"),
        lambda folder: os.truncate(folder / "model.keras", 100),
        lambda folder: (folder / "state.json").write_text('{"epochs_done": 3, '),
        lambda folder: (folder / "state.json").unlink(),
        lambda folder: (folder / "model.keras").unlink(),
    ],
    ids=["flipped bits", "truncated model", "truncated state", "no state", "no model"],
)
def test_a_damaged_checkpoint_is_left_aside_for_the_one_before(run, harm):
    harm(run / "checkpoint" / "epoch_0003")
    said = []
    path, state = checkpoint.newest_checkpoint(run, say=said.append)
    assert state["epochs_done"] == 2
    assert "epoch_0003 is damaged" in said[0]
    assert path.parent.name == "epoch_0002"
    checkpoint.save_checkpoint(run, autoencoder(), 3, [])
    assert checkpoint.newest_checkpoint(run, say=said.append)[1]["epochs_done"] == 3
    for name in ("epoch_0002", "epoch_0003"):
        harm(run / "checkpoint" / name)
    with pytest.raises(InputError, match=r"No checkpoint .* is whole"):
        checkpoint.newest_checkpoint(run, say=said.append)


def test_a_half_written_checkpoint_does_not_count(run):
    (run / "checkpoint" / ".epoch_0004.here-1.partial").mkdir()
    assert checkpoint.newest_checkpoint(run)[1]["epochs_done"] == 3


def test_restoring_into_another_model_is_refused(run):
    path, _ = checkpoint.newest_checkpoint(run)
    with pytest.raises(InputError, match="does not fit this model"):
        checkpoint.restore(vae(), path)


def test_load_finds_the_model_of_a_run_that_was_stopped_or_finished(run):
    stopped = gdl_keras.load(run)
    stopped.save(run / "model.keras")
    finished, by_file = gdl_keras.load(run), gdl_keras.load(run / "model.keras")
    for model in (finished, by_file):
        np.testing.assert_array_equal(model.generate(2, seed=1), stopped.generate(2, seed=1))


def test_load_explains_what_it_cannot_load(tmp_path):
    for path, words in [
        (tmp_path / "nothing", "There is no"),
        (tmp_path, "holds no model yet"),
        (tmp_path / "broken.keras", "cannot be loaded"),
    ]:
        if path.suffix:
            path.write_bytes(b"PK not a zip")
        with pytest.raises(InputError, match=words):
            gdl_keras.load(path)


def test_load_does_not_run_code_from_a_file(tmp_path):
    """A Lambda layer's code travels in the file; Keras runs it unless it is told to be safe."""
    import keras

    inputs = keras.Input((2,))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs)).save(tmp_path / "evil.keras")
    with pytest.raises(InputError, match="cannot be loaded"):
        gdl_keras.load(tmp_path / "evil.keras")


def test_state_is_readable_json(run):
    state = json.loads((run / "checkpoint" / "epoch_0003" / "state.json").read_text())
    assert set(state) == {"epochs_done", "history", "sha256"}
