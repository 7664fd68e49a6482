"""What a run writes while it trains: history, samples, checkpoints, the finished model."""

import math
import time

import keras

from gdl_keras.errors import InputError, RunError, counted
from gdl_keras.kinds import kind_of
from gdl_keras.training import checkpoint
from gdl_keras.training.history import write_history
from gdl_keras.training.reporting import keep_run


class Samples(keras.callbacks.Callback):
    """After each epoch, a page of what the model makes of the same random numbers: samples/epoch_0001.png ..."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch, logs=None):
        if not hasattr(self.model, "sample_sheet"):
            return
        kind = kind_of(self.model)
        samples, columns = self.model.sample_sheet()
        kind.write_sheet(samples, columns, self.folder / "samples" / f"epoch_{epoch + 1:04d}{kind.sheet_suffix}")


class PagesForTensorBoard(keras.callbacks.Callback):
    """After each epoch, the page of samples that `Samples` has just written, for TensorBoard: a picture or a text.

    Args:
        folder: the folder of a run, or of a stage of one; logs go to tensorboard/samples in it.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch, logs=None):
        import tensorflow as tf

        for path in (self.folder / "samples").glob(f"epoch_{epoch + 1:04d}.*"):
            with tf.summary.create_file_writer(str(self.folder / "tensorboard" / "samples")).as_default(step=epoch):
                if path.suffix == ".png":
                    tf.summary.image("samples", tf.io.decode_png(path.read_bytes(), channels=3)[None])
                elif path.suffix == ".txt":
                    tf.summary.text("samples", path.read_text(encoding="utf-8"))


class EpochLength(keras.callbacks.Callback):
    """Says at the start how often an epoch passes over the data, where that is not once.

    Args:
        train: the data set, as the run loaded it.
        examples: what it holds, such as "images".
    """

    def __init__(self, train, examples):
        super().__init__()
        self.train = train
        self.examples = examples

    def on_train_begin(self, logs=None):
        batches = self.params["steps"] * self.model.batches_per_step
        passes = batches * self.train.batch_size / self.train.num_examples
        steps = self.params["steps"] // self.model.accumulation_steps
        told, whole = f"{passes:.2g}", f"{self.train.num_examples:,} {self.examples}"
        if told != "1":
            print(f"An epoch here is {counted(steps, 'step')}: {told} passes over the {whole}.", flush=True)


class LossScales(keras.callbacks.Callback):
    """Puts the loss scale of each optimizer under mixed_float16 into the history, beside the losses.

    It doubles after 2,000 steps without overflow and halves at each overflow; one that keeps falling means that
    gradients have left the range of float16.
    """

    def on_epoch_end(self, epoch, logs=None):
        for name, optimizer in self.model.optimizers.items():
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                logs[f"{name}_loss_scale" if name else "loss_scale"] = float(optimizer.dynamic_scale)


class Annealing(keras.callbacks.Callback):
    """Moves a number of the model from epoch to epoch along a straight line, and puts it into the history.

        number = start + (end - start) min(1, epoch / epochs),   epoch = 0, 1, 2, ...

    It is a function of the epoch, so that a resumed run goes on where the line has come to:
    `run.schedule(callbacks=[Annealing("beta", 0, 1, epochs=10)])`.

    Args:
        name: str, an annealed setting of the model, such as "beta" of a `VAE`.
        start, end: floats.
        epochs: int, after how many epochs the end is reached, where it stays.

    Raises:
        InputError: the model has no such setting, or `epochs` is below 1.
    """

    def __init__(self, name, start, end, epochs):
        super().__init__()
        if epochs < 1:
            raise InputError(f"Annealing takes at least 1 epoch, not {epochs}.")
        self.name, self.start, self.end, self.epochs = name, start, end, epochs

    def on_train_begin(self, logs=None):
        if self.name not in (names := self.model.annealed_names()):
            known = f"can be annealed: {', '.join(names)}" if names else "has nothing that can be annealed"
            raise InputError(f"{type(self.model).__name__} {known}; {self.name} is not among it.")

    def on_epoch_begin(self, epoch, logs=None):
        setattr(self.model, self.name, self.start + (self.end - self.start) * min(1, epoch / self.epochs))

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = float(getattr(self.model, self.name))


class StopOnDivergence(keras.callbacks.Callback):
    """Ends training with a sentence as soon as a number that the model reports is infinite or not a number.

    Raises:
        RunError: it has come to that; the checkpoint of the epoch before is there to go on from.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise RunError(
                    f"Training diverged: {name} became {value} in epoch {self.epoch}, step {batch + 1}.  The last good "
                    "checkpoint is kept; start again with a smaller --learning-rate."
                )


class Restore(keras.callbacks.Callback):
    """At the beginning of training, puts the model into the state of a file: weights, optimizers, random numbers.

    Args:
        path: a `.keras` file of a run of the same model.
    """

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_train_begin(self, logs=None):
        checkpoint.restore(self.model, self.path)


class StartFrom(keras.callbacks.Callback):
    """At the beginning of training, gives the model what another one has learnt: its weights, no optimizers.

    Args:
        former: a model of the same class.
        name: str, how errors call it, such as "--start-from runs/other".
    """

    def __init__(self, former, name):
        super().__init__()
        self.former = former
        self.name = name

    def on_train_begin(self, logs=None):
        checkpoint.take_over(self.model, self.former, self.name)


class Recorder(keras.callbacks.Callback):
    """After each epoch, a line in history.csv and a checkpoint; at the end, model.keras.

    The line's `seconds` are those of the training steps, without validation, pictures and what else comes after them;
    `cpu_seconds` are those that processor cores were at work on them, whatever else the machine did.

    Args:
        folder: the folder of a run, or of a stage of one.
        history: list of {name: number}, an epoch each; lines are added to it.
        best: a `Best`, whose epoch gives the finished model its weights; None for the last.
    """

    def __init__(self, folder, history, best=None):
        super().__init__()
        self.folder = folder
        self.history = history
        self.best = best

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.monotonic(), time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        self.ended = time.monotonic(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        numbers = {name: float(value) for name, value in (logs or {}).items()}
        seconds, cpu_seconds = (round(end - start, 2) for start, end in zip(self.started, self.ended))
        self.history.append({"epoch": epoch + 1, **numbers, "seconds": seconds, "cpu_seconds": cpu_seconds})
        keep_run()
        if self.best:
            self.best.look(self.history[-1])
        found = self.best.found if self.best else None
        checkpoint.save_checkpoint(self.folder, self.model, epoch + 1, self.history, found)
        write_history(self.folder, self.history)

    def on_train_end(self, logs=None):
        # Not a copy of the last checkpoint: a callback such as EarlyStopping may have put better weights back.
        write_history(self.folder, self.history)
        if self.best and self.best.found:
            self._put_back(**self.best.found)
        checkpoint.save_finished(self.folder, self.model, self.params["epochs"])

    def _put_back(self, epoch, by, value):
        path = checkpoint.checkpoint_of(self.folder, epoch)
        if path is None:
            self.best.found = None
            print(f"The checkpoint of epoch {epoch}, the best, is damaged: the model is that of the last.", flush=True)
            return
        checkpoint.restore(self.model, path)
        print(f"Epoch {epoch} was the best, with {by} {value:.4g}: the model is that of its end.", flush=True)
