"""Makes the folder of docs/guides/worked_example.md: animals, food and plants of Debian's tuxpaint-stamps-default.

    apt-get download tuxpaint-stamps-default
    python scripts/make_example_photos.py tuxpaint-stamps-default_*_all.deb photos

Photographs cut out of their ground, as they are in the package, in photos/train/KIND and photos/test/KIND: one in four
of each kind is held out, every fourth by the alphabet.  What the package calls cartoons and toys is left out.  Nothing
but Python is needed, so this works where there is no Debian, too.
"""

import argparse
import io
import tarfile
from pathlib import Path, PurePosixPath

KINDS = ("animals", "food", "plants")
STAMPS = "usr/share/tuxpaint/stamps/"
DRAWN = {"cartoon", "toys", "plastic"}  # folders
HELD_OUT = 4  # one in so many
AR_BEGINS, AR_HEADER = b"!<arch>\n", 60


def content(package):
    """The files of a Debian package: a `tarfile.TarFile`.

    Raises:
        SystemExit: it is no package.
    """
    # An archive of ar; the files are a tar archive in it, behind two small members.
    data = Path(package).read_bytes()
    place = len(AR_BEGINS)
    while data.startswith(AR_BEGINS) and place + AR_HEADER <= len(data):
        header = data[place : place + AR_HEADER]
        name, size = header[:16].decode().strip(), int(header[48:58])
        place += AR_HEADER
        if name.startswith("data.tar"):
            return tarfile.open(fileobj=io.BytesIO(data[place : place + size]))
        place += size + size % 2  # members begin at even places
    raise SystemExit(f"{package} is no Debian package.")


def photographs(package):
    """{kind: [(name of a file, its bytes)]}, by the alphabet of their paths."""
    found = {kind: {} for kind in KINDS}
    with content(package) as files:
        for member in files:
            path = PurePosixPath(member.name.removeprefix("./"))
            if not str(path).startswith(STAMPS) or path.suffix != ".png" or DRAWN & set(path.parts):
                continue
            kind, *folders = path.relative_to(STAMPS).parts
            if kind in KINDS and member.isfile():
                found[kind]["_".join(folders)] = files.extractfile(member).read()
    return {kind: sorted(some.items()) for kind, some in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", help="tuxpaint-stamps-default_VERSION_all.deb")
    parser.add_argument("folder", type=Path, help="a folder that is not there yet")
    options = parser.parse_args()
    if options.folder.exists():
        raise SystemExit(f"{options.folder} is there already: name another folder.")
    for kind, some in photographs(options.package).items():
        for number, (name, photograph) in enumerate(some):
            split = "train" if number % HELD_OUT else "test"
            path = options.folder / split / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(photograph)
        print(f"{kind}: {len(some)}")


if __name__ == "__main__":
    main()
