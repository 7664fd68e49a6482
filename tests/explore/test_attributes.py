"""Sliders towards classes and attributes: their directions, when they are worked out, and the page in a browser."""

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data, load
from gdl_keras.errors import InputError
from gdl_keras.explore import attributes
from gdl_keras.explore.keeping import MOST, PLACES, POINTS, answers, keep
from gdl_keras.explore.player import Player
from gdl_keras.files import write_json
from gdl_keras.metrics import Judge
from tests import cases, harness
from tests.explore.playing import CASES, piece, pixels, player, running, shown, slide, source, until

FACES = "03_vae/03_vae_faces"
FLAGS = "#attributes label:nth-child(9) input"


@pytest.fixture(scope="module")
def emoji():
    """A trained model of 200 latent dimensions that comes along, and so do the emoji that it learnt from."""
    return Player(load(FACES), FACES)


def run_on(folder, model, dataset):
    write_json(folder / "run" / "config.json", {"dataset": str(dataset), "chapter": "mine"})
    model.save(folder / "run" / "model.keras")
    return Player(model, str(folder / "run"))


def photos(folder, table=None):
    """Twenty grey pictures in a folder, and a table beside them."""
    for number, image in enumerate(cases.images(20)):
        folder.mkdir(exist_ok=True)
        Image.fromarray((255 * image[..., 0]).astype("uint8")).save(folder / f"{number:02}.png")
    if table:
        lines = [f"{number:02}.png,{number % 2},{number // 10},{number / 7:.2f},1" for number in range(20)]
        (folder / "table.csv").write_text("\n".join(["image,Odd,Late_One,Weight,Same", *lines]))
    return folder


# ---- the directions --------------------------------------------------------------------------------------------------


def latents_of(name, model, images):
    """The same latent points by the networks themselves."""
    if name == "image_flow":
        return np.asarray(model.forward(images)[0])
    outputs = model.encoder(images, training=False)
    return np.asarray(outputs[0] if name == "vae" else outputs)


@pytest.mark.parametrize("name", ["vae", "autoencoder", "image_flow"])
def test_a_direction_is_the_mean_of_those_with_it_minus_the_mean_of_those_without(name, tmp_path):
    model = harness.untouched(CASES[name])
    one = run_on(tmp_path, model, photos(tmp_path / "photos", table=True))
    told = one.attributes()
    # What all images have, and what is no yes or no, is no way to go.
    assert told["names"] == ["Odd", "Late_One"] and told["missing"] == ""
    train = data.load(str(tmp_path / "photos"), "train", image_size=8, channels=1)
    assert told["images"] == train.num_examples
    latents = latents_of(name, model, train.images(slice(None))).astype("float64")
    for found, has in zip(one.attribute_directions, train.attributes[:, :2].T, strict=True):
        expected = latents[has == 1].mean(axis=0) - latents[has == 0].mean(axis=0)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    sliders = one.about()["sliders"]
    gone = one.latent_at(3, [*[0] * sliders, -1.5, 2])
    ways = one.attribute_directions
    np.testing.assert_allclose(gone, one.latent_at(3) - 1.5 * ways[0] + 2 * ways[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(
        pixels(one.point(3, [*[0] * sliders, -1.5, 2])),
        pixels({"picture": one.sheet(model.generate(latents=gone[None]), 1)}),
    )


def test_of_many_images_those_are_looked_at_that_are_spread_evenly(tmp_path):
    model = load("03_vae/02_vae_fashion")
    one = run_on(tmp_path, model, "fashion_mini")
    told = one.attributes()
    train = data.load("fashion_mini", "train", image_size=32)
    assert train.num_examples == 6000 and told["images"] == attributes.IMAGES == 2000
    assert told["names"] == train.class_names
    chosen = np.rint(np.arange(2000) * 5999 / 1999).astype(int)
    centres = np.asarray(model.encoder(train.images(chosen))[0], "float64")
    for found, number in zip(one.attribute_directions, range(10), strict=True):
        of = train.labels[chosen] == number
        np.testing.assert_allclose(found, centres[of].mean(axis=0) - centres[~of].mean(axis=0), rtol=1e-3, atol=1e-4)


def test_images_that_went_towards_a_class_are_called_that_class_more_often(emoji):
    """Shares of 200 points, by the judge, before and after one whole way."""
    judge, starts = Judge("emoji"), emoji.model.sample_latents(200, seed=0)
    called = judge.classes(emoji.images(starts))
    gained = {}
    for name, way in zip(emoji.attributes()["names"], emoji.attribute_directions, strict=True):
        after = judge.classes(emoji.images(starts + way)) == judge.class_names.index(name)
        gained[name] = after.mean() - (called == judge.class_names.index(name)).mean()
    assert len(gained) == 9 and min(gained.values()) >= 0
    # What it was when it was measured: 0.91, 0.70, 0.37.
    assert gained["Flags"] > 0.8 and gained["Symbols"] > 0.5 and gained["Smileys & Emotion"] > 0.2


# ---- when, and where there are none ----------------------------------------------------------------------------------


def test_nothing_is_encoded_before_such_a_slider_moves(tmp_path, monkeypatch):
    one = run_on(tmp_path, cases.vae(), photos(tmp_path / "photos", table=True))
    encode, encoded = one.model.encode, []
    monkeypatch.setattr(one.model, "encode", lambda images: encoded.append(len(images)) or encode(images))
    one.about(), one.samples(4), one.attributes(), one.point(0, [0, 0]), one.between(0, 1, 0.5)
    assert not encoded
    one.point(0, [0, 1]), one.point(1, [2, 0])
    assert encoded == [one.attributes()["images"]]
    with pytest.raises(InputError, match="Here are 2 directions to go, not 3"):
        one.point(0, [0, 0, 1])


def test_why_there_are_none_is_said_in_a_sentence(tmp_path, capsys):
    assert player("vae").attributes()["missing"] == "vae of the tests does not say which images it learnt from."
    plain = run_on(tmp_path, cases.vae(), photos(tmp_path / "photos"))
    told = plain.attributes()
    assert told["names"] == [] and "has no class or attribute that some images have and others" in told["missing"]
    gone = run_on(tmp_path, cases.vae(), tmp_path / "gone")
    assert str(tmp_path / "gone") in gone.attributes()["missing"]
    capsys.readouterr()
    assert answers(plain)["about"]["attributes"]["missing"] == ""
    assert "There are no sliders of classes and attributes. " in capsys.readouterr().err
    # Who has no way from an image to a latent point, or is told its class by name, lacks nothing.
    for name in ("gan", "cgan", "flow_matching", "lstm"):
        assert player(name).attributes() == {"names": [], "reach": attributes.REACH, "images": 0, "missing": ""}
    with pytest.raises(InputError, match="GAN does not say which latent points images have"):
        player("gan").point(0, [0] * 4 + [1])


# ---- the page that needs no server, and both in a browser ------------------------------------------------------------


def test_what_is_kept_is_what_the_server_would_answer(tmp_path):
    one = run_on(tmp_path, cases.vae(), photos(tmp_path / "photos", table=True))
    found = answers(one)
    assert found["about"]["attributes"]["names"] == ["Odd", "Late_One"]
    line = (POINTS - 1) * 2 + 1  # the second attribute, from the last point
    for place, offset in ((PLACES - 1, attributes.REACH), (PLACES // 2, 0), (3, -attributes.REACH / 2)):
        kept = piece(found["directions"][""], line * PLACES + place).astype(int)
        np.testing.assert_allclose(kept, shown(one.point(POINTS - 1, [0, offset]), kept), atol=1)


def test_of_many_attributes_the_first_are_kept(tmp_path, monkeypatch):
    photos(tmp_path / "photos")
    names = [f"has_{number}" for number in range(MOST + 5)]
    generator = np.random.default_rng(0)
    lines = [",".join([f"{number:02}.png", *map(str, generator.integers(0, 2, MOST + 5))]) for number in range(20)]
    (tmp_path / "photos" / "table.csv").write_text("\n".join([",".join(["image", *names]), *lines]))
    one = run_on(tmp_path, cases.vae(), tmp_path / "photos")
    assert one.attributes()["names"] == names
    found = answers(one)
    assert found["about"]["attributes"]["names"] == names[:MOST]
    page = found["directions"][""]
    assert len(pixels(page)) == POINTS * MOST * (page["height"] + 1) - 1
    monkeypatch.setattr(attributes, "MOST", 3)
    assert len(run_on(tmp_path, one.model, tmp_path / "photos").attributes()["names"]) == 3


def play(browser):
    """Moves sliders of attributes, and looks at the picture."""
    labels = until(lambda: browser.find_elements("css selector", "#attributes label"))
    assert [label.text.strip() for label in labels][:2] == ["Smileys & Emotion", "People & Body"] and len(labels) == 9
    meaning = browser.find_element("id", "meaning").text
    assert "The right end is 2 times the way" in meaning and "1,582 in all." in meaning
    assert not browser.find_element("id", "missing").is_displayed()
    before = until(lambda: source(browser, "moved"))
    slide(browser, FLAGS, 1)
    flag = until(lambda: source(browser, "moved") != before and source(browser, "moved"))
    slide(browser, FLAGS, -2)
    until(lambda: source(browser, "moved") not in (before, flag))
    browser.find_element("id", "back").click()
    until(lambda: source(browser, "moved") == before)
    return before


def test_an_attributes_slider_moves_and_the_picture_changes(browser, emoji):
    with running(emoji) as (server, _):
        browser.get(server.url)
        before = play(browser)
        assert before.partition(",")[2] == emoji.point(0)["picture"]
        slide(browser, FLAGS, 1)
        expected = emoji.point(0, [*[0] * 16, 1])["picture"]
        until(lambda: source(browser, "moved").partition(",")[2] == expected)


def test_a_plane_has_sliders_of_classes_too_and_without_data_the_page_says_so(browser, tmp_path):
    one = run_on(tmp_path, cases.vae(), photos(tmp_path / "photos", table=True))
    with running(one) as (server, _):
        browser.get(server.url)
        until(lambda: len(browser.find_elements("css selector", "#attributes label")) == 2)
        until(lambda: source(browser, "moved"))
        assert browser.find_element("id", "plane").is_displayed()
        assert browser.execute_script("return document.querySelectorAll('#sliders input').length") == 0
    with running(player("vae")) as (server, _):
        browser.get(server.url)
        until(lambda: "does not say which images it learnt from." in browser.find_element("id", "missing").text)
        assert not browser.find_element("id", "directions").is_displayed()
        assert browser.find_element("id", "error").text == ""


def test_a_page_without_a_server_has_them_too(browser, emoji, tmp_path):
    keep(emoji, tmp_path / "page.html")
    browser.get((tmp_path / "page.html").as_uri())
    before = play(browser)
    # One at a time, of the directions and these together.
    slide(browser, "#sliders input", 1)
    moved = until(lambda: source(browser, "moved") != before and source(browser, "moved"))
    slide(browser, FLAGS, 1)
    until(lambda: source(browser, "moved") not in (before, moved))
    assert browser.find_element("css selector", "#sliders input").get_property("value") == "0"
    # From a point to itself there is only that point, where a way to it ends.
    walked = until(lambda: source(browser, "between"))
    slide(browser, "#to", 0)
    here = until(lambda: source(browser, "between") != walked and source(browser, "between"))
    slide(browser, "#from", 3)
    until(lambda: source(browser, "between") != here)
    slide(browser, "#share", 1)
    until(lambda: source(browser, "between") == here)
