"""What a run writes while it trains, and how it stops when training goes wrong."""

import csv
import io
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.util import event_pb2

from gdl_keras import data
from gdl_keras.errors import RunError
from gdl_keras.training import checkpoint
from gdl_keras.training.callbacks import (
    EpochLength,
    LossScales,
    PagesForTensorBoard,
    Recorder,
    Samples,
    StopOnDivergence,
)
from tests.cases import cgan, gan, images, labelled_images, vae

pytestmark = pytest.mark.eager


def test_divergence_is_told_with_epoch_step_and_metric_and_keeps_the_checkpoint_before(tmp_path):
    class Blast(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if self.model.optimizer.iterations == 3:  # the second step of the second epoch
                kernel = self.model.decoder.trainable_weights[0]
                kernel.assign(np.full(kernel.shape, np.nan))

    model = vae()
    with pytest.raises(RunError, match="became nan in epoch 2, step 2"):
        callbacks = [Blast(), StopOnDivergence(), Recorder(tmp_path, [])]
        model.fit(images(), batch_size=8, epochs=5, verbose=0, callbacks=callbacks)
    path, state = checkpoint.newest_checkpoint(tmp_path)
    assert state["epochs_done"] == 1
    assert all(np.isfinite(weight).all() for weight in checkpoint.load_model(path).get_weights())


@pytest.mark.graph
@pytest.mark.parametrize(
    ("build", "names"), [(vae, ["loss_scale"]), (gan, ["discriminator_loss_scale", "generator_loss_scale"])]
)
def test_the_loss_scale_of_float16_is_in_the_history(build, names, tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    history, model = [], build()
    model.fit(images(), epochs=1, verbose=0, callbacks=[LossScales(), Recorder(tmp_path, history)])
    assert [name for name in history[0] if "loss_scale" in name] == names
    for name, optimizer in zip(names, model.optimizers.values(), strict=True):
        assert history[0][name] == float(optimizer.dynamic_scale) > 1


def test_without_float16_there_is_no_loss_scale(tmp_path):
    history = []
    vae().fit(images(), verbose=0, callbacks=[LossScales(), Recorder(tmp_path, history)])
    assert not any("loss_scale" in name for name in history[0])


def test_history_has_a_line_for_each_epoch(tmp_path):
    history = []
    logs = vae().fit(
        images(), epochs=3, validation_data=(images(),), verbose=0, callbacks=[Recorder(tmp_path, history)]
    )
    with open(tmp_path / "history.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["epoch"] for line in lines] == ["1", "2", "3"]
    for name, values in logs.history.items():
        np.testing.assert_allclose([float(line[name]) for line in lines], values, rtol=1e-6)


def test_waiting_takes_time_and_no_processor(tmp_path):
    wait = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs=None: time.sleep(1.0))
    history, model = [], vae()
    model.fit(images(), verbose=0)
    for callbacks in ([], [wait]):
        model.fit(images(), verbose=0, steps_per_epoch=1, callbacks=[*callbacks, Recorder(tmp_path, history)])
    quick, slow = history
    assert quick["cpu_seconds"] > 0 and slow["seconds"] >= 1.0
    # However slow the machine is, it is no quicker than its clock: what it waited for it did not compute.
    assert slow["cpu_seconds"] < slow["seconds"] - 0.5


@pytest.mark.parametrize(
    ("batches_per_step", "parts", "told"), [(1, 1, "1.1"), (3, 1, "3.3"), (1, 2, "1.1"), (3, 2, "3.3")]
)
def test_an_epoch_that_is_no_pass_is_told(batches_per_step, parts, told, capsys):
    """25 steps of 264 images, or of three times as many, out of 6,000; the data comes in the parts of a batch."""
    train = data.load("fashion_mini", "train", image_size=8, batch_size=264 // parts)
    counting = EpochLength(train, "images")
    counting.set_model(SimpleNamespace(batches_per_step=batches_per_step, accumulation_steps=parts))
    counting.set_params({"steps": 25 * parts})  # as `fit` counts them
    counting.on_train_begin()
    assert capsys.readouterr().out == f"An epoch here is 25 steps: {told} passes over the 6,000 images.\n"


def test_of_an_epoch_that_is_a_pass_nothing_is_said(capsys):
    counting = EpochLength(data.load("fashion_mini", "train", image_size=8, batch_size=500), "images")
    counting.set_model(SimpleNamespace(batches_per_step=1, accumulation_steps=1))
    counting.set_params({"steps": 12})
    counting.on_train_begin()
    assert capsys.readouterr().out == ""


def test_samples_show_the_same_points_in_each_epoch(tmp_path):
    model = vae()
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(images(), epochs=2, verbose=0, callbacks=[Samples(tmp_path)])
    first, second = (Image.open(tmp_path / "samples" / f"epoch_000{n}.png") for n in (1, 2))
    assert first.tobytes() == second.tobytes()
    assert first.size == (12 * (5 * 9 - 1), 12 * (5 * 9 - 1))


def test_samples_of_a_conditional_model_have_one_row_for_each_class(tmp_path):
    model = cgan(num_classes=3)
    x, labels = labelled_images()
    model.fit(x, labels, epochs=1, verbose=0, callbacks=[Samples(tmp_path)])
    assert Image.open(tmp_path / "samples" / "epoch_0001.png").size == (12 * (10 * 9 - 1), 12 * (3 * 9 - 1))


def logged(folder):
    """{step: (plugin, first element as bytes or numpy)} of what TensorBoard finds in a folder."""
    found = {}
    for path in sorted(folder.glob("events*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = event_pb2.Event.FromString(record.numpy())
            for value in event.summary.value:
                found[event.step] = (value.metadata.plugin_data.plugin_name, value.tensor.string_val)
    return found


def test_tensorboard_gets_the_pages_of_samples(tmp_path):
    model = vae()
    model.fit(images(), batch_size=8, epochs=2, verbose=0, callbacks=[Samples(tmp_path), PagesForTensorBoard(tmp_path)])
    found = logged(tmp_path / "tensorboard" / "samples")
    assert sorted(found) == [0, 1]
    for epoch, (plugin, (*_, png)) in found.items():
        assert plugin == "images"
        page = np.asarray(Image.open(tmp_path / "samples" / f"epoch_{epoch + 1:04d}.png").convert("RGB"))
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png))), page)


def test_tensorboard_gets_texts_as_texts(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "epoch_0001.txt").write_text("Es war einmal, é", encoding="utf-8")
    PagesForTensorBoard(tmp_path).on_epoch_end(0)
    plugin, (text,) = logged(tmp_path / "tensorboard" / "samples")[0]
    assert (plugin, text.decode()) == ("text", "Es war einmal, é")
