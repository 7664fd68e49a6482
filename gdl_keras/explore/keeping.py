"""A page that needs no server: all that it may ask is answered before, and kept in it."""

import base64
import io
import json
from importlib.resources import files

import numpy as np
from PIL import Image

from gdl_keras import plotting
from gdl_keras.explore.player import REACH
from gdl_keras.files import check_is_page, write_text

# Seeds that there are answers for: of samples, of latent points.
SEEDS, POINTS = 8, 4
SAMPLES = {"text": 3}  # on a sheet; of other kinds 16
# Places of a slider, of a walk, of each side of the plane, all ends included.
PLACES, SHARES, SIDE = 13, 11, 31
COLUMNS = {"plane": SIDE, "directions": PLACES, "walk": SHARES}  # of a page of latent points' images
MOST_LABELS = 10


def keep(player, path):
    """Writes a page about a model as one file of HTML, to be opened from a disk or put onto any server.

    Args:
        player: a `Player`.
        path: ends in .html.

    Returns:
        `path`.

    Raises:
        InputError: it ends in something else, or cannot be written.
    """
    check_is_page(path)
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
        there are of each; "samples": {label: [answer of each seed]}; of "plane", "directions", "walk" what the model
        has: {label: a page of images}}.  A label is a class's number as text, or "".  Images lie line by line: of the
        plane from its upper left corner on; a line for each direction of each seed; one for each way from seed to seed.
    """
    about = player.about()
    about["labels"] = about["labels"][:MOST_LABELS]
    labels = [str(number) for number in range(len(about["labels"]))]
    count = SAMPLES.get(about["kind"], 16)
    found = {
        "about": {**about, "n": count, "seeds": SEEDS, "points": POINTS, "places": PLACES, "shares": SHARES},
        "samples": {
            label: [player.samples(count, seed, label or None) for seed in range(SEEDS)] for label in ["", *labels]
        },
    }
    for name, latents in places(player).items():
        found[name] = {label: page(player.images(latents, label or None), COLUMNS[name]) for label in labels or [""]}
    return found


def places(player):
    """The latent points that a page shows, {name: float32 array (n, latent_dim)}."""
    found = {}
    if not player.is_latent:
        return found
    if player.model.latent_shape == (2,):
        line = np.linspace(-REACH, REACH, SIDE)
        found["plane"] = np.array([(x, y) for y in line[::-1] for x in line])
    elif player.directions is not None:
        steps = np.linspace(-REACH, REACH, PLACES)
        axes = np.eye(len(player.directions))
        gone = [(seed, step * axis) for seed in range(POINTS) for axis in axes for step in steps]
        found["directions"] = np.array([player.latent_at(*place) for place in gone])
    shares = np.linspace(0, 1, SHARES)
    pairs = [(start, end) for start in range(POINTS) for end in range(POINTS)]
    found["walk"] = np.array([player.latent_between(*pair, share) for pair in pairs for share in shares])
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
