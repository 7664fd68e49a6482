"""The scripts that make the folders of docs/guides/worked_example.md."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.debian import write_package

SCRIPTS = Path(__file__).parents[1] / "scripts"
STAMPS = "usr/share/tuxpaint/stamps"


def run(script, *arguments):
    return subprocess.run([sys.executable, SCRIPTS / script, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def package(tmp_path):
    names = [f"animals/birds/{letter}.png" for letter in "hgfedcba"]
    others = ["animals/cartoon/a.png", "food/toys/b.png", "animals/birds/a.txt", "symbols/c.png", "food/fig.png"]
    files = {f"{STAMPS}/{name}": name.encode() for name in names + others} | {"usr/share/animals/d.png": b"d"}
    write_package(tmp_path / "stamps.deb", files)
    return tmp_path / "stamps.deb"


def test_photographs_of_a_package_are_dealt_to_two_splits(package, tmp_path):
    done = run("make_example_photos.py", package, tmp_path / "photos")
    assert (done.returncode, done.stdout) == (0, "animals: 8\nfood: 1\nplants: 0\n"), done.stderr
    written = {
        str(path.relative_to(tmp_path / "photos")): path.read_text()
        for path in (tmp_path / "photos").rglob("*")
        if path.is_file()
    }
    splits = dict(zip("abcdefgh", ["test", "train", "train", "train"] * 2))
    birds = {f"{split}/animals/birds_{name}.png": f"animals/birds/{name}.png" for name, split in splits.items()}
    assert written == birds | {"test/food/fig.png": "food/fig.png"}


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs Debian's tools")
def test_debians_tools_find_in_the_package_what_was_put_into_it(package):
    listed = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
    assert len(listed.splitlines()) == 14 and f"./{STAMPS}/food/fig.png" in listed


def test_what_is_no_package_and_a_folder_that_is_there_are_refused(package, tmp_path):
    (tmp_path / "cut.deb").write_bytes(package.read_bytes()[:70])
    for path in (tmp_path / "cut.deb", SCRIPTS / "test.sh"):
        done = run("make_example_photos.py", path, tmp_path / "photos")
        assert (done.returncode, done.stderr) == (1, f"{path} is no Debian package.\n")
    for script in ("make_example_photos.py", "pad_to_squares.py"):
        done = run(script, package, tmp_path)
        assert (done.returncode, done.stderr) == (1, f"{tmp_path} is there already: name another folder.\n")


def test_squares_hold_the_whole_picture(tmp_path):
    """Red between blue ends: wide, with the red transparent, and taken upright; the middle square would be all red."""
    numbers = np.zeros((20, 60, 3), np.uint8)
    numbers[:, 10:50, 0] = 255
    numbers[:, :10, 2] = numbers[:, 50:, 2] = 255
    folder, new = tmp_path / "photos", tmp_path / "squares"
    (folder / "train").mkdir(parents=True)
    wide = Image.fromarray(numbers)
    wide.save(folder / "train" / "wide.png")
    clear = wide.convert("RGBA")
    clear.putalpha(Image.fromarray(np.uint8(numbers[:, :, 2])))  # the red is transparent
    clear.save(folder / "clear.webp", lossless=True)
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held on its side
    wide.resize((900, 300)).save(folder / "high.jpg", exif=turned, quality=95)
    (folder / "damaged.jpg").write_bytes((folder / "high.jpg").read_bytes()[:400])
    (folder / "list.csv").write_text("a,b")
    done = run("pad_to_squares.py", folder, new)
    assert done.stdout.startswith(f"{folder / 'damaged.jpg'} is left out: damaged"), done.stdout + done.stderr
    assert done.stdout.endswith(f"\n{new}: 3 squares\n")

    expected = np.full((60, 60, 3), 255, np.uint8)
    expected[20:40] = numbers
    assert (read(new / "train" / "wide.png") == expected).all()
    expected[20:40, 10:50] = 255
    assert (read(new / "clear.webp.png") == expected).all()
    high = read(new / "high.jpg.png")
    assert high.shape == (256, 256, 3)
    colours = [high[row, 128] for row in (20, 128, 236)] + [high[128, column] for column in (10, 246)]
    wanted = [[0, 0, 255], [255, 0, 0], [0, 0, 255], [255] * 3, [255] * 3]
    assert np.abs(np.int16(colours) - wanted).max() < 12


def read(path):
    return np.asarray(Image.open(path))
