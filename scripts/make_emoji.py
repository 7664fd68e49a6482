"""Makes gdl_keras/data/assets/emoji.npz: Noto Color Emoji as labelled colour pictures that travel inside the package.

    apt-get install fonts-noto-color-emoji unicode-data
    python scripts/make_emoji.py

Every emoji of Unicode's list that the font draws in colour, 64x64 on white, labelled with its group.  Left out are
variants in skin tone, gender and text style, and pictures that repeat another one (some territories fly the flag
of another country).  One picture in ten of each group is for testing, drawn with a fixed seed; running
it again gives the same bytes.
"""

import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from gdl_keras.files import whole_file

ASSET = Path(__file__).parents[1] / "gdl_keras" / "data" / "assets" / "emoji.npz"
FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
LIST = Path("/usr/share/unicode/emoji/emoji-test.txt")
SIZE = 64
SEED = 1999  # the year of the first emoji
STRIKE = 109  # the one size in which the font holds its pictures
CANVAS = 144  # a little more than the 136x128 pixels of a picture
VARIANTS = {*range(0x1F3FB, 0x1F400), 0x2640, 0x2642}  # skin tones; the signs that make a woman or man of a person


def listed():
    """Yields (text, name, group) of every emoji that is no variant of another one, in the order of Unicode."""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("# group:"):
            group = line.split(":")[1].strip()
        elif match := re.match(r"([0-9A-F ]+?) *; fully-qualified *# \S+ E[\d.]+ (.+)", line):
            points = [int(point, 16) for point in match[1].split()]
            if len(points) == 1 or VARIANTS.isdisjoint(points):
                yield "".join(map(chr, points)), match[2], group


def render(text, font):
    """The picture centred on white, uint8 (SIZE, SIZE, 3), or None where the font has no single picture for it."""
    left, top, right, bottom = font.getbbox(text)
    if not 0 < right - left <= CANVAS or bottom - top > CANVAS:
        return None
    drawn = Image.new("RGBA", (CANVAS, CANVAS))
    ImageDraw.Draw(drawn).text((-left, -top), text, font=font, embedded_color=True)
    box = drawn.getchannel("A").getbbox()
    if box is None:
        return None
    picture = drawn.crop(box)
    canvas = Image.new("RGBA", (CANVAS, CANVAS), "white")
    canvas.alpha_composite(picture, ((CANVAS - picture.width) // 2, (CANVAS - picture.height) // 2))
    return np.asarray(canvas.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def collect():
    """(images uint8 (n, SIZE, SIZE, 3), labels uint8 (n,), names, groups), no picture twice."""
    font = ImageFont.truetype(FONT, STRIKE, layout_engine=ImageFont.Layout.RAQM)
    images, labels, names, groups, seen = [], [], [], [], set()
    for text, name, group in listed():
        image = render(text, font)
        if image is None or image.tobytes() in seen:
            continue
        seen.add(image.tobytes())
        if group not in groups:
            groups.append(group)
        images.append(image)
        labels.append(groups.index(group))
        names.append(name)
    return np.stack(images), np.array(labels, np.uint8), np.array(names), groups


def main():
    if not features.check("raqm"):
        raise SystemExit("Pillow lacks libraqm, without which emoji of several parts fall apart: pip install pillow.")
    images, labels, names, groups = collect()
    generator = np.random.default_rng(SEED)
    held_out = np.zeros(len(labels), bool)
    for label in range(len(groups)):
        members = np.flatnonzero(labels == label)
        held_out[generator.choice(members, round(len(members) / 10), replace=False)] = True
    parts = {}
    for split, chosen in (("train", np.flatnonzero(~held_out)), ("test", np.flatnonzero(held_out))):
        chosen = generator.permutation(chosen)
        parts |= {
            f"{split}_{kind}": values[chosen]
            for kind, values in (("images", images), ("labels", labels), ("names", names))
        }
    with whole_file(ASSET) as partial:
        np.savez_compressed(partial, **parts, class_names=np.array(groups))
    counts = ", ".join(f"{group} {(labels == label).sum()}" for label, group in enumerate(groups))
    print(
        f"{ASSET}: {len(images)} images, {held_out.sum()} for testing, {ASSET.stat().st_size / 1e6:.2f} MB ({counts})"
    )


if __name__ == "__main__":
    main()
