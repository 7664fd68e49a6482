"""What the columns of a table are: yes and no, numbers, classes, or an error that names the line."""

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.data.sources.attributes import set_aside
from gdl_keras.errors import InputError
from tests.data.tables import SIX, lines, read, values


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "NA", "inf", "null"])
def test_a_missing_number_is_named(folder, cell):
    rows = [f"{name},{1 if place % 2 else -1},1" for place, name in enumerate(SIX)]
    rows[3] = f"3.png,{cell},1"
    with pytest.raises(InputError) as error:
        read(folder, {"t.csv": lines("file,Smiling,Young", *rows)})
    assert f"{folder / 't.csv'}, line 5, 3.png: the column Smiling" in str(error.value)
    assert (f"holds {cell!r}" if cell else "is empty") in str(error.value)


def test_other_cells_that_are_missing_or_too_many(folder):
    rows = [f"{name},{place % 2},{place}" for place, name in enumerate(SIX)]
    cases = {
        r"line 6, 4\.png: the column y is empty": "4.png,0",
        r"line 6, 4\.png: 4 cells where the table has 3 columns": "4.png,0,1,2",
    }
    for sentence, row in cases.items():
        with pytest.raises(InputError, match=sentence):
            read(folder, {"t.csv": lines("file,x,y", *rows[:4], row, rows[5])})
    with pytest.raises(InputError, match=r"line 4, 2\.png: the column label is empty, where the name of a class"):
        read(
            folder, {"t.csv": lines("file,label", *(f"{name},{['cat', 'dog', ''][int(name[0]) % 3]}" for name in SIX))}
        )
    images = [f"{number}.png" for number in range(20)]
    rows = [f"{name},{'l' if name == '7.png' else 1}" for name in images]
    with pytest.raises(InputError, match=r"line 9, 7\.png: the column x holds 'l', where a number"):
        read(folder, {"t.csv": lines("file,x", *rows)}, images)


@pytest.mark.parametrize(
    ("no", "yes"),
    [("-1", "1"), ("0", "1"), ("False", "True"), ("FALSE", "TRUE"), ("no", "yes"), ("0.0", "1.0"), ("No", "YES")],
)
def test_the_ways_to_write_yes_and_no(folder, no, yes):
    rows = [f"{name},{[no, yes][place % 2]}" for place, name in enumerate(SIX)]
    description, _ = read(folder, {"t.csv": lines("file, Smiling ", *rows)})
    assert description.attribute_names == ["Smiling"] and description.class_names is None
    assert values(description, folder) == [0, 1, 0, 1, 0, 1]
    assert description.attributes(folder / "0.png").dtype == np.int8


@pytest.mark.parametrize("three", [(-1, 0, 1), (0, 1, 2), (1, 2, 1), (-1, 0, -1), (0.2, 0.5, 0.9)])
def test_other_numbers_stay_and_are_no_yes_or_no(photos, three):
    folder = photos(12)
    rows = [f"{number:03}.png,{three[number % 3]},{number % 2}" for number in range(12)]
    (folder / "t.csv").write_text(lines("file,x,Hat", *rows))
    train = data.load(folder, "train", image_size=20)
    assert train.attributes.dtype == np.float32
    assert set(train.attributes[:, 0]) == set(np.float32(three))
    for attribute in ("x", "all"):
        with pytest.raises(InputError, match=r"attribute x of .* is no yes-or-no .* its values are .*: Hat"):
            train.conditioned_on(attribute)
    with pytest.raises(InputError, match=r"attribute x of .* is no yes-or-no"):
        train.groups(["Hat", "x"])
    assert list(train.groups()) == ["Hat"] and set(train.conditioned_on("Hat").labels) == {0, 1}


def test_text_is_classes(photos, capsys):
    folder = photos(12)
    names = [["sea", "hill", "wood"][number % 3] for number in range(12)]
    (folder / "t.csv").write_text(lines("file,place,x", *(f"{n:03}.png,{names[n]},{n}" for n in range(12))))
    on_disk = {np.asarray(Image.open(path)).tobytes(): int(path.stem) for path in folder.glob("*.png")}
    for split in ("train", "test"):
        part = data.load(folder, split, image_size=20)
        assert part.class_names == ["hill", "sea", "wood"] and part.attribute_names == ["x"]
        assert part.labels.dtype == np.int64
        for image, label, row in zip(part.images(slice(None)), part.labels, part.attributes, strict=True):
            number = on_disk[np.uint8(np.rint(image * 255)).tobytes()]
            assert part.class_names[label] == names[number] and row.tolist() == [number]
    assert "gives the attribute x and the classes hill, sea, wood" in capsys.readouterr().err


def test_class_folders_win_and_that_is_said(photos, capsys):
    photos(6, "pets", within="dog")
    folder = photos(6, "pets", within="cat")
    rows = [f"{animal}/{n:03}.png,{colour},1" for animal in ("cat", "dog") for n, colour in enumerate("rgrgrg")]
    (folder / "t.csv").write_text(lines("file,colour,x", *rows))
    train = data.load(folder, "train", image_size=20)
    assert train.class_names == ["cat", "dog"] and train.attribute_names is None
    assert f"{folder / 't.csv'} is not used: the sub-folders are the classes." in capsys.readouterr().err
    assert set_aside([folder / "t.csv"], "why") == [f"{folder / 't.csv'} is not used: why."]


def test_text_that_is_no_class_is_left_out_by_name(folder):
    rows = [f"{name},{place % 2},{'ab'[place % 2]},{'xy'[place // 3]},same,{name}!," for place, name in enumerate(SIX)]
    description, [note] = read(folder, {"t.csv": lines("file,x,breed,country,one,note,none", *rows)})
    assert description.class_names is None and description.attribute_names == ["x"]
    for left_out in ("one (a text with 1 value for", "note (a text with 6 values", "none (empty)"):
        assert left_out in note
    for name in ("breed", "country"):
        assert f"{name} (one of 2 columns of text, and classes are in one)" in note


def test_names_of_columns(folder):
    rows = [f"{name},{place},{place % 2},1" for place, name in enumerate(SIX)]
    description, [note] = read(folder, {"t.csv": lines("file, a b ,x,x", *rows)})
    assert description.attribute_names == ["a b", "x", "x (column 4)"]
    _, [note] = read(folder, {"t.csv": lines("file,x,,y", *rows)})
    assert "left out: a column without a name" in note
