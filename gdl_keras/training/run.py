"""One run of a chapter: settings in, a folder of results out."""

import json
import os
import sys
import tempfile
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from gdl_keras import data
from gdl_keras.backend import use_tensorflow
from gdl_keras.errors import InputError
from gdl_keras.files import write_text
from gdl_keras.training import checkpoint, config, devices
from gdl_keras.training.reporting import explain_errors, in_notebook, keep_run, open_run

PRESET_HINT = {
    "cpu": "minutes on a laptop; --preset book is the book's own recipe, --preset smoke a quick try",
    "book": "the book's data and numbers; --preset cpu takes minutes on a laptop",
    "smoke": "a quick try that learns little; --preset cpu takes minutes, --preset book is the book's own recipe",
}
OTHER_PRESET_HINT = "one of this chapter's own; --help shows its settings, --preset cpu takes minutes on a laptop"


class Run:
    """The settings of a run as attributes (`run.batch_size`), and the folder it owns.

    Attributes:
        folder: `Path`; holds config.json, environment.json, history.csv, samples/, pictures/, checkpoint/,
            model.keras, metrics.json; with `--every` evaluation.json.
        settings: the chapter's dataclass.
        initial_epoch: int, epochs that were done before; 0 unless resumed.
    """

    @classmethod
    def start(cls, settings_class, chapter, presets=None, arguments=None):
        """Reads the flags, seeds every random number, and makes or reopens the folder.

        Args:
            settings_class: the chapter's dataclass, a subclass of `Config`.
            chapter: such as "03_vae/02_vae_fashion".
            presets: {"book": {field: value}, "smoke": {...}}.
            arguments: list of str; the command line's by default, none in a notebook.

        Raises:
            InputError: a flag, the folder, or the run to go on with cannot be used.
        """
        if arguments is None:
            arguments = [] if in_notebook() else sys.argv[1:]
        explain_errors(debug="--debug" in arguments)
        settings = config.parse(settings_class, presets or {}, chapter, arguments)
        return cls(settings, chapter)

    def __init__(self, settings, chapter):
        use_tensorflow()  # says so at once where Keras is set to another backend
        if settings.tensorboard and not find_spec("tensorboard"):
            raise InputError("TensorBoard is not installed: pip install tensorboard, or leave --tensorboard away.")
        self.settings = settings
        self.chapter = chapter
        self.pictures = []
        self._is_chief = devices.is_chief()
        self._is_open = False
        self._data = {}
        self._images = {}
        print(f"{chapter}, preset {settings.preset}: {PRESET_HINT.get(settings.preset, OTHER_PRESET_HINT)}", flush=True)
        self._restore_from, state = None, {"epochs_done": 0, "history": []}
        if settings.resume:
            self.folder = settings.resume
            self._data_before = config.read_config(self.folder).get("data", {})
            self._restore_from, state = checkpoint.newest_checkpoint(self.folder)
            print(f"Going on after epoch {state['epochs_done']} in {self.folder}", flush=True)
        else:
            settings.dataset = data.first_available(settings.dataset)
            self.folder = _new_folder(settings.out, chapter) if self._is_chief else None
        if not self._is_chief:
            # Saving takes all machines, so each writes what the first one writes, into a folder that it throws away.
            self._scratch = tempfile.TemporaryDirectory()
            self.folder = Path(self._scratch.name)
        self.initial_epoch = state["epochs_done"]
        self._history = state["history"]
        if self.initial_epoch > settings.epochs:
            raise InputError(f"{self.folder} has {self.initial_epoch} epochs already: --epochs must be at least that.")
        self._prepare_tensorflow()

    def __getattr__(self, name):
        if name == "settings":
            raise AttributeError(name)
        return getattr(self.settings, name)

    @property
    def history(self):
        """{name: [one number an epoch]}, from the first epoch of the run on, stops or not."""
        names = dict.fromkeys(name for line in self._history for name in line)
        return {name: [line[name] for line in self._history if name in line] for name in names}

    def load(self, split, **options):
        """The images of a split ("train", "test") of the run's data set; `data.load` with the run's settings."""
        settings = self.settings
        images = data.load(
            settings.dataset,
            split,
            image_size=settings.image_size,
            batch_size=settings.batch_size // settings.accumulate,
            seed=settings.seed,
            skip_unreadable=settings.skip_unreadable,
            **options,
        )
        if self.settings.resume and self._data_before.get(split, images.identity) != images.identity:
            raise InputError(
                f"The {split} images of {settings.dataset} are not those that the run began with: "
                "bring them back, or start a new run."
            )
        self._data[split] = images.identity
        self._images[split] = images
        print(f"{images.num_images:,} {split} images of {settings.dataset} ({images.source})", flush=True)
        return images

    def callbacks(self, test=None):
        """For `fit`: sample pictures, history, checkpoints; distances and TensorBoard where asked for.

        Args:
            test: the images that samples are compared with under `--every`; by default the test split.
        """
        import keras

        from gdl_keras.training.callbacks import LossScales, Recorder, Samples, StopOnDivergence

        self._open_folder()
        recorder = Recorder(self.folder, self._history, self._restore_from)
        # The checkpoint comes last: what it says was done, samples included, has been written.
        evaluation = self._evaluation(test)
        for callback in evaluation:
            self._write_json("evaluation.json", callback.settings)
        callbacks = [StopOnDivergence(), LossScales(), *evaluation, Samples(self.folder), recorder]
        if self.settings.tensorboard:
            callbacks.append(keras.callbacks.TensorBoard(self.folder / "tensorboard"))
        return callbacks

    def show(self, name, figure):
        """Keeps a figure as pictures/NAME.png and shows it where there is a notebook to show it in."""
        from gdl_keras import plotting

        self._open_folder()
        path = self.folder / "pictures" / f"{name}.png"
        plotting.save(figure, path)
        self.pictures.append(path)
        if in_notebook():
            from IPython.display import Image, display

            display(Image(filename=str(path)))

    def sample_picture(self, epoch):
        """Path of the sample picture that was written after that epoch, 1 for the first."""
        return self.folder / "samples" / f"epoch_{epoch:04d}.png"

    def finish(self, **metrics):
        """Writes metrics.json (the last epoch's numbers and `metrics`), and names what the run has made."""
        self._open_folder()
        keep_run()
        metrics = {name: float(value) for name, value in metrics.items()}
        self._write_json("metrics.json", {**(self._history[-1] if self._history else {}), **metrics})
        for name, value in metrics.items():
            print(f"{name}: {value:.4g}")
        if not self._is_chief:
            return
        print("Pictures:")
        for path in [*self.pictures, *self.folder.glob("samples")]:
            print(f"  {path}")
        if (self.folder / "model.keras").exists():
            print(f"The trained model: {self.folder / 'model.keras'}", flush=True)

    def _evaluation(self, test):
        if not self.settings.every:
            return []
        from gdl_keras.kinds import kind

        test = test or self._images.get("test") or self.load("test")
        return [kind(test.kind).follow(self.settings.every, test)]

    def _prepare_tensorflow(self):
        if self.settings.accumulate > 1 and devices.number_of_workers() > 1:
            raise InputError("--accumulate goes with one device: leave it away, or unset TF_CONFIG.")
        strategy = devices.use_devices(self.settings.devices, self.settings.batch_size)
        if strategy is not None:
            if self.settings.accumulate > 1:
                raise InputError("--accumulate goes with one device: choose one by --devices 0, or leave it away.")
            share = self.settings.batch_size // strategy.num_replicas_in_sync
            print(f"Training on {strategy.num_replicas_in_sync} devices, {share} images each", flush=True)
        import keras
        import tensorflow as tf

        # Its advice on retracing concerns training loops, not a chapter that looks at many models in turn.
        tf.get_logger().setLevel("ERROR")
        keras.utils.set_random_seed(self.settings.seed)
        # Parallel kernels whose sums come in no fixed order would make two equal runs differ.
        tf.config.experimental.enable_op_determinism()
        keras.config.set_dtype_policy(self.settings.precision)
        if self.settings.preset == "book" and not tf.config.list_physical_devices("GPU"):
            print("No GPU was found: most chapters' book preset takes hours or days on a processor.", flush=True)

    def _open_folder(self):
        # Not before the data has been found: bad input leaves nothing behind.
        if self._is_open:
            return
        from gdl_keras.training import environment

        if self._is_chief:
            open_run(self.chapter, self.folder, is_new=not self.settings.resume)
        stored = {"chapter": self.chapter, **self.settings.to_dict(), "out": None, "resume": None}
        self._write_json("config.json", {**stored, "data": self._data})
        self._write_json("environment.json", environment.describe())
        self._is_open = True
        writer = f"Everything goes to {self.folder}" if self._is_chief else "The first machine writes the run"
        print(writer, flush=True)

    def _write_json(self, name, content):
        write_text(self.folder / name, json.dumps(content, indent=1) + "\n")


def _new_folder(out, chapter):
    if out is None:
        out = Path("runs") / chapter / datetime.now().strftime("%Y-%m-%d_%H%M%S")
        while out.exists():
            out = out.with_name(out.name + "b")
    if (out / "config.json").exists():
        raise InputError(f"{out} already holds a run: go on with it by --resume {out}, or choose another --out.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not an empty folder: choose another --out.")
    writable = next(parent for parent in [out, *out.absolute().parents] if parent.exists())
    if not os.access(writable, os.W_OK):
        raise InputError(f"No permission to write in {writable}: choose another folder with --out.")
    return out
