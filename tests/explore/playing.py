"""What tests of playing share: players of small models, and what a page shows."""

import base64
import io
import time

import numpy as np
from PIL import Image

from gdl_keras.explore.player import Player
from tests import cases, harness

CASES = {case.name: case for case in cases.CASES}


def player(name):
    return Player(harness.untouched(CASES[name]), f"{name} of the tests")


def pixels(answer):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["picture"]))))


def until(condition):
    """What a condition gives, as soon as it gives something."""
    for _ in range(300):
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen within 30 seconds")


def source(browser, place):
    return browser.execute_script(f"return document.querySelector('#{place} img')?.src")


def slide(browser, query, value):
    script = "const s = document.querySelector(arguments[0]); s.value = arguments[1]; "
    script += "s.dispatchEvent(new Event('input', {bubbles: true}))"
    browser.execute_script(script, query, value)
