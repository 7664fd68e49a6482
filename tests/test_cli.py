"""The `gdl` command: exit codes, sentences, and that nothing is left behind."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gdl_keras import cli
from tests.cases import autoencoder, cgan

pytestmark = pytest.mark.eager
QUICK = ["--preset", "smoke", "--steps-per-epoch", "1", "--batch-size", "8"]


@pytest.fixture(autouse=True)
def at_home_in_an_empty_folder(tmp_path, monkeypatch):
    """Runs and data of these tests go to the test's own folder; prepared images are shared by all."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.fixture
def gdl(capsys):
    """gdl("list") -> (exit code, stdout, stderr)."""

    def call(*arguments):
        try:
            code = cli.main(arguments)
        except SystemExit as exit_:
            code = exit_.code or 0
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def model_file(tmp_path):
    autoencoder().save(tmp_path / "model.keras")
    return str(tmp_path / "model.keras")


def test_help_answers_within_a_second():
    """Without TensorFlow: its import alone takes longer."""
    durations = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "gdl_keras", "--help"], capture_output=True)
        durations.append(time.monotonic() - began)
    assert min(durations) < 1
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gdl_keras", "--help"], capture_output=True, text=True
    )
    assert "gdl run 03_vae/02_vae_fashion" in shown.stdout
    imported = {line.split("|")[-1].strip() for line in shown.stderr.splitlines()}
    assert not imported & {"tensorflow", "keras", "matplotlib"}


def test_list_names_chapters_and_data(gdl):
    code, out, _ = gdl("list")
    assert code == 0
    assert "03_vae/01_autoencoder" in out
    assert "*  fashion_mini" in out


def test_another_backend_is_one_clear_sentence():
    for command in (["-m", "gdl_keras", "run", "vae_fashion", *QUICK], ["-c", "import gdl_keras.models"]):
        shown = subprocess.run(
            [sys.executable, *command], capture_output=True, text=True, env={**os.environ, "KERAS_BACKEND": "jax"}
        )
        assert shown.returncode != 0
        assert "gdl_keras runs on TensorFlow, and Keras is set to the backend 'jax'" in shown.stderr
    assert not os.listdir()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "03_vae/02_vae_fashon"], "Did you mean 03_vae/02_vae_fashion"),
        (["run"], "Which chapter"),
        (["run", "vae_fashion", "--epochs", "-1"], "--epochs is at least 1, not -1"),
        (["run", "vae_fashion", "--dataset", "fashon", *QUICK], "fashion"),
        (["run", "vae_fashion", "--dataset", "./nowhere", *QUICK], "nowhere"),
        (["run", "vae_fashion", *QUICK, "--dataset", "fashion_mini", "--image-size", "30"], "multiple of 8"),
        (["run", "vae_fashion", "--resume", "nowhere"], "not the folder of a run"),
        (["run", "vae_fashion", "--latent-dim", "0"], "--latent-dim is at least 1"),
        (["run", "vae_fashion", "--every", "-1"], "--every is at least 0, not -1"),
        (["run", "dcgan", "--beta-1", "1"], "--beta-1 is at least 0 and below 1, not 1.0"),
        (["run", "vae_fashion", "--compare-betas", "-1"], "--compare-betas is at least 0, not -1.0"),
        (["run", "vae_fashion", "--learning-rate", "0"], "--learning-rate is larger than 0, not 0.0"),
        (["run", "vae_fashion", "--dataset", "", *QUICK], "name of a data set is empty"),
        (["sample", "nowhere"], "There is no nowhere"),
        (["data", "info", "fashon"], "fashion"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(gdl, arguments, words):
    code, _, err = gdl(*arguments)
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line.startswith("Error")]) == 1
    assert not [path for path in Path().rglob("*") if path.is_file()]


def test_debug_shows_the_traceback(gdl):
    for arguments in (["--debug", "sample", "nowhere"], ["sample", "nowhere", "--debug"]):
        code, _, err = gdl(*arguments)
        assert code == 2
        assert "Traceback" in err


@pytest.mark.parametrize(
    "arguments", [["fly"], ["list", "--loud"], ["data"], [], ["sample"], ["run", "--preset", "smoke", "vae_fashion"]]
)
def test_usage_errors_exit_with_2(gdl, arguments):
    code, _, err = gdl(*arguments)
    assert code == 2
    assert "usage" in err


def test_a_failure_while_running_exits_with_1(gdl, monkeypatch, model_file):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.savez_compressed", full)
    code, _, err = gdl("sample", model_file, "-o", "samples.npz")
    assert code == 1
    assert "disk is full" in err
    assert os.listdir() == ["model.keras"]


def test_a_read_only_output_folder(gdl, tmp_path, monkeypatch):
    """As root every folder can be written, so the system's answer is played."""
    monkeypatch.setattr("gdl_keras.training.run.os.access", lambda path, mode: False)
    code, _, err = gdl("run", "vae_fashion", *QUICK, "--dataset", "fashion_mini", "--out", "there/run")
    assert code == 2
    assert "No permission" in err
    assert not (tmp_path / "there").exists()


def test_a_folder_that_holds_a_run_or_other_things_is_not_overwritten(gdl, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.txt").write_text("mine")
    code, _, err = gdl("run", "vae_fashion", *QUICK, "--dataset", "fashion_mini", "--out", "photos")
    assert code == 2
    assert "not an empty folder" in err
    (tmp_path / "photos" / "config.json").write_text("{}")
    code, _, err = gdl("run", "vae_fashion", *QUICK, "--dataset", "fashion_mini", "--out", "photos")
    assert code == 2
    assert "already holds a run" in err
    assert (tmp_path / "photos" / "mine.txt").read_text() == "mine"


def test_sample_writes_a_grid_or_an_array_that_the_seed_decides(gdl, model_file):
    assert gdl("sample", model_file, "-n", "9", "-o", "grid.png", "--seed", "7")[0] == 0
    assert Image.open("grid.png").size == (12 * (3 * 9 - 1), 12 * (3 * 9 - 1))
    for name in ("first.npz", "second.npz"):
        assert gdl("sample", model_file, "-n", "9", "-o", name, "--seed", "7")[0] == 0
    first, second = (np.load(name, allow_pickle=False)["images"] for name in ("first.npz", "second.npz"))
    assert (first.shape, first.dtype) == ((9, 8, 8, 1), np.uint8)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["-o", "grid.jpg"], "should end in .png (a grid of images) or .npz (an array)"),
        (["-n", "0"], "at least 1"),
        (["--label", "1"], "not conditional"),
        (["--temperature", "0.8"], "Autoencoder takes no --temperature.  Known are: --batch-size, --first"),
        (["--batch-sise", "8"], "Did you mean --batch-size"),
        (["--lable", "boot"], "Did you mean --label"),
        (["--first", "some"], "--first is a whole number, not 'some'"),
        (["--first"], "--first wants a value"),
        (["more"], "'more' belongs to no flag"),
    ],
)
def test_sample_explains_what_it_cannot_do(gdl, model_file, flags, words):
    code, _, err = gdl("sample", model_file, *flags)
    assert code == 2
    assert words in err
    assert os.listdir() == ["model.keras"]


def test_sample_writes_a_folder_of_pictures(gdl, model_file):
    assert gdl("sample", model_file, "-n", "3", "-o", "new", "--seed", "7")[0] == 0
    assert gdl("sample", model_file, "-n", "3", "-o", "new.npz", "--seed", "7")[0] == 0
    for number, image in enumerate(np.load("new.npz")["images"]):
        np.testing.assert_array_equal(np.asarray(Image.open(f"new/{number:04d}.png")), image[..., 0])
    code, _, err = gdl("sample", model_file, "-o", "new")
    assert code == 2
    assert "new is not an empty folder" in err


def test_sample_passes_the_models_own_keywords(gdl, model_file):
    """The samples after the first four are those that a longer page ends with."""
    flags = {"all": ["-n", "9"], "rest": ["-n", "5", "--first", "4", "--batch-size=2"]}
    for name, own in flags.items():
        assert gdl("sample", model_file, "-o", f"{name}.npz", "--seed", "7", *own)[0] == 0
    every, rest = (np.load(f"{name}.npz")["images"].astype(int) for name in flags)
    np.testing.assert_allclose(every[4:], rest, atol=1)


def test_a_page_is_where_nothing_else_is_said(gdl, model_file):
    code, out, _ = gdl("sample", model_file, "-n", "4")
    assert (code, out) == (0, "samples.png\n")
    assert sorted(os.listdir()) == ["model.keras", "samples.png"]


def test_sample_of_a_stage(gdl, tmp_path):
    (tmp_path / "run" / "vision").mkdir(parents=True)
    (tmp_path / "run" / "config.json").write_text("{}")
    autoencoder().save(tmp_path / "run" / "vision" / "model.keras")
    assert gdl("sample", "run/vision", "-n", "4", "-o", "grid.png")[0] == 0


def test_doctor_says_what_is_here(gdl):
    code, out, _ = gdl("doctor")
    assert code == 0
    assert "[ok] Python" in out
    assert "[ok] TensorFlow" in out


def test_tensorboard_that_is_not_installed_is_missed_before_training(gdl, monkeypatch):
    monkeypatch.setattr("gdl_keras.training.run.find_spec", lambda name: None)
    code, _, err = gdl("run", "vae_fashion", *QUICK, "--tensorboard")
    assert code == 2
    assert "pip install tensorboard" in err
    assert not os.listdir()


def test_run_help_without_a_chapter(gdl):
    code, out, _ = gdl("run", "--help")
    assert code == 0
    assert "gdl run CHAPTER" in out


@pytest.mark.parametrize("command", [["list"], ["data", "list"], ["run", "vae_fashion", "--help"]])
def test_a_reader_that_has_seen_enough_is_no_error(command):
    process = subprocess.Popen(
        [sys.executable, "-m", "gdl_keras", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) in (0, 141)


def test_data_that_nothing_reads_yet_says_so(gdl):
    _, out, _ = gdl("data", "list")
    lines = {line[2:].split()[0]: line for line in out.splitlines()[1:]}
    assert lines["chorales"][1] == "+" and lines["chorales"].endswith("; no program reads it yet")
    assert lines["rings"][1] == "+" and not lines["rings"].endswith("yet")
    assert lines["faces"][1] == " "


def test_what_is_wrong_is_said_before_data_is_fetched(gdl, monkeypatch):
    from gdl_keras import data

    def fetch(*arguments, **options):
        raise AssertionError("something was fetched")

    monkeypatch.setattr(data, "first_available", fetch)
    for wrong, words in [("--image-size", "30"), ("--devices", "7"), ("--dataset", "facess")]:
        code, _, err = gdl("run", "vae_fashion", "--dataset", "mnist", wrong, words)
        assert code == 2 and words in err


def test_bad_input_empties_the_folder_that_out_named(gdl, tmp_path):
    (tmp_path / "out").mkdir()
    wrong = ["run", "autoencoder", *QUICK, "--dataset", "fashion_mini", "--image-size", "30", "--out", "out"]
    assert gdl(*wrong)[0] == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_run_stopped_between_picture_and_checkpoint_loses_neither(gdl, monkeypatch, tmp_path):
    """The picture of an epoch is written before the checkpoint that says the epoch is done."""
    from gdl_keras.training import checkpoint

    flags = ["--dataset", "fashion_mini", "--epochs", "3"]
    with monkeypatch.context() as patch:

        def stop(folder, model, epochs_done, *more):
            if epochs_done == 2:
                raise KeyboardInterrupt
            save(folder, model, epochs_done, *more)

        save = checkpoint.save_checkpoint
        patch.setattr(checkpoint, "save_checkpoint", stop)
        code, _, err = gdl("run", "gan", *QUICK, *flags, "--out", "out")
    assert code == 130
    assert "Go on with: gdl run 04_gan/04_gan --resume out" in err
    assert gdl("run", "gan", "--resume", "out")[0] == 0
    assert sorted(os.listdir(tmp_path / "out" / "samples")) == [f"epoch_000{n}.png" for n in (1, 2, 3)]


def test_a_run_does_not_go_on_with_other_images(gdl, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for index in range(12):
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8)).save(tmp_path / "photos" / f"{index}.png")
    assert gdl("run", "gan", *QUICK, "--dataset", "./photos", "--out", "out")[0] == 0
    assert gdl("run", "gan", "--resume", "out", "--epochs", "2")[0] == 0
    Image.fromarray(rng.integers(0, 255, (32, 32, 3), np.uint8)).save(tmp_path / "photos" / "new.png")
    code, _, err = gdl("run", "gan", "--resume", "out", "--epochs", "3")
    assert code == 2
    assert "not those that the run began with" in err
    assert (tmp_path / "out" / "model.keras").exists()


def test_sample_draws_the_class_asked_for_or_all_in_turn(gdl, tmp_path):
    for attributes in (False, True):
        model = cgan(3, attributes)
        model.save(tmp_path / "cgan.keras")
        assert gdl("sample", "cgan.keras", "-n", "6", "-o", "all.npz", "--seed", "7")[0] == 0
        assert gdl("sample", "cgan.keras", "-n", "6", "-o", "one.npz", "--seed", "7", "--label", "1")[0] == 0
        every, one = (np.load(name, allow_pickle=False)["images"] for name in ("all.npz", "one.npz"))
        same = [np.array_equal(a, b) for a, b in zip(every, one)]
        assert same == [False, True, False, False, True, False]
    code, _, err = gdl("sample", "cgan.keras", "--label", "3")
    assert code == 2 and "between 0 and 2, not 3" in err
    code, _, err = gdl("sample", "cgan.keras", "--label", "boot")
    assert code == 2 and "'boot' is called by is not known here: a label is a number from 0 to 2" in err


@pytest.mark.parametrize(
    ("config", "count", "names"),
    [
        ({"dataset": "fashion_mini"}, 10, {"Ankle boot": 9, "boot": 9, "shirt": 6}),
        ({"dataset": "fashion_mini", "attribute": "Smiling"}, 2, {"Smiling": 1, "not smiling": 0}),
    ],
)
def test_a_label_may_be_a_name_that_the_run_knows(gdl, tmp_path, config, count, names):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    cgan(count).save(tmp_path / "run" / "model.keras")
    for name, number in names.items():
        for label, file in ((name, "name.npz"), (str(number), "number.npz")):
            assert gdl("sample", "run", "-n", "3", "-o", file, "--seed", "7", "--label", label)[0] == 0
        by_name, by_number = (np.load(file)["images"] for file in ("name.npz", "number.npz"))
        np.testing.assert_array_equal(by_name, by_number)
    code, _, err = gdl("sample", "run", "--label", "hat")
    assert code == 2
    assert "There is no label 'hat'" in err


def test_a_model_knows_the_names_of_its_classes(gdl, tmp_path):
    """Wherever its file lies, and whatever became of the images that it learnt from."""
    model = cgan(3)
    model.label_names = ("hill", "sea", "wood")
    model.save(tmp_path / "cgan.keras")
    for name in ("sea", "SEA", "ea", "1"):
        assert gdl("sample", "cgan.keras", "-n", "3", "-o", f"{name}.npz", "--seed", "7", "--label", name)[0] == 0
    by_name, *others = (np.load(f"{name}.npz")["images"] for name in ("1", "sea", "SEA", "ea"))
    assert all(np.array_equal(by_name, other) for other in others)
    code, _, err = gdl("sample", "cgan.keras", "--label", "hlil")
    assert code == 2 and "There is no label 'hlil'.  Did you mean hill?  Known are: hill, sea, wood." in err


def test_a_run_whose_images_are_gone_can_be_asked_by_number(gdl, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps({"dataset": "./gone"}))
    cgan(3).save(tmp_path / "run" / "model.keras")
    assert gdl("sample", "run", "-n", "1", "-o", "one.npz", "--label", "1")[0] == 0
    code, _, err = gdl("sample", "run", "--label", "hill")
    assert code == 2 and "a label is a number from 0 to 2" in err


def test_a_conditional_model_that_is_no_gan_is_asked_for_its_conditions_alone(gdl, tmp_path, monkeypatch):
    """It has neither `num_classes` nor a generator: it once crashed here."""
    from gdl_keras.models.parts.conditions import Classes
    from tests.cases import vae

    class Painter(type(vae())):
        conditions = Classes(3)

        def decode(self, latents, labels):
            import tensorflow as tf

            return tf.ones((tf.shape(latents)[0], 8, 8, 1)) * tf.cast(labels, "float32")[:, None, None, None] / 2

    whole = vae()
    painter = Painter(whole.encoder, whole.decoder)
    monkeypatch.setattr("gdl_keras.load", lambda path: painter)
    assert gdl("sample", "painter.keras", "-n", "5", "-o", "all.npz")[0] == 0
    assert np.load("all.npz")["images"].max(axis=(1, 2, 3)).tolist() == [0, 128, 255, 0, 128]
    assert gdl("sample", "painter.keras", "-n", "2", "-o", "one.npz", "--label", "2")[0] == 0
    assert np.load("one.npz")["images"].min() == 255
