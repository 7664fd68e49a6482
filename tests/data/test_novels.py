"""Jane Austen's novels: read from R's own format without R, and the two inside the package."""

import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from gdl_keras import data
from gdl_keras.data.sources import novels
from gdl_keras.data.sources.bundled import ASSETS
from gdl_keras.errors import InputError

ROOT = Path(__file__).parents[2]
TITLES = ["EMMA", "MANSFIELD PARK", "NORTHANGER ABBEY", "Persuasion", "PRIDE AND PREJUDICE", "SENSE AND SENSIBILITY"]


def as_r_writes(lines):
    """What R's `saveRDS` with XDR makes of a list of texts, and its lazy-load file of that."""
    content = b"X\n" + struct.pack(">3i", 3, 0x040201, 0x030500) + struct.pack(">i", 5) + b"UTF-8"
    content += struct.pack(">ii", 16, len(lines))
    for line in lines:
        encoded = line.encode()
        content += struct.pack(">ii", 0x40009 if line.isascii() else 0x8009, len(encoded)) + encoded
    return struct.pack(">i", len(content)) + zlib.compress(content)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The data file of the package, in which each novel has three paragraphs."""
    path = tmp_path / "Rdata.rdb"
    body = ["", "", "It cost £5,  or", "  so.", "", " ", "The end."]
    path.write_bytes(b"".join(as_r_writes([title, *body]) for title in TITLES))
    monkeypatch.setattr(novels, "FILE", path)
    return path


def test_novels_are_read_without_r(package):
    read = novels.read_novels(package)
    assert list(read) == sorted(novels.NOVELS) and novels.HELD_OUT in read
    assert read["emma"] == "EMMA\n\nIt cost £5, or so.\n\nThe end.\n"


def test_five_are_for_training_and_persuasion_is_held_out(package):
    assert data.is_here("austen")
    train, test = (data.load("austen", split, length=5) for split in ("train", "test"))
    assert train.num_tokens == sum(len(title) + 31 for title in TITLES if title != "Persuasion") + 4
    assert test.num_tokens == len("Persuasion") + 31
    assert train.source == test.source == "Debian's package r-cran-janeaustenr"
    # Where they were read once, the package may go.
    package.unlink()
    assert data.is_here("austen") and data.info("austen")["text_files"] == 6


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-9],
        lambda content: content[: len(content) // 2],
        lambda content: content[:4] + b"?" + content[5:],
        lambda content: as_r_writes(["EMMA"]),
        lambda content: struct.pack(">i", 4) + zlib.compress(b"A\n12"),
        lambda content: struct.pack(">i", 12) + zlib.compress(b"X\n1234567890"),
        lambda content: as_r_writes(["EMMA"])[:4] + zlib.compress(zlib.decompress(as_r_writes(["EMMA"])[4:])[:-2]),
    ],
)
def test_a_damaged_file_is_refused(package, spoil):
    package.write_bytes(spoil(package.read_bytes()))
    with pytest.raises(InputError, match="is damaged, or of another version"):
        data.load("austen")


def test_without_the_package_it_is_said_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(novels, "FILE", tmp_path / "nowhere")
    assert not data.is_here("austen")
    with pytest.raises(InputError, match="apt-get install r-cran-janeaustenr, or take austen_mini"):
        data.load("austen")


def test_two_novels_are_inside_the_package():
    asset = Path(str(ASSETS)) / "austen_mini.zip"
    assert asset.stat().st_size < 400_000
    licence = (asset.parent / "austen_mini.LICENSE.md").read_text()
    assert "public domain" in licence and "Julia Silge" in licence
    train, test = (data.load("austen_mini", split) for split in ("train", "test"))
    assert (train.num_tokens, test.num_tokens) == (684_428, 464_350)
    assert train.source == "the package itself" and train.vocabulary == test.vocabulary
    for split, begins in (
        (train, "PRIDE AND PREJUDICE\n\nBy Jane Austen\n\nCha"),
        (test, "Persuasion\n\nby\n\nJane Austen\n\n(1818)\n\nCha"),
    ):
        assert split.vocabulary.decode(split.rows("tokens", [0])[0]).startswith(begins)


def test_the_script_makes_the_same_bytes(tmp_path):
    if not novels.FILE.is_file():
        pytest.skip("the package that it is made from is not installed")
    made = tmp_path / "made.zip"
    path = f"import sys, pathlib; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'scripts')!r}]"
    code = f"{path}; import make_austen as script; script.ASSET = pathlib.Path({str(made)!r}); script.main()"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    with zipfile.ZipFile(made) as again, (ASSETS / "austen_mini.zip").open("rb") as file:
        asset = zipfile.ZipFile(file)
        assert again.namelist() == asset.namelist()
        assert all(again.read(name) == asset.read(name) for name in again.namelist())
