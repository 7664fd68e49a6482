"""Every line of docs/migrating.md: the book's breaks as the page says, and what it says instead works."""

import contextlib
import doctest
import importlib.util
import io
import re
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from keras import layers, models, optimizers

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "migrating.md").read_text(encoding="utf-8")
BEGINNING, *SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)
ROWS = re.findall(r"^\| `(.+)` \| `(.+)` \| `(.+)` \|$", PAGE, re.MULTILINE)
# What the page shares with its readers but what gdl_keras does not bring.
OPTIONAL = ("music21", "tensorflow_probability")

# What the reader wanted of each line in the table's last column.
RIGHT = {
    "keras.losses.mean_squared_error": lambda loss: np.allclose(loss(np.zeros((1, 2)), np.full((1, 2), 3.0)), 9),
    "keras.losses.mean_absolute_error": lambda loss: np.allclose(loss(np.zeros((1, 2)), np.full((1, 2), 3.0)), 3),
    "optimizers.AdamW(1e-3)": lambda optimizer: isinstance(optimizer, optimizers.AdamW),
    "optimizers.Adam(learning_rate=1e-3)": lambda optimizer: np.isclose(optimizer.learning_rate, 1e-3),
    "layers.Dense(math.prod((4, 4)))": lambda layer: layer.units == 16,
    "layers.Input(shape=(2,))": lambda tensor: tensor.shape == (None, 2),
    "keras.ops.abs(layers.Input(shape=(2,)))": lambda tensor: tensor.shape == (None, 2),
    "kernel.shape": lambda shape: shape == (2, 1),
    "generator([tf.zeros((3, 2)), tf.ones((3, 1))])": lambda images: images.shape == (3, 1),
    'callbacks.ModelCheckpoint("checkpoint.keras")': lambda callback: kept_by(callback) == ["checkpoint.keras"],
    'callbacks.ModelCheckpoint("checkpoint.weights.h5", save_weights_only=True)': lambda callback: (
        kept_by(callback) == ["checkpoint.weights.h5"]
    ),
    'model.save_weights("model.weights.h5")': lambda _: Path("model.weights.h5").is_file(),
    'model.save("vae.keras")': lambda _: models.load_model("vae.keras").count_params() == 3,
    'layers.TFSMLayer("saved_model", call_endpoint="serve")': lambda layer: (
        layer(np.ones((4, 2), np.float32)).shape == (4, 1)
    ),
    "stream.flatten()": lambda stream: [str(note.pitch) for note in stream.notes] == ["C4"],
}


def kept_by(callback):
    """The files that a checkpoint callback writes while a model trains."""
    before = set(Path().iterdir())
    model = models.Sequential([layers.Input(shape=(2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), callbacks=[callback], verbose=0)
    return [path.name for path in set(Path().iterdir()) - before]


@pytest.fixture
def namespace(tmp_path, monkeypatch):
    """What the page's blocks share, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    with matplotlib.rc_context():
        shared = {"__name__": "migrating"}  # Keras writes down which module a class is from
        exec(blocks(BEGINNING)[0][0], shared)
        yield shared


def blocks(section):
    """[(code, what it says)] of a section of the page; what it says is "" where nothing is written below."""
    fences = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    following = [*fences[1:], ("", "")]
    return [
        (text, after if kind == "text" else "")
        for (language, text), (kind, after) in zip(fences, following)
        if language == "python"
    ]


def says(code, namespace):
    """The warnings for users, what running `code` prints, and the error that ended it; that error again, or None."""
    printed, error = io.StringIO(), None
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(code, namespace)
        except Exception as raised:
            error = raised
    told = [f"UserWarning: {warning.message}" for warning in caught if warning.category is UserWarning]
    lines = [*dict.fromkeys(told), printed.getvalue().rstrip("\n")]
    if error:
        lines.append(f"{type(error).__name__}: {error}")
    return "\n".join(line for line in lines if line), error


def agree(expected, got):
    """Whether two texts are the same but for white space and for what `...` stands for."""
    return doctest.OutputChecker().check_output(
        expected + "\n", got + "\n", doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )


def is_missing(code):
    return any(package in code and not importlib.util.find_spec(package) for package in OPTIONAL)


@pytest.mark.parametrize("section", [s for s in SECTIONS if blocks(s)], ids=lambda section: section.partition("\n")[0])
def test_blocks_say_what_stands_below_them(section, namespace):
    tried = [block for block in blocks(section) if not is_missing(block[0])]
    for code, expected in tried:
        got, _ = says(code, namespace)
        assert agree(expected, got), f"{code}\nshould say:\n{expected}\nand says:\n{got}"
    if len(tried) < len(blocks(section)):
        pytest.skip(f"one block needs {' or '.join(OPTIONAL)}; the others were run")


@pytest.mark.parametrize(("old", "error", "new"), ROWS, ids=[row[0] for row in ROWS])
def test_row_of_the_table(old, error, new, namespace):
    if old.startswith("stream"):
        music = pytest.importorskip("music21")
        namespace["stream"] = music.stream.Stream([music.note.Note("C4")])
    namespace |= {"model": namespace["network"](), "generator": of_noise_and_labels()}
    namespace["kernel"] = namespace["model"].layers[0].kernel
    if "saved_model" in old:
        namespace["model"].export("saved_model", verbose=False)
    got, raised = says(old, namespace)
    assert raised
    assert agree(error, got), got
    assert RIGHT[new](eval(new, namespace))


def of_noise_and_labels():
    noise, labels = layers.Input(shape=(2,)), layers.Input(shape=(1,))
    return models.Model([noise, labels], layers.Dense(1)(layers.Concatenate()([noise, labels])))


def test_the_page_has_its_rows_and_sections():
    """A fence or a row that is written in another way would be skipped without a word."""
    assert [new for *_, new in ROWS] == list(RIGHT)
    assert len(ROWS) == PAGE.count("\n| `")
    assert sum(len(blocks(section)) for section in (BEGINNING, *SECTIONS)) == PAGE.count("```python")
