"""Makes each chapter's notebook from the program beside it and executes it, outputs kept.

    python scripts/build_notebooks.py                              all
    python scripts/build_notebooks.py 03_vae/02_vae_fashion        one
    python scripts/build_notebooks.py --keep results               all, and their runs are kept in results/runs
    python scripts/build_notebooks.py --no-execution               what is there, with new cells for Colab

The program is the source of truth: edit it, then run this.  Executing means training in the preset `cpu`.  What the run
shows stays in the notebook; what it writes is thrown away unless a folder to keep it in is named.  A notebook has cells
that its program has not: the one of docs/guides/colab.md that fetches the code, and before it a badge that opens the
notebook in Colab, once `python scripts/set_address.py` was told where the repository is.
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
from set_address import BADGE_ID, TAG, badge, in_cell, known_address

from gdl_keras import training
from gdl_keras.chapters import all_chapters, find_chapter

ONE_HOUR = 3600
COLAB_GUIDE = Path(__file__).parents[1] / "docs" / "guides" / "colab.md"
# Lines that a terminal shows and a reader of the notebook does not need.
NOISE = ("I0000", "E0000", "W0000", "WARNING: All log messages before absl")


def build(chapter, keep=None):
    """Writes `NAME.ipynb` beside `NAME.py`; its run stays in the folder `keep`."""
    notebook = jupytext.read(chapter.program)
    notebook.cells[1:1] = colab_cells(chapter)
    with nullcontext(keep) if keep else tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=ONE_HOUR, resources={"metadata": {"path": folder}}).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata.pop("execution", None)
            cell.outputs = [output for output in _merged(cell.outputs) if _keeps_something(output)]
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = _packed(output.data["image/png"])
    add_alternative_texts(notebook)
    nbformat.write(notebook, chapter.program.with_suffix(".ipynb"))


def renew(chapter):
    """Puts new cells for Colab into `NAME.ipynb`, and alternative texts where pictures have none; executes nothing."""
    path = chapter.program.with_suffix(".ipynb")
    notebook = nbformat.read(path, as_version=4)
    former = [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", [])]
    cells = [cell for cell in notebook.cells if cell not in former]
    counts = {cell.id: cell.get("execution_count") for cell in former}
    for cell in (new := colab_cells(chapter)):
        if cell.cell_type == "code":
            cell.execution_count = counts.get(cell.id)
    notebook.cells = [*cells[:1], *new, *cells[1:]]
    add_alternative_texts(notebook)
    nbformat.write(notebook, path)


def colab_cells(chapter):
    """Cells for Colab: a badge that opens the notebook there, and the code that fetches the repository.

    The code is the first cell of the guide, with data that fit.  Without a known address there is no badge, and the
    code waits for someone to put an address in.
    """
    address, tagged = known_address(), {"tags": [TAG]}
    source = re.search(r"```ipython\n(.*?)\n```", COLAB_GUIDE.read_text(), re.DOTALL)[1]
    source = in_cell(source, address).replace(training.ImageConfig.own_data, _settings_class(chapter).own_data)
    path = f"chapters/{chapter.name}/{chapter.program.stem}.ipynb"
    badges = [nbformat.v4.new_markdown_cell(badge(address, path), id=BADGE_ID, metadata=tagged)] if address else []
    return [*badges, nbformat.v4.new_code_cell(source, id=TAG, metadata=tagged)]


def add_alternative_texts(notebook):
    """Says of each picture what it shows, where `run.show` has not: the heading that it stands under, and its name."""
    heading = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = (re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE) or [heading])[-1]
            continue
        pictures = [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
        names = re.findall(r'\.show\(\s*"(\w+)"', cell.source)
        if len(names) != len(pictures):  # shown in a loop
            names = [f"picture {number} of {len(pictures)}" for number in range(1, len(pictures) + 1)]
        for output, name in zip(pictures, names):
            of_picture = output.metadata.setdefault("image/png", {})
            if "alt" not in of_picture:
                of_picture["alt"] = output.data["text/plain"] = f"{heading}: {name.replace('_', ' ')}"


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
    parser.add_argument("--no-execution", action="store_true", help="only renew the cells for Colab")
    parser.add_argument("--keep", type=Path, help="folder for the runs; by default they are thrown away")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    for chapter in [find_chapter(name) for name in options.chapters] or all_chapters():
        print(f"{chapter.name} ...", flush=True)
        renew(chapter) if options.no_execution else build(chapter, options.keep)
        print(f"{chapter.name}: {chapter.program.with_suffix('.ipynb').stat().st_size / 1000:.0f} kB", flush=True)
