"""A kind that nobody knows but its own class: commands and callbacks ask it for all that they do."""

import json

import numpy as np
import pytest

from gdl_keras import cli, data, kinds
from gdl_keras.errors import InputError
from gdl_keras.files import write_text
from gdl_keras.kinds.base import Follow, generated, halves, likelihood
from gdl_keras.models import VAE
from gdl_keras.training.callbacks import Samples
from tests import cases


class Numbers(kinds.Kind):
    """A sample is one number; lists of them are text files."""

    name = unit = "numbers"
    suffixes = {".txt": "a number a line"}
    sheet_suffix = ".txt"
    better = {"distance_of_means": "smaller", "nats": "smaller", "bits_per_dim": "smaller"}
    compares_with_training = True

    def check(self, samples):
        if np.ndim(samples) != 1:
            raise InputError("Numbers are an array (n,).")

    def write(self, samples, path):
        self.check(samples)
        write_text(path, "\n".join(f"{number:.3f}" for number in samples) + "\n")

    def write_sheet(self, samples, columns, path):
        self.write(samples, path)

    def load(self, settings, split, model):
        values = np.arange(60 if split == "test" else 600, dtype="float32")
        return data.from_arrays(numbers=values, kind="numbers", name=settings["dataset"], split=split)

    def measure(self, model, train, test, n, seed=0, *, power: int = 1):
        first, second = halves(test.num_examples, n, seed)
        assert train.num_examples == 600
        mean = test.rows("numbers", first).mean()
        samples = np.concatenate(list(generated(model, n, seed)))
        value, floor = (float(abs(x.mean() - mean) ** power) for x in (samples, test.rows("numbers", second)))
        metrics = {"distance_of_means": {"value": value}}
        metrics |= likelihood(model, [test.rows("numbers", first)], seed)
        parts = {"held_out": self.part(test, len(first)), "floor": self.part(test, len(second))}
        return {**parts, "metrics": self.joined(metrics, {"distance_of_means": {"value": floor}})}

    def follow(self, every, test, n=1000, seed=0):
        class Mean(Follow):
            def numbers(self):
                return {"mean": float(self.model.generate(n, seed=seed).mean())}

        return Mean(self, every, n)


class Counter(VAE):
    """Makes the numbers from `first` on, times `scale`."""

    makes = "numbers"
    evaluation_size = 20
    likelihood_is = "exact"

    def draw(self, count, seed, first=0, *, scale=1.0):
        return scale * np.arange(first, first + count, dtype="float32")

    def generate(self, n=None, *, seed=None, first=0, batch_size=256, **options):
        return self.draw(n, seed, first, **options)

    def negative_log_likelihood(self, batch, seed=0, first=0):
        return np.full(len(batch), 2.0)


@pytest.fixture
def counter(monkeypatch, tmp_path):
    """A model of this kind, and the folder of its run."""
    monkeypatch.setattr("gdl_keras.kinds.kind", lambda name: {"numbers": KIND}[name])
    whole = cases.vae()
    model = Counter(whole.encoder, whole.decoder)
    model.compile("adam")
    monkeypatch.setattr("gdl_keras.load", lambda run: model)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps({"dataset": "sixty"}))
    return model


KIND = Numbers()


def test_samples_are_written_as_the_kind_writes_them(counter, tmp_path, capsys):
    assert cli.main(["sample", "run", "-n", "3", "--scale", "2"]) == 0
    assert (tmp_path / "samples.txt").read_text() == "0.000\n2.000\n4.000\n"
    assert cli.main(["sample", "run", "-o", "samples.png"]) == 2
    assert "samples.png should end in .txt (a number a line)." in capsys.readouterr().err


def test_it_is_evaluated_as_the_kind_measures_it(counter, tmp_path, capsys):
    assert cli.main(["evaluate", "run", "--power", "2"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("20 samples against 20 held-out numbers of sixty\nfloor: 20 other held-out numbers")
    result = json.loads((tmp_path / "run" / "metrics.json").read_text())["evaluation"]
    first, second = halves(60, 20)
    assert result["metrics"]["distance_of_means"] == {
        "value": pytest.approx((first.mean() - 9.5) ** 2, rel=1e-5),
        "floor": {"value": pytest.approx((first.mean() - second.mean()) ** 2, rel=1e-5)},
        "better": "smaller",
    }
    assert result["metrics"]["nats"]["value"] == 2
    assert "nats" in out and "a bound" not in out
    assert result["held_out"] | {"identity": None} == {"split": "test", "numbers": 20, "identity": None}
    assert result["model"]["class"] == "Counter"


def test_features_are_for_images(counter, capsys):
    assert cli.main(["evaluate", "run", "--features", "fashion"]) == 2
    assert "gdl evaluate of numbers takes no --features.  Known are: --power" in capsys.readouterr().err


@pytest.mark.eager
def test_pages_and_numbers_while_training(counter, tmp_path):
    callbacks = [KIND.follow(1, None, n=4), Samples(tmp_path)]
    counter.sample_sheet = lambda: (counter.generate(2), 1)
    logs = counter.fit(cases.images(), verbose=0, epochs=2, callbacks=callbacks).history
    assert logs["mean"] == [1.5, 1.5]
    assert (tmp_path / "samples" / "epoch_0002.txt").read_text() == "0.000\n1.000\n"
    with pytest.raises(InputError, match="VAE generates no numbers to evaluate"):
        cases.vae().fit(cases.images(), verbose=0, callbacks=callbacks)
