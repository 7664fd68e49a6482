"""What tests of playing share: players of small models, a server of one, and what a page shows."""

import base64
import http.client
import io
import json
import threading
import time
from contextlib import contextmanager

import numpy as np
from PIL import Image

from gdl_keras.explore import serve
from gdl_keras.explore.player import Player
from tests import cases, harness

CASES = {case.name: case for case in cases.CASES}


def player(name):
    return Player(harness.untouched(CASES[name]), f"{name} of the tests")


def pixels(answer):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["picture"]))))


@contextmanager
def running(player):
    """A server that answers in the background, with ask(method, path, content, headers) -> (status, content)."""
    server = serve(player)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def ask(method, path, content=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        is_json = answer.headers["Content-Type"] == "application/json"
        return answer.status, json.loads(body) if is_json else body, answer.headers

    try:
        yield server, ask
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def piece(page, number):
    """One image of a page of many, cut out as a browser does."""
    line, column = divmod(number, page["columns"])
    top, left = line * (page["height"] + 1), column * (page["width"] + 1)
    return pixels(page)[top : top + page["height"], left : left + page["width"]]


def shown(answer, image):
    """The pixels of an answer, made as small as the image is."""
    factor = len(pixels(answer)) // len(image)
    return pixels(answer)[::factor, ::factor]


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
