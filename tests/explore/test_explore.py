"""Playing with a model: what the player answers, who may ask the server, and the page in a real browser."""

import http.client
import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from gdl_keras import data, plotting
from gdl_keras.errors import InputError
from gdl_keras.explore import serve
from gdl_keras.explore.player import Player, directions
from gdl_keras.files import write_json
from tests import harness
from tests.explore.playing import CASES, pixels, player, running, slide, source, until


def page_of(samples, columns, tmp_path):
    plotting.save_mosaic(samples, tmp_path / "page.png", columns)
    return np.asarray(Image.open(tmp_path / "page.png"))


# ---- what it answers -------------------------------------------------------------------------------------------------


def test_samples_are_those_of_generate(tmp_path):
    model = harness.untouched(CASES["cgan"])
    one = player("cgan")
    expected = model.generate(6, seed=5, labels=np.arange(6) % 3)
    np.testing.assert_array_equal(pixels(one.samples(6, 5)), page_of(expected, None, tmp_path))
    expected = model.generate(6, seed=5, labels=np.full(6, 2))
    np.testing.assert_array_equal(pixels(one.samples(6, 5, label="2")), page_of(expected, None, tmp_path))
    assert one.about()["labels"] == ["0", "1", "2"]


def test_texts_go_on_from_a_prompt_as_they_are_asked_to():
    one = player("lstm")
    expected = harness.untouched(CASES["lstm"]).generate(2, seed=3, given="ab", temperature=0.5)
    options = {"given": "ab", "temperature": "0.5", "top_k": "", "top_p": "", "length": ""}
    assert one.samples(2, 3, **options) == {"texts": expected}
    assert {"given", "temperature", "top_k", "top_p", "length"} <= set(one.about()["options"])
    assert not one.about()["walk"]


def test_a_place_is_a_point_and_what_is_gone_from_it(tmp_path):
    model, one = harness.untouched(CASES["gan"]), player("gan")
    start = model.sample_latents(1, seed=4)
    np.testing.assert_array_equal(pixels(one.point(4)), page_of(model.generate(latents=start), 1, tmp_path))
    gone = start + 1.5 * directions(model)[0] - 2 * directions(model)[2]
    shown = pixels(one.point(4, [1.5, 0, -2]))
    np.testing.assert_array_equal(shown, page_of(model.generate(latents=gone), 1, tmp_path))
    other = model.sample_latents(1, seed=9)
    half = (start + other) * np.sqrt(0.5)
    shown = pixels(one.between(4, 9, 0.5)).astype(int)
    np.testing.assert_allclose(shown, page_of(model.generate(latents=half), 1, tmp_path).astype(int), atol=1)
    np.testing.assert_array_equal(pixels(one.between(4, 9, 0)), pixels(one.point(4)))


@pytest.mark.parametrize("mirror", [False, True])
def test_samples_stand_beside_the_training_images_that_are_nearest_to_them(tmp_path, mirror):
    """Mirror images are training images, where a run has learnt from them."""
    model = harness.untouched(CASES["gan"])
    generator = np.random.default_rng(0)
    folder = tmp_path / "photos"
    folder.mkdir()
    bytes_ = generator.integers(0, 256, (20, *model.generate(1).shape[1:3]), "uint8")
    for number, image in enumerate(bytes_):
        Image.fromarray(image).save(folder / f"{number:02}.png")
    write_json(tmp_path / "run" / "config.json", {"dataset": str(folder), "chapter": "mine", "mirror": mirror})
    model.save(tmp_path / "run" / "model.keras")
    one = Player(model, str(tmp_path / "run"))
    shown = one.neighbours(3, seed=2)
    samples, size = model.generate(3, seed=2), len(bytes_[0])
    train = data.load(str(folder), "train", image_size=size, channels=samples.shape[-1])
    images = train.rows("images", slice(None))
    if mirror:
        images = np.concatenate([images, images[:, :, ::-1]])
    lines = []
    for sample in samples:
        order = np.argsort([np.square(sample - image).sum() for image in images])
        lines += [sample, *images[order[:5]]]
    np.testing.assert_array_equal(pixels(shown), page_of(np.array(lines), 6, tmp_path))


def test_a_plane_is_under_the_mouse(tmp_path):
    model, one = harness.untouched(CASES["vae"]), player("vae")
    assert one.about()["plane"]
    expected = page_of(model.generate(latents=np.array([[0.5, -1]], "float32")), 1, tmp_path)
    np.testing.assert_array_equal(pixels(one.point(place=[0.5, -1])), expected)


def test_directions_are_those_that_the_first_layer_hears_most():
    model = harness.untouched(CASES["gan"])
    kernel = np.asarray(model.generator.trainable_weights[0], "float64")
    found = directions(model).astype("float64")
    np.testing.assert_allclose(found @ found.T, np.eye(4), atol=1e-6)
    _, strengths, axes = np.linalg.svd(kernel.T)
    for direction, strength, axis in zip(found, strengths, axes):
        np.testing.assert_allclose(np.linalg.norm(direction @ kernel), strength, rtol=1e-5)
        np.testing.assert_allclose(abs(direction @ axis), 1, atol=1e-4)
    assert directions(harness.untouched(CASES["flow_matching"])) is None


@pytest.mark.parametrize(
    ("name", "question", "keywords", "sentence"),
    [
        ("vae", "samples", {"n": 0}, "How many samples is a whole number of at least 1"),
        ("vae", "samples", {"n": 401}, "at most 400 here"),
        ("vae", "samples", {"seed": -1}, "The seed is a whole number that must not be negative"),
        ("vae", "samples", {"label": "1"}, "is not conditional"),
        ("cgan", "samples", {"label": "7"}, "A label lies between 0 and 2, not 7"),
        ("lstm", "samples", {"temperature": "hot"}, "--temperature is a number, not 'hot'"),
        ("lstm", "samples", {"colour": "red"}, "takes no --colour"),
        ("lstm", "point", {}, "has no latent space with directions"),
        ("lstm", "between", {}, "has no latent space of images"),
        ("lstm", "neighbours", {}, "makes no images to compare"),
        ("vae", "neighbours", {}, "vae of the tests does not say which images it learnt from"),
        ("vae", "point", {"place": [1, 2, 3]}, "A place of this latent space has 2 numbers"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(name, question, keywords, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        getattr(player(name), question)(**keywords)


# ---- who may ask -----------------------------------------------------------------------------------------------------


def test_the_server_answers_whoever_has_the_token_and_nobody_else():
    with running(player("vae")) as (server, ask):
        assert server.server_address[0] == "127.0.0.1"
        page, token = server.url.split("/", 3)[3], server.token
        status, content, headers = ask("GET", f"/{page}")
        assert status == 200 and content.startswith("<!DOCTYPE html>") and token not in content
        assert "default-src 'none'" in headers["Content-Security-Policy"] and headers["Cache-Control"] == "no-store"
        status, content, _ = ask("POST", "/samples", '{"n": 4}', **{"X-Token": token})
        assert status == 200 and "picture" in content
        assert ask("GET", "/")[0] == ask("GET", "/?token=guess")[0] == 403
        assert ask("POST", "/about")[0] == ask("POST", "/about", **{"X-Token": "guess"})[0] == 403
        # Another site's name may lead to this machine.
        assert ask("POST", "/about", **{"X-Token": token, "Host": f"evil.example:{server.server_port}"})[0] == 403
        for path, content, status in (
            ("/samples", '{"n": 0}', 400),
            ("/samples", "{", 400),
            ("/samples", "[1]", 400),
            ("/point", '{"colour": 1}', 400),
            ("/__init__", "{}", 404),
            ("/samples", " " * 200_000, 400),
        ):
            answer = ask("POST", path, content, **{"X-Token": token})
            assert answer[0] == status and answer[1]["error"]
        with pytest.raises(InputError, match="cannot be used"):
            serve(player("vae"), server.server_port)


def test_the_command_prints_an_address_that_works_and_ends_by_ctrl_c(tmp_path):
    harness.untouched(CASES["vae"]).save(tmp_path / "vae.keras")
    command = [sys.executable, "-m", "gdl_keras", "explore", str(tmp_path / "vae.keras"), "--no-browser"]
    # A shell has programs that it starts in the background ignore Ctrl-C, and what these start inherits that.
    hears = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **hears)
    try:
        address = process.stdout.readline().strip()
        port, token = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(.+)", address).groups()
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        connection.request("POST", "/about", "{}", {"X-Token": token})
        assert json.loads(connection.getresponse().read())["plane"]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert token not in process.stderr.read()
    finally:
        process.kill()


# ---- the page, in a browser ------------------------------------------------------------------------------------------


def test_a_slider_moves_and_the_picture_changes(browser):
    with running(player("cgan")) as (server, _):
        browser.get(server.url)
        before = until(lambda: source(browser, "moved"))
        slide(browser, "#sliders input", 2)
        until(lambda: source(browser, "moved") != before)
        slide(browser, "#sliders input", 0)
        until(lambda: source(browser, "moved") == before)
        walked = until(lambda: source(browser, "between"))
        slide(browser, "#share", 1)
        until(lambda: source(browser, "between") != walked)
        # What it cannot say is shown: this model does not know its data.
        browser.find_element("id", "nearest").click()
        until(lambda: "does not say which images it learnt from" in browser.find_element("id", "error").text)
        assert "400 (Bad Request)" in browser.get_log("browser")[-1]["message"]
        drawn = source(browser, "samples")
        browser.find_element("id", "next").click()
        until(lambda: source(browser, "samples") != drawn)
        assert [line for line in browser.get_log("browser") if "favicon" not in line["message"]] == []


def test_the_plane_follows_the_mouse_and_the_keys(browser):
    with running(player("vae")) as (server, _):
        browser.get(server.url)
        before = until(lambda: source(browser, "there"))
        pad = browser.find_element("id", "pad")
        from selenium.webdriver import ActionChains

        ActionChains(browser).move_to_element_with_offset(pad, 80, -40).perform()
        moved = until(lambda: source(browser, "there") != before and source(browser, "there"))
        pad.send_keys("\ue014")  # the arrow to the right
        until(lambda: source(browser, "there") != moved)
        assert not browser.find_element("id", "directions").is_displayed()


def test_an_error_is_shown_and_goes_away(browser):
    with running(player("lstm")) as (server, _):
        browser.get(server.url)
        until(lambda: len(browser.find_elements("css selector", "#samples pre")) == 3)
        field = browser.find_element("name", "temperature")
        field.clear()
        field.send_keys("hot")
        browser.find_element("id", "draw").click()
        until(lambda: "--temperature is a number, not 'hot'" in browser.find_element("id", "error").text)
        field.clear()
        field.send_keys("0.5")
        browser.find_element("id", "draw").click()
        until(lambda: browser.find_element("id", "error").text == "")
    browser.find_element("id", "draw").click()
    until(lambda: "is gdl explore still running?" in browser.find_element("id", "error").text)
