"""Moving pictures of epochs and of walks, read back frame by frame."""

import json
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageSequence

from gdl_keras import cli, plotting
from gdl_keras.animation import walk_pages
from gdl_keras.errors import InputError
from tests import cases, harness

CASES = {case.name: case for case in cases.CASES}


def frames_of(path):
    """(pages, milliseconds each, times it is shown: 0 for ever)."""
    with Image.open(path) as picture:
        pages = [np.asarray(page.convert("RGB")) for page in ImageSequence.Iterator(picture)]
        return pages, picture.info["duration"], picture.info["loop"]


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    (folder / "samples").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"chapter": "04_gan/04_gan"}))
    for epoch in range(1, 4):
        Image.new("RGB", (12, 8), (80 * epoch, 0, 255 - 80 * epoch)).save(folder / f"samples/epoch_{epoch:04}.png")
    return folder


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_epochs_come_one_after_the_other(run, suffix, tmp_path, capsys):
    output = tmp_path / f"epochs.{suffix}"
    assert cli.main(["animate", str(run), "-o", str(output), "--milliseconds", "250"]) == 0
    assert capsys.readouterr().out.strip() == str(output)
    pages, milliseconds, times = frames_of(output)
    assert (len(pages), milliseconds, times) == (3, 250, 0)
    for epoch, page in enumerate(pages, start=1):
        np.testing.assert_allclose(page.reshape(-1, 3).mean(axis=0), (80 * epoch, 0, 255 - 80 * epoch), atol=4)


def test_a_walk_goes_round_at_the_same_distance_from_the_middle():
    model = harness.untouched(CASES["vae"])
    pages = walk_pages(model, frames=4, rows=1, scale=1, seed=3)
    start, turn = model.sample_latents(16, seed=3).reshape(2, 8, -1)
    for page, points in zip(pages, (start, turn, -start, -turn), strict=True):
        expected = plotting.mosaic(model.generate(latents=points), 8)
        np.testing.assert_allclose(np.asarray(page).astype(int), expected.astype(int), atol=1)


def test_a_walk_in_a_cube_stays_inside():
    model = cases.gan(latents="uniform")
    pages = walk_pages(model, frames=4, rows=1, scale=1, seed=3)
    start, turn = model.sample_latents(16, seed=3).reshape(2, 8, -1)
    for page, points in zip(pages, (start, (start + turn) / 2, turn, (start + turn) / 2), strict=True):
        expected = plotting.mosaic(model.generate(latents=points), 8)
        np.testing.assert_allclose(np.asarray(page).astype(int), expected.astype(int), atol=1)


def moved(name):
    """A model whose weights are no longer those that networks begin with, many of which are 0."""
    model = CASES[name].build()
    generator = np.random.default_rng(0)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign_add(0.1 * generator.normal(size=weight.shape))
    return model


@pytest.mark.parametrize("name", ["diffusion", "flow_matching", "ebm", "pixel_cnn", "pixel_cnn_mixture"])
def test_sampling_ends_in_the_samples_of_the_same_seed(name):
    model = moved(name)
    frames = model.on_the_way(3, 5, 4, **model.conditions.in_turn(3))
    options = {"start": "noise"} if name == "ebm" else {}
    expected = model.generate(3, seed=5, **model.conditions.in_turn(3), **options)
    assert frames.shape == (4, *expected.shape)
    np.testing.assert_allclose(frames[-1], expected, atol=1e-6)
    assert all((before != after).any() for before, after in pairwise(frames))


def test_a_walk_is_seen_where_its_steps_have_brought_it():
    """After two steps it is where a walk of those two steps alone ends."""
    model = moved("diffusion")
    latents = model.sample_latents(2, seed=7)
    frames = model.on_the_way(2, 7, model.steps + 1, **model.conditions.in_turn(2))
    np.testing.assert_allclose(frames[0], np.asarray(model.as_images(latents)), atol=1e-6)
    levels = [level[:3] for level in model.levels_of(model.steps)]
    labels = model.conditions.check(2, "it", **model.conditions.in_turn(2))["labels"]
    walked = model.walk(tf.constant(latents), None, tf.constant(labels), None, levels)
    np.testing.assert_allclose(frames[2], np.asarray(model.as_images(walked)), atol=1e-5)


@pytest.mark.parametrize("name", ["diffusion", "flow_matching"])
def test_one_walk_gives_all_frames_bit_for_bit_what_a_walk_for_each_gives(name, monkeypatch):
    model, asked = moved(name), tf.Variable(0)
    ask, conditions = model.ask, model.conditions.in_turn(2)
    labels = tf.constant(conditions["labels"]) if conditions else None

    @tf.function
    def walk_to(latents, stop):
        levels = [tf.constant(level)[: stop + 1] for level in model.levels_of(model.steps)]
        return model.as_images(model.walk(latents, None, labels, None, levels))

    latents = tf.constant(model.sample_latents(2, seed=7))
    stops = np.linspace(0, model.steps, 6).round().astype(int)
    expected = [np.asarray(walk_to(latents, tf.constant(stop))) for stop in stops]

    def counted(*arguments, **options):
        asked.assign_add(1)
        return ask(*arguments, **options)

    monkeypatch.setattr(model, "ask", counted)
    np.testing.assert_array_equal(model.on_the_way(2, 7, 6, **conditions), expected)
    assert asked.numpy() == model.steps


def test_pixels_come_line_by_line():
    model = harness.untouched(CASES["pixel_cnn"])
    frames = model.on_the_way(2, 5, 5).reshape(5, 2, -1)
    length = frames.shape[-1]
    for number, frame in enumerate(frames):
        known = round(number * length / 4)
        np.testing.assert_array_equal(frame[:, :known], frames[-1][:, :known])
        assert not frame[:, known:].any()


def test_sampling_becomes_a_moving_picture_that_rests_at_its_end(tmp_path, capsys):
    moved("flow_matching").save(tmp_path / "flow.keras")
    flags = ["--sampling", "--frames", "3", "--rows", "1", "-o", str(tmp_path / "made.webp")]
    assert cli.main(["animate", str(tmp_path / "flow.keras"), *flags]) == 0
    with Image.open(tmp_path / "made.webp") as picture:
        durations = []
        for _ in ImageSequence.Iterator(picture):
            picture.load()
            durations.append(picture.info["duration"])
    assert durations == [90, 90, 1500]
    harness.untouched(CASES["vae"]).save(tmp_path / "vae.keras")
    for flags, sentence in {
        ("--sampling",): "VAE makes no images step by step: leave --sampling away",
        ("--sampling", "--walk"): "leave --walk or --sampling away",
    }.items():
        assert cli.main(["animate", str(tmp_path / "vae.keras"), *flags]) == 2
        assert sentence in capsys.readouterr().err


def test_the_columns_of_a_conditional_model_are_its_classes(tmp_path):
    model = harness.untouched(CASES["cgan"])
    model.save(tmp_path / "cgan.keras")
    flags = ["--walk", "--frames", "2", "--rows", "2", "--scale", "3", "-o", str(tmp_path / "walk.webp")]
    assert cli.main(["animate", str(tmp_path / "cgan.keras"), *flags]) == 0
    pages, milliseconds, _ = frames_of(tmp_path / "walk.webp")
    assert milliseconds == 90
    height, width = 2 * 9 - 1, 3 * 9 - 1  # of images of 8x8 with a line between them
    assert [page.shape for page in pages] == [(3 * height, 3 * width, 3)] * 2


def test_what_cannot_be_shown_is_said_in_a_sentence(run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments, sentence in (
        (["run", "-o", "film.mp4"], "film.mp4 is to be a moving picture: give it a name that ends in .gif or .webp."),
        (["nowhere"], "nowhere is not the folder of a run."),
        (["run", "--walk", "--frames", "0"], "argument --frames: is a whole number of at least 1, not 0"),
    ):
        try:
            assert cli.main(["animate", *arguments]) == 2
        except SystemExit as stopped:
            assert stopped.code == 2
        assert sentence in capsys.readouterr().err
    for page in (run / "samples").iterdir():
        page.rename(page.with_suffix(".txt"))
    assert cli.main(["animate", "run"]) == 2
    assert "are no pictures in run/samples: there is nothing to animate." in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
    for name in ("classifier", "lstm", "mixture"):
        with pytest.raises(InputError, match="no latent space of images"):
            walk_pages(harness.untouched(CASES[name]))
