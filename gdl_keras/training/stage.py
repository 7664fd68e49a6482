"""One part of a run that is learnt by itself, with a folder of its own; a run that has no parts is one."""

import base64
import json
import re
import shutil
import zlib

from gdl_keras.errors import InputError
from gdl_keras.files import write_json, write_text
from gdl_keras.training import checkpoint, config
from gdl_keras.training.best import Best
from gdl_keras.training.history import read_history, write_history
from gdl_keras.training.reporting import in_notebook

# What lies in a run's folder beside its stages.
TAKEN = {"samples", "pictures", "checkpoint", "tensorboard"}


class Stage:
    """What is trained for some epochs into one folder: history, samples, checkpoints, model.

    A run makes it: `run.stage("vision", epochs=5)`.  Where the run is gone on with, it goes on after its own last
    checkpoint; where it had come to its end, `fit` with its `schedule` loads the model and trains nothing.

    Attributes:
        name: str; "" for the run itself.
        folder: `Path`; holds history.csv, samples/, pictures/, checkpoint/, model.keras; config.json.
        epochs: int, how many there are to be.
        steps_per_epoch: int, or None for one pass over the data.
        initial_epoch: int, epochs that need no training any more: those done before, or all where it had come to its
            end.
        planned_epochs: int, what `epochs` was when the run began.
    """

    def __init__(self, run, name, epochs, steps_per_epoch, planned_epochs):
        before = run.before / name
        if name:
            _check_as_begun(before, {"epochs": epochs, "steps_per_epoch": steps_per_epoch})
        self.name = name
        self.folder = run.folder / name
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.planned_epochs = planned_epochs
        self._run = run
        self._is_open = False
        self._restore_from, state = checkpoint.newest_checkpoint(before)
        self._history = state["history"]
        self._best = Best(state.get("best"), []) if run.settings.keep == "best" else None
        self.initial_epoch = self.epochs_done = state["epochs_done"]
        self.is_finished = (finished := checkpoint.finished_model(before, epochs)) is not None
        if self.is_finished:
            self._restore_from, self.initial_epoch = finished, epochs
        # The model of --from, where this part of the program has one: of what comes along there are no checkpoints.
        shown = before / "model.keras"
        self._shown = shown if run.settings.from_ and shown.is_file() else None
        if self._shown:
            self.is_finished, self.initial_epoch, self._history = True, epochs, read_history(before)
            self._restore_from = None  # its weights alone are taken over
        if name:
            self._seed("before")

    @property
    def history(self):
        """{name: [one number an epoch]}, from the first epoch on, stops or not."""
        names = dict.fromkeys(name for line in self._history for name in line)
        return {name: [line[name] for line in self._history if name in line] for name in names}

    @property
    def last_numbers(self):
        """{name: number} of the epoch that the model is from, mostly the last; empty before the first."""
        if self._best and self._best.found:
            return dict(self._history[self._best.found["epoch"] - 1])
        return dict(self._history[-1]) if self._history else {}

    def planned_steps(self, train, batches_per_step=1):
        """Steps of training, in all, as planned when the run began: how long a schedule of the learning rate lasts.

        `CosineDecay(1e-3, run.planned_steps(train))` then falls as it would have, also where `--epochs` is raised later
        on; the steps beyond are taken at its last rate.

        Args:
            train: what `fit` gets; counts where `steps_per_epoch` is not set.
            batches_per_step: int, the model's `batches_per_step`: a critic's steps, each with a batch of its own.
        """
        steps = self.steps_per_epoch or train.steps_per_epoch // (batches_per_step * self._run.settings.accumulate)
        return self.planned_epochs * max(1, steps)

    def schedule(self, test=None, callbacks=()):
        """How long to train, and what to write meanwhile: `model.fit(train, **run.schedule())`.

        Args:
            test: the data that samples are compared with under `--every`; for a run itself the test split by default,
                for one stage of several none.
            callbacks: list of `keras.callbacks.Callback`, your own; they come before those that write.

        Returns:
            {"epochs", "steps_per_epoch", "initial_epoch", "callbacks"}.
        """
        return {
            "epochs": self.epochs,
            "steps_per_epoch": self.steps_per_epoch,
            "initial_epoch": self.initial_epoch,
            "callbacks": self.callbacks(test, callbacks),
        }

    def callbacks(self, test=None, others=()):
        """For `fit`: sample pictures, history, checkpoints; distances and TensorBoard where asked for.

        Args:
            test, others: as `test` and `callbacks` of `schedule`.
        """
        import keras

        from gdl_keras.training.callbacks import (
            EpochLength,
            LossScales,
            PagesForTensorBoard,
            Recorder,
            Restore,
            Samples,
            StopOnDivergence,
        )

        self._open_folder()
        if self._shown:
            shutil.copy(self._shown, self.folder / "model.keras")
            write_history(self.folder, self._history)
        restore = [Restore(self._restore_from)] if self._restore_from else self._starting()
        reseed = [keras.callbacks.LambdaCallback(on_train_end=lambda logs: self._seed("after"))] if self.name else []
        if self.is_finished:
            return [*restore, *reseed]
        train = self._run.train_data
        counting = [EpochLength(train, self._run.settings.examples)] if train and self.steps_per_epoch else []
        following = self._following(test)
        for callback in following:
            write_json(self.folder / "evaluation.json", callback.settings)
        if self._best:
            self._best.following = following
        # The checkpoint comes last: what it says was done, samples included, has been written.
        writing = [
            *counting,
            StopOnDivergence(),
            LossScales(),
            *following,
            *others,
            Samples(self.folder),
            Recorder(self.folder, self._history, self._best),
        ]
        if self._run.settings.tensorboard:
            writing += [keras.callbacks.TensorBoard(self.folder / "tensorboard"), PagesForTensorBoard(self.folder)]
        return [*restore, *writing, *reseed]

    def show(self, name, figure):
        """Keeps a figure as pictures/NAME.png and shows it where there is a notebook to show it in.

        What a figure says in letters is its alternative text there, for those who do not see it: in the picture's
        metadata, and in the place of the picture where only text is shown.

        Args:
            name: str.
            figure: a matplotlib `Figure`, or str: HTML, which is kept as pictures/NAME.html.
        """
        from gdl_keras import plotting

        self._open_folder()
        is_html = isinstance(figure, str)
        path = self.folder / "pictures" / f"{name}.{'html' if is_html else 'png'}"
        if is_html:
            write_text(path, f'<!DOCTYPE html>\n<meta charset="utf-8">\n{figure}\n')
        else:
            plotting.save(figure, path)
        self._run.pictures.append(path)
        if in_notebook():
            from IPython.display import HTML, display

            if is_html:
                display(HTML(figure))
            else:
                words = plotting.alternative_text(figure, name)
                shown = {"image/png": base64.b64encode(path.read_bytes()).decode(), "text/plain": words}
                display(shown, raw=True, metadata={"image/png": {"alt": words}})

    def sample_picture(self, epoch):
        """Path of the page of samples that was written after that epoch, 1 for the first; None where there is none."""
        return next((self.folder / "samples").glob(f"epoch_{epoch:04d}.*"), None)

    def _seed(self, moment):
        # The random numbers before and after a stage are the same whether it was trained or had been trained before.
        import keras

        words = f"{self._run.settings.seed} {self.name} {moment}"
        keras.utils.set_random_seed(zlib.crc32(words.encode()) % 2**31)

    def _open_folder(self):
        stored = self._run.open_folder()
        if self.name and not self._is_open:
            own = {what: getattr(self, what) for what in ("epochs", "steps_per_epoch", "planned_epochs")}
            write_json(self.folder / "config.json", {**stored, "stage": self.name, **own})
        self._is_open = True

    def _starting(self):
        from gdl_keras.training.callbacks import StartFrom

        if self._shown:
            return [StartFrom(checkpoint.load_model(self._shown), f"--from {self._run.settings.from_}")]
        former = None if self.name else self._run.former("start_from")
        return [StartFrom(former, f"--start-from {self._run.settings.start_from}")] if former else []

    def _following(self, test):
        if not self._run.settings.every or (test is None and self.name):
            return []
        from gdl_keras.kinds import kind

        test = self._run.test_data() if test is None else test
        before = self._followed_before()
        options = kind(test.kind).follow_options(before) if before else {}
        return [kind(test.kind).follow(self._run.settings.every, test, **options)]

    def _followed_before(self):
        """What evaluation.json says that the distances of earlier epochs were measured with, or None."""
        path = self.folder / "evaluation.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise InputError(f"{path} is damaged: move it away, and the run goes on as one without it.") from error


def check_name(name):
    """Raises InputError where a stage cannot have that name, which its folder gets."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) or name in TAKEN:
        raise InputError(f"A stage's folder cannot be called {name!r}: small letters, digits, _ and - make a name.")


def _check_as_begun(folder, wanted):
    begun = config.read_config(folder) if (folder / "config.json").exists() else wanted
    for name, value in wanted.items():
        if begun.get(name) != value:
            # What was built on it has learnt from what it is now.
            raise InputError(
                f"{folder} began with {begun.get(name)} {name.replace('_', ' ')}, not {value}: "
                "go on with the settings that it began with, or start a new run."
            )
