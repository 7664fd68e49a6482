"""What the folder of a run tells: settings, history, numbers, pictures."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

from gdl_keras.errors import InputError
from gdl_keras.evaluation import read_metrics
from gdl_keras.pretrained import folder_of
from gdl_keras.sampling import settings_of
from gdl_keras.training.history import read_history

# Columns of a history that say when something was, not how good it was.
CLOCKS = ("epoch", "seconds", "cpu_seconds")
# Settings that say where a run was written and how it was started, not what it did.
NOT_COMPARED = ("out", "resume", "debug", "tensorboard", "data", "built_on", "planned_epochs")


@dataclass(frozen=True)
class Account:
    """A run, or one stage of it, as its folder tells it.

    Attributes:
        name: str, how the run was named.
        folder: `Path`.
        settings: {name: value}, its config.json.
        environment: {name: value}, its environment.json; {} where there is none.
        history: {column: list of floats, one an epoch}; a number that was not taken in an epoch is nan.
        metrics: {name: value}, its metrics.json; {} where it has not come to its end.
        pictures: list of `Path`, what the chapter drew.
        samples: list of `Path`, a page of samples for each epoch.
        stages: list of `Account`, the parts that it learnt one after the other.
    """

    name: str
    folder: Path
    settings: dict
    environment: dict
    history: dict
    metrics: dict
    pictures: list
    samples: list
    stages: list = field(default_factory=list)

    @property
    def epochs(self):
        """How many were trained."""
        return max(map(len, self.history.values()), default=0)

    @property
    def curves(self):
        """{column: numbers} of the history, without its clocks and those that were taken nowhere."""
        return {
            name: values
            for name, values in self.history.items()
            if name not in CLOCKS and not all(map(math.isnan, values))
        }

    @property
    def evaluation(self):
        """What `gdl evaluate` measured, as it keeps it; {} where it did not."""
        return self.metrics.get("evaluation", {})

    @property
    def numbers(self):
        """{name: number} that the chapter found, without what stands in the history."""
        return {
            name: value
            for name, value in self.metrics.items()
            if isinstance(value, int | float) and name not in self.history
        }

    @property
    def own_settings(self):
        """{name: value} of what the run was told to do."""
        return {name: value for name, value in self.settings.items() if name not in NOT_COMPARED}


def account_of(run):
    """The account of a run, from its folder or that of one of its stages.

    Raises:
        InputError: it is the folder of no run, or a file in it is damaged.
    """
    name, run = str(run), folder_of(run)
    if not run.is_dir():
        raise InputError(f"{run} is not the folder of a run.")
    settings = settings_of(run)
    stages = [_account(folder, settings, f"{name}/{folder.name}", []) for folder in _stages_in(run)]
    return _account(run, settings, name, stages)


def _account(folder, settings, name, stages):
    return Account(
        name,
        folder,
        settings,
        _environment(folder),
        _columns(read_history(folder)),
        read_metrics(folder / "metrics.json"),
        sorted((folder / "pictures").glob("*.*")),
        sorted((folder / "samples").glob("epoch_*.*")),
        stages,
    )


def _stages_in(run):
    if not (run / "config.json").exists():
        return []  # is one
    return sorted(path.parent for path in run.glob("*/history.csv"))


def _environment(folder):
    try:
        return json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _columns(history):
    names = dict.fromkeys(name for line in history for name in line)
    return {name: [line.get(name, math.nan) for line in history] for name in names}
