"""Makes each chapter's notebook from the program beside it and executes it, outputs kept.

    python scripts/build_notebooks.py                              all
    python scripts/build_notebooks.py 03_vae/02_vae_fashion        one
    python scripts/build_notebooks.py --keep results               all, and their runs are kept in results/runs

The program is the source of truth: edit it, then run this.  Executing means training in the preset `cpu`.  What the run
shows stays in the notebook; what it writes is thrown away unless a folder to keep it in is named.  A notebook has one
cell that its program has not: the one of docs/guides/colab.md that fetches the code.
"""

import argparse
import base64
import io
import re
import tempfile
from contextlib import nullcontext
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image

from gdl_keras import training
from gdl_keras.chapters import all_chapters, find_chapter

ONE_HOUR = 3600
COLAB_GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "colab.md"
# Lines that a terminal shows and a reader of the notebook does not need.
NOISE = ("I0000", "E0000", "W0000", "WARNING: All log messages before absl")


def build(chapter, keep=None):
    """Writes `NAME.ipynb` beside `NAME.py`; its run stays in the folder `keep`."""
    notebook = jupytext.read(chapter.program)
    notebook.cells.insert(1, colab_cell(chapter))
    with nullcontext(keep) if keep else tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=ONE_HOUR, resources={"metadata": {"path": folder}}).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            cell.outputs = [output for output in _merged(cell.outputs) if _keeps_something(output)]
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = _packed(output.data["image/png"])
    nbformat.write(notebook, chapter.program.with_suffix(".ipynb"))


def colab_cell(chapter):
    """The first cell of the guide, which does nothing until someone puts an address in; it proposes data that fit."""
    source = re.search(r"```ipython\n(.*?)\n```", COLAB_GUIDE.read_text(), re.DOTALL)[1]
    source = source.replace(training.ImageConfig.own_data, _settings_class(chapter).own_data)
    return nbformat.v4.new_code_cell(source, id="colab", metadata={"tags": ["colab"]})


def _settings_class(chapter):
    """What the settings of a program are made of: `ImageConfig`, or another one of `gdl_keras.training`."""
    name = re.search(r"^class Settings\((\w+)\):", chapter.program.read_text(encoding="utf-8"), re.MULTILINE)[1]
    return getattr(training, name)


def _merged(outputs):
    """Neighbouring pieces of one stream as one piece: a progress bar comes in hundreds."""
    merged = []
    for output in outputs:
        before = merged[-1] if merged else None
        if before and output.output_type == before.output_type == "stream" and output.name == before.name:
            before.text += output.text
        else:
            merged.append(output)
    return merged


def _packed(encoded):
    """The same picture in fewer bytes: without an opacity that is full everywhere, and one channel where it is grey."""
    picture = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    red, green, blue, opacity = picture.split()
    if opacity.getextrema() == (255, 255):
        grey = red.tobytes() == green.tobytes() == blue.tobytes()
        picture = red if grey else Image.merge("RGB", (red, green, blue))
    packed = io.BytesIO()
    picture.save(packed, format="PNG", optimize=True)
    return min(base64.b64encode(packed.getvalue()).decode(), encoded, key=len)


def _keeps_something(output):
    """Takes the noise out of an output; says whether anything is left."""
    if output.output_type == "execute_result":
        return not output.data["text/plain"].startswith("<keras")
    if output.output_type != "stream":
        return True
    # Of a line that was written over, what a terminal shows in the end.
    lines = re.sub(r"[^\n]*[\r\b]", "", output.text).splitlines(keepends=True)
    output.text = "".join(line for line in lines if not line.startswith(NOISE))
    return bool(output.text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", help="names from gdl list; all by default")
    parser.add_argument("--keep", type=Path, help="folder for the runs; by default they are thrown away")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    for chapter in [find_chapter(name) for name in options.chapters] or all_chapters():
        print(f"{chapter.name} ...", flush=True)
        build(chapter, options.keep)
        print(f"{chapter.name}: {chapter.program.with_suffix('.ipynb').stat().st_size / 1000:.0f} kB", flush=True)
