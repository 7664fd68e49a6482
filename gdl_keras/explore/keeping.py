"""A page that needs no server: all that it may ask is answered before, and kept in it."""

import base64
import io
import json
from importlib.resources import files
from itertools import permutations

import numpy as np
from PIL import Image

from gdl_keras import plotting
from gdl_keras.data.notices import say
from gdl_keras.explore.attributes import REACH as ATTRIBUTE_REACH
from gdl_keras.explore.player import REACH
from gdl_keras.files import write_text

# Seeds that there are answers for: of samples, of latent points.
SEEDS, POINTS = 8, 4
SAMPLES = {"text": 3}  # on a sheet; of other kinds 16
# Places of a slider, of a walk, of each side of the plane, all ends included.
PLACES, SHARES, SIDE = 13, 11, 31
COLUMNS = {"plane": SIDE, "directions": PLACES, "walk": SHARES}  # of a page of latent points' images
MOST = 10  # classes, and attributes


def keep(player, path):
    """Writes a page about a model as one file of HTML, to be opened from a disk or put onto any server.

    Args:
        player: a `Player`.
        path: ends in .html, as `check_is_page` wants it.

    Returns:
        `path`.

    Raises:
        InputError: it cannot be written.
    """
    page = files("gdl_keras.explore").joinpath("page.html").read_text(encoding="utf-8")
    # Within a script only its end means something to a browser.
    content = json.dumps(answers(player)).replace("</", "<\\/")
    before, after = page.split("null</script>")
    write_text(path, f"{before}{content}</script>{after}")
    return path


def answers(player):
    """All answers of a page, as JSON can hold them.

    Returns:
        {"about": as `Player.about`, with "n", samples on a sheet, "seeds", "points", "places" and "shares", how many
        there are of each, and "attributes", the first of `Player.attributes`; "samples": {label: [answer of each
        seed]}; of "plane", "directions", "walk" what the model has: {label: a page of images}}.  A label is a class's
        number as text, or "".  Images lie line by line: of the plane from its upper left corner on; a line for each
        direction and then each attribute of each seed; one for each way from a seed to another.
    """
    about, attributes = player.about(), player.attributes()
    if attributes["missing"]:
        say(f"There are no sliders of classes and attributes. {attributes['missing']}")
    attributes |= {"names": attributes["names"][:MOST], "missing": ""}  # who is sent the page has no use for it
    about["labels"] = about["labels"][:MOST]
    labels = [str(number) for number in range(len(about["labels"]))]
    count = SAMPLES.get(about["kind"], 16)
    counts = {"n": count, "seeds": SEEDS, "points": POINTS, "places": PLACES, "shares": SHARES}
    found = {
        "about": {**about, **counts, "attributes": attributes},
        "samples": {
            label: [player.samples(count, seed, label or None) for seed in range(SEEDS)] for label in ["", *labels]
        },
    }
    for name, latents in places(player, len(attributes["names"])).items():
        found[name] = {label: page(player.images(latents, label or None), COLUMNS[name]) for label in labels or [""]}
    return found


def places(player, attributes):
    """The latent points that a page shows, {name: float array (n, *latent_shape)}.

    Args:
        player: a `Player`.
        attributes: int, of how many the sliders are there.
    """
    found = {}
    if not player.is_latent:
        return found
    if player.is_plane:
        line = np.linspace(-REACH, REACH, SIDE)
        found["plane"] = np.array([(x, y) for y in line[::-1] for x in line])
    starts = [player.latent_at(seed) for seed in range(POINTS)]
    ends = REACH * player.directions
    if attributes:
        ends = np.concatenate([ends, ATTRIBUTE_REACH * player.attribute_directions[:attributes]])
    if len(ends):
        steps = np.linspace(-1, 1, PLACES)
        found["directions"] = np.array([start + step * end for start in starts for end in ends for step in steps])
    shares = np.linspace(0, 1, SHARES)
    between = player.model.between
    found["walk"] = np.array([between(*pair, share) for pair in permutations(starts, 2) for share in shares])
    return found


def page(images, columns):
    """Images as one PNG, pixel for pixel, with what it takes to cut one out.

    Returns:
        {"picture": base64, "columns": images in a line, "height", "width": of each; a line of pixels lies between two}.
    """
    buffer = io.BytesIO()
    Image.fromarray(plotting.mosaic(images, columns)).save(buffer, format="PNG", optimize=True)
    _, height, width, _ = images.shape
    picture = base64.b64encode(buffer.getvalue()).decode()
    return {"picture": picture, "columns": columns, "height": height, "width": width}
