"""A page that needs no server: what is kept is what the server would answer, and it is played with in a browser."""

import re

import numpy as np
import pytest

from gdl_keras.errors import InputError
from gdl_keras.explore import explore
from gdl_keras.explore.keeping import PLACES, POINTS, SEEDS, SHARES, SIDE, answers, keep
from gdl_keras.explore.player import REACH
from tests.explore.playing import piece, player, shown, slide, source, until


def test_what_is_kept_is_what_the_server_would_answer():
    one = player("cgan")
    found = answers(one)
    assert found["about"]["labels"] == ["0", "1", "2"] and set(found["directions"]) == {"0", "1", "2"}
    assert found["samples"]["2"][SEEDS - 1] == one.samples(16, SEEDS - 1, label="2")
    assert found["samples"][""][0] == one.samples(16, 0)
    sliders = found["about"]["sliders"]
    line = (POINTS - 1) * sliders + 1  # the second direction, from the last point
    kept = piece(found["directions"]["2"], line * PLACES + PLACES - 1).astype(int)
    np.testing.assert_allclose(kept, shown(one.point(POINTS - 1, [0, REACH], label="2"), kept), atol=1)
    way = 2 * (POINTS - 1) + 1  # each point has ways to all others, the third one's second is to the second
    kept = piece(found["walk"]["0"], way * SHARES + 3).astype(int)
    np.testing.assert_allclose(kept, shown(one.between(2, 1, 3 / (SHARES - 1), label="0"), kept), atol=1)
    assert "plane" not in found


def test_of_a_plane_all_places_are_kept_and_of_texts_the_samples():
    one = player("vae")
    found = answers(one)
    assert "directions" not in found
    kept = piece(found["plane"][""], SIDE - 1).astype(int)  # the upper right corner
    np.testing.assert_allclose(kept, shown(one.point(place=[REACH, REACH]), kept), atol=1)
    kept = piece(found["plane"][""], SIDE * (SIDE - 1)).astype(int)  # the lower left one
    np.testing.assert_allclose(kept, shown(one.point(place=[-REACH, -REACH]), kept), atol=1)
    found = answers(player("lstm"))
    assert set(found) == {"about", "samples"} and len(found["samples"][""][0]["texts"]) == 3


def test_the_page_is_one_file_whose_script_no_text_can_end(tmp_path, monkeypatch):
    one = player("lstm")
    monkeypatch.setattr(one.model, "generate", lambda *arguments, **options: ["</script><b>"] * 3)
    page = keep(one, tmp_path / "page.html").read_text()
    assert page.count("</script>") == 2 and r"<\/script><b>" in page
    assert not re.search(r"""(src|href)=["']?(http|//)""", page)
    with pytest.raises(InputError, match=r"page.txt is to be a page: give it a name that ends in \.html"):
        explore("no such run", export=tmp_path / "page.txt")


def test_a_page_without_a_server_is_played_with_like_one_that_has_it(browser, tmp_path):
    keep(player("cgan"), tmp_path / "page.html")
    browser.get_log("browser")  # what came before
    browser.get((tmp_path / "page.html").as_uri())
    before = until(lambda: source(browser, "moved"))
    slide(browser, "#sliders input", 2)
    moved = until(lambda: source(browser, "moved") != before and source(browser, "moved"))
    # One direction at a time: the first slider goes back.
    slide(browser, "#sliders label:nth-child(2) input", 2)
    until(lambda: source(browser, "moved") not in (before, moved))
    assert browser.find_element("css selector", "#sliders input").get_property("value") == "0"
    walked = until(lambda: source(browser, "between"))
    slide(browser, "#share", 1)
    until(lambda: source(browser, "between") != walked)
    drawn = until(lambda: source(browser, "samples"))
    browser.find_element("id", "next").click()
    until(lambda: source(browser, "samples") != drawn)
    for seed in (SEEDS, -1, 0.5):
        slide(browser, "#seed", seed)
        browser.find_element("id", "draw").click()
        until(lambda: f"there are the seeds 0 to {SEEDS - 1}" in browser.find_element("id", "error").text)
        slide(browser, "#seed", 0)
        browser.find_element("id", "draw").click()
        until(lambda: browser.find_element("id", "error").text == "")
    assert browser.get_log("browser") == []
