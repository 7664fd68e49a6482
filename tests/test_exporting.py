"""Models in other formats give the numbers of the model itself."""

from importlib.util import find_spec

import numpy as np
import pytest

from gdl_keras import cli, exporting
from gdl_keras.errors import InputError, RunError
from gdl_keras.exporting import export, run_exported
from tests import cases, harness
from tests.harness import long

CASES = {case.name: case for case in cases.CASES}
FORMATS = ["", ".tflite", ".onnx"]
FEW = [
    long(name, suffix, when=name not in ("vae", "cgan") or suffix == ".onnx")
    for name in ("vae", "cgan", "classifier", "gpt", "real_nvp", "hinge_gan", "lstm")
    for suffix in FORMATS
    if (name, suffix) != ("lstm", ".tflite")
]


@pytest.fixture
def saved(tmp_path):
    """saved("vae"): the file of a tiny model, and the model."""

    def save(name):
        model = harness.untouched(CASES[name])
        model.save(tmp_path / f"{name}.keras")
        return tmp_path / f"{name}.keras", model

    return save


@pytest.mark.parametrize(("name", "suffix"), FEW)
def test_other_formats_give_the_same_numbers(name, suffix, saved, tmp_path):
    if suffix == ".onnx":
        pytest.importorskip("tf2onnx")
        pytest.importorskip("onnxruntime")
    file, model = saved(name)
    told = export(file, tmp_path / f"exported{suffix}")
    assert told.startswith(f"{tmp_path / 'exported'}{suffix}: takes ")
    _, signature, inputs = exporting.served(model)
    assert [spec.name for spec in signature] == list(inputs)
    more = {name: np.concatenate([values, values[:2]]) for name, values in inputs.items()}  # as many as one likes
    (answer,) = run_exported(tmp_path / f"exported{suffix}", more)
    if "latents" in inputs:
        ours = model.generate(latents=more["latents"], **{key: more[key] for key in more if key != "latents"})
    else:
        ours = np.asarray(model(next(iter(more.values()))))
    np.testing.assert_allclose(answer, ours, atol=1e-5)


def test_the_command_tells_what_it_wrote(saved, tmp_path, capsys):
    file, _ = saved("vae")
    assert cli.main(["export", str(file), "-o", str(tmp_path / "vae.tflite")]) == 0
    told = capsys.readouterr().out
    assert "takes latents float32 (n, 2); gives float32 (n, 8, 8, 1); within " in told
    assert cli.main(["export", str(file), "-o", str(tmp_path / "vae.tflite")]) == 2
    assert "already: choose another -o." in capsys.readouterr().err
    assert cli.main(["export", str(file), "-o", str(tmp_path / "vae.pt")]) == 2
    assert "no suffix (SavedModel), .tflite (LiteRT), .onnx (ONNX)" in capsys.readouterr().err


def test_what_has_no_tensors_to_take_is_refused(saved, tmp_path, monkeypatch):
    file, model = saved("ngram")
    monkeypatch.setattr(type(model), "input_signature", None)
    with pytest.raises(InputError, match="is not called with tensors: there is nothing to export"):
        export(file, tmp_path / "ngram")


def test_what_a_format_does_not_know_is_said_and_nothing_is_written(saved, tmp_path):
    file, _ = saved("lstm")
    with pytest.raises(RunError, match="RecurrentLanguageModel cannot be had as LiteRT, try another format: "):
        export(file, tmp_path / "lstm.tflite")
    assert [path.name for path in tmp_path.iterdir()] == ["lstm.keras"]


def test_other_numbers_are_not_kept(saved, tmp_path, monkeypatch):
    file, _ = saved("vae")
    right = exporting.run_exported
    monkeypatch.setattr(exporting, "run_exported", lambda *inputs: [part + 0.01 for part in right(*inputs)])
    with pytest.raises(RunError, match=r"gives other numbers, by up to 0\.01: not written"):
        export(file, tmp_path / "vae")
    assert not (tmp_path / "vae").exists()


@pytest.mark.skipif(bool(find_spec("tf2onnx")), reason="tf2onnx is installed")
def test_without_its_packages_onnx_is_refused_at_once(saved, tmp_path):
    file, _ = saved("vae")
    with pytest.raises(InputError, match="pip install tf2onnx onnxruntime"):
        export(file, tmp_path / "vae.onnx")
