"""Where a new run writes."""

import os
from datetime import datetime
from pathlib import Path

from gdl_keras.errors import InputError


def new_folder(out, chapter):
    """The folder that a new run gets; it is not made yet.

    Args:
        out: `Path`, or None for runs/CHAPTER/TIME.
        chapter: such as "03_vae/02_vae_fashion".

    Raises:
        InputError: there is something in it, or nothing can be written there.
    """
    if out is None:
        out = Path("runs") / chapter / datetime.now().strftime("%Y-%m-%d_%H%M%S")
        while out.exists():
            out = out.with_name(out.name + "b")
    if (out / "config.json").exists():
        raise InputError(f"{out} already holds a run: go on with it by --resume {out}, or choose another --out.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not an empty folder: choose another --out.")
    writable = next(parent for parent in [out, *out.absolute().parents] if parent.exists())
    if not os.access(writable, os.W_OK):
        raise InputError(f"No permission to write in {writable}: choose another folder with --out.")
    return out
