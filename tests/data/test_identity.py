"""What makes a data set of the reader's the same one: its content, not where it lies or when it was written."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data


@pytest.fixture
def pets(photos):
    photos(10, "pets", within="cat")
    return photos(10, "pets", within="dog")


def opened(folder, split="train", **options):
    return data.load(folder, split, image_size=20, **options)


def test_an_image_that_was_touched_is_the_same(pets):
    before = opened(pets).identity
    os.utime(pets / "cat" / "000.png")
    assert opened(pets).identity == before


def test_images_unpacked_again_are_the_same(pets, tmp_path):
    before = {split: opened(pets, split).identity for split in ("train", "test")}
    shutil.copytree(pets, tmp_path / "copy", copy_function=shutil.copyfile)
    shutil.rmtree(pets)
    shutil.copytree(tmp_path / "copy", pets, copy_function=shutil.copyfile)
    assert {split: opened(pets, split).identity for split in ("train", "test")} == before


@pytest.mark.parametrize("place", ["elsewhere/pets", "renamed", "wrapped/archive/pets"])
def test_a_moved_folder_is_the_same(pets, tmp_path, place):
    before = opened(pets).identity
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(pets, tmp_path / place)
    moved = tmp_path / ("wrapped" if place.startswith("wrapped") else place)
    assert opened(moved).identity == before


def test_what_lies_above_or_beside_the_images_does_not_matter(pets):
    (pets.parent / "expenses.csv").write_text("what,how much\nrent,1\n")
    before = opened(pets).identity
    (pets.parent / "expenses.csv").write_text("what,how much\nrent,1\nfood,2\n")
    (pets / "README.txt").write_text("about")
    assert opened(pets).identity == before


def test_a_table_that_says_the_same_costs_no_second_preparation(photos, data_home, capsys, monkeypatch):
    folder = photos(10)
    table = folder.parent / "list_attr.csv"
    lines = ["image_id,Even", *(f"{number:03}.png,{(-1) ** number}" for number in range(10))]
    table.write_text("\n".join(lines) + "\n")
    before = opened(folder)
    with monkeypatch.context() as patch:
        patch.setattr("gdl_keras.data.image_store.fill", lambda *arguments: pytest.fail("prepared again"))
        table.write_text("\n".join([*lines, "another.png,1"]) + "\n")
        (folder.parent / "expenses.csv").write_text("what,how much\nrent,1\n")
        capsys.readouterr()
        again = opened(folder)
        assert again.identity == before.identity and "expenses.csv" not in capsys.readouterr().err
        opened(folder)
    table.write_text("\n".join(lines).replace("Even", "Odd") + "\n")
    other = opened(folder)
    assert other.attribute_names == ["Odd"] and other.identity != before.identity
    table.write_text("\n".join([lines[0], *(f"{number:03}.png,{-((-1) ** number)}" for number in range(10))]) + "\n")
    assert np.array_equal(opened(folder).attributes, 1 - before.attributes)
    table.unlink()
    assert opened(folder).attributes is None and len(list((data_home / "prepared").iterdir())) == 1


def change_a_pixel(folder):
    pixels = np.array(Image.open(folder / "cat" / "000.png"))
    pixels[3, 4, 1] ^= 128
    Image.fromarray(pixels).save(folder / "cat" / "000.png")


@pytest.mark.parametrize(
    "change",
    [
        change_a_pixel,
        lambda folder: (folder / "cat" / "000.png").rename(folder / "dog" / "a.png"),
        lambda folder: (folder / "cat" / "000.png").rename(folder / "cat" / "0000.png"),
        lambda folder: (folder / "cat").rename(folder / "kitten"),
        lambda folder: (folder / "cat" / "000.png").unlink(),
        lambda folder: shutil.copy(folder / "cat" / "000.png", folder / "cat" / "a.png"),
    ],
)
def test_other_content_is_another_data_set(pets, change):
    before = [opened(pets, split).identity for split in ("train", "test")]
    change(pets)
    assert [opened(pets, split).identity for split in ("train", "test")] != before


def test_attributes_are_content(photos):
    folder = photos(10)
    identities = set()
    for column in ("x", "y"):
        for first in (0.25, 0.75):
            lines = [f"{number:03}.png,{first if number == 0 else 0.5}" for number in range(10)]
            (folder / "table.csv").write_text("\n".join([f"name,{column}", *lines]) + "\n")
            identities |= {opened(folder, split).identity for split in ("train", "test")}
    assert len(identities) == 2 * 2 + 2  # the column has another name, and the changed image is in one split


def test_settings_are_part_of_it(pets):
    ways = [("train", {}), ("test", {}), ("train", {"channels": 1}), ("train", {"image_size": 24})]
    identities = {data.load(pets, split, **{"image_size": 20, **options}).identity for split, options in ways}
    assert len(identities) == 4


def former_identity(folder, split):
    """What versions that went by paths and times called it; written from their code."""
    files = sorted(folder.rglob("*.png")) + sorted(folder.glob("*.csv")) + sorted(folder.parent.glob("*.csv"))
    times = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    about = [1, str(folder), split, 20, 20, 3, "crop", str(folder), *times]
    return f"{folder.name}-{split}-20x20x3-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]}"


def test_what_an_earlier_version_called_it_is_known(pets, data_home):
    former = former_identity(pets, "train")
    train = opened(pets)
    assert train.is_called(train.identity) and train.is_called(former)
    assert not train.is_called(former_identity(pets, "test")) and not train.is_called("pets-train-20x20x3-0123456789ab")
    os.utime(pets / "cat" / "000.png")
    assert not opened(pets).is_called(former)  # nobody knows any more what it was


def test_so_it_is_with_a_table_of_attributes(photos):
    folder = photos(10)
    lines = [f"{number:03}.png,{(-1) ** number}" for number in range(10)]
    (folder / "list_attr.csv").write_text("\n".join(["image_id,Even", *lines]) + "\n")
    (folder.parent / "labels.tsv").write_text("a table\tthat earlier versions did not look at\n")
    assert opened(folder).attributes is not None and opened(folder).is_called(former_identity(folder, "train"))


def test_where_its_store_is_still_there_it_tells(pets, data_home):
    train = opened(pets)
    (store,) = (data_home / "prepared").iterdir()
    before = data_home / "prepared" / former_identity(pets, "train")
    shutil.copytree(store, before)
    about = json.loads((before / "meta.json").read_text())
    for name in ("identity", "passed_over", "wrapper"):
        del about[name]
    (before / "meta.json").write_text(json.dumps(about))
    assert opened(pets).is_called(before.name)
    # An earlier version had dealt the same files out in another way.
    (before / "meta.json").write_text(json.dumps({**about, "class_names": ["cat", "hound"]}))
    assert not opened(pets).is_called(before.name)
    assert not train.without("cat").is_called(before.name)


def test_without_its_store_a_folder_that_is_dealt_out_anew_is_not_taken_for_it(pets):
    shutil.copytree(pets / "cat", pets / "train")
    assert not opened(pets).is_called(former_identity(pets, "train"))


def test_points_are_known_by_content(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n" + "".join(f"{n},{n * n}\n" for n in range(30)))
    points = data.load(tmp_path / "a.csv")
    digest = hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()
    former = hashlib.sha256(json.dumps([1, digest, 27]).encode()).hexdigest()[:12]
    assert points.is_called(f"a-train-{former}") and not points.is_called(f"a-test-{former}")
    (tmp_path / "folder").mkdir()
    shutil.copy(tmp_path / "a.csv", tmp_path / "folder" / "b.csv")
    assert data.load(tmp_path / "folder").identity == points.identity
    with open(tmp_path / "a.csv", "a") as file:
        file.write("31,2\n")
    assert data.load(tmp_path / "a.csv").identity != points.identity


def test_texts_are_known_by_content(tmp_path):
    folder = tmp_path / "books"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.txt").write_text(f"{name} is a letter. " * 20)
    train = data.load(folder, length=5)
    files = [[f"{name}.txt", hashlib.sha256((folder / f"{name}.txt").read_bytes()).hexdigest()] for name in "abc"]
    former = hashlib.sha256(json.dumps([1, files, "characters", None, None]).encode()).hexdigest()[:12]
    assert train.is_called(f"books-characters-{former}-train-5") and train.is_called(
        f"other-characters-{former}-train-5"
    )
    assert not train.is_called(f"books-characters-{former}-test-5")
    shutil.copytree(folder, tmp_path / "renamed", copy_function=shutil.copyfile)
    assert data.load(tmp_path / "renamed", length=5).identity == train.identity
    (tmp_path / "one").mkdir()
    shutil.copy(folder / "a.txt", tmp_path / "one" / "z.txt")
    assert data.load(tmp_path / "one", length=5).identity == data.load(folder / "a.txt", length=5).identity


def test_without_a_home_a_data_folder_is_enough(pets, tmp_path):
    """A user number that the system does not know has no home: neither a variable nor an entry."""
    script = (
        "import os, pwd, sys\n"
        "def unknown(number): raise KeyError(number)\n"
        "pwd.getpwuid = unknown\n"
        "from gdl_keras.cli import main\n"
        "sys.exit(main())"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "GDL_DATA_DIR")}

    def answer(*arguments, **more):
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.run(command, capture_output=True, text=True, env={**environment, **more}, cwd=tmp_path)

    told = answer("data", "info", str(pets))
    assert told.returncode == 2 and "no home folder is known: set GDL_DATA_DIR to a folder." in told.stderr
    told = answer("doctor")
    assert told.returncode == 1 and "[!!] the folder for data cannot be found" in told.stdout, told.stderr
    told = answer("data", "info", "~/pets", GDL_DATA_DIR=str(tmp_path / "data"))
    assert told.returncode == 2 and "~/pets cannot be found, because no home folder is known" in told.stderr
    for arguments in (["data", "info", str(pets)], ["data", "list"], ["doctor"]):
        told = answer(*arguments, GDL_DATA_DIR=str(tmp_path / "data"))
        assert "Unexpected" not in told.stderr and (told.returncode == 0 or arguments == ["doctor"]), told.stderr
    told = answer("data", "download", "faces", GDL_DATA_DIR=str(tmp_path / "data"))
    assert told.returncode != 0 and "Unexpected" not in told.stderr
