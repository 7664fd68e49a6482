"""Every data set that has a name: what it is, where it comes from, how its images are prepared."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from gdl_keras.data.sources.bundled import Bundled
from gdl_keras.data.sources.computed import Computed
from gdl_keras.data.sources.debian import Debian
from gdl_keras.data.sources.folder import Folder
from gdl_keras.data.sources.kaggle import Kaggle, read_env_file
from gdl_keras.data.sources.local import Local, kind_of, refuse_archive, resolved
from gdl_keras.data.sources.mlxtend import Mlxtend
from gdl_keras.data.sources.novels import BundledNovels, DebianNovels
from gdl_keras.data.sources.tfds import TFDS
from gdl_keras.data.sources.url import cello_suites, chorales
from gdl_keras.errors import InputError, nearest


@dataclass(frozen=True)
class Entry:
    """A data set.

    Attributes:
        kind: "images", "text", "points" or "music".
        summary: what it is, in one line.
        sources: tried in this order.
        licence: the terms and whom to credit.
        image_size, channels: what images become where the caller does not say; None: the source knows.
        how: the way of `fitting.fit` by which images become square.
        field: which field of the objects in a file is the text, or a text with their names in braces, where the caller
            does not say.
    """

    name: str
    kind: str
    summary: str
    sources: tuple
    licence: str
    image_size: int | None = None
    channels: int = 3
    how: str = "stretch"
    field: str | None = None

    @property
    def needs_kaggle(self):
        """Whether only Kaggle has it, which wants an account."""
        return all(isinstance(source, Kaggle) for source in self.sources)

    @property
    def is_bundled(self):
        return any(isinstance(source, Bundled) for source in self.sources)

    def first_that_works(self, use):
        """`(source, use(source))` for the first source whose files are here, or else the one that fetches them."""
        here = (source for source in self.sources if source.is_here())
        source = next(here, self.sources[-1])
        return source, use(source)


_KAGGLE_TERMS = "the terms that its page on Kaggle states"

# The kinds that can be insisted on, and what a path of that kind leads to.
HOLDS = {
    "images": "a folder of images",
    "text": "a .txt, .json or .csv file, or a folder with some",
    "points": "a .csv file with two columns of numbers, or a folder with one",
    "music": "a folder of .mid files",
}

_ENTRIES = (
    Entry(
        "fashion",
        "images",
        "Fashion-MNIST: 60,000 + 10,000 grey pictures of clothes, 28x28, ten classes",
        (Debian(), TFDS("fashion_mnist")),
        "MIT; Zalando SE (Xiao, Rasul, Vollgraf 2017)",
        image_size=28,
        channels=1,
        how="pad",
    ),
    Entry(
        "fashion_mini",
        "images",
        "a tenth of Fashion-MNIST, 6,000 + 1,000 pictures, inside the package",
        (Bundled("fashion_mini"),),
        "MIT; Zalando SE (Xiao, Rasul, Vollgraf 2017)",
        image_size=28,
        channels=1,
        how="pad",
    ),
    Entry(
        "emoji",
        "images",
        "Noto Color Emoji as colour pictures, 64x64, labelled by Unicode's groups, inside the package",
        (Bundled("emoji"),),
        "SIL Open Font License 1.1; Google Inc. (Noto Color Emoji)",
        image_size=64,
    ),
    Entry(
        "mnist",
        "images",
        "MNIST: 60,000 + 10,000 handwritten digits, grey, 28x28, ten classes",
        (TFDS("mnist"),),
        "LeCun, Cortes and Burges; CC BY-SA 3.0",
        image_size=28,
        channels=1,
        how="pad",
    ),
    Entry(
        "mnist_mini",
        "images",
        "5,000 digits of MNIST, 4,500 + 500, from the files of the Python package mlxtend",
        (Mlxtend(),),
        "LeCun, Cortes and Burges; CC BY-SA 3.0",
        image_size=28,
        channels=1,
        how="pad",
    ),
    Entry(
        "cifar10",
        "images",
        "CIFAR-10: 50,000 + 10,000 small colour photographs, 32x32, ten classes",
        (TFDS("cifar10"),),
        "Krizhevsky 2009, for research",
        image_size=32,
    ),
    Entry(
        "faces",
        "images",
        "CelebA: 202,599 faces, 178x218, with 40 attributes",
        (Kaggle("jessicali9530/celeba-dataset"),),
        "for non-commercial research; Liu, Luo, Wang and Tang 2015",
        image_size=64,
    ),
    Entry(
        "bricks",
        "images",
        "40,000 renderings of 50 kinds of LEGO bricks",
        (Kaggle("joosthazelzet/lego-brick-images"),),
        _KAGGLE_TERMS,
        image_size=64,
        channels=1,
    ),
    Entry(
        "flowers",
        "images",
        "Oxford 102 Flowers: 8,189 photographs",
        (Kaggle("nunenuh/pytorch-challange-flower-dataset"),),
        f"{_KAGGLE_TERMS}; Nilsback and Zisserman 2008",
        image_size=64,
    ),
    Entry(
        "recipes",
        "text",
        "Epicurious: about 20,000 recipes, full_format_recipes.json",
        (Kaggle("hugodarwood/epirecipes"),),
        _KAGGLE_TERMS,
        field="Recipe for {title} | {directions}",
    ),
    Entry(
        "wines",
        "text",
        "130,000 wine reviews, winemag-data-130k-v2.json",
        (Kaggle("zynicide/wine-reviews"),),
        _KAGGLE_TERMS,
        field="wine review : {country} : {province} : {variety} : {description}",
    ),
    Entry(
        "austen",
        "text",
        "Jane Austen's six novels, 4 million characters; Persuasion is held out",
        (DebianNovels("austen"),),
        "the novels are in the public domain; the R package janeaustenr (Julia Silge), MIT",
    ),
    Entry(
        "austen_mini",
        "text",
        "Pride and Prejudice, and Persuasion held out, 1.1 million characters, inside the package",
        (BundledNovels("austen_mini"),),
        "the novels are in the public domain; the R package janeaustenr (Julia Silge), MIT",
    ),
    Entry(
        "moons",
        "points",
        "two half circles that reach into each other, points in the plane of known density",
        (Computed("moons"),),
        "MIT, as this project",
    ),
    Entry(
        "thin_moons",
        "points",
        "the two half circles with half the noise, as the book draws them, of known density",
        (Computed("thin_moons"),),
        "MIT, as this project",
    ),
    Entry(
        "rings",
        "points",
        "three circles about one centre, points in the plane of known density",
        (Computed("rings"),),
        "MIT, as this project",
    ),
    Entry(
        "map",
        "points",
        "points of the Earth's land on a map, Antarctica left out, of known density",
        (Computed("map"),),
        "public domain; Natural Earth, by way of world-atlas (ISC; Michael Bostock)",
    ),
    Entry(
        "cellosuites",
        "music",
        "Bach's six cello suites, 36 MIDI files",
        (cello_suites(),),
        "the music is in the public domain; sequenced for jsbach.net",
    ),
    Entry(
        "chorales",
        "music",
        "Bach's four-part chorales in sixteenth notes, Jsb16thSeparated.json",
        (chorales(),),
        "the music is in the public domain; Boulanger-Lewandowski et al. 2012, voices by czhuang/JSB-Chorales-dataset",
    ),
)


def catalogue():
    """All data sets that have a name, as a list of `Entry`."""
    return list(_ENTRIES)


def find(name):
    """The entry for what a user typed: a name, a folder or file, `kaggle:OWNER/SLUG`, `tfds:NAME`, or `kaggle`.

    What a folder or file holds is found by looking; `text:PATH` and the like insist on a kind.

    Raises:
        InputError: there is no such data set; the known names that look like it are told.
    """
    name = str(name)
    by_name = {entry.name: entry for entry in _ENTRIES}
    if not name.strip():
        raise InputError("The name of a data set is empty: gdl data list shows the names.")
    if name in by_name:
        return by_name[name]
    kind, insists, rest = name.partition(":")
    if insists and kind in HOLDS:
        return _insisted(name, kind, rest)
    if name == "kaggle":
        return find(f"kaggle:{_kaggle_from_environment()}")
    if name.startswith("kaggle:"):
        return _of_kaggle(name, "images", name.removeprefix("kaggle:"))
    if name.startswith("tfds:"):
        source = TFDS(name.removeprefix("tfds:"))
        summary = f"{source.name} of TensorFlow Datasets"
        return _of_others(name, "images", summary, source, "see its page at tensorflow.org/datasets")
    if name.startswith((".", "~", "/")) or Path(name).exists():
        return _of_path(name, kind_of(resolved(name)), name)
    raise InputError(f"There is no data set {name!r}, and no folder of that name.  {nearest(name, by_name)}")


def _insisted(name, kind, rest):
    if rest.startswith("kaggle:"):
        return _of_kaggle(name, kind, rest.removeprefix("kaggle:"))
    if not rest.strip():
        raise InputError(f"{name!r} names nothing: write {kind}:PATH, the path of {HOLDS[kind]}.")
    return _of_path(name, kind, rest)


def _of_path(name, kind, path):
    source = Folder(path) if kind == "images" else Local(path, HOLDS[kind])
    refuse_archive(source.path)
    what = "file" if source.path.is_file() else "folder"
    return _of_others(name, kind, f"a {what} of {kind}", source, "yours", image_size=64)


def _of_kaggle(name, kind, slug):
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", slug):
        raise InputError(
            f"{name!r} is not of the form kaggle:OWNER/SLUG, the end of the address of its page on Kaggle."
        )
    return _of_others(name, kind, f"{slug} on Kaggle", Kaggle(slug), _KAGGLE_TERMS, image_size=64)


def _of_others(name, kind, summary, source, licence, image_size=None):
    return Entry(name, kind, summary, (source,), licence, image_size=image_size, how="crop")


def _kaggle_from_environment():
    read_env_file()
    owner, slug = os.environ.get("KAGGLE_DATASET_USER"), os.environ.get("KAGGLE_DATASET")
    if not owner or not slug:
        raise InputError(
            "The data set `kaggle` is the one that KAGGLE_DATASET_USER and KAGGLE_DATASET name: "
            "set both (in the environment or in .env), or write kaggle:OWNER/SLUG."
        )
    return f"{owner}/{slug}"
