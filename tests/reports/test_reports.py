"""Pages about runs, and tables of runs side by side, of folders that are made up here."""

import base64
import csv
import io
import json
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from gdl_keras import cli, plotting
from gdl_keras.reports import account_of, comparison

SETTINGS = {"chapter": "03_vae/02_vae_fashion", "preset": "cpu", "epochs": 2, "seed": 1, "beta": 1.0, "out": "x"}
METRIC = {"value": 28.3761, "floor": {"value": 0.21387}, "better": "smaller"}


class Page(HTMLParser):
    """What a page holds: tags that are open, pictures, what leads out of it, its words."""

    def __init__(self, path):
        super().__init__()
        self.open, self.pictures, self.links, self.words = [], {}, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "img":
            self.pictures[attributes["alt"]] = attributes["src"]
        elif tag not in ("meta",):
            self.open.append(tag)
        self.links += [attributes[name] for name in ("href", "src", "action") if name in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def make_run(folder, history=None, evaluation=None, numbers=(), **settings):
    """A run's folder, two epochs long, with one picture and two pages of samples."""
    (folder / "samples").mkdir(parents=True)
    (folder / "pictures").mkdir()
    (folder / "config.json").write_text(json.dumps({**SETTINGS, **settings}))
    metrics = {"epoch": 2, "loss": 2.5, **dict(numbers), **({"evaluation": evaluation} if evaluation else {})}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    history = history or {"epoch": [1, 2], "loss": [3.0, 2.5], "val_loss": [3.5, 3.25], "seconds": [1.0, 1.5]}
    with open(folder / "history.csv", "w", newline="") as file:
        csv.writer(file).writerows([history.keys(), *zip(*history.values())])
    for place, name in enumerate(("samples/epoch_0001", "samples/epoch_0002", "pictures/latent_plane")):
        Image.new("L", (8 + place, 8), 50 * place).save(folder / f"{name}.png")
    return folder


def evaluation(**changed):
    circumstances = {"n": 5000, "seed": 0, "dataset": "fashion", "extractor": {"name": "fashion"}}
    return {**circumstances, "metrics": {"frechet_classifier_distance": METRIC}, **changed}


def test_a_page_holds_all_that_the_folder_does_and_needs_nothing_else(tmp_path, capsys):
    run = make_run(tmp_path / "run", evaluation=evaluation(), numbers={"test_loss": 3.2})
    assert cli.main(["report", str(run)]) == 0
    assert capsys.readouterr().out.strip() == str(run / "report.html")
    page = Page(run / "report.html")
    assert page.open == []
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    sizes = {
        name: Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).size
        for name, source in page.pictures.items()
    }
    assert [sizes[name] for name in ("epoch 0001", "epoch 0002", "latent plane")] == [(8, 8), (9, 8), (10, 8)]
    assert len(sizes) == 4  # and the curves
    for word in (
        "frechet_classifier_distance",
        "28.38 (0.2139)",
        "test_loss",
        "3.2",
        "beta",
        "03_vae/02_vae_fashion: run",
    ):
        assert word in page.words


def test_what_files_hold_is_shown_and_not_obeyed(tmp_path):
    run = make_run(tmp_path / "<b>run", chapter="<script>alert(1)</script>", attribute="</table>")
    (run / "samples" / "epoch_0002.png").unlink()
    (run / "samples" / "epoch_0002.txt").write_text("<img src=x onerror=alert(1)>")
    (run / "pictures" / "attention.html").write_text('<p onclick="go()">looks</p><script>parent.x</script>')
    assert cli.main(["report", str(run), "-o", str(tmp_path / "page.html")]) == 0
    page = Page(tmp_path / "page.html")
    assert page.open == []
    assert "<script>alert(1)</script>: <b>run" in page.words
    assert "<img src=x onerror=alert(1)>" in page.words
    assert list(page.pictures) == [name for name in page.pictures if page.pictures[name] != "x"]
    text = (tmp_path / "page.html").read_text()
    assert "<script" not in text and "<iframe sandbox title" in text  # where nothing runs


def test_stages_have_their_own_part_and_their_own_page(tmp_path):
    run = make_run(tmp_path / "run")
    stage = make_run(run / "gan", history={"epoch": [1, 2], "critic_loss": [0.5, 0.25]}, numbers={"collapse": 0.125})
    (stage / "config.json").unlink()
    account = account_of(run)
    assert [part.name for part in account.stages] == [f"{run}/gan"]
    assert account.stages[0].curves == {"critic_loss": [0.5, 0.25]}
    for folder in (run, stage):
        assert cli.main(["report", str(folder)]) == 0
        assert "collapse" in Page(folder / "report.html").words


def test_runs_side_by_side(tmp_path, capsys):
    first = make_run(tmp_path / "a", evaluation=evaluation(), beta=1.0, out="a")
    second = make_run(tmp_path / "b", evaluation=evaluation(n=200), beta=4.0, latent_dim=8, out="b")
    page = tmp_path / "all.html"
    assert cli.main(["compare", str(first), str(second), "-o", str(page)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["beta", "1", "4"] in lines and ["latent_dim", "-", "8"] in lines
    assert ["val_loss", "3.25", "3.25"] in lines
    assert ["frechet_classifier_distance", "(smaller)", "28.38", "(0.2139)", "28.38", "(0.2139)"] in lines
    assert ["samples", "5000", "200"] in lines  # 200 of the one are nothing to compare 5,000 of the other with
    assert not {"chapter", "out", "seed"} & {line[0] for line in lines if line}
    assert lines[-1] == ["Written", "to", str(page)]
    held = Page(page)
    assert {"A, at the end", "B, at the end"} < set(held.pictures)
    assert all(link.startswith("data:") for link in held.links)


def test_numbers_that_were_taken_alike_are_not_said_to_be_otherwise(tmp_path):
    accounts = [account_of(make_run(tmp_path / name, evaluation=evaluation())) for name in "ab"]
    plain = account_of(make_run(tmp_path / "c"))
    assert [title for title in comparison([*accounts, plain]) if "otherwise" in title] == []
    assert "settings that differ" not in comparison(accounts)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["compare", "good"], "takes two runs or more; gdl report RUN tells of one."),
        (["compare", "good", "nowhere"], "nowhere is not the folder of a run."),
        (["compare", "good", "good", "-o", "all.pdf"], "all.pdf is to be a page: give it a name that ends in .html."),
        (["report", "good", "-o", "good"], "good is to be a page"),
        (["report", "empty"], "empty is not the folder of a run"),
        (["report", "cut"], "history.csv is damaged"),
        (["report", "broken"], "metrics.json is damaged: move it away"),
    ],
)
def test_what_cannot_be_told_is_said_in_a_sentence(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    for name in ("good", "cut", "broken"):
        make_run(tmp_path / name)
    (tmp_path / "cut" / "history.csv").write_text("epoch,loss\n1,2.5\n2,abc\n")
    (tmp_path / "broken" / "metrics.json").write_text("{")
    assert cli.main(arguments) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.html"))


def test_a_run_that_has_hardly_begun_is_told_too(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps(SETTINGS))
    assert cli.main(["report", str(tmp_path / "run")]) == 0
    assert account_of(tmp_path / "run").epochs == 0
    two = [str(tmp_path / "run"), str(make_run(tmp_path / "other"))]
    assert cli.main(["compare", *two, "-o", str(tmp_path / "page.html")]) == 0


def test_curves_are_the_columns_epoch_by_epoch():
    nan = float("nan")
    histories = {"A": {"loss": [3, 2, 1], "val_loss": [4, nan, 2]}, "B": {"accuracy": [0.5, 0.75]}}
    figure = plotting.curve_panels(histories)
    loss, accuracy = (axes for axes in figure.axes if axes.axison)
    assert (loss.get_title(), accuracy.get_title()) == ("loss", "accuracy")
    drawn = [line.get_xydata().tolist() for line in loss.lines if len(line.get_xdata())]
    assert drawn == [[[1, 3], [2, 2], [3, 1]], [[1, 4], [3, 2]]]
    assert [line.get_xydata().tolist() for line in accuracy.lines if len(line.get_xdata())] == [[[1, 0.5], [2, 0.75]]]
    assert loss.lines[0].get_color() != accuracy.lines[-1].get_color()


def test_neither_needs_tensorflow(tmp_path):
    runs = [str(make_run(tmp_path / name)) for name in "ab"]
    program = (
        "import sys; from gdl_keras import cli; "
        f"cli.main(['report', {runs[0]!r}]); cli.main(['compare', *{runs!r}, '-o', {str(tmp_path / 'c.html')!r}]); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_picture_in_memory_is_the_one_on_disk(tmp_path):
    figure = plotting.curves({"loss": [1.0, 2.0]}, ["loss"])
    plotting.save(figure, tmp_path / "loss.png")
    assert plotting.png(figure) == (tmp_path / "loss.png").read_bytes()
    assert np.asarray(Image.open(tmp_path / "loss.png").convert("RGB")).shape == (280, 480, 3)
