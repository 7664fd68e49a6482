"""Folders with images by name alone and with tables, and what is read of these."""

from gdl_keras.data.sources.attributes import read_tables

SIX = [f"{number}.png" for number in range(6)]
SPLITS = [f"{split}/{number}.png" for split in ("train", "test") for number in range(4)]
CAT_OR_DOG = [["dog", "cat"][number % 2] for number in range(6)]


def made(folder, tables, images=SIX, encoding="utf-8"):
    """Writes files that are images by name alone, and tables; returns the paths of both."""
    for name in images:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name, content in tables.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return [folder / name for name in tables], [folder / name for name in images]


def read(folder, tables, images=SIX, encoding="utf-8", **splits):
    splits = {split: folder / name for split, name in splits.items()}
    return read_tables(*made(folder, tables, images, encoding), **splits)


def values(description, folder, images=SIX):
    """The first attribute of each image, a list of numbers."""
    return [description.attributes(folder / name)[0].item() for name in images]


def classes(description, folder, images=SIX):
    labels = [description.label(folder / name) for name in images]
    return [None if label is None else description.class_names[label] for label in labels]


def lines(*rows):
    return "\n".join(rows) + "\n"
