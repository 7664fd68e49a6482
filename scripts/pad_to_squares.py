"""Makes squares of the pictures of a folder by adding white around them, where cropping would cut off what they show.

    python scripts/pad_to_squares.py photos squares

Folders in it stay as they are, and so do names, but for a ".png" behind those that do not end so; what lies in the
folder beside pictures, such as a table of labels, is not copied.  Pictures larger than 256 pixels are made smaller.
"""

import argparse
from pathlib import Path

from PIL import Image, ImageOps

from gdl_keras.data.decoding import IMAGE_SUFFIXES, NoScale, Unreadable, decode

LARGEST = 256  # pixels on a side


def squared(path):
    """The picture of a file, upright and on white, with white at two of its sides: `PIL.Image`, RGB."""
    picture = decode(path, LARGEST).image.convert("RGB")
    side = min(max(picture.size), LARGEST)
    return ImageOps.pad(picture, (side, side), Image.Resampling.LANCZOS, color="white")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("new", type=Path, help="a folder that is not there yet")
    options = parser.parse_args()
    if options.new.exists():
        raise SystemExit(f"{options.new} is there already: name another folder.")
    written = 0
    for path in [path for path in sorted(options.folder.rglob("*")) if path.suffix.lower() in IMAGE_SUFFIXES]:
        try:
            picture = squared(path)
        except (Unreadable, NoScale) as error:
            print(f"{path} is left out: {error or 'its format does not say what is white'}")
            continue
        name = path.name if path.suffix == ".png" else f"{path.name}.png"
        new = options.new / path.relative_to(options.folder).with_name(name)
        new.parent.mkdir(parents=True, exist_ok=True)
        picture.save(new)
        written += 1
    print(f"{options.new}: {written} squares")


if __name__ == "__main__":
    main()
