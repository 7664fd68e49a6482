"""How a folder is arranged: which folders are splits, which classes, and that nothing is left out without a word."""

import os

import numpy as np
import pytest

from gdl_keras import data


def both(folder, **options):
    return [data.load(folder, split, image_size=20, **options) for split in ("train", "test")]


def counts(folder):
    return [part.num_images for part in both(folder)]


def test_train_beside_other_classes_is_a_class(photos):
    for name in ("train", "bus", "car"):
        folder = photos(20, "vehicles", within=name)
    train, test = both(folder)
    assert (train.num_images, test.num_images) == (54, 6)
    assert train.class_names == test.class_names == ["bus", "car", "train"]
    labels = np.concatenate([train.labels, test.labels])
    assert np.bincount(labels).tolist() == [20, 20, 20] and train.left_out == {}


def test_train_alone_is_a_split_with_classes(photos):
    photos(10, "set", within="train/cat")
    folder = photos(10, "set", within="train/dog")
    (folder / "notes").mkdir()  # without an image a folder is nothing
    train, test = both(folder)
    assert train.class_names == test.class_names == ["cat", "dog"] and (train.num_images, test.num_images) == (18, 2)


def test_classes_may_lie_behind_links(photos, tmp_path):
    folder = photos(20, "set", within="bus")
    disk = photos(20, "disk", within="car")
    (folder / "car").symlink_to(disk / "car")
    train, _ = both(folder)
    assert train.class_names == ["bus", "car"] and counts(folder) == [36, 4]
    (tmp_path / "links").mkdir()
    for name in ("bus", "car"):
        (tmp_path / "links" / name).symlink_to(folder / name)
    assert counts(tmp_path / "links") == [36, 4]


def test_links_in_circles_and_into_nothing_are_told(photos, tmp_path, capsys):
    photos(10, "set", within="bus")
    folder = photos(10, "set", within="car")
    disk = photos(5, "disk", within="inner")
    (folder / "all").symlink_to(folder)
    (folder / "bus" / "above").symlink_to(tmp_path)
    (folder / "boat").symlink_to(disk / "inner")
    (disk / "inner" / "back").symlink_to(folder)  # from another disk into the middle of this one
    (disk / "inner" / "top").symlink_to(disk)
    (folder / "lost.png").symlink_to(tmp_path / "nowhere.png")
    (folder / "itself").symlink_to("itself")
    train, _ = both(folder)
    assert train.class_names == ["boat", "bus", "car"] and counts(folder) == [23, 2]
    assert train.left_out == {
        "linked back to a folder around it": 4,
        "linked to nothing": 2,
    }
    assert "left out: 4 linked back to a folder around it; 2 linked to nothing." in capsys.readouterr().err


def test_a_picture_beside_the_class_folders_is_left_out_and_both_splits_have_labels(photos, capsys):
    for name in ("bus", "car"):
        photos(20, "set", within=name)
    folder = photos(1, "set")
    train, test = both(folder)
    assert train.labels is not None and test.labels is not None and (train.num_images, test.num_images) == (36, 4)
    assert train.left_out == test.left_out == {"lying beside the class folders": 1}
    assert capsys.readouterr().err.count("left out: 1 lying beside the class folders.") == 2
    assert data.info(folder)["left_out"] == {"lying beside the class folders": 1}


def test_folders_beside_most_of_the_pictures_are_no_classes(photos):
    for name in ("old", "new"):
        photos(5, "album", within=name)
    folder = photos(30, "album")
    train, test = both(folder)
    assert train.labels is None and test.labels is None and (train.num_images, test.num_images) == (36, 4)
    assert train.left_out == {}


def test_a_cover_beside_a_wrapping_folder_does_not_hide_the_classes(photos):
    photos(10, "archive", within="images/cat")
    photos(10, "archive", within="images/dog")
    folder = photos(1, "archive")
    train, _ = both(folder)
    assert train.class_names == ["cat", "dog"] and train.left_out == {"lying beside the folder images": 1}
    # But where the folder has no classes, all are pictures like the others.
    assert counts(photos(3, "plain")) == [2, 1] and counts(photos(10, "plain", within="more")) == [12, 1]


def test_test_images_without_classes_give_way_to_a_part_of_train(photos, capsys):
    for name in ("train/cat", "train/dog"):
        photos(10, "set", within=name)
    folder = photos(5, "set", within="test")
    train, test = both(folder)
    assert train.class_names == test.class_names == ["cat", "dog"]
    assert (len(train.labels), len(test.labels)) == (18, 2)
    reason = "in test, which has no classes as train has: a tenth of train is held out instead"
    assert train.left_out == test.left_out == {reason: 5} and f"5 {reason}" in capsys.readouterr().err


@pytest.mark.parametrize("within", ["test/unknown", "test/test", "test/1"])
def test_nor_are_folders_of_test_classes_that_train_does_not_know(photos, within):
    for name in ("train/cat", "train/dog"):
        photos(10, "set", within=name)
    train, test = both(photos(5, "set", within=within))
    assert train.class_names == test.class_names == ["cat", "dog"] and test.num_images == 2


def test_a_folder_with_classes_is_held_out_before_one_without(photos):
    for name in ("train/1", "train/2", "valid/1", "valid/2"):
        photos(6, "flowers", within=name)
    train, test = both(photos(5, "flowers", within="test"))
    assert (train.num_images, test.num_images) == (12, 12) and test.labels.tolist() == [0] * 6 + [1] * 6
    assert test.left_out == {"in test: valid, which has classes as train has, is held out instead": 5}


def test_what_lies_beside_the_splits_is_told(photos):
    for name, count in (("train", 20), ("test", 10), ("val", 4), ("extra", 3)):
        photos(count, "set", within=name)
    folder = photos(2, "set")
    train, test = both(folder)
    assert (train.num_images, test.num_images, train.labels) == (20, 10, None)
    assert train.left_out == {
        "in extra, beside train and test": 3,
        "in val: test is held out instead": 4,
        "lying beside train and test": 2,
    }


def test_train_without_and_test_with_classes_have_none(photos):
    photos(20, "set", within="train")
    for name in ("test/cat", "test/dog"):
        folder = photos(5, "set", within=name)
    train, test = both(folder)
    assert train.labels is None and test.labels is None and test.num_images == 10


def test_classes_inside_wrapped_splits(photos):
    for name in ("train/train/cat", "train/train/dog", "test/test/cat", "test/test/dog"):
        folder = photos(5, "set", within=name)
    _, test = both(folder)
    assert test.class_names == ["cat", "dog"] and test.num_images == 10


@pytest.mark.parametrize(("train_name", "test_name"), [("train_images", "test_images"), ("Train-JPG", "val-jpg")])
def test_splits_that_say_that_they_hold_images(photos, train_name, test_name):
    """As competitions have them, beside a `train.csv`."""
    photos(20, "plants", within=train_name)
    folder = photos(6, "plants", within=test_name)
    train, test = both(folder)
    assert (train.num_images, test.num_images, train.labels, test.labels) == (20, 6, None, None)
    names = sorted(path.name for path in (folder / train_name).iterdir())
    rows = [f"{name},{['healthy', 'rust'][place % 2]}" for place, name in enumerate(names)]
    (folder / "train.csv").write_text("\n".join(["image_id,label", *rows]))
    train, test = both(folder)
    assert train.class_names == test.class_names == ["healthy", "rust"] and (train.num_images, test.num_images) == (
        18,
        2,
    )


def test_info_of_what_was_prepared_and_is_gone(photos):
    photos(4, "set", within="cat")
    folder = photos(4, "set", within="dog")
    both(folder)
    folder.rename(folder.with_name("elsewhere"))
    assert data.info(folder)["classes"] == ["cat", "dog"]


def test_info_counts_what_was_found_damaged(photos, tmp_path):
    """Which shows when images are prepared."""
    folder = photos(30)
    for place, path in enumerate(sorted(folder.rglob("*.png"))[::5]):
        path.write_bytes(b"" if place % 2 else b"no picture")
    assert data.info(folder)["left_out"] == {}
    parts = both(folder, skip_unreadable=True)
    told = data.info(folder)
    assert told["images"] == {part.split: part.num_images for part in parts} and sum(told["images"].values()) == 24
    assert told["left_out"] == {"not an image that can be read, whatever its name says": 3, "an empty file": 3}
    for path in folder.rglob("*.png"):
        if path.stat().st_size < 20:
            path.unlink()
    assert data.info(folder)["left_out"] == {} and sum(data.info(folder)["images"].values()) == 24


def test_one_class_is_none_and_a_folder_without_images_does_not_count(photos):
    folder = photos(20, "celeba", within="Img/img_align_celeba")
    (folder / "Anno").mkdir()
    (folder / "Anno" / "README.md").write_text("about")
    train, _ = both(folder)
    assert train.class_names is None and counts(folder) == [18, 2]


def test_other_files_are_told_by_the_reason(photos, capsys):
    folder = photos(10)
    for name in ("a.heic", "b.HEIC", "c.mov", "noext"):
        (folder / name).write_bytes(b"x")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._000.png").write_bytes(b"x")
    os.mkfifo(folder / "pipe.png")
    train, _ = both(folder)
    told = "2 hidden; 1 neither file nor folder; 4 of a format that is not read here (.heic, .mov, no suffix)"
    assert capsys.readouterr().err.count(f"left out: {told}.") == 2
    assert list(train.left_out.values()) == [2, 1, 4]


def test_nothing_left_out_is_not_told(photos, capsys):
    assert both(photos(10))[0].left_out == {} and "left out" not in capsys.readouterr().err


def test_unreadable_images_count_by_their_reason(photos):
    photos(4, "set", within="test")
    folder = photos(10, "set", within="train")
    (folder / "train" / "001.png").write_bytes((folder / "train" / "001.png").read_bytes()[:-300])
    (folder / "train" / "002.png").write_bytes(b"")
    (folder / "notes.txt").write_text("about")
    train, test = both(folder, skip_unreadable=True)
    assert train.left_out == {"of a format that is not read here (.txt)": 1, "damaged": 1, "an empty file": 1}
    assert list(test.left_out.values()) == [1]


def test_a_folder_that_may_not_be_read_is_told(photos, monkeypatch):
    photos(10, "set", within="open")
    folder = photos(10, "set", within="closed")
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert both(folder)[0].left_out == {"in folders that may not be read": 1}


def test_texts_keep_a_folder_called_train_among_others(tmp_path, capsys):
    for name in ("train", "novels", "poems"):
        (tmp_path / "books" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / "books" / name / f"{number}.txt").write_text(f"{name} {number}. " * 20)
    (tmp_path / "books" / "poems" / "cover.heic").write_bytes(b"x")
    parts = [data.load(tmp_path / "books", split, length=4) for split in ("train", "test")]
    text = "".join(part.vocabulary.decode(part.rows("tokens", slice(None))[:, :-1].ravel()) for part in parts)
    assert all(f"{name} {number}" in text for name in ("novels", "poems") for number in range(4))
    assert parts[0].left_out == {"of a format that is not read here (.heic)": 1}
    assert "left out: 1 of a format" in capsys.readouterr().err
    assert data.info(tmp_path / "books")["left_out"] == parts[0].left_out


def test_tables_beside_texts_and_files_beside_points_are_told(tmp_path):
    for kind in ("texts", "points"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "table.csv").write_text("x,y\n" + "".join(f"{n},{n * n}\n" for n in range(30)))
        (tmp_path / kind / ".hidden").write_text("")
    (tmp_path / "texts" / "a.txt").write_text("abc " * 100)
    (tmp_path / "points" / "plot.svg").write_text("")
    assert data.load(tmp_path / "texts", length=4).left_out == {"hidden": 1, "in a table beside texts": 1}
    assert data.load(tmp_path / "points").left_out == {"hidden": 1, "of a format that is not read here (.svg)": 1}
    for kind in ("texts", "points"):
        assert data.info(tmp_path / kind)["left_out"] == data.load(tmp_path / kind).left_out


def test_what_a_table_does_not_name_is_told_at_every_load(photos, capsys):
    photos(20, "set", within="train")
    folder = photos(10, "set", within="test")
    names = [f"train/{n:03}.png" for n in range(20)] + [f"test/{n:03}.png" for n in range(7)]
    (folder / "classes.csv").write_text("file,kind\n" + "".join(f"{name},{'ab'[len(name) % 2]}\n" for name in names))
    for _ in range(2):  # the second time from what was prepared
        train, test = both(folder)
        assert (train.num_images, test.num_images) == (20, 7)
        assert train.left_out == test.left_out == {"without a row in the table": 3}
        told = capsys.readouterr().err
        assert told.count("left out: 3 without a row in the table.") == 2
        assert told.count(f"{folder / 'classes.csv'} gives the classes") == 2
    assert data.info(folder)["left_out"] == {"without a row in the table": 3}
