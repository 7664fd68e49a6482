"""A run's settings: one dataclass whose fields are the flags, their comments the help; `command_line.py` reads them.

Nothing here imports TensorFlow, so that `--help` is quick.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from simple_parsing import field

from gdl_keras.errors import InputError
from gdl_keras.training.ranges import at_least, between, declared

# What config.json holds beside the settings.
KEPT_BESIDE = {"chapter": str, "data": dict, "planned_epochs": int, "built_on": dict, "stage": str}


@dataclass
class Config:
    """Settings that every run has.  A chapter extends `ImageConfig`, `TextConfig` or `PointConfig` by its own.

    Each numeric setting has its range in `ranges` of the class that adds it.
    """

    # How much to do: cpu (minutes on two cores), book (the book's data and numbers), smoke (seconds); a chapter may
    # have more.
    preset: str = "cpu"
    # Examples in one step.
    batch_size: int = 100
    # Parts in which each such batch is learnt from, for cards with little memory; it is as one step for the optimizers.
    accumulate: int = 1
    # Epochs to train for; after each, history, samples and a checkpoint are written.
    epochs: int = 5
    # Steps that count as one epoch; the flag without a number: as many as pass over the data once.
    steps_per_epoch: int | None = None
    # Epochs from one quick number of how good 1,000 samples are, in the history, to the next; 0 for none.
    every: int = 0
    # Which weights the finished model has: those of the last epoch, or of the best by the number of --every.
    keep: Literal["last", "best"] = "last"
    # The same seed gives the same run; on a GPU to the last bit with --deterministic.
    seed: int = 1
    # Numbers in the networks; losses and weights stay float32.
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    # Whether XLA compiles the training step: auto on a GPU, where it is several times as fast.
    jit: Literal["auto", "yes", "no"] = "auto"
    # Also on a GPU the same seed gives the same numbers to the last bit, slower; on a processor it always does.
    deterministic: bool = False
    # Multiply float32 in full on a GPU, where it is rounded to 10 bits of mantissa (TF32) otherwise; slower.
    full_float32: bool = False
    # What to train on: all GPUs (or the processor, where there are none), cpu, or GPUs by number, such as 0,1.
    devices: str = "all"
    # Folder for everything that the run writes; by default runs/CHAPTER/TIME.
    out: Path | None = None
    # Folder of a run that was stopped, to go on with; its settings are used, and --epochs may be raised.
    resume: Path | None = None
    # Begin with what another run of this program has learnt: its folder, a .keras file, or the program's own name for
    # the trained model that comes along.  Its numbers must fit; parts of a run with folders of their own begin afresh.
    start_from: Path | None = None
    # Draw the program's pictures with a model that is trained already, and train it no more: "pretrained" for the one
    # that comes along, or the folder of a finished run of this program, whose settings are used.
    from_: Path | None = field(default=None, alias="--from")  # noqa: RUF009  one of dataclasses
    # Also write logs for TensorBoard.
    tensorboard: bool = False
    # Show the whole traceback of an error.
    debug: bool = False

    ranges: ClassVar = {
        "batch_size": at_least(1),
        "accumulate": at_least(1),
        "epochs": at_least(1),
        "steps_per_epoch": at_least(1),
        "every": at_least(0),
        "seed": between(0, 2**31 - 1),
    }
    # The kind of data sets that the chapter learns from, as `data.info` calls it; None where any goes.
    kind: ClassVar = None
    # What the data set holds, as sentences call it.
    examples: ClassVar = "examples"
    # What stands for the reader's own data where a data set is proposed.
    own_data: ClassVar = "./my_data"
    # What the preset "book" is, as the first line of a run says.
    book_is: ClassVar = "the book's own recipe"

    def check(self):
        """Raises InputError where a value is out of range."""
        for name, allowed in declared(type(self)).items():
            allowed = allowed(self) if callable(allowed) else allowed
            allowed.check(flag(name), getattr(self, name))
        if self.batch_size % self.accumulate:
            raise InputError(f"--batch-size {self.batch_size} cannot be dealt into {self.accumulate} equal parts.")
        if self.keep == "best" and not self.every:
            raise InputError("--keep best goes by the number of --every: add --every 1.")
        if self.resume and self.out:
            raise InputError("--resume goes on in the run's own folder: leave --out away.")

    def data_options(self):
        """How the data set is to be brought: what `data.load` takes beside its name, {keyword: value}."""
        return {}

    def prepared(self, train):
        """The training data as the settings want it."""
        return train

    def to_dict(self):
        """The settings as JSON can hold them."""
        return {name: str(v) if isinstance(v, Path) else v for name, v in dataclasses.asdict(self).items()}


@dataclass
class ImageConfig(Config):
    """Settings of a chapter that learns from images."""

    # A name from `gdl data list`, kaggle:OWNER/SLUG, tfds:NAME, or a folder of images; of several, separated by
    # commas, the first that is here or can be fetched.
    dataset: str = "fashion_mini"
    # Height and width that images are brought to.
    image_size: int = 32
    # Leave out images that cannot be read instead of stopping.
    skip_unreadable: bool = False
    # Learn from the mirror images, too: where there are few, and left and right do not matter.
    mirror: bool = False

    ranges: ClassVar = {"image_size": between(4, 2048)}
    kind: ClassVar = "images"
    own_data: ClassVar = "./my_photos"
    examples: ClassVar = "images"

    def data_options(self):
        return {"image_size": self.image_size, "skip_unreadable": self.skip_unreadable}

    def prepared(self, train):
        return train.mirrored() if self.mirror else train


@dataclass
class TextConfig(Config):
    """Settings of a chapter that learns from text."""

    # A name from `gdl data list`, kaggle:OWNER/SLUG, or a file or folder of text; of several, separated by commas, the
    # first that is here or can be fetched.
    dataset: str = "recipes"
    # What a text is cut into.
    tokens: Literal["characters", "words", "pieces"] = "words"
    # Tokens that the model sees at once.
    length: int = 64
    # Tokens that are told apart, the commonest ones; by default all characters, 10,000 words, 1,000 pieces.
    vocabulary_size: int | None = None
    # Which field of objects in JSON, or which column of a table, is the text; or a text with their names in braces,
    # such as "{title}: {review}".  By default the only one, or what the data set says.
    field: str | None = None

    ranges: ClassVar = {"length": at_least(1), "vocabulary_size": at_least(2)}
    kind: ClassVar = "text"
    own_data: ClassVar = "./my_texts"
    examples: ClassVar = "windows"

    def data_options(self):
        names = ("tokens", "length", "vocabulary_size", "field")
        return {name: getattr(self, name) for name in names}


@dataclass
class LanguageConfig(TextConfig):
    """Settings of a chapter whose model reads a text from its beginning."""

    # What the model learns from at a time: a piece of all texts, one behind the other, or the beginning of each text.
    example: Literal["window", "text"] = "window"

    @property
    def examples(self):
        return f"{self.example}s"

    def data_options(self):
        return {**super().data_options(), "example": self.example}


@dataclass
class PointConfig(Config):
    """Settings of a chapter that learns from points in the plane."""

    # A name from `gdl data list`, or a CSV file with two columns of numbers; of several, separated by commas, the first
    # that is here or can be fetched.
    dataset: str = "moons"
    # Points to learn from; by default as many as there are.
    count: int | None = None

    ranges: ClassVar = {"count": at_least(1)}
    kind: ClassVar = "points"
    own_data: ClassVar = "./my_points.csv"
    examples: ClassVar = "points"

    def data_options(self):
        return {"count": self.count}


def read_config(folder):
    """The `config.json` of a run folder: {"chapter": ..., every setting}.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = Path(folder) / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder} is not the folder of a run: it has no config.json.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): start a new run.") from None
    if not isinstance(config, dict):
        raise InputError(f"{path} is damaged: start a new run.")
    return config


def flag(field_name):
    """The command-line flag of a field: batch_size -> --batch-size; from_, which Python keeps for itself, -> --from."""
    return "--" + field_name.rstrip("_").replace("_", "-")
