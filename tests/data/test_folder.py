"""Folders of the reader's own images: splits, labels, attributes, every odd picture, and every bad one."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data
from gdl_keras.errors import InputError


def first_pixel(path, size=20, **settings):
    """The top left pixel of the only readable image of a folder that holds `path` and a white one."""
    Image.new("RGB", (20, 20), "white").save(path.parent / "zz.png")
    images = [
        data.load(path.parent, split, image_size=size, **settings).images(slice(None)) for split in ("train", "test")
    ]
    return next(image[0, 0] for image in np.concatenate(images) if (image[0, 0] < 0.99).any() or (image != 1).any())


def test_a_tenth_is_held_out_the_same_one_always(photos, tmp_path, monkeypatch):
    folder = photos(40)
    train, test = data.load(folder, "train", image_size=20), data.load(folder, "test", image_size=20)
    assert (train.num_images, test.num_images) == (36, 4)
    everything = {image.tobytes() for part in (train, test) for image in part.images(slice(None))}
    assert len(everything) == 40
    # Moved elsewhere, the same images are held out.
    shutil.copytree(folder, tmp_path / "elsewhere" / "copy")
    moved = data.load(tmp_path / "elsewhere" / "copy", "test", image_size=20)
    np.testing.assert_array_equal(moved.images(slice(None)), test.images(slice(None)))


def test_the_store_holds_what_pillow_reads(photos):
    folder = photos(12)
    train = data.load(folder, "train", image_size=20)
    on_disk = {np.asarray(Image.open(path)).tobytes() for path in folder.glob("*.png")}
    assert {np.uint8(np.rint(image * 255)).tobytes() for image in train.images(slice(None))} < on_disk
    grey = data.load(folder, "train", image_size=20, channels=1)
    assert grey.image_shape == (20, 20, 1)


def test_photographs_are_cropped_in_the_middle_and_antialiased(tmp_path):
    pixels = np.zeros((40, 120, 3), np.uint8)
    pixels[:, 40:80] = 255  # white in the middle, black on both sides
    pixels[::2, 40:80] = 0  # stripes that only averaging turns into grey
    folder = tmp_path / "wide"
    folder.mkdir()
    for name in "ab":
        Image.fromarray(pixels).save(folder / f"{name}.png")
    image = data.load(folder, "train", image_size=10).images(0)
    np.testing.assert_allclose(image, 0.5, atol=0.1)


def test_sub_folders_are_labels(photos):
    photos(10, "pets", within="dog")
    folder = photos(15, "pets", within="cat")
    train, test = data.load(folder, "train"), data.load(folder, "test")
    assert train.class_names == test.class_names == ["cat", "dog"]
    assert (np.bincount(train.labels, minlength=2) + np.bincount(test.labels, minlength=2)).tolist() == [15, 10]
    assert train.labels.dtype == np.int64 and train.image_shape == (64, 64, 3)


@pytest.mark.parametrize("held_out", ["test", "val", "valid", "Validation"])
def test_sub_folders_can_be_the_splits(photos, held_out):
    photos(6, "set", within="train/cat")
    photos(5, "set", within="train/dog")
    folder = photos(3, "set", within=f"{held_out}/dog")
    train, test = data.load(folder, "train"), data.load(folder, "test")
    assert (train.num_images, test.num_images) == (11, 3)
    assert test.class_names == ["cat", "dog"] and test.labels.tolist() == [1, 1, 1]


def test_wrapping_folders_hidden_files_and_other_files_do_not_count(photos):
    folder = photos(10, "archive", within="images/images")
    (folder / "README.txt").write_text("no image")
    shutil.copy(folder / "images/images/000.png", folder / "images/images/.hidden.png")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "000.png").write_bytes(b"resource fork")
    train = data.load(folder, "train")
    assert (train.num_images, train.labels) == (9, None)


def test_an_attribute_becomes_the_label(photos):
    folder = photos(20, "faces")
    lines = [f"{index:03}.png,{1 if index % 2 else -1}" for index in range(20)]
    (folder / "list_attr.csv").write_text("\n".join(["image_id,Young", *lines]) + "\n")
    train = data.load(folder, "train")
    young = train.labelled_by("Young")
    assert young.class_names == ["not Young", "Young"]
    np.testing.assert_array_equal(young.labels, train.attributes[:, 0])
    assert train.labels is None
    _, labels = next(iter(young.batches(labels=True)))
    assert labels.dtype == "int64" and labels.shape.rank == 1
    with pytest.raises(InputError, match="Young"):
        train.labelled_by("Yung")


def test_a_table_beside_the_folder_gives_attributes(photos):
    folder = photos(20, "faces", within="img/img")
    lines = [f"{index:03}.png,{1 if index % 2 else -1},1,{'x' * index}" for index in range(20)]
    (folder / "list_attr.csv").write_text("\n".join(["image_id,Smiling,Young,Remark", *lines]) + "\n")
    (folder / "a_landmarks.csv").write_text(
        "\n".join(["image_id,x"] + [f"{index:03}.png,{index}" for index in range(20)])
    )
    train = data.load(folder, "train", image_size=20)
    assert train.attribute_names == ["Smiling", "Young"] and train.labels is None
    with pytest.raises(InputError, match="no labels: choose one of its attributes with --attribute"):
        train.with_labels()
    assert train.attributes.shape == (18, 2) and train.attributes.dtype == np.int8
    on_disk = {np.asarray(Image.open(path)).tobytes(): int(path.stem) for path in (folder / "img/img").iterdir()}
    for image, (smiling, young) in zip(train.images(slice(None)), train.attributes, strict=True):
        assert (smiling, young) == (on_disk[np.uint8(np.rint(image * 255)).tobytes()] % 2, 1)


def test_a_table_that_misses_images_is_not_used_and_that_is_said(photos, capsys):
    folder = photos(5)
    (folder / "table.csv").write_text("name,x\n000.png,1.5\n001.png,2\n")
    assert data.load(folder, "train").attributes is None
    assert "lacks 3 of the images" in capsys.readouterr().err
    (folder / "table.csv").write_text("name,x\n" + "".join(f"{index:03}.png,{index}.5\n" for index in range(5)))
    train = data.load(folder, "train")
    assert train.attributes.dtype == np.float32 and set(train.attributes[:, 0]) < {0.5, 1.5, 2.5, 3.5, 4.5}


def save(folder, name, image, **settings):
    folder.mkdir(exist_ok=True)
    image.save(folder / name, **settings)
    return folder / name


def test_odd_pictures_come_out_as_one_sees_them(tmp_path, capsys):
    clear = save(tmp_path / "alpha", "a.png", Image.new("RGBA", (20, 20), (255, 0, 0, 128)))
    np.testing.assert_allclose(first_pixel(clear), [1, 0.5, 0.5], atol=0.01)

    deep = save(tmp_path / "deep", "a.png", Image.fromarray(np.full((20, 20), 32768, np.uint16)))
    np.testing.assert_allclose(first_pixel(deep), 0.5, atol=0.01)

    frames = [Image.new("P", (20, 20), color) for color in (0, 1)]
    for frame in frames:
        frame.putpalette([0, 0, 255, 0, 255, 0])
    moving = save(tmp_path / "moving", "a.gif", frames[0], save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(first_pixel(moving), [0, 0, 1])

    printed = save(tmp_path / "print", "a.jpg", Image.new("CMYK", (20, 20), (0, 255, 255, 0)))
    assert first_pixel(printed)[0] > 0.9 and first_pixel(printed)[1] < 0.2
    assert "RGB: 1 image in the four colours of print (CMYK)." in capsys.readouterr().err

    lying = Image.new("RGB", (20, 20), "white")
    lying.paste("black", (0, 0, 20, 4))  # a black edge on top, which the camera says is really on the right
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = save(tmp_path / "turned", "a.png", lying, exif=exif)
    save(tmp_path / "turned", "b.png", lying, exif=exif)
    image = data.load(upright.parent, "train", image_size=20).images(0)
    assert image[10, 19, 0] == 0 and image[10, 0, 0] == 1 and image[0, 10, 0] == 1


def bad_folder(photos):
    photos(2, within="test")
    folder = photos(18, within="train") / "train"
    whole = (folder / "001.png").read_bytes()
    (folder / "001.png").write_bytes(whole[: len(whole) // 2])
    (folder / "002.png").write_bytes(b"")
    (folder / "003.png").write_text("<html>not found</html>")
    Image.new("RGB", (1, 1)).save(folder / "004.png")
    return folder.parent


def test_unreadable_images_are_named_with_the_reason(photos, leftovers):
    folder = bad_folder(photos)
    with pytest.raises(InputError) as error:
        data.load(folder, "train")
    message = str(error.value)
    assert "001.png (damaged" in message and "002.png (an empty file)" in message and "--skip-unreadable" in message
    assert "003.png (not an image" in message and "004.png" not in message
    assert "4 of 18 images" in message and "and 1 more" in message
    assert error.value.exit_code == 2 and leftovers() == []


def test_unreadable_images_can_be_left_out(photos, capsys):
    folder = bad_folder(photos)
    train = data.load(folder, "train", image_size=20, skip_unreadable=True)
    assert train.num_images == 14
    assert capsys.readouterr().err.count("They are left out") == 1
    on_disk = {path.name: path for path in (folder / "train").glob("*.png")}
    for name in ("001.png", "002.png", "003.png", "004.png"):
        on_disk.pop(name)
    good = {np.asarray(Image.open(path)).tobytes() for path in on_disk.values()}
    assert {np.uint8(np.rint(image * 255)).tobytes() for image in train.images(slice(None))} == good
    # The store that is there now does not make the images good.
    with pytest.raises(InputError, match="cannot be used"):
        data.load(folder, "train", image_size=20)


def test_nothing_left_is_an_error_even_then(tmp_path, leftovers):
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.jpg").write_bytes(b"nothing")
    with pytest.raises(InputError, match="None is left"):
        data.load(folder, "train", skip_unreadable=True)
    assert leftovers() == []


def test_labels_follow_their_images_when_some_are_left_out(photos):
    photos(10, "pets", within="cat")
    folder = photos(10, "pets", within="dog")
    for path in (folder / "cat").glob("00[0-4].png"):
        path.write_bytes(b"")
    parts = [data.load(folder, split, image_size=20, skip_unreadable=True) for split in ("train", "test")]
    assert sum(np.bincount(part.labels, minlength=2) for part in parts).tolist() == [5, 10]
    dogs = {np.asarray(Image.open(path)).tobytes() for path in (folder / "dog").iterdir()}
    for part in parts:
        for image, label in zip(part.images(slice(None)), part.labels, strict=True):
            assert (np.uint8(np.rint(image * 255)).tobytes() in dogs) == (label == 1)


def test_empty_missing_and_tiny_folders_tell_the_way_out(photos, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no image: at least two are needed, in the formats .*jpg"):
        data.load(tmp_path / "empty")
    with pytest.raises(InputError, match="only one image"):
        data.load(photos(1, "one"))
    with pytest.raises(InputError, match="does not exist"):
        data.load("./missing")
    with pytest.raises(InputError, match="does not exist: give a folder of images, or a name"):
        data.info("./missing")
    with pytest.raises(InputError, match="is a file, not a folder"):
        data.load(photos(2, "two") / "000.png")
    assert data.load(tmp_path / "two").num_images == 1


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"split": "dev"}, "no split 'dev'"),
        ({"channels": 2}, "1 channel"),
        ({"image_size": 0}, "between 4 and 2048"),
        ({"batch_size": 0}, "at least 1"),
        ({"seed": -1}, "not be negative"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(InputError, match=message):
        data.load("fashion_mini", **settings)


def test_a_changed_folder_is_prepared_anew(photos, data_home):
    folder = photos(10)
    assert data.load(folder, "train", image_size=20).num_images == 9
    stores = set((data_home / "prepared").iterdir())
    shutil.copy(folder / "000.png", folder / "new.png")
    shutil.copy(folder / "000.png", folder / "newer.png")
    assert data.load(folder, "train", image_size=20).num_images == 11
    assert len(set((data_home / "prepared").iterdir()) - stores) == 1


def test_info_of_a_folder(photos):
    photos(10, "pets", within="dog")
    folder = photos(10, "pets", within="cat")
    known = data.info(str(folder))
    assert (
        known["images"] == {"train": 18, "test": 2} and known["classes"] == ["cat", "dog"] and known["prepared"] == []
    )
    data.load(folder, "train")
    assert len(data.info(folder)["prepared"]) == 1
    json.dumps(data.info(folder))
