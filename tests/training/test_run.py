"""A run's own: names that settings cannot have, what `fit` is given, the data and the former runs that it keeps to."""

import base64
import json
import shutil
import sys
from dataclasses import make_dataclass
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import gdl_keras
from gdl_keras import plotting
from gdl_keras.errors import InputError
from gdl_keras.evaluation import evaluate
from gdl_keras.kinds import kind
from gdl_keras.kinds.base import Follow
from gdl_keras.training import ImageConfig, Run, former
from gdl_keras.training.best import Best
from gdl_keras.training.callbacks import Annealing, EpochLength, Recorder, Samples
from tests.cases import autoencoder, images, vae
from tests.harness import assert_same, weights

pytestmark = pytest.mark.eager
CHAPTER = "00_test/01_model"


@pytest.fixture(autouse=True)
def errors_as_before(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.fixture
def run(tmp_path):
    """run() begins a run in a folder, and goes on with it from the second time on."""

    def begin(*flags, **settings):
        fields = [(name, type(value) if value else Path | None, value) for name, value in settings.items()]
        settings_class = make_dataclass("Settings", fields, bases=(ImageConfig,))
        folder = tmp_path / "run"
        where = ["--resume", str(folder)] if (folder / "config.json").exists() else ["--out", str(folder)]
        return Run.start(settings_class, CHAPTER, arguments=[*where, *flags])

    return begin


def kept(run):
    return json.loads((run.folder / "config.json").read_text())


# ---- pictures ----------------------------------------------------------------------------------------------------


def test_html_is_kept_as_a_page_of_its_own(run):
    begun = run()
    begun.show("lines", "<p>a &lt; b, é</p>")
    path = begun.folder / "pictures" / "lines.html"
    assert path.read_text(encoding="utf-8").endswith("<p>a &lt; b, é</p>\n")
    assert '<meta charset="utf-8">' in path.read_text(encoding="utf-8") and begun.pictures == [path]


def test_a_notebook_shows_a_picture_and_what_it_says(run, monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown = []
    monkeypatch.setattr("gdl_keras.training.stage.in_notebook", lambda: True)
    monkeypatch.setattr(display, "display", lambda *things, **options: shown.append((things, options)))
    begun = run()
    begun.show("some_images", plotting.grid(np.zeros((4, 8, 8, 1)), title="a title"))
    [((picture,), options)] = shown
    words = "some images: 4 images in 2 rows of 2. a title"
    assert picture["text/plain"] == words
    assert options == {"raw": True, "metadata": {"image/png": {"alt": words}}}
    assert base64.b64decode(picture["image/png"]) == (begun.folder / "pictures" / "some_images.png").read_bytes()


# ---- settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("load", "show", "schedule", "stage", "former", "execution", "history", "initial_epoch", "planned_epochs"),
        *("folder", "pictures", "chapter", "settings", "before", "data", "built_on"),
    ],
)
def test_a_setting_that_the_run_would_hide_is_refused_when_the_chapter_starts(name, run, tmp_path):
    with pytest.raises(InputError, match=f"{CHAPTER} has a setting {name}, which run.{name} hides"):
        run(**{name: 3})
    assert not (tmp_path / "run").exists()


def test_other_settings_are_attributes_of_the_run(run):
    assert run("--width", "5", width=3).width == 5


def test_a_notebook_takes_its_settings_from_the_first_cell(tmp_path, monkeypatch):
    """Where the environment says nothing, it has none: the arguments of the kernel are not its own."""
    monkeypatch.setattr("gdl_keras.training.run.in_notebook", lambda: True)
    monkeypatch.setattr(sys, "argv", ["ipykernel", "-f", "connection.json"])
    monkeypatch.chdir(tmp_path)
    assert Run.start(ImageConfig, CHAPTER).epochs == 5
    monkeypatch.setenv("GDL_FLAGS", "--epochs 7 --out 'my run'")
    started = Run.start(ImageConfig, CHAPTER)
    assert (started.epochs, started.folder) == (7, Path("my run"))


def test_an_evaluation_stays_as_long_as_the_model(run):
    def train(*flags):
        started = run(*flags)
        vae().fit(images(), batch_size=8, shuffle=False, verbose=0, **started.schedule())
        started.finish(test_loss=1.0)
        path = started.folder / "metrics.json"
        kept = json.loads(path.read_text())
        path.write_text(json.dumps({**kept, "evaluation": {"fid": 1.0}}))
        return kept

    assert "evaluation" not in train("--epochs", "1")
    assert train()["evaluation"] == {"fid": 1.0}
    assert "evaluation" not in train("--epochs", "2")


# ---- the best epoch ----------------------------------------------------------------------------------------------


class Told(Follow):
    """Says that epochs are as good as it was told; `stops` is when the run is stopped."""

    def __init__(self, distances, stops=None):
        super().__init__(kind("images"), 1, 2)
        self.distances, self.stops = distances, stops

    def numbers(self):
        if len(self.distances) == self.stops:
            raise KeyboardInterrupt
        return {"distance": self.distances.pop(0), "another": -self.distances[0] if self.distances else 0}


@pytest.fixture
def trained(run, monkeypatch):
    """trained(distances, flags) trains to the end, an epoch for each distance; returns (run, model)."""

    def train(distances, *flags, stops=None):
        started = run("--every", "1", *flags)
        monkeypatch.setattr(started._own, "_following", lambda test: [Told(list(distances), stops)])
        model = vae()
        model.fit(images(), batch_size=8, shuffle=False, verbose=0, **started.schedule())
        started.finish()
        return started, model

    return train


def test_the_model_is_that_of_the_best_epoch_and_so_are_its_numbers(trained, capsys, tmp_path):
    started, model = trained([3.0, 1.0, 2.0, 2.5], "--epochs", "4", "--keep", "best")
    assert "Epoch 2 was the best, with distance 1: the model is that of its end." in capsys.readouterr().out
    names = sorted(path.name for path in (started.folder / "checkpoint").glob("epoch_*"))
    assert names == ["epoch_0002", "epoch_0003", "epoch_0004"]
    of_two = gdl_keras.load(started.folder / "checkpoint" / "epoch_0002" / "model.keras")
    assert_same(weights(model), weights(of_two))
    assert_same(weights(gdl_keras.load(started.folder)), weights(of_two))
    assert json.loads((started.folder / "metrics.json").read_text())["distance"] == 1
    assert started.history["distance"] == [3.0, 1.0, 2.0, 2.5]
    shutil.rmtree(tmp_path / "run")
    _, last = trained([3.0, 1.0, 2.0, 2.5], "--epochs", "4")
    assert any((a != b).any() for a, b in zip(weights(last), weights(of_two)))


def test_a_run_that_was_stopped_remembers_its_best_epoch(trained, tmp_path):
    never, model = trained([3.0, 1.0, 2.0, 2.5], "--epochs", "4", "--keep", "best")
    expected, numbers = weights(model), (never.folder / "metrics.json").read_text()
    history = never.history["distance"]
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        trained([3.0, 1.0, 2.0, 2.5], "--epochs", "4", "--keep", "best", stops=1)
    stopped, model = trained([2.5])
    assert stopped.initial_epoch == 3 and stopped.history["distance"] == history
    assert_same(weights(model), expected)
    # Gone on with, it begins where training ended, and a better epoch may come.
    more, model = trained([0.5], "--epochs", "5")
    assert more.initial_epoch == 4
    assert more._own.last_numbers["epoch"] == 5
    _, model = trained([], "--epochs", "5")
    assert_same(weights(model), weights(gdl_keras.load(more.folder)))
    assert json.loads(numbers)["distance"] == 1


def test_where_the_best_checkpoint_is_damaged_the_last_model_is_kept_and_it_says_so(trained, capsys, monkeypatch):
    monkeypatch.setattr("gdl_keras.training.checkpoint.checkpoint_of", lambda folder, epoch: None)
    started, model = trained([1.0, 2.0], "--epochs", "2", "--keep", "best")
    assert "The checkpoint of epoch 1, the best, is damaged" in capsys.readouterr().out
    last = gdl_keras.load(started.folder / "checkpoint" / "epoch_0002" / "model.keras")
    assert_same(weights(model), weights(last))
    assert json.loads((started.folder / "metrics.json").read_text())["epoch"] == 2


def test_what_is_not_a_number_is_not_the_best():
    follow = SimpleNamespace(decides="distance")
    best = Best(None, [follow])
    for epoch, distance in enumerate((float("nan"), 2.0, float("nan"), 3.0), start=1):
        best.look({"epoch": epoch, "distance": distance})
    assert best.found == {"epoch": 2, "by": "distance", "value": 2.0}


def test_what_nothing_is_followed_by_has_no_best(run):
    with pytest.raises(InputError, match="--keep best goes by the number of --every: add --every 1"):
        run("--keep", "best")


# ---- fit ---------------------------------------------------------------------------------------------------------


def test_a_schedule_is_what_fit_needs(run):
    first = run("--epochs", "3", "--steps-per-epoch", "2")
    mine = keras.callbacks.Callback()
    schedule = first.schedule(callbacks=[mine])
    assert {name: schedule[name] for name in ("epochs", "steps_per_epoch", "initial_epoch")} == {
        "epochs": 3,
        "steps_per_epoch": 2,
        "initial_epoch": 0,
    }
    callbacks = schedule["callbacks"]
    kinds = [type(callback) for callback in callbacks]
    # Own ones may change weights and numbers: pictures and checkpoints come after them.
    assert callbacks.index(mine) < kinds.index(Samples) < kinds.index(Recorder)
    vae().fit(images(), batch_size=8, shuffle=False, verbose=0, **schedule)
    assert run("--epochs", "5").schedule()["initial_epoch"] == 3


@pytest.mark.parametrize(("flags", "is_told"), [([], False), (["--steps-per-epoch", "2"], True)])
def test_where_steps_are_chosen_the_run_says_how_many_passes_an_epoch_is(flags, is_told, run):
    started = run("--dataset", "fashion_mini", *flags)
    started.load("train")
    assert (EpochLength in map(type, started.callbacks())) == is_told


def test_how_a_step_is_computed(run):
    assert run("--accumulate", "4").execution() == {"accumulate": 4, "jit_compile": "auto"}
    assert run("--jit", "yes").execution()["jit_compile"] is True
    assert run("--jit", "no").execution()["jit_compile"] is False


def test_planned_epochs_and_steps_stay_those_of_the_beginning(run):
    batches = SimpleNamespace(steps_per_epoch=60)
    first = run("--epochs", "3", "--accumulate", "2")
    first.open_folder()
    assert (first.planned_epochs, kept(first)["planned_epochs"]) == (3, 3)
    later = run("--epochs", "7")
    later.open_folder()
    assert (later.epochs, later.planned_epochs, kept(later)["planned_epochs"]) == (7, 3, 3)
    # Each step takes two parts of a batch; a critic of three steps takes three of those.
    assert later.planned_steps(batches) == 3 * 30
    assert later.planned_steps(batches, batches_per_step=3) == 3 * 10
    assert later.planned_steps(SimpleNamespace(steps_per_epoch=1)) == 3


def test_planned_steps_are_those_of_the_setting_where_there_is_one(run):
    assert run("--epochs", "3", "--steps-per-epoch", "5").planned_steps(None) == 15


def test_a_run_of_before_there_were_plans_goes_on_with_the_epochs_that_it_had(run):
    first = run("--epochs", "3")
    first.open_folder()
    old = {name: value for name, value in kept(first).items() if name not in ("planned_epochs", "built_on")}
    (first.folder / "config.json").write_text(json.dumps(old))
    assert run("--epochs", "9").planned_epochs == 3


def test_a_plan_that_is_no_number_is_refused(run):
    first = run()
    first.open_folder()
    (first.folder / "config.json").write_text(json.dumps({**kept(first), "planned_epochs": "x"}))
    with pytest.raises(InputError, match=r"config\.json is damaged"):
        run()


class Rates(keras.callbacks.Callback):
    """Keeps the learning rate of each step."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_begin(self, batch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))


def test_a_schedule_of_the_rate_does_not_move_when_epochs_are_added(run, tmp_path):
    def train(run):
        """Rates of all steps, and the weights in the end."""
        data = run.load("train")
        rates = Rates()
        model = vae()
        model.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, run.planned_steps(data), 0.01)))
        model.fit(data, verbose=0, **run.schedule(callbacks=[rates]))
        return rates.rates, model

    flags = ["--image-size", "8", "--batch-size", "8", "--steps-per-epoch", "3"]
    whole, never_stopped = train(run(*flags, "--epochs", "4"))
    shutil.rmtree(tmp_path / "run")

    # Begun for four epochs, stopped after the second, as if by a kill: its checkpoint is all there is.
    first = run(*flags, "--epochs", "4")
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / (epoch - 2))
    data, model = first.load("train"), vae()
    rates = Rates()
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, first.planned_steps(data), 0.01)))
    with pytest.raises(ZeroDivisionError):
        model.fit(data, verbose=0, **first.schedule(callbacks=[rates, stop]))
    assert rates.rates[:6] == whole[:6]

    going_on, _ = train(run("--epochs", "4"))
    assert going_on == whole[6:]
    assert_same(weights(gdl_keras.load(first.folder)), weights(never_stopped))

    beyond, _ = train(run("--epochs", "6"))
    expected = [0.1 * (0.99 * 0.5 * (1 + np.cos(np.pi * min(step, 12) / 12)) + 0.01) for step in range(18)]
    np.testing.assert_allclose(whole + beyond, expected, rtol=1e-5)
    assert set(np.float32(beyond)) == {np.float32(0.001)}


def test_a_schedule_anneals_a_number_and_a_resumed_run_goes_on_with_it(run, tmp_path):
    def train(run, *others):
        """The weight of the KL term after each epoch, and the model."""
        model = vae(beta=9.0)
        anneal = Annealing("beta", start=0, end=1, epochs=4)
        model.fit(run.load("train"), verbose=0, **run.schedule(callbacks=[anneal, *others]))
        return run.history["beta"], model

    flags = ["--image-size", "8", "--batch-size", "8", "--steps-per-epoch", "2"]
    whole, never_stopped = train(run(*flags, "--epochs", "6"))
    assert whole == [0, 0.25, 0.5, 0.75, 1, 1]
    shutil.rmtree(tmp_path / "run")
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 1 / (epoch - 2))
    with pytest.raises(ZeroDivisionError):
        train(run(*flags, "--epochs", "6"), stop)
    resumed, model = train(run("--epochs", "6"))
    assert resumed == whole
    assert_same(weights(model), weights(never_stopped))
    with pytest.raises(InputError, match="VAE can be annealed: beta; gamma is not among it"):
        vae().fit(images(), callbacks=[Annealing("gamma", 0, 1, 3)], verbose=0)


# ---- data --------------------------------------------------------------------------------------------------------


def test_data_that_is_loaded_late_is_kept_and_known_when_the_run_goes_on(run):
    first = run("--image-size", "8")
    first.load("train")
    first.open_folder()
    identity = first.load("test").identity
    assert kept(first)["data"]["test"] == identity
    again = run()
    again.open_folder()
    assert set(kept(again)["data"]) == {"train", "test"}
    assert again.test_data().identity == identity
    (first.folder / "config.json").write_text(json.dumps({**kept(first), "data": {"test": "another"}}))
    with pytest.raises(InputError, match="test images of fashion_mini are not those that the run began with"):
        run().load("test")
    run().load("train")


# ---- former runs -------------------------------------------------------------------------------------------------


@pytest.fixture
def codec(tmp_path):
    """The folder of a run that has a model; change() trains it further."""
    folder = tmp_path / "codec"
    folder.mkdir()
    autoencoder().save(folder / "model.keras")

    def change():
        keras.utils.set_random_seed(5)
        autoencoder().save(folder / "model.keras")

    return SimpleNamespace(folder=folder, change=change)


def test_a_run_builds_on_the_model_that_a_setting_names(run, codec):
    first = run("--codec", str(codec.folder), codec=None)
    assert_same(weights(first.former("codec")), weights(gdl_keras.load(codec.folder)))
    first.open_folder()
    assert set(kept(first)["built_on"]) == {"codec"} and kept(first)["codec"] == str(codec.folder)
    again = run(codec=None)
    assert again.settings.codec == codec.folder
    again.former("codec")
    former.check_formers(kept(first))


def test_where_no_run_is_named_there_is_no_model(run):
    assert run(codec=None).former("codec") is None


def test_a_run_does_not_go_on_with_another_former_model(run, codec):
    first = run("--codec", str(codec.folder), codec=None)
    first.open_folder()
    first.former("codec")  # after the folder was opened: kept all the same
    codec.change()
    with pytest.raises(InputError, match=r"--codec .*codec holds another model than the one that this run began with"):
        run(codec=None).former("codec")
    with pytest.raises(InputError, match="is not the one that this run was built on"):
        evaluate(first.folder)


def test_a_former_run_may_have_moved(run, codec, tmp_path):
    first = run("--codec", str(codec.folder), codec=None)
    first.former("codec")
    first.open_folder()
    codec.folder.rename(tmp_path / "elsewhere")
    former.check_formers(kept(first))  # what is needed of it is inside the run's own model
    with pytest.raises(InputError, match=r"There is no .*codec"):
        run(codec=None).former("codec")
    moved = run("--codec", str(tmp_path / "elsewhere"), codec=None)
    moved.former("codec")
    moved.open_folder()
    assert kept(moved)["codec"] == str(tmp_path / "elsewhere")


def test_another_former_run_is_refused_at_once_where_it_was_not_used_yet(run, codec):
    run("--codec", str(codec.folder), codec=None).open_folder()
    with pytest.raises(InputError, match="--codec other differs from the run's"):
        run("--codec", "other", codec=None)


# ---- beginning with what another run has learnt ----------------------------------------------------------------------


class AtFirst(keras.callbacks.Callback):
    """Keeps what a model is when its first step begins."""

    def on_train_batch_begin(self, batch, logs=None):
        if not hasattr(self, "weights"):
            self.weights = [np.asarray(weight) for weight in self.model.weights]
            self.steps = int(self.model.optimizer.iterations)


def learn(begun, model, epochs=2, callbacks=()):
    """Trains a model for a run, on eight images, four a step."""
    schedule = begun.schedule(callbacks=list(callbacks))
    model.fit(images(8), batch_size=4, verbose=0, shuffle=False, **{**schedule, "epochs": epochs, "steps_per_epoch": 2})
    return model


@pytest.fixture
def learnt(tmp_path):
    """The file of a trained model."""
    model = vae()
    model.fit(images(8), epochs=2, verbose=0)
    model.save(tmp_path / "learnt.keras")
    return tmp_path / "learnt.keras"


def test_a_run_begins_with_what_another_has_learnt(run, learnt):
    first, at_first = run("--start-from", str(learnt)), AtFirst()
    learn(first, vae(), callbacks=[at_first])
    assert_same(at_first.weights, [np.asarray(weight) for weight in gdl_keras.load(learnt).weights])
    assert at_first.steps == 0  # its optimizer is a new one
    assert kept(first)["start_from"] == str(learnt)


def test_what_it_began_with_is_not_needed_to_go_on(run, learnt, tmp_path):
    never_stopped = learn(run("--start-from", str(learnt)), vae())
    shutil.move(tmp_path / "run", tmp_path / "whole")
    learn(run("--start-from", str(learnt)), vae(), epochs=1)
    learnt.unlink()
    going_on = learn(run("--epochs", "2"), vae())
    assert_same(weights(never_stopped), weights(going_on))


def test_it_is_an_error_before_the_first_step_where_it_does_not_fit(run, learnt, tmp_path):
    def beginning(model, name=learnt):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        learn(run("--start-from", str(name)), model)

    with pytest.raises(InputError, match=r"--start-from .*learnt.keras holds a VAE, and this run trains a Autoencoder"):
        beginning(autoencoder())
    from gdl_keras.models import VAE, build_decoder, build_variational_encoder

    wider = VAE(build_variational_encoder((8, 8, 1), 3, (4, 4)), build_decoder((8, 8, 1), 3, (4, 4)), seed=1)
    wider.compile("adam")
    with pytest.raises(InputError, match=r"does not fit: .* is \(.*2\) there and \(.*3\) here"):
        beginning(wider)
    with pytest.raises(InputError, match=r"There is no .*nothing.keras"):
        beginning(vae(), tmp_path / "nothing.keras")
    assert not list(tmp_path.glob("run/checkpoint/*"))


def test_tokens_must_mean_the_same_words(tmp_path):
    from gdl_keras.data import Vocabulary
    from gdl_keras.training.checkpoint import take_over
    from tests.text_cases import recurrent

    ours, theirs = recurrent(), recurrent()
    take_over(ours, theirs, "it")
    others = Vocabulary(["<end>", "<unknown>", "c", "b", "a"])
    theirs = type(ours)(theirs.network, others, length=12)
    with pytest.raises(InputError, match="it has learnt other tokens"):
        take_over(ours, theirs, "it")


def test_a_former_run_that_has_learnt_more_since_spoils_nothing(run, learnt):
    first = run("--start-from", str(learnt))
    learn(first, vae(), epochs=1)
    learnt.write_bytes(b"another")
    former.check_formers(kept(first))
