"""Tables beside images: which image a row is of, what its columns are, and a sentence for every table."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.data.sources.attributes import read_tables, set_aside
from gdl_keras.data.sources.finding import find_tables
from gdl_keras.errors import InputError

SIX = [f"{number}.png" for number in range(6)]
SPLITS = [f"{split}/{number}.png" for split in ("train", "test") for number in range(4)]
CAT_OR_DOG = [["dog", "cat"][number % 2] for number in range(6)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "photos"


def made(folder, tables, images=SIX, encoding="utf-8"):
    """Writes files that are images by name alone, and tables; returns the paths of both."""
    for name in images:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name, content in tables.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return [folder / name for name in tables], [folder / name for name in images]


def read(folder, tables, images=SIX, encoding="utf-8", **splits):
    splits = {split: folder / name for split, name in splits.items()}
    return read_tables(*made(folder, tables, images, encoding), **splits)


def values(description, folder, images=SIX):
    """The first attribute of each image, a list of numbers."""
    return [description.attributes(folder / name)[0].item() for name in images]


def classes(description, folder, images=SIX):
    labels = [description.label(folder / name) for name in images]
    return [None if label is None else description.class_names[label] for label in labels]


def lines(*rows):
    return "\n".join(rows) + "\n"


# ---- which image a row is of ---------------------------------------------------------------------------------------


def test_the_longest_path_counts(folder):
    """By base names alone, every image for training had the row of the one for testing."""
    rows = [f"{name},{int(name.startswith('train'))}" for name in SPLITS]
    for splits in ({}, {"train": "train", "test": "test"}):
        description, notes = read(folder, {"t.csv": lines("file,is_train", *rows)}, SPLITS, **splits)
        assert values(description, folder, SPLITS) == [1, 1, 1, 1, 0, 0, 0, 0]
        assert notes == [f"{folder / 't.csv'} gives the attributes is_train."]


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


# ---- how a table is written ----------------------------------------------------------------------------------------

ROWS = [(name, f"{place}.5", ["False", "TRUE"][place % 2]) for place, name in enumerate(SIX)]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_separators_and_encodings(folder, separator, encoding, newline):
    content = newline.join(separator.join(row) for row in [("file", "höhe", "Jung"), *ROWS])
    description, notes = read(folder, {"t.csv": content}, encoding=encoding)
    assert description.attribute_names == ["höhe", "Jung"]
    np.testing.assert_array_equal(
        [description.attributes(folder / name) for name in SIX], [[place + 0.5, place % 2] for place in range(6)]
    )
    assert notes == [f"{folder / 't.csv'} gives the attributes höhe, Jung."]


def test_decimal_commas_stay_out_of_names_and_classes(folder):
    rows = [f"a,{name};{place},5;{['hill, sea', 'sea'][place % 2]}" for place, name in enumerate(SIX)]
    images = [f"a,{name}" for name in SIX]
    description, _ = read(folder, {"t.csv": lines("file;x;place", *rows)}, images)
    assert values(description, folder, images) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert description.class_names == ["hill, sea", "sea"]


def test_celebas_own_files(folder):
    """A count, a header that does not name the first column, runs of spaces; a table without any header."""
    header = "5_o_Clock_Shadow Bald Young "
    rows = [f"{name}  {1 if place % 2 else -1} -1  1" for place, name in enumerate(SIX)]
    boxes = [f"{name}    {place}  71 {place + 100} 300" for place, name in enumerate(SIX)]
    tables = {
        "Anno/list_attr_celeba.txt": lines("6", header, *rows),
        "Anno/list_bbox_celeba.txt": lines("6", "image_id x_1 y_1 width height", *boxes),
        "Anno/identity_CelebA.txt": lines(*(f"{name} {place * 7}" for place, name in enumerate(SIX))),
        "README.txt": "These are faces.\nThey may be used for research alone, see the page of the data set.\n",
    }
    images = [f"Img/{name}" for name in SIX]
    _, paths = made(folder, tables, images)
    found = find_tables([path for path in folder.rglob("*") if path.is_file()])
    assert [path.name for path in found] == ["identity_CelebA.txt", "list_attr_celeba.txt", "list_bbox_celeba.txt"]
    description, notes = read_tables(found, paths)
    assert description.attribute_names == ["5_o_Clock_Shadow", "Bald", "Young"]
    rows = [description.attributes(path) for path in paths]
    np.testing.assert_array_equal(rows, [[place % 2, 0, 1] for place in range(6)])
    assert rows[0].dtype == np.int8
    assert [note.partition(" is not used: ")[2] for note in notes[1:]] == ["list_attr_celeba.txt is."] * 2

    description, _ = read_tables(found[2:], paths)
    assert description.attribute_names == ["x_1", "y_1", "width", "height"]
    assert description.attributes(paths[3]).tolist() == [3, 71, 103, 300]
    description, _ = read_tables(found[:1], paths)
    assert description.attribute_names == ["column 2"] and description.attributes(paths[5]).tolist() == [35]


def test_celebas_folders_of_images_and_of_tables(photos):
    folder = photos(20, "celeba", within="Img/img_align_celeba")
    (folder / "Anno").mkdir()
    rows = [f"{number:03}.png {1 if number % 2 else -1}" for number in range(20)]
    (folder / "Anno" / "list_attr_celeba.txt").write_text(lines("20", "Young", *rows))
    on_disk = {np.asarray(Image.open(path)).tobytes(): int(path.stem) % 2 for path in folder.rglob("*.png")}
    train = data.load(folder / "Img", "train", image_size=20)
    assert train.attribute_names == ["Young"] and train.class_names is None
    for image, (young,) in zip(train.images(slice(None)), train.attributes, strict=True):
        assert on_disk[np.uint8(np.rint(image * 255)).tobytes()] == young


@pytest.mark.parametrize("name", ["{0}.png", "{0}"])
def test_an_index_comes_first(folder, name):
    """As pandas writes it; it names images as well, where these are called by numbers, and others."""
    rows = [f"{place},{name.format(5 - place)},{place % 2}" for place in range(6)]
    for header in (",image,x", "Unnamed: 0,image,x"):
        description, _ = read(folder, {"t.csv": lines(header, *rows)})
        assert description.attribute_names == ["x"] and values(description, folder) == [1, 0, 1, 0, 1, 0]


def test_the_same_row_twice_may_have_two_numbers_of_rows(folder):
    rows = [f"{place},{name},{place % 2}" for place, name in enumerate(SIX)]
    description, _ = read(folder, {"t.csv": lines(",file,x", *rows, "6,3.png,1")})
    assert values(description, folder) == [0, 1, 0, 1, 0, 1]
    with pytest.raises(InputError, match="lines 5 and 8 differ"):
        read(folder, {"t.csv": lines(",file,x", *rows, "6,3.png,0")})


def test_names_in_a_later_column(folder):
    rows = [f"{label},{place * 10},{name}" for place, (label, name) in enumerate(zip(CAT_OR_DOG, SIX))]
    description, _ = read(folder, {"t.csv": lines("label,x,path", *rows)})
    assert classes(description, folder) == CAT_OR_DOG and values(description, folder) == [0, 10, 20, 30, 40, 50]


def test_a_table_without_a_header(folder):
    rows = [f"{name},{label}" for name, label in zip(SIX, CAT_OR_DOG)]
    for table in (rows, ["elsewhere.png,owl", *rows], [row.replace(".png", "") for row in rows]):
        description, _ = read(folder, {"t.csv": lines(*table)})
        assert classes(description, folder) == CAT_OR_DOG and description.class_names == ["cat", "dog"]


def test_excels_line_about_separators_and_separators_at_the_end(folder):
    rows = [f"{name};{place % 2};" for place, name in enumerate(SIX)]
    for header in ("file;x", "file;x;"):
        description, _ = read(folder, {"t.csv": lines("sep=;", header, *rows)})
        assert description.attribute_names == ["x"] and values(description, folder) == [0, 1, 0, 1, 0, 1]


def test_remarks_above_the_table(folder):
    rows = [f"{name},{place % 2}" for place, name in enumerate(SIX)]
    for top in (["# mine, all of it", "# 2020"], ["6"], ["#file,x"]):
        header = [] if top == ["#file,x"] else ["file,x"]
        description, _ = read(folder, {"t.csv": lines(*top, *header, *rows)})
        assert description.attribute_names == ["x"] and values(description, folder) == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("id,label\na,1\nb,0\n", "its first column (id) names no image"),
        ("id,label\n" + "".join(f"{name}x,{place % 2}\n" for place, name in enumerate(SIX)), "(id) names no image"),
        ("file,x\n0.png,1\n1.png,0\n", "it lacks 4 of the images, 2.png for one"),
        ("file\n" + "\n".join(SIX), "it gives neither numbers nor classes: it has no second column"),
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        (b"file,x\n" + "".join(f"{name},\xe9\n" for name in SIX).encode("latin-1"), "it is not text in UTF-8: save it"),
        (bytes(range(256)), "it is no text"),
        (b"x" * 100_000, "its first line does not end"),
        ("file,note\n" + "".join(f"{name},{name * 2}\n" for name in SIX), "note (a text with 6 values for 6 images)"),
    ],
)
def test_a_sentence_for_a_table_that_is_not_used(folder, content, reason):
    description, [note] = read(folder, {"t.csv": content})
    assert description is None
    assert note.startswith(f"{folder / 't.csv'} is not used: ") and reason in note


def test_the_sentences_are_said(photos, capsys):
    folder = photos(5)
    (folder / "t.csv").write_text("id,x\na,1\nb,0\n")
    data.load(folder, "train", image_size=20)
    assert f"{folder / 't.csv'} is not used: its first column (id) names no image." in capsys.readouterr().err


def test_of_several_tables_the_one_of_attributes_is_used(folder):
    table = lines("file,x", *(f"{name},1" for name in SIX))
    other = lines("file,y", *(f"{name},0" for name in SIX))
    description, notes = read(folder, {"a.csv": other, "list_attr.csv": table, "b.csv": "x,y\n"})
    assert description.attribute_names == ["x"]
    assert notes == [
        f"{folder / 'list_attr.csv'} gives the attributes x.",
        f"{folder / 'a.csv'} is not used: list_attr.csv is.",
        f"{folder / 'b.csv'} is not used: list_attr.csv is.",
    ]
    many, _ = made(folder, {f"{number:02}.csv": "id\n" for number in range(20)})
    _, notes = read_tables(many, [folder / name for name in SIX])
    assert len(notes) == 9 and notes[-1] == "12 more tables are not used."


# ---- what its columns are ------------------------------------------------------------------------------------------


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
    assert "gives the attributes x and the classes hill, sea, wood" in capsys.readouterr().err


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


# ---- tables of one split -------------------------------------------------------------------------------------------


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


# ---- where tables lie, and what they cost --------------------------------------------------------------------------


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
