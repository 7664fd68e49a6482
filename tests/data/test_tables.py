"""Tables beside images: which image a row is of, tables of one split, where they lie, and what they cost."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.data.sources.attributes import read_tables
from gdl_keras.data.sources.finding import find_tables
from gdl_keras.errors import InputError
from tests.data.tables import CAT_OR_DOG, SIX, SPLITS, classes, lines, made, read, values


def test_the_longest_path_counts(folder):
    """By base names alone, every image for training had the row of the one for testing."""
    rows = [f"{name},{int(name.startswith('train'))}" for name in SPLITS]
    for splits in ({}, {"train": "train", "test": "test"}):
        description, notes = read(folder, {"t.csv": lines("file,is_train", *rows)}, SPLITS, **splits)
        assert values(description, folder, SPLITS) == [1, 1, 1, 1, 0, 0, 0, 0]
        assert notes == [f"{folder / 't.csv'} gives the attribute is_train."]


def test_the_longest_path_counts_in_what_is_loaded(tmp_path):
    for split, grey in (("train", 200), ("test", 50)):
        (tmp_path / "greys" / split).mkdir(parents=True)
        for number in range(4):
            Image.new("L", (20, 20), grey).save(tmp_path / "greys" / split / f"{number}.png")
    rows = [f"{split}/{number}.png,{bright}" for split, bright in (("train", 1), ("test", 0)) for number in range(4)]
    (tmp_path / "greys" / "t.csv").write_text(lines("file,bright", *rows))
    for split, bright in (("train", 1), ("test", 0)):
        part = data.load(tmp_path / "greys", split, image_size=20)
        assert part.attributes.tolist() == [[bright]] * 4
        assert (part.images(slice(None)).mean() > 0.5) == bright


def test_a_name_of_two_images_is_an_error_that_names_both(folder):
    table = {"t.csv": lines("file,x", *(f"{number}.png,1" for number in range(4)))}
    with pytest.raises(InputError) as error:
        read(folder, table, SPLITS)
    message = str(error.value)
    assert all(part in message for part in (str(folder / "train/0.png"), str(folder / "test/0.png"), "line 2", "t.csv"))
    with pytest.raises(InputError, match=r"'0' may be .*0\.jpg or .*0\.png"):
        read(folder, {"u.csv": lines("id,x", "0,1", "1,0")}, ["0.jpg", "0.png", "1.png"])


def test_two_different_rows_of_one_image_are_an_error_that_names_both_lines(folder):
    rows = [f"{name},1,{place}" for place, name in enumerate(SIX)]
    description, _ = read(folder, {"t.csv": lines("file,x,y", *rows, rows[3])})  # the same row twice says the same
    assert values(description, folder) == [1] * 6
    with pytest.raises(InputError, match=r"lines 5 and 8 differ, and both are of .*3\.png"):
        read(folder, {"t.csv": lines("file,x,y", *rows, "3.png,0,3")})
    with pytest.raises(InputError, match=r"lines 2 and 3 differ"):
        read(folder, {"t.csv": lines("file,x", *(f"{place}/{name},{place}" for name in SIX for place in "01"))})


def test_a_row_of_an_image_that_is_not_here_is_of_no_other(folder):
    images = [f"train/{name}" for name in SIX]
    rows = [f"train/{name},1" for name in SIX]
    foreign = [f"val/{name},0" for name in SIX]
    description, _ = read(folder, {"t.csv": lines("file,x", *foreign, *rows, *foreign)}, images)
    assert values(description, folder, images) == [1] * 6
    description, [note] = read(folder, {"t.csv": lines("file,x", *rows[:5], foreign[5])}, images)
    assert description is None and "lacks 1 of the images, 5.png for one" in note


@pytest.mark.parametrize(
    "write",
    [
        "{0}.png".format,
        "./{0}.png".format,
        "{0}.PNG".format,
        "{0}".format,
        "photos/{0}.png".format,
        "elsewhere/{0}.png".format,
        "/home/someone/{0}.png".format,
        r"C:\pictures\{0}.png".format,
        r".\{0}.Png".format,
        "  {0}.png ".format,
        "https://example.org/pictures/{0}.png".format,
    ],
)
def test_the_ways_to_write_a_name(folder, write):
    rows = [f"{write(number)},{number}.5" for number in range(6)]
    description, _ = read(folder, {"t.csv": lines("file,x", *rows)})
    assert values(description, folder) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]


def test_names_with_spaces_signs_and_accents(folder):
    images = ["my photo.png", "100%.png", "a%20b.png", "b,c.png", "Ünï.png", "x.y.png", "A.png", "a.png", "00.png"]
    rows = ["my%20photo.png", "100%", "a%20b.png", '"b,c.png"', "U\u0308ni\u0308.png", "x.y", "A.png", "a.PNG", "00"]
    table = lines("file,x", *(f"{name},{place}" for place, name in enumerate(rows)))
    description, _ = read(folder, {"t.csv": table}, images)
    assert values(description, folder, images) == list(range(9))


def test_a_number_that_lost_its_zeros_is_not_guessed(folder):
    images = [f"{number:03}.png" for number in range(6)]
    description, [note] = read(folder, {"t.csv": lines("id,x", *(f"{number},1" for number in range(6)))}, images)
    assert description is None and note == f"{folder / 't.csv'} is not used: its first column (id) names no image."


def test_kaggles_table_is_of_the_images_for_training_alone(folder):
    """The ids of both splits are the same numbers."""
    tables = {
        "sample_submission.csv": lines("id,label", *(f"{number},cat" for number in range(4))),
        "test.csv": lines("id", *map(str, range(4))),
        "train.csv": lines("id,label", *(f"{number},{CAT_OR_DOG[number]}" for number in range(4))),
    }
    description, notes = read(folder, tables, SPLITS, train="train", test="test")
    assert classes(description, folder, SPLITS) == CAT_OR_DOG[:4] + [None] * 4
    assert [description.names(folder / name) for name in SPLITS] == [True] * 4 + [False] * 4
    assert notes == [
        f"{folder / 'train.csv'} gives the classes cat, dog.",
        f"{folder / 'sample_submission.csv'} is not used: train.csv is.",
        f"{folder / 'test.csv'} is not used: its columns are not those of train.csv.",
    ]
    del tables["train.csv"], tables["sample_submission.csv"]
    (folder / "train.csv").unlink()
    description, [note] = read(folder, tables, SPLITS, train="train", test="test")
    assert description is None and "it is of the images in test alone" in note


@pytest.mark.parametrize(
    ("of_train", "of_test", "held_out"),
    [
        ("train/labels.csv", "test/labels.csv", "test"),
        ("train.csv", "test.csv", "test"),
        ("train_labels.csv", "val_labels.csv", "val"),
        ("Training_set.csv", "Testing_set.csv", "test"),
    ],
)
def test_a_table_for_each_split(folder, of_train, of_test, held_out):
    images = [name.replace("test", held_out) for name in SPLITS]
    tables = {
        of_train: lines("id,label", *(f"{number}.png,{CAT_OR_DOG[number]}" for number in range(4))),
        of_test: lines("id,label", *(f"{number}.png,{['owl', 'dog'][number % 2]}" for number in range(4))),
    }
    description, [note] = read(folder, tables, images, train="train", test=held_out)
    assert description.class_names == ["cat", "dog", "owl"]
    assert classes(description, folder, images) == ["dog", "cat", "dog", "cat", "owl", "dog", "owl", "dog"]
    assert "give the classes cat, dog, owl" in note
    tables[of_test] = tables[of_test].replace("2.png,owl", "2.png,")
    with pytest.raises(InputError, match=rf"{folder / of_test}, line 4, 2\.png: the column label is empty"):
        read(folder, tables, images, train="train", test=held_out)


def test_where_images_for_testing_have_no_label_some_for_training_are_held_out(photos, capsys):
    photos(20, "pets", within="train")
    folder = photos(5, "pets", within="test")
    rows = [f"{number:03},{['cat', 'dog'][number % 2]}" for number in range(20)]
    (folder / "train.csv").write_text(lines("id,label", *rows))
    train, test = (data.load(folder, split, image_size=20) for split in ("train", "test"))
    assert (train.num_images, test.num_images) == (18, 2) and train.class_names == test.class_names == ["cat", "dog"]
    on_disk = {np.asarray(Image.open(path)).tobytes(): int(path.stem) % 2 for path in (folder / "train").iterdir()}
    for part in (train, test):
        for image, label in zip(part.images(slice(None)), part.labels, strict=True):
            assert on_disk[np.uint8(np.rint(image * 255)).tobytes()] == label
    assert "held out" in capsys.readouterr().err


def test_tables_lie_in_the_folder_or_beside_it(tmp_path):
    tables = ["faces/t.csv", "faces/deep/u.TSV", "beside.csv", "Anno/list.txt", "annotations/v.tab"]
    others = ["faces/0.png", "faces/prose.txt", "other/w.csv", "Anno/.hidden.csv", "Anno/notes.md"]
    for name in tables + others:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(
            "One word, and then\nsome more of them.\nThe end.\n" if "prose" in name else "a 1\nb 2\n"
        )
    (tmp_path / "faces" / "0.txt").write_text("1 0.5 0.5\n0 0.2 0.7\n")  # the boxes of 0.png
    files = [path for path in (tmp_path / "faces").rglob("*") if path.is_file()]
    assert set(find_tables(files, tmp_path / "faces")) == {tmp_path / name for name in tables}
    assert set(find_tables(files)) == {tmp_path / name for name in tables[:2]}


def test_tables_lie_where_celeba_has_them(photos):
    """Whichever of its folders is given."""
    photos(8, "celeba", within="Img/img_align_celeba")
    folder = photos(4, "celeba", within="Img/img_align_celeba")
    names = sorted(path.name for path in (folder / "Img/img_align_celeba").iterdir())
    (folder / "Anno").mkdir()
    rows = [f"{name} {[-1, 1][place % 2]:2}" for place, name in enumerate(names)]
    (folder / "Anno" / "list_attr_celeba.txt").write_text("\n".join([str(len(names)), "Smiling", *rows]))
    for given in (folder, folder / "Img", folder / "Img/img_align_celeba"):
        assert data.load(given, image_size=20).attribute_names == ["Smiling"]


def test_a_table_costs_memory_in_proportion_to_the_images(folder):
    images = [f"{number:06}.png" for number in range(500)]
    peaks = []
    for count in (2_000, 60_000):
        # The images are those of the last rows, so that all of the table is gone through.
        rows = [f"{number:06}.png,{number % 2},{number},remark {number}" for number in reversed(range(count))]
        paths = made(folder, {f"{count}.csv": lines("file,x,y,note", *rows)}, images)
        tracemalloc.start()
        try:
            description, _ = read_tables(*paths)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert values(description, folder, images) == [number % 2 for number in range(500)]
    assert paths[0][0].stat().st_size > 1_500_000
    assert peaks[1] < 1.1 * peaks[0] + 100_000, peaks
