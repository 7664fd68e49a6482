"""Unpacks zip archives that come from elsewhere, and trusts nothing in them."""

import shutil
import stat
import zipfile
import zlib
from pathlib import PurePosixPath

from gdl_keras.data.notices import bar
from gdl_keras.errors import InputError, RunError


def unpack(archive, folder):
    """Unpacks the zip file `archive` into the existing `folder`.  A damaged or refused archive is removed.

    Raises:
        InputError: a member would land outside the folder, or is a link.
        RunError: the archive is damaged, or its content does not fit on the disk.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = content.infolist()
            for member in members:
                _check_place(member, archive)
            _check_room(members, archive, folder)
            for member in bar(members, desc="unpacking", unit=" files"):
                content.extract(member, folder)
    except InputError:
        archive.unlink()
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, RunError):
            raise
        archive.unlink(missing_ok=True)
        raise RunError(
            f"{archive.name} is damaged ({error}) and was removed: run the same command again to fetch it anew."
        ) from error


def _check_place(member, archive):
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
        raise InputError(
            f"{archive.name} was refused and removed: its member {member.filename!r} would land outside its folder."
        )
    # The upper half of the attributes is what Unix calls the mode of a file.
    if stat.S_ISLNK(member.external_attr >> 16):
        raise InputError(f"{archive.name} was refused and removed: its member {member.filename!r} is a link.")


def _check_room(members, archive, folder):
    # zipfile reads no more than a member declares, so what is declared bounds what is written.
    needed, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if needed > free:
        raise RunError(
            f"{archive.name} unpacks to {needed / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free: "
            "free some space, or set GDL_DATA_DIR to a larger disk, and run the same command again."
        )
