"""One run of a chapter: settings in, a folder of results out."""

import dataclasses
import json
import os
import shlex
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from gdl_keras import data
from gdl_keras.backend import choose_tensorflow
from gdl_keras.errors import InputError, counted
from gdl_keras.files import write_json
from gdl_keras.training import command_line, config, devices
from gdl_keras.training.folder import new_folder
from gdl_keras.training.former import load_former, shown_folder
from gdl_keras.training.reporting import explain_errors, in_notebook, keep_run, open_run
from gdl_keras.training.stage import Stage, check_name

PRESET_HINT = {
    "cpu": "minutes on a laptop; --preset book is {book}, --preset smoke a quick try",
    "book": "{book}; --preset cpu takes minutes on a laptop",
    "smoke": "a quick try that learns little; --preset cpu takes minutes, --preset book is {book}",
}
OTHER_PRESET_HINT = "one of this chapter's own; --help shows its settings, --preset cpu takes minutes on a laptop"


class Run:
    """The settings of a run as attributes (`run.batch_size`), and the folder it owns.

    What is learnt in one go is the run's own (`model.fit(train, **run.schedule())`).  What is learnt in parts has a
    `stage` for each, with a folder of its own in the run's; what is learnt from a model of another run takes it by
    `former`.  The run's own model comes last, or nothing is built on it: it alone may get more epochs later on.

    Attributes:
        folder: `Path`; holds config.json, environment.json, history.csv, samples/, pictures/, checkpoint/,
            model.keras, metrics.json; with `--every` evaluation.json.
        settings: the chapter's dataclass.
        pictures: list of `Path`, what `show` has written.
    """

    @classmethod
    def start(cls, settings_class, chapter, presets=None, arguments=None):
        """Reads the flags, seeds every random number, and makes or reopens the folder.

        Args:
            settings_class: the chapter's dataclass, a subclass of `Config`.
            chapter: such as "03_vae/02_vae_fashion".
            presets: {"book": {field: value}, "smoke": {...}}.
            arguments: list of str; the command line's by default, in a notebook those of GDL_FLAGS.

        Raises:
            InputError: a flag, the folder, or the run to go on with cannot be used.
        """
        if arguments is None:
            arguments = shlex.split(os.environ.get("GDL_FLAGS", "")) if in_notebook() else sys.argv[1:]
        explain_errors(debug="--debug" in arguments)
        settings = command_line.parse(settings_class, presets or {}, chapter, arguments)
        return cls(settings, chapter)

    def __init__(self, settings, chapter):
        choose_tensorflow()  # says so at once where Keras is set to another backend
        if settings.tensorboard and not find_spec("tensorboard"):
            raise InputError("TensorBoard is not installed: pip install tensorboard, or leave --tensorboard away.")
        self.settings = settings
        self.chapter = chapter
        self.pictures = []
        self._stages = {}
        self._is_chief = devices.is_chief()
        self._is_open = False
        self._tables = {}
        hint = PRESET_HINT.get(settings.preset, OTHER_PRESET_HINT).format(book=settings.book_is)
        print(f"{chapter}, preset {settings.preset}: {hint}", flush=True)
        kept = config.read_config(settings.resume) if settings.resume else {}
        self.before, self.folder = self._find_folders()
        self._data, self._built_on = kept.get("data", {}), kept.get("built_on", {})
        planned_epochs = kept.get("planned_epochs", kept.get("epochs", settings.epochs))
        self._own = Stage(self, "", settings.epochs, settings.steps_per_epoch, planned_epochs)
        if settings.from_:
            print(f"With the model of {self.before}: nothing that it has learnt is trained again", flush=True)
        if settings.resume:
            print(f"Going on after epoch {self._own.epochs_done} in {self.before}", flush=True)
        if self._own.epochs_done > settings.epochs:
            raise InputError(
                f"{self.before} has {counted(self._own.epochs_done, 'epoch')} already: --epochs must be at least that."
            )
        self._refuse_hidden_settings()
        is_new_place = hasattr(settings, "dataset") and settings.dataset != kept.get("dataset")
        if is_new_place:
            data.check_names(settings.dataset, settings.kind)
        devices.prepare(settings)
        # Whatever else may be wrong has been said by now: nothing was fetched for it.
        if is_new_place:
            settings.dataset = data.first_available(settings.dataset)

    def _find_folders(self):
        """(where that lies which was done before, where this machine writes)."""
        settings = self.settings
        folder = settings.resume
        if not folder and self._is_chief:
            folder = new_folder(settings.out, self.chapter)
        before = shown_folder(settings.from_, self.chapter) if settings.from_ else folder
        if self._is_chief:
            return before, folder
        # Saving takes all machines, so each writes what the first one writes, into a folder that it throws away.
        self._scratch = tempfile.TemporaryDirectory()
        scratch = Path(self._scratch.name)
        return before or scratch, scratch

    def __getattr__(self, name):
        if name == "settings":
            raise AttributeError(name)
        return getattr(self.settings, name)

    # ---- what it learns from -----------------------------------------------------------------------------------------

    def load(self, split, **options):
        """A split ("train", "test") of the run's data set.

        Args:
            split: as in `data.load`.
            options: keywords of `data.load`, in place of what the settings say.
        """
        settings = self.settings
        if settings.resume:
            data.check_is_there(settings.dataset)
        usual = {"batch_size": settings.batch_size // settings.accumulate, "seed": settings.seed}
        table = data.load(settings.dataset, split, **{**usual, **settings.data_options(), **options})
        if split == "train":
            table = settings.prepared(table)
        if settings.resume and split in self._data and not table.is_called(self._data[split]):
            raise InputError(
                f"The {split} {settings.examples} of {settings.dataset} are not those that the run began with: "
                "bring them back, name the place where they lie now with --dataset, or start a new run."
            )
        self._data[split] = table.identity
        self._tables[split] = table
        if self._is_open:
            self._write_config()
        print(f"{table.num_examples:,} {split} {settings.examples} of {settings.dataset} ({table.source})", flush=True)
        return table

    @property
    def train_data(self):
        """The train split as `load` brought it, or None where nothing was loaded."""
        return self._tables.get("train")

    def test_data(self):
        """The test split, loaded already or now."""
        return self._tables.get("test") or self.load("test")

    def former(self, setting):
        """The model of another run, whose folder a setting names, or None where the setting names none.

        A run keeps the digest of the model's file: it does not go on with another one.

        Args:
            setting: name of a setting that holds a `Path` or None, such as "codec".

        Raises:
            InputError: there is no model, or not the one that the run began with.
        """
        folder = getattr(self.settings, setting)
        if folder is None:
            return None
        model, self._built_on[setting] = load_former(config.flag(setting), folder, self._built_on.get(setting))
        if self._is_open:
            self._write_config()
        return model

    # ---- training ----------------------------------------------------------------------------------------------------

    def execution(self):
        """How a step is computed: `model.compile(Adam(...), **run.execution())`."""
        jit_compile = {"auto": "auto", "yes": True, "no": False}[self.settings.jit]
        return {"accumulate": self.settings.accumulate, "jit_compile": jit_compile}

    def stage(self, name, *, epochs, steps_per_epoch=None):
        """One part of the run that is learnt by itself, with a folder of its own in the run's: a `Stage`.

        Ask for it before its networks are made: the random numbers that they begin with are then its own, whether the
        stages before it are trained or had been.  Its epochs stay what they are when it begins, so that what is built
        on it stays right; let another setting than `epochs` say how many.

        Args:
            name: small letters, digits, _ and -, such as "vision".
            epochs: int, at least 1.
            steps_per_epoch: int, or None for one pass over the data.

        Raises:
            InputError: the name cannot be a folder's, or the stage began with other numbers.
        """
        check_name(name)
        stage = self._stages[name] = Stage(self, name, epochs, steps_per_epoch, epochs)
        done = "trained already" if stage.is_finished else f"{stage.epochs_done} of {epochs} epochs done"
        print(f"Stage {name}: {done}", flush=True)
        return stage

    @property
    def history(self):
        """{name: [one number an epoch]} of the run's own model, from the first epoch on, stops or not."""
        return self._own.history

    @property
    def initial_epoch(self):
        """int: epochs that need no training any more; 0 unless resumed."""
        return self._own.initial_epoch

    @property
    def planned_epochs(self):
        """int: `epochs` when the run began, whatever `--epochs` says since."""
        return self._own.planned_epochs

    def planned_steps(self, train, batches_per_step=1):
        """As `Stage.planned_steps`: how long a schedule of the learning rate lasts."""
        return self._own.planned_steps(train, batches_per_step)

    def schedule(self, test=None, callbacks=()):
        """As `Stage.schedule`: what `fit` needs, for the run's own model."""
        return self._own.schedule(test, callbacks)

    def callbacks(self, test=None):
        """Those of `schedule` alone."""
        return self._own.callbacks(test)

    # ---- what it makes -----------------------------------------------------------------------------------------------

    def show(self, name, figure):
        """As `Stage.show`: keeps a picture and shows it where there is a notebook to show it in."""
        self._own.show(name, figure)

    def sample_picture(self, epoch):
        """Path of the sample picture that was written after that epoch, 1 for the first; None where there is none."""
        return self._own.sample_picture(epoch)

    def finish(self, **metrics):
        """Writes metrics.json (the last epoch's numbers and `metrics`), and names what the run has made."""
        self.open_folder()
        keep_run()
        metrics = {name: float(value) for name, value in metrics.items()}
        write_json(self.folder / "metrics.json", {**self._own.last_numbers, **metrics, **self._kept_evaluation()})
        for name, value in metrics.items():
            print(f"{name}: {value:.4g}")
        if not self._is_chief:
            return
        folders = [self.folder, *[stage.folder for stage in self._stages.values()]]
        print("Pictures:")
        for path in [*self.pictures, *[folder / "samples" for folder in folders]]:
            if path.exists():
                print(f"  {path}")
        for folder in folders:
            if (folder / "model.keras").exists():
                print(f"The trained model: {folder / 'model.keras'}", flush=True)

    def _kept_evaluation(self):
        # What `gdl evaluate` found out about the model stays while the model does.
        path = self.folder / "metrics.json"
        if self.initial_epoch < self.epochs or not path.exists():
            return {}
        return {name: value for name, value in json.loads(path.read_text()).items() if name == "evaluation"}

    # ---- beginning ---------------------------------------------------------------------------------------------------

    def open_folder(self):
        """Makes the folder, unless that is done, and says what it is about.  Returns what config.json holds."""
        # Not before the data has been found: bad input leaves nothing behind.
        if not self._is_open:
            from gdl_keras.training import environment

            if self._is_chief:
                open_run(self.chapter, self.folder, is_new=not self.settings.resume)
            self._write_config()
            write_json(self.folder / "environment.json", environment.describe())
            self._is_open = True
            writer = f"Everything goes to {self.folder}" if self._is_chief else "The first machine writes the run"
            print(writer, flush=True)
        return self._config()

    def _config(self):
        stored = {"chapter": self.chapter, **self.settings.to_dict(), "out": None, "resume": None}
        return {**stored, "planned_epochs": self.planned_epochs, "data": self._data, "built_on": self._built_on}

    def _write_config(self):
        write_json(self.folder / "config.json", self._config())

    def _refuse_hidden_settings(self):
        taken = {*dir(self), *config.KEPT_BESIDE}
        if hidden := [field.name for field in dataclasses.fields(self.settings) if field.name in taken]:
            raise InputError(
                f"{self.chapter} has a setting {hidden[0]}, which run.{hidden[0]} hides: give the setting another name."
            )
