"""Whether there is room: memory, disk, and the right to write."""

from gdl_keras.doctor.finding import Finding, Level
from gdl_keras.doctor.installing import install

MEMORY_GB = 2
AVAILABLE_GB = 1.5
DATA_GB = 5
RUNS_GB = 1
LARGER_DISK = "/A_FOLDER/ON_A_LARGER_DISK"
HERE_IS_GONE = Finding(
    Level.WRONG,
    "the folder in which this shell stands no longer exists",
    "It was deleted or moved away, so that nothing can be looked at or started from here.",
    "cd ~",
)


def about_memory(facts):
    """What may be used at all decides; what is free just now is a note, since a run may be using the rest."""
    space = facts.space
    total = space.total if space.limit is None else space.limit
    if total is None:
        return
    limit = "" if space.limit is None else ", the limit of this container or service"
    if total < MEMORY_GB:
        yield Finding(
            Level.WRONG,
            f"too little memory: {total:.1f} GB{limit}",
            f"TensorFlow and a small model take 1 GB, and data comes on top: {MEMORY_GB} GB are the least.",
            "gdl run CHAPTER --batch-size 16" if space.limit is None else "docker run --memory 8g IMAGE",
        )
    elif space.available is not None and space.available < AVAILABLE_GB:
        yield Finding(
            Level.NOTE,
            f"only {space.available:.1f} of {space.total:.0f} GB of memory are free",
            "Other programs use the rest; a run may be stopped by the system.",
            "ps -eo pid,rss,comm --sort=-rss | head",
        )
    else:
        yield Finding(Level.OK, f"memory: {total:.0f} GB{limit}")


def about_folders(facts):
    """The folder of all data, and the one that `gdl run` writes to from here."""
    if facts.data is None and facts.machine.system == "Windows":
        return  # said before: nothing of this runs there
    if facts.data is None:
        yield Finding(
            Level.WRONG,
            "the data folder cannot be looked at",
            f"A package is missing: {facts.data_error}",
            install(facts, "-r requirements.txt"),
        )
    elif not facts.data.is_writable:
        yield _unwritable(facts, facts.data, "the data folder", "export GDL_DATA_DIR=~/gdl_data")
    elif facts.data.free < DATA_GB:
        why = f"The larger data sets need {DATA_GB} GB to be fetched, unpacked and prepared."
        yield _full(facts, facts.data, "the data folder", why, f"export GDL_DATA_DIR={LARGER_DISK}")
    else:
        yield Finding(Level.OK, f"data folder {facts.data.path}, {facts.data.free:.0f} GB free")
    if not facts.runs.is_writable:
        yield _unwritable(facts, facts.runs, "the folder for runs", "cd ~")
    elif facts.runs.free < RUNS_GB:
        why = "Each run keeps its pictures and its model there, and a checkpoint beside the one before it."
        yield _full(facts, facts.runs, "the folder for runs", why, f"cd {LARGER_DISK}")


def _unwritable(facts, folder, name, command):
    if folder.obstacle:
        what = f"{name}, {folder.path}, cannot be used: {folder.obstacle} is no folder"
        return Finding(Level.WRONG, what, "It is a file, or a link that leads nowhere.", command)
    what = f"{name}, {folder.path}, cannot be written"
    if facts.machine.place == "container":
        why = (
            "A folder of the host is mounted there that does not belong to the image's user, number 1000; or this was "
            "started as another user, with --user, whose volumes these are not."
        )
        return Finding(Level.WRONG, what, why, "sudo chown -R 1000 FOLDER")
    return Finding(Level.WRONG, what, "It belongs to another user.", command)


def _full(facts, folder, name, why, command):
    if facts.machine.place == "container":
        command = f"docker run -v {LARGER_DISK}:{folder.path} IMAGE"
    return Finding(Level.WRONG, f"too little disk: {folder.free:.1f} GB free in {name}, {folder.path}", why, command)
