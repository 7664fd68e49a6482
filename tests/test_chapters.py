"""Every chapter runs in its smoke preset, through `gdl run`, and its notebook says what its program says."""

import json
import re
import runpy
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gdl_keras import cli, data
from gdl_keras.chapters import all_chapters, find_chapter, sets_in_programs
from gdl_keras.errors import InputError
from tests.harness import long

CHAPTERS = all_chapters()
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
# Every program takes seconds to trace: one of each kind of sample now, and one with a stage; the others with the long
# tests.  Those of GANs, of n-grams and of classifiers run to their ends in test_evaluation.py, kinds/test_text.py and
# below, too.
ONE_OF_EACH_KIND = (
    "03_vae/03_vae_faces",
    "05_autoregressive/01_lstm",
    "06_normflow/01_realnvp",
    "10_advanced_gans/01_vqvae",
)


@pytest.mark.parametrize(
    "chapter",
    [long(chapter, when=chapter.name not in ONE_OF_EACH_KIND) for chapter in CHAPTERS],
    ids=[chapter.name for chapter in CHAPTERS],
)
def test_smoke(chapter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    assert cli.main(["run", chapter.name, "--preset", "smoke", "--out", "run"]) == 0
    made = {path.name for path in (tmp_path / "run").iterdir()}
    program = chapter.program.read_text()
    expected = {"config.json", "environment.json", "pictures", "metrics.json"}
    if "model.fit(" in program:
        expected |= {"history.csv", "checkpoint", "model.keras"}
    if "model.generate(" in program:
        expected |= {"samples"}
    assert expected <= made
    assert json.loads((tmp_path / "run" / "config.json").read_text())["chapter"] == chapter.name


@every_chapter
def test_every_training_heeds_the_flags_of_the_run(chapter):
    """`--accumulate` is lost on a model that is compiled without them, its batches then being the parts alone."""
    program = chapter.program.read_text()
    compiled = re.findall(r"\.compile\(([^()]*(?:\([^()]*\)[^()]*)*)\)", program)
    assert len(compiled) == program.count(".compile(")
    assert all("**run.execution()" in arguments for arguments in compiled if arguments)
    assert program.count("**run.schedule(") == len(re.findall(r"\bmodel\.fit\(", program))


@pytest.fixture
def builder(monkeypatch):
    """What is in scripts/build_notebooks.py, by name."""
    scripts = Path(__file__).parents[1] / "scripts"
    pytest.importorskip("jupytext")
    monkeypatch.syspath_prepend(str(scripts))
    return runpy.run_path(str(scripts / "build_notebooks.py"))


@every_chapter
def test_notebook_and_program_have_the_same_source(chapter, builder):
    jupytext = pytest.importorskip("jupytext")
    program = jupytext.read(chapter.program)
    notebook = jupytext.read(chapter.program.with_suffix(".ipynb"))
    colab = [cell for cell in notebook.cells if "colab" in cell.metadata.get("tags", [])]
    notebook.cells = [cell for cell in notebook.cells if cell not in colab]
    expected = [(cell.cell_type, cell.source) for cell in builder["colab_cells"](chapter)]
    assert [(cell.cell_type, cell.source) for cell in colab] == expected, "run: python scripts/build_notebooks.py"
    sources = [[(cell.cell_type, cell.source.strip()) for cell in book.cells] for book in (program, notebook)]
    assert sources[0] == sources[1], "run: python scripts/build_notebooks.py"


@every_chapter
def test_notebook_was_executed_to_its_end_and_is_small(chapter):
    path = chapter.program.with_suffix(".ipynb")
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells)
    kinds = {output["output_type"] for cell in cells for output in cell["outputs"]}
    assert "display_data" in kinds
    assert "error" not in kinds
    assert path.stat().st_size < 1_000_000


@every_chapter
def test_every_picture_of_a_notebook_has_an_alternative_text(chapter):
    """On a web page that nbconvert makes with the one of its templates that heeds it, and where there is text alone."""
    nbconvert = pytest.importorskip("nbconvert")
    path = chapter.program.with_suffix(".ipynb")
    page, _ = nbconvert.HTMLExporter(template_name="classic").from_filename(str(path))
    texts = [unescape(text) for text in re.findall(r'<img alt="([^"]*)"', page)]
    cells = json.loads(path.read_text())["cells"]
    pictures = [
        output["data"] for cell in cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert texts and texts == ["".join(picture["text/plain"]) for picture in pictures]
    assert all(len(text) >= 10 and not text.startswith(("No description", "<")) for text in texts)
    # Two may say the same where both show the same kind of thing; most tell theirs apart.
    assert len(set(texts)) > len(texts) / 2


def test_a_picture_that_says_nothing_is_named_by_the_heading_above_it(builder):
    nbformat = pytest.importorskip("nbformat")

    def shown(source, *alternatives):
        outputs = [
            nbformat.v4.new_output(
                "display_data",
                {"image/png": "", "text/plain": "<Image>"},
                metadata={"image/png": {"alt": text}} if text else {},
            )
            for text in alternatives
        ]
        return nbformat.v4.new_code_cell(source, outputs=outputs)

    cells = [
        nbformat.v4.new_markdown_cell("# Title\n\n## How it went\nWell."),
        shown('run.show("the_loss", one)\nrun.show("other", two)', None, "two curves"),
        nbformat.v4.new_markdown_cell("No heading."),
        shown('for name in "ab":\n    run.show(f"state_{name}", one)', None, None),
    ]
    builder["add_alternative_texts"](nbformat.v4.new_notebook(cells=cells))
    texts = [output.metadata["image/png"]["alt"] for cell in cells for output in cell.get("outputs", [])]
    assert texts == [
        "How it went: the loss",
        "two curves",
        "How it went: picture 1 of 2",
        "How it went: picture 2 of 2",
    ]


def test_a_chapter_is_found_by_its_name_its_folder_or_its_program():
    for name in ("03_vae/02_vae_fashion", "vae_fashion", "02_vae_fashion", "chapters/03_vae/02_vae_fashion/"):
        assert find_chapter(name).name == "03_vae/02_vae_fashion"
    assert find_chapter("chapters/03_vae/02_vae_fashion/vae_fashion.py").name == "03_vae/02_vae_fashion"
    with pytest.raises(InputError, match="03_vae/02_vae_fashion"):
        find_chapter("vae_fashon")


@pytest.mark.parametrize("name", ["03_vae", "chapters/03_vae/", "03", "3", "vae", "VAE"])
def test_of_a_chapters_folder_its_own_programs_are_named(name):
    with pytest.raises(InputError) as refused:
        find_chapter(name)
    assert str(refused.value) == (
        f"{name.removeprefix('chapters/').rstrip('/')} has several programs: which of 03_vae/01_autoencoder, "
        "03_vae/02_vae_fashion, 03_vae/03_vae_faces?"
    )


@pytest.mark.parametrize(
    ("name", "meant"), [("3_vae", "03_vae"), ("04_gans", "04_gan"), ("5_autoregresive", "05_autoreg")]
)
def test_a_folder_may_be_meant(name, meant):
    with pytest.raises(InputError, match=f"There is no chapter {name}.  Did you mean .*{meant}"):
        find_chapter(name)


def test_a_data_set_is_in_a_program_where_a_preset_names_it():
    assert sets_in_programs(["fashion", "fashion_mini", "mnist_mini", "faces", "nothing"]) == {
        "fashion",
        "fashion_mini",
        "mnist_mini",
        "faces",
    }


@pytest.mark.parametrize(
    "name", ["02_deeplearning/01_mlp", "02_deeplearning/02_cnn", "04_gan/03_cgan", "04_gan/05_hinge_gan"]
)
def test_images_without_labels_are_refused_where_labels_are_needed(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    (tmp_path / "flat").mkdir()
    for grey in range(20):
        Image.new("RGB", (20, 20), (grey, grey, grey)).save(tmp_path / "flat" / f"{grey}.png")
    assert cli.main(["run", name, "--preset", "smoke", "--dataset", "./flat", "--out", "run"]) == 2
    assert "flat has no labels: sort its images" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("name", "flag"), [("03_vae/03_vae_faces", "--attributes"), ("04_gan/03_cgan", "--attribute")])
def test_attributes_that_cannot_be_used_are_refused_before_training(name, flag, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    (tmp_path / "flat").mkdir()
    for grey in range(20):
        Image.new("RGB", (20, 20), (grey, grey, grey)).save(tmp_path / "flat" / f"{grey}.png")
    rows = [f"{grey}.png,{grey % 3 - 1},{grey % 2}" for grey in range(20)]
    cases = [
        (None, "Hat", "no attribute Hat: for that it needs a table, a .csv file"),
        (
            "file,Mood,Hat",
            "Mood",
            "Mood of ./flat is no yes-or-no of 1 and 0, its values are -1, 0, 1; those that are: Hat.",
        ),
        ("file,Mood,Hat", "Het", "Did you mean Hat?"),
    ]
    for header, attribute, sentence in cases:
        if header:
            (tmp_path / "flat" / "t.csv").write_text("\n".join([header, *rows]))
        flags = ["--preset", "smoke", "--dataset", "./flat", flag, attribute, "--out", "run"]
        assert cli.main(["run", name, *flags]) == 2
        assert sentence in capsys.readouterr().err.replace(str(tmp_path / "flat"), "./flat")
        assert not (tmp_path / "run").exists()


def test_a_number_of_an_image_that_is_not_there_is_answered_with_the_largest(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    command = ["run", "02_deeplearning/03_convolutions", "--preset", "smoke", "--out", "run"]
    largest = data.load("emoji", "train").num_images - 1
    for wrong in (largest + 1, 10**9):
        assert cli.main([*command, "--image", str(wrong)]) == 2
        assert capsys.readouterr().err.endswith(f"There is no --image {wrong}: the largest number is {largest}.\n")
        assert not (tmp_path / "run").exists()
    assert cli.main([*command, "--image", str(largest)]) == 0


@pytest.mark.parametrize("name", ["02_deeplearning/01_mlp", "02_deeplearning/02_cnn"])
def test_a_few_images_of_each_class_are_enough_to_the_end(name, tmp_path, monkeypatch, capsys):
    """Four are held out: fewer than the last pictures have room for.  One class is called train."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    for number, label in enumerate(("bus", "car", "train")):
        (tmp_path / "vehicles" / label).mkdir(parents=True)
        for index in range(14):
            grey = 80 * number + index
            Image.new("RGB", (20, 20), (grey,) * 3).save(tmp_path / "vehicles" / label / f"{index}.png")
    assert cli.main(["run", name, "--preset", "smoke", "--dataset", "./vehicles", "--out", "run"]) == 0
    assert "4 test images of" in capsys.readouterr().out
    assert (tmp_path / "run" / "pictures" / "predictions.png").exists()


@pytest.mark.full
def test_a_conditional_gan_learns_from_all_attributes_at_once(tmp_path, monkeypatch):
    """Any number of them are true of an image; the model is sampled and evaluated like any other."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    rng = np.random.default_rng(0)
    (tmp_path / "faces").mkdir()
    lines = ["image_id,Hat,Smiling"]
    for number in range(240):
        Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(tmp_path / "faces" / f"{number}.png")
        lines.append(f"{number}.png,{rng.choice([-1, 1])},{rng.choice([-1, 1])}")
    (tmp_path / "faces" / "list_attr.csv").write_text("\n".join(lines))
    flags = ["--preset", "smoke", "--dataset", "./faces", "--attribute", "all", "--out", "run"]
    assert cli.main(["run", "04_gan/03_cgan", *flags]) == 0
    assert cli.main(["sample", "run", "-n", "4", "--label", "smiling", "-o", "some.npz"]) == 0
    assert cli.main(["evaluate", "run", "-n", "20"]) == 0
