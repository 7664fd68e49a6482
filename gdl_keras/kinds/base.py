"""What every kind of sample has: files, a page, numbers that say how good samples are, a number while training."""

from pathlib import Path

import keras
import numpy as np

from gdl_keras import keywords
from gdl_keras.errors import InputError
from gdl_keras.metrics.likelihood import bits_per_dim

BATCH_SIZE = 500


class Kind:
    """What is to be known of samples of one kind.  A subclass sets the attributes and writes the methods below.

    Attributes:
        name: the name of its file, such as "images".
        unit: the plural in sentences and in results, such as "images".
        suffixes: {".png": "a grid of images"}, the files that `write` makes, in words; "" stands for a folder.
        sheet_suffix: of the file that `write_sheet` makes, and that `write` makes unless another is named.
        fewest: how many samples an evaluation takes at least.
        better: {name of a metric: "smaller", "larger", or a phrase}: which way is better, for each that there is.
        compares_with_training: whether `measure` looks at training data; where not, it gets None in its place.
    """

    fewest = 10
    compares_with_training = False

    def check(self, samples):
        """Raises InputError, with what is wrong, unless these are samples of this kind."""
        raise NotImplementedError

    def write_sheet(self, samples, columns, path):
        """Writes the page of samples of an epoch, `columns` wide, whole or not at all."""
        raise NotImplementedError

    def write(self, samples, path):
        """Writes samples to a file whose suffix is one of `suffixes`, or to a folder, whole or not at all.

        Raises:
            InputError: these are no samples of this kind, or there is something in the folder.
        """
        raise NotImplementedError

    def load(self, settings, split, model):
        """The data that a model's samples are compared with.

        Args:
            settings: {setting: value} of the run, "dataset" among them.
            split: "train" or "test".
            model: the model.

        Returns:
            a `data.Table`.
        """
        raise NotImplementedError

    def examples(self, table, indices):
        """Examples of a data set as samples of this kind are: what `write_sheet` takes.

        Args:
            table: `data.Table`.
            indices: int array.
        """
        raise NotImplementedError

    def measure(self, model, train, test, n, seed=0):
        """How good a model's samples are.

        The floor of a metric is what it says of other held-out examples in the samples' place; `halves` deals them.

        Args:
            model: a generative model.
            train, test: `data.Table` of its data; `train` is None where `compares_with_training` is not set.
            n: int, how many samples.
            seed: int, decides the samples and which examples are used.
            A subclass adds keyword-only options of its own: they are flags of `gdl evaluate`.

        Returns:
            {"metrics": {name: {"value", "standard_error" where known, how it was measured, "floor": the same of the
            floor, or None, "better"}}, "held_out" and "floor": as `part` gives them, and what else it takes to repeat
            the numbers}, as JSON can hold it.

        Raises:
            InputError: model and data do not fit.
        """
        raise NotImplementedError

    def about(self, result):
        """What the table of `gdl evaluate` says before its numbers, of what `measure` returned: list of lines."""
        return []

    def follow(self, every, test, n=1000, seed=0):
        """A `Follow` that puts a quick number into the logs of training.

        Args:
            every: int, epochs from one to the next.
            test: `data.Table`, held out.
            n: int, how many samples, and no more than `test` has.
            seed: int, decides the samples and which examples are used.
            A subclass may add keyword-only options of its own, which `follow_options` knows.
        """
        raise NotImplementedError

    def follow_options(self, settings):
        """The options of `follow` with which a run that is resumed goes on: {name: value}.

        Args:
            settings: `Follow.settings` of the run before, so that one history holds one distance.
        """
        return {}

    # ---- what subclasses and callers use as it is --------------------------------------------------------------------

    def check_path(self, path):
        """Raises InputError, with the suffixes that there are, unless `write` can write to `path`."""
        path = Path(path)
        if (suffix := "" if path.is_dir() else path.suffix) not in self.suffixes:
            files = " or ".join(f"{suffix} ({phrase})" for suffix, phrase in self.suffixes.items() if suffix)
            folder = f", or in no suffix ({self.suffixes['']})" if "" in self.suffixes else ""
            raise InputError(f"{path} should end in {files}{folder}.")
        if suffix == "" and path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(f"{path} is not an empty folder: choose another -o.")

    @property
    def evaluation_options(self):
        """The options of `measure`: {name: `inspect.Parameter`}."""
        return keywords.of(self.measure)

    def most(self, test):
        """How many samples can be compared with as many held-out examples, with as many others left for the floor."""
        return test.num_examples // 2

    def part(self, table, count):
        """Which examples were used, for results."""
        return {"split": table.split, self.unit: count, "identity": table.identity}

    def joined(self, metrics, floors):
        """Metrics with their floors, and with which way is better where a metric does not say so itself."""
        return {
            name: {**metric, "floor": floors.get(name), "better": metric.get("better", self.better[name])}
            for name, metric in metrics.items()
        }


class Follow(keras.callbacks.Callback):
    """After every so many epochs, numbers of the model's samples, into the epoch's line of the history.

    A subclass writes `numbers`, and `prepare` for what is computed once.  Name this callback before the one that writes
    the history.  Samples come from random numbers of their own: training goes on as if this were not there.

    Args:
        kind: the `Kind`.
        every: int, epochs from one evaluation to the next.
        n: int, how many samples.
        settings: dict, what else it takes to repeat the numbers.

    Attributes:
        settings: dict, all that it takes, as JSON can hold it.
        decides: str, which of the numbers says that one epoch is better than another, by being smaller; None before the
            first.

    Raises:
        InputError: `every` is below 1, or `n` below 2; when training begins: the model makes no such samples.
    """

    def __init__(self, kind, every, n, **settings):
        super().__init__()
        if every < 1 or n < 2:
            raise InputError(f"every is at least 1 and n at least 2; they are {every} and {n}.")
        self.kind = kind
        self.every = every
        self.settings = {"every": every, "n": n, **settings}
        self.decides = None
        self._is_prepared = False

    def prepare(self):
        """Computes what the numbers of all epochs share."""

    def numbers(self):
        """{name: float} of `self.model` as it is now; the smaller the first of them, the better the model."""
        raise NotImplementedError

    def on_train_begin(self, logs=None):
        if not hasattr(self.model, "generate") or self.model.makes != self.kind.name:
            name = type(self.model).__name__
            raise InputError(f"{name} generates no {self.kind.unit} to evaluate: leave --every away.")
        if not self._is_prepared:
            self.prepare()
            self._is_prepared = True

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            numbers = self.numbers()
            self.decides = next(iter(numbers))
            logs.update(numbers)


def halves(count, n, seed=0):
    """Two disjoint sets of as many examples, of `n` each or of half of all: int arrays, in random order."""
    order = np.random.default_rng(seed).permutation(count)
    size = min(n, count // 2)
    return order[:size], order[size : 2 * size]


def in_parts(indices):
    """An array in parts that bound memory: yields slices of it."""
    for start in range(0, len(indices), BATCH_SIZE):
        yield indices[start : start + BATCH_SIZE]


def generated(model, n, seed=0, conditions=None):
    """`n` samples of a model, in parts that bound memory: yields arrays (up to 500, ...).

    Args:
        model: a generative model.
        n: int.
        seed: int; sample i depends on it and on i alone.
        conditions: {keyword: array of length n}, of a conditional model.
    """
    for numbers in in_parts(np.arange(n)):
        given = {name: values[numbers] for name, values in (conditions or {}).items()}
        yield model.generate(len(numbers), seed=seed, first=int(numbers[0]), **given)


def mean_of(values):
    """The mean of independent numbers, as a metric: {"value", "standard_error"}."""
    values = np.asarray(values, "float64")
    return {"value": float(values.mean()), "standard_error": float(values.std(ddof=1) / np.sqrt(len(values)))}


def likelihood(model, batches, seed=0):
    """-log p(x) of held-out examples, or the bound on it, of a model that has a likelihood.

    A bernoulli likelihood takes each pixel for a coin.  Of black and white images it is a probability; of grey ones it
    is not quite, and its bits do not compare with those of models of bytes.  A density is turned into bits by the width
    of a bin of the data, without the noise that would make that exact.

    Args:
        model: a generative model.
        batches: iterable of arrays (n, ...), examples as the model makes them.
        seed: int; decides what is random in a bound.

    Returns:
        {"nats": metric of a whole example, "bits_per_dim": metric of one of its numbers}, or {}.
    """
    if model.likelihood_is is None:
        return {}
    losses, shape = [], ()
    for batch in batches:
        losses.append(model.negative_log_likelihood(batch, seed, first=sum(map(len, losses))))
        shape = batch.shape[1:]
    nats = mean_of(np.concatenate(losses))
    bits = {
        "value": bits_per_dim(nats["value"], shape, model.density_bin_width),
        "standard_error": bits_per_dim(nats["standard_error"], shape),
    }
    of_which = {"likelihood": model.likelihood} if hasattr(model, "likelihood") else {}
    bound = model.likelihood_is == "bound"
    return {
        "nats": nats | of_which | {"better": "smaller (a bound on -log p)" if bound else "smaller"},
        "bits_per_dim": bits | of_which | {"better": "smaller (a bound)" if bound else "smaller"},
    }
