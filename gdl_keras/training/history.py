"""history.csv of a run or a stage: a line an epoch, a column for each number that was taken.

Nothing here imports TensorFlow, so that commands that only read it are quick.
"""

import csv
from pathlib import Path

from gdl_keras.errors import InputError
from gdl_keras.files import whole_file


def write_history(folder, history):
    """Writes `folder`/history.csv, whole.

    Args:
        folder: the folder of a run, or of a stage of one.
        history: list of {name: number}, an epoch each; a number that was not taken in an epoch is missing there.
    """
    names = list(dict.fromkeys(name for line in history for name in line))
    with whole_file(Path(folder) / "history.csv") as partial, open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(history)


def read_history(folder):
    """The history that `write_history` wrote: list of {name: float}, an epoch each; empty where there is none.

    Raises:
        InputError: the file is damaged.
    """
    path = Path(folder) / "history.csv"
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [{name: float(text) for name, text in row.items() if text != ""} for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged ({error}): move it away.") from None
