"""Makes the models that come along out of finished runs, and the table of them in docs/pretrained.md.

    gdl run 04_gan/05_hinge_gan --out runs/hinge && gdl evaluate runs/hinge
    python scripts/make_pretrained.py runs/hinge
    python scripts/make_pretrained.py --repack     those that are there, with numbers that stay to the bit

Optimizers stay behind.  Weights are halved to float16 where images of the same seed stay within one level of 255, but
for one number in a thousand (everything else, where it stays the same), and packed.  One that is there is replaced.
"""

import argparse
import io
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from gdl_keras import data, load, pretrained
from gdl_keras.errors import InputError
from gdl_keras.files import whole_file, whole_folder, write_json, write_text
from gdl_keras.reports import account_of
from gdl_keras.reports.account import NOT_COMPARED
from gdl_keras.reports.words import told, word

PAGE = Path(__file__).resolve().parent.parent / "docs" / "pretrained.md"
MOST_BYTES = 25_000_000
# Fewer bytes than this are not worth a new order.
SMALL = 4_000
LEFT_OUT = {*NOT_COMPARED} - {"data"}
# The first ones of these that were measured stand in the table.
TELLING = (
    "frechet_classifier_distance",
    "kernel_classifier_distance",
    "share_as_asked",
    "nats",
    "bits_per_dim",
    "bits_per_character",
    "nats_per_token",
)


def main(runs, repack=False):
    for run in runs:
        ship(run)
    for file in sorted(pretrained.FOLDER.glob("*/*/model.keras")) if repack else ():
        with whole_file(file) as partial:
            partial.write_bytes(packed(file))
    write_text(PAGE, page())
    size = sum(path.stat().st_size for path in pretrained.FOLDER.glob("*/*/*"))
    print(f"{PAGE}: {len(pretrained.names())} models, {size / 1e6:.1f} MB")
    if size > MOST_BYTES:
        raise InputError(f"All of them take {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}.")


def ship(run):
    """Puts what is needed of a run into the package."""
    account = account_of(run)
    if not (Path(run) / "model.keras").is_file():
        raise InputError(f"{run} has not come to its end.")
    folder = pretrained.FOLDER / account.settings["chapter"]
    with whole_folder(folder) as partial:
        write_json(partial / "config.json", {k: v for k, v in account.settings.items() if k not in LEFT_OUT})
        write_json(partial / "environment.json", {"packages": account.environment["packages"]})
        write_json(partial / "metrics.json", account.metrics)
        if account.history:
            shutil.copy(Path(run) / "history.csv", partial)
        kind, largest = write_model(run, partial / "model.keras")
        shutil.rmtree(folder, ignore_errors=True)  # only now, when there is another to take its place
    size = (folder / "model.keras").stat().st_size
    print(f"{account.settings['chapter']}: {size / 1e3:,.0f} kB, {kind}; samples move by {largest:.2g}")


def write_model(run, path):
    """Writes a run's model without its optimizers: (type of the numbers, the `difference` to samples)."""
    model = load(run)
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.keras"
        copy = type(model).from_config(model.get_config())
        copy.load_weights(Path(run) / "model.keras")
        copy.save(bare)
        before = answers(model)
        for kind, bound in (("float16", 1 / 255 if np.asarray(before).dtype.kind == "f" else 0), ("float32", 0)):
            path.write_bytes(packed(bare, kind))
            moved = difference(before, answers(load(path)))
            if moved <= bound:
                return kind, moved
    raise InputError(f"The model of {run} is another one once it is written and read.")


def answers(model):
    """What a model makes, of a seed; of one that makes nothing, what it says about noise."""
    if hasattr(model, "generate"):
        return model.generate(16, seed=7, **model.conditions.in_turn(16))
    noise = np.random.default_rng(0).random((16, *model.input_signature.shape[1:]), dtype="float32")
    return model.predict(noise, verbose=0)


def difference(first, second):
    """What 999 of a thousand numbers of two arrays differ by at most; of lists, how many of their entries differ."""
    if isinstance(first, list):
        return sum(a != b for a, b in zip(first, second, strict=True))
    return float(np.quantile(np.abs(np.asarray(first, "float64") - np.asarray(second, "float64")), 0.999))


def packed(file, kind="float32"):
    """A `.keras` file with its float32 numbers as `kind`, others as they are, each part of it packed: bytes."""
    import h5py

    whole = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith(".h5"):
                numbers = io.BytesIO()
                with h5py.File(io.BytesIO(content)) as old, h5py.File(numbers, "w") as new:
                    copy_numbers(old, new, kind)
                content = numbers.getvalue()
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    return whole.getvalue()


def copy_numbers(old, new, kind):
    """A group of an HDF5 file and all in it, float32 numbers as `kind`, and in an order that packs well."""
    new.attrs.update(old.attrs)
    for name, item in old.items():
        if hasattr(item, "shape"):
            values = item[()]
            values = values.astype(kind) if item.dtype == np.float32 else values
            # All first bytes of the numbers, then all second ones: signs and exponents are alike, and pack well.
            shuffled = {"chunks": values.shape, "shuffle": True} if values.nbytes > SMALL else {}
            new.create_dataset(name, data=values, **shuffled).attrs.update(item.attrs)
        else:
            copy_numbers(item, new.create_group(name), kind)


def page():
    """docs/pretrained.md."""
    rows = [row(account_of(pretrained.FOLDER / name), name) for name in pretrained.names()]
    return "\n".join(
        [
            "# Models that come along",
            "",
            "Trained on processors by `gdl run NAME`, in the preset `cpu`; `python scripts/make_pretrained.py RUN`",
            "made them, and this table. Its numbers are those that `gdl evaluate` had of the run, before weights were",
            "rounded to float16 where samples hardly move. `gdl sample NAME`, `gdl evaluate NAME`,",
            '`gdl animate NAME --walk`, `gdl report NAME` and `gdl_keras.load("NAME")` take them by the names of their',
            "programs; `gdl run NAME --from pretrained` draws the pictures of the program without training it. They",
            "are small models of small data: made to look at, not to build on.",
            "",
            "| program | learnt from | its licence | measured: value ± error (floor) | size |",
            "|---|---|---|---|---|",
            *[f"| {' | '.join(cells)} |" for cells in rows],
            "",
        ]
    )


def row(account, name):
    """What the table says of a model: list of str."""
    known = data.info(account.settings["dataset"])
    metrics = account.evaluation.get("metrics", {})
    measured = [f"{metric} {told(metrics[metric])}" for metric in TELLING if metric in metrics][:2]
    numbers = [f"{number} {word(value)}" for number, value in account.numbers.items()]
    size = (account.folder / "model.keras").stat().st_size
    licence = known["licence"].replace("|", "/")
    return [f"`{name}`", f"`{known['name']}`", licence, "; ".join(measured or numbers[:2]), f"{size / 1e3:,.0f} kB"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*", metavar="RUN", help="folder of a run; none: the table alone")
    parser.add_argument("--repack", action="store_true", help="pack those that are there anew")
    main(**vars(parser.parse_args()))
