"""How tables are written: separators, encodings, headers; and a sentence for those that are not used."""

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.data.sources.attributes import read_tables
from gdl_keras.data.sources.finding import find_tables
from gdl_keras.errors import InputError
from tests.data.tables import CAT_OR_DOG, SIX, classes, lines, made, read, values

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
        f"{folder / 'list_attr.csv'} gives the attribute x.",
        f"{folder / 'a.csv'} is not used: list_attr.csv is.",
        f"{folder / 'b.csv'} is not used: list_attr.csv is.",
    ]
    many, _ = made(folder, {f"{number:02}.csv": "id\n" for number in range(20)})
    _, notes = read_tables(many, [folder / name for name in SIX])
    assert len(notes) == 9 and notes[-1] == "Not used: 12 more tables."


def test_of_files_beside_the_folder_that_are_no_tables_of_its_images_nothing_is_said(tmp_path, capsys):
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(6):
        Image.new("RGB", (9, 9), (40 * number,) * 3).save(folder / f"{number}.png")
    (tmp_path / "my_poem.txt").write_text("Tyger Tyger, burning\nIn the, forests\n")
    (tmp_path / "my_table.csv").write_text("name,height\na,1.6\nb,1.8\n")
    (tmp_path / "few_too_few.csv").write_text("file,height\n1.png,3\n")
    data.load(str(folder), image_size=8)
    told = capsys.readouterr().err
    assert "my_poem" not in told and "my_table" not in told
    assert "few_too_few.csv is not used: it lacks 5 of the images" in told

    # Where another one is used, those that speak of images are named, the others not.
    (tmp_path / "list_attr.csv").write_text(
        lines("file,tall", *(f"{name},{place % 2}" for place, name in enumerate(SIX)))
    )
    data.load(str(folder), image_size=8)
    told = capsys.readouterr().err
    assert "my_poem" not in told and "my_table" not in told
    assert "few_too_few.csv is not used: list_attr.csv is." in told

    # Within the folder every table is told of.
    (folder / "my_table.csv").write_text("name,height\na,1.6\nb,1.8\n")
    data.load(str(folder), image_size=8)
    assert "few/my_table.csv is not used: list_attr.csv is." in capsys.readouterr().err
