"""What compressors make of the held-out text that language models are measured on, in bits a character.

    python benchmarks/compressors.py                        the novel that chapters 5 and 9 hold out
    python benchmarks/compressors.py --dataset recipes

`xz -9e` by Python's lzma, and `zstd -19` by the command of that name, where it is installed.  Each is tried alone with
the held-out text, and once it has read the training text: what both together take more than that alone.
"""

import argparse
import lzma
import shutil
import subprocess

import numpy as np

from gdl_keras import data

COMPRESSORS = {
    "xz -9e": lambda text: len(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)),
    # A window as long as all that is read, as xz has it.
    "zstd -19": lambda text: len(
        subprocess.run(("zstd", "-19", "--long=27", "-c"), input=text, capture_output=True).stdout
    ),
}


def text_of(table):
    """All text of a data set of characters, as it is encoded: bytes."""
    windows = table.rows("tokens", slice(None))
    return table.vocabulary.decode(np.append(windows[:, :-1].reshape(-1), windows[-1, -1])).encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="austen_mini", help="a data set of text (default austen_mini)")
    arguments = parser.parse_args()
    train, test = (data.load(arguments.dataset, split, tokens="characters") for split in ("train", "test"))
    read, held_out = text_of(train), text_of(test)
    characters = len(held_out.decode())
    for name, size_of in COMPRESSORS.items():
        if shutil.which(name.split()[0]):
            alone, both = size_of(held_out), size_of(read + held_out) - size_of(read)
            print(f"{name}: {8 * alone / characters:.3f} bits a character, {8 * both / characters:.3f} having read")
        else:
            print(f"{name}: is not installed here")


if __name__ == "__main__":
    main()
