"""Makes gdl_keras/data/assets/austen_mini.zip: two of Jane Austen's novels, one to learn from and one held out.

    apt-get install r-cran-janeaustenr
    python scripts/make_austen.py

Running it again gives the same bytes.
"""

import zipfile
from pathlib import Path

from gdl_keras.data.sources.novels import FILE, HELD_OUT, read_novels
from gdl_keras.files import whole_file

ASSET = Path(__file__).parents[1] / "gdl_keras" / "data" / "assets" / "austen_mini.zip"
CHOSEN = {"train": "pride_and_prejudice", "test": HELD_OUT}


def main():
    novels = read_novels(FILE)
    # Of what the standard library packs with, bzip2 makes the least of texts of this size.
    with whole_file(ASSET) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_BZIP2, compresslevel=9) as archive:
        for split, title in CHOSEN.items():
            # A member named by text alone would bear the time of its writing.
            archive.writestr(_member(f"{split}/{title}.txt"), novels[title])
    print(f"{ASSET}: {', '.join(f'{title} {len(novels[title]):,}' for title in CHOSEN.values())} characters")


def _member(name):
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_BZIP2
    member.create_system = 3
    member.external_attr = 0o644 << 16
    return member


if __name__ == "__main__":
    main()
