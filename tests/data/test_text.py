"""Texts of the reader's own: files, encodings, splits, tokens and windows, and the store that keeps them."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from gdl_keras import data
from gdl_keras.errors import InputError

POEM = "Tyger Tyger, burning bright,\nIn the forests of the night;\n" * 20


@pytest.fixture
def books(tmp_path):
    """A function that writes a folder of files, {path below it: str or bytes}, and returns its path."""

    def make(files, name="books"):
        for path, content in files.items():
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / name

    return make


def everything(split):
    """The tokens of a split, put together again from its windows."""
    windows = split.rows("tokens", slice(None))
    return np.concatenate([windows[:, :-1].reshape(-1), windows[-1, -1:]])


def both(path, **options):
    return [data.load(path, split, **{"length": 1, **options}) for split in ("train", "test")]


def text_of(split):
    return split.vocabulary.decode(everything(split))


def test_a_folder_with_one_text_holds_out_its_last_tenth(books):
    train, test = both(books({"poem.txt": POEM}))
    assert train.kind == "text" and train.num_tokens == 1044 and test.num_tokens == 116 == len(POEM) // 10
    assert text_of(train) + text_of(test) == POEM
    assert train.vocabulary == test.vocabulary and len(train.vocabulary) == 2 + len(set(POEM[:1044]))
    assert (everything(train) != train.vocabulary.end).all()  # one text has no end inside


def test_one_file_is_a_data_set(books, monkeypatch):
    folder = books({"poem.txt": POEM})
    monkeypatch.chdir(folder)
    assert text_of(data.load("poem.txt", "train", length=1)) == POEM[:1044]
    assert data.load("./poem.txt", length=1).source == f"the file {folder / 'poem.txt'}"
    assert data.first_available("poem.txt") == str(folder / "poem.txt")
    assert data.first_available("text:poem.txt") == f"text:{folder / 'poem.txt'}"


def test_windows_predict_every_token_once(books):
    path = books({"poem.txt": POEM})
    train = data.load(path, "train", length=50, batch_size=4, seed=3)
    windows = train.rows("tokens", slice(None))
    assert windows.shape == (20, 51) and windows.dtype == np.int32 and train.length == 50
    ids = train.vocabulary.encode(POEM[:1044])
    by_hand = np.stack([ids[start : start + 51] for start in range(0, 994, 50)])
    np.testing.assert_array_equal(windows, by_hand)
    batch = next(iter(train.batches()))
    assert batch.dtype == "int32" and batch.shape == (4, 51)
    np.testing.assert_array_equal(batch, by_hand[np.random.default_rng([3, 0]).permutation(20)[:4]])
    # Stored small, in a file.
    assert train.columns["tokens"].values.dtype == np.uint16
    with pytest.raises(InputError, match=r"test split .* has 116 characters, too few for one example of 116"):
        data.load(path, "test", length=116)
    assert data.load(path, "test", length=115).num_examples == 1


def test_texts_are_parted_by_their_end_and_a_tenth_of_the_files_is_held_out(books):
    files = {f"{letter}.txt": f"{letter} is the letter {letter}." for letter in "abcdefghijklmnopqrst"}
    train, test = both(books(files))
    held_out = sorted(sorted(files, key=lambda name: hashlib.sha256(name.encode()).digest())[:2])
    kept = [name for name in sorted(files) if name not in held_out]
    assert text_of(train).split("\n\n") == [files[name] for name in kept]
    assert (everything(train) == train.vocabulary.end).sum() == 17
    # The train split fixes the vocabulary: letters of the held-out texts alone are unknown.
    letters = set("".join(files[name] for name in kept))
    assert set(train.vocabulary.tokens[2:]) == letters
    seen = ["".join(letter if letter in letters else "\ufffd" for letter in files[name]) for name in held_out]
    assert text_of(test).split("\n\n") == seen


def test_folders_train_and_test_are_the_splits(books):
    train, test = both(books({"train/a.txt": "aab", "train/b.txt": "ab", "test/c.txt": "bac", "note.txt": "xyz"}))
    assert train.vocabulary.tokens == ["<end>", "<unknown>", "a", "b"]
    assert everything(train).tolist() == [2, 2, 3, 0, 2, 3]
    assert everything(test).tolist() == [3, 2, 1]  # c was never seen
    alone, rest = both(books({"train/a.txt": POEM}, "other"))
    assert text_of(alone) + text_of(rest) == POEM


@pytest.mark.parametrize(
    "content",
    [POEM.encode(), b"\xef\xbb\xbf" + POEM.encode(), POEM.encode("utf-16"), POEM.replace("\n", "\r\n").encode()],
)
def test_encodings_and_ends_of_lines_do_not_matter(books, content):
    train, test = both(books({"poem.txt": content}))
    assert text_of(train) + text_of(test) == POEM


def test_texts_of_every_alphabet(books):
    text = "Füße, 東京 — Ωmega 🎹 naïve\n" * 10
    train, test = both(books({"world.txt": text}))
    assert text_of(train) + text_of(test) == text


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("b.txt", "Füße".encode("latin-1"), "not text in UTF-8, from byte 1 on: save it in UTF-8"),
        ("b.txt", b"\xff\xfea", "not text in UTF-16"),
        ("b.txt", b"a\0b", "zero bytes"),
        ("b.json", b"[1, ", "not JSON"),
        ("b.json", b'{"a": "b"}', "JSON, but not a list"),
        ("b.json", b'["a", 1]', "JSON, but not a list"),
    ],
)
def test_files_that_cannot_be_read_are_named_or_left_out(books, leftovers, capsys, name, content, message):
    folder = books({"test/a.txt": "abc", "train/a.txt": "abc", f"train/{name}": content})
    with pytest.raises(InputError, match=f"train/{name} is .*{message}.*--skip-unreadable"):
        data.load(folder, "test", length=1)
    assert leftovers() == []
    assert data.load(folder, "train", length=1, skip_unreadable=True).num_tokens == 3
    assert f"train/{name} is left out: " in capsys.readouterr().err
    # The store that is there now does not make the file good, and each load tells.
    with pytest.raises(InputError, match=message):
        data.load(folder, "train", length=1)
    data.load(folder, "train", length=1, skip_unreadable=True)
    assert f"train/{name} is left out: " in capsys.readouterr().err


def test_json_lists_and_a_field_of_objects(books, capsys):
    recipes = [{"title": f"T{n}", "directions": [f"Cook {n}.", "Serve."], "calories": n} for n in range(20)]
    recipes += [{"title": "empty", "directions": []}, {}]
    folder = books({"recipes.json": json.dumps(recipes)})
    train, test = both(folder, field="directions")
    assert text_of(train).split("\n\n") == [f"Cook {n}.\nServe." for n in range(18)]
    assert text_of(test).split("\n\n") == [f"Cook {n}.\nServe." for n in (18, 19)]
    assert "recipes.json: left out: 2 empty texts." in capsys.readouterr().err
    with pytest.raises(InputError, match=r"Which field .* title, directions"):
        data.load(folder)
    with pytest.raises(InputError, match=r"no text in a field 'calories': .* title, directions"):
        data.load(folder, field="calories")
    plain, _ = both(books({"plain.json": json.dumps(["one", "t\ud83d", "three"])}, "plain"))
    assert text_of(plain) == "one\n\nt\ufffd"


def test_a_column_of_a_table(books):
    reviews = 'name,review\n1,"Deep, red"\n2,deep\n3,\n'
    train, test = both(books({"wines.csv": reviews}), field="review")
    assert (text_of(train), text_of(test)) == ("Deep, red", "deep")
    assert data.load(books({"a.csv": "review\nred\nwhite\nrose\n"}, "alone"), length=1).num_tokens == 9


def test_words_are_lower_case_and_marks_stand_alone(books):
    train, test = both(books({"poem.txt": POEM}), tokens="words")
    assert train.vocabulary.tokens[:6] == ["<end>", "<unknown>", ",", "the", "tyger", ";"]
    assert text_of(train).startswith("tyger tyger, burning bright, in the forests of the night; tyger tyger,")
    words = POEM.lower().replace(",", " ,").replace(";", " ;").split()
    assert train.num_tokens + test.num_tokens == len(words)
    fewer, _ = both(books({"poem.txt": POEM}), tokens="words", vocabulary_size=5)
    assert fewer.vocabulary.tokens == ["<end>", "<unknown>", ",", "the", "tyger"]
    known = [word if word in fewer.vocabulary.tokens else "<unknown>" for word in words[: fewer.num_tokens]]
    assert [fewer.vocabulary.tokens[number] for number in everything(fewer)] == known


def test_prepared_once_known_by_content_read_from_the_disk(books, data_home, tmp_path, monkeypatch):
    folder = books({"a.txt": POEM, "b.txt": POEM})
    first = data.load(folder, "train", length=9)
    assert len(list((data_home / "prepared").iterdir())) == 1
    monkeypatch.setattr("gdl_keras.data.documents.read_texts", lambda *arguments: pytest.fail("read again"))
    again = data.load(folder, "test", length=5)
    assert again.vocabulary == first.vocabulary
    shutil.copytree(folder, tmp_path / "moved" / "books")
    assert data.load(tmp_path / "moved" / "books", "train", length=9).identity == first.identity
    identities = {again.identity, first.identity, data.load(folder, "train", length=8).identity}
    monkeypatch.undo()
    monkeypatch.setenv("GDL_DATA_DIR", str(data_home))
    shutil.copytree(folder, tmp_path / "renamed")
    assert data.load(tmp_path / "renamed", "train", length=9).identity == first.identity
    (folder / "b.txt").write_text(POEM + "!")
    for options in ({}, {"tokens": "words"}, {"vocabulary_size": 9}):
        identities.add(data.load(folder, "train", length=9, **options).identity)
    assert len(identities) == 6


@pytest.mark.parametrize("file", ["train.npy", "test.npy", "meta.json"])
def test_a_damaged_store_is_noticed_and_made_again(books, data_home, capsys, file):
    folder = books({"a.txt": POEM})
    before = everything(data.load(folder, "train", length=1))
    (store,) = (data_home / "prepared").iterdir()
    (store / file).write_bytes((store / file).read_bytes()[:-30])
    np.testing.assert_array_equal(everything(data.load(folder, "train", length=1)), before)
    assert "The prepared texts in" in capsys.readouterr().err


def test_a_failure_half_way_leaves_nothing(books, leftovers, monkeypatch):
    def fail(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("gdl_keras.data.preparers.text.write_about", fail)
    with pytest.raises(KeyboardInterrupt):
        data.load(books({"a.txt": POEM}))
    assert leftovers() == []


def test_what_a_folder_holds_is_found_or_insisted_on(books, photos):
    assert data.info(str(books({"a.txt": "a", "b.csv": "1,2\n"}, "one")))["kind"] == "text"
    assert data.info(str(books({"deep/in/a.json": "[]"}, "two")))["kind"] == "text"
    assert data.info(str(books({"a.csv": "name,text\nx,y\n"}, "three")))["kind"] == "text"
    assert data.info(str(books({".hidden.txt": "a", "a.mid": b"MThd", "a.txt": "about"}, "four")))["kind"] == "music"
    pictures = photos(4)
    (pictures / "README.txt").write_text(POEM)
    assert data.info(str(pictures))["kind"] == "images"
    assert text_of(data.load(f"text:{pictures}", length=1)) == POEM[:1044]
    with pytest.raises(InputError, match="is music, which cannot be loaded"):
        data.load(books({"a.mid": b"MThd"}, "five"))
    with pytest.raises(InputError, match="no image: at least two"):
        data.load(f"images:{books({'a.txt': 'a'}, 'six')}")


@pytest.mark.parametrize(
    "options, message",
    [
        ({"image_size": 32}, "text takes no image_size; it takes tokens, length, vocabulary_size"),
        ({"tokens": "bytes"}, "characters or words or pieces, not of 'bytes'"),
        ({"length": 0}, "at least 1 token"),
        ({"vocabulary_size": 2}, "at least 3, not 2"),
    ],
)
def test_wrong_options(books, options, message):
    with pytest.raises(InputError, match=message):
        data.load(books({"a.txt": POEM}), **options)


@pytest.mark.parametrize(
    "files, message",
    [
        ({"a.txt": ""}, "no text for the split 'train'"),
        ({"a.txt": "short"}, "no text for the split 'test'"),
        ({"b.txt": "x", "a.txt": " \n"}, "no text for the split"),
    ],
)
def test_too_little_text(books, leftovers, files, message):
    with pytest.raises(InputError, match=message):
        data.load(books(files), length=1)
    assert leftovers() == []


def test_paths_that_lead_nowhere(tmp_path, books):
    with pytest.raises(InputError, match=r"does not exist: give a \.txt, \.json or \.csv file"):
        data.load("text:./missing")
    with pytest.raises(InputError, match="write text:PATH"):
        data.load("text:")
    with pytest.raises(InputError, match="holds no text"):
        data.load(f"text:{books({'a.pdf': 'x'})}")


def test_info_of_texts(books):
    folder = books({"a.txt": POEM})
    known = data.info(folder)
    assert known["text_files"] == 1 and known["tokens"] == {} and known["prepared"] == []
    data.load(folder, tokens="words")
    data.load(folder)
    known = data.info(folder)
    assert known["tokens"]["characters"] == {"train": 1044, "test": 116, "vocabulary": 2 + len(set(POEM))}
    assert set(known["tokens"]) == {"characters", "words"} and len(known["prepared"]) == 2
    json.dumps(known)


def test_a_text_file_of_kaggle(data_home):
    """What is fetched from Kaggle goes the same way; here it was fetched before."""
    folder = data_home / "raw" / "kaggle-zynicide-wine-reviews"
    folder.mkdir(parents=True)
    wine = {"country": "Italy", "province": "Etna", "variety": "White", "points": 87}
    reviews = [{**wine, "description": f"Aromas {n}."} for n in range(30)] + [{**wine, "province": None}]
    (folder / "winemag-data-130k-v2.json").write_text(json.dumps(reviews))
    train, test = both("wines")
    assert text_of(test).split("\n\n") == [f"wine review : Italy : Etna : White : Aromas {n}." for n in (27, 28, 29)]
    assert train.source == "Kaggle's data set zynicide/wine-reviews"
    shutil.rmtree(folder)
    assert data.load("wines", "train", length=1).identity == train.identity  # it stays usable
