"""Data sets of Kaggle, by its own client, which also knows how to go on with an interrupted download."""

import contextlib
import io
import os
import shutil
from pathlib import Path

from gdl_keras.data.notices import say
from gdl_keras.data.paths import file_name, home, only_one, raw_folder, replaced_folder
from gdl_keras.data.sources.archive import unpack
from gdl_keras.data.sources.folder import Folder
from gdl_keras.errors import GDLError, InputError, RunError

NO_KEY = (
    "Kaggle asks for a key, and none was found.  Make one at kaggle.com/settings and give it in one of three ways: the "
    "variable KAGGLE_API_TOKEN, or KAGGLE_USERNAME with KAGGLE_KEY, in the environment or in a file .env; or the file "
    "~/.kaggle/kaggle.json.  A folder of your own images (--dataset ./folder) needs no key."
)


def read_env_file():
    """Adds the variables KAGGLE_... of the nearest `.env`, from the current folder upward, to the environment.

    Nothing else of it: what is set midway through a run, such as another data folder, would tear the run apart.

    Raises:
        InputError: there is such a file, and it cannot be read.
    """
    from dotenv import dotenv_values, find_dotenv

    path = find_dotenv(usecwd=True)
    try:
        values = dotenv_values(path) if path else {}
        if any("\0" in name for name in values):
            raise ValueError("text of two bytes a letter")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as text in UTF-8: `gdl doctor` says how to mend it.") from error
    for name, value in values.items():
        if name.startswith("KAGGLE_") and value:
            os.environ.setdefault(name, value)


def has_key():
    """Whether a key is at hand, of whatever kind; it is not tried."""
    read_env_file()
    if os.environ.get("KAGGLE_API_TOKEN") or (os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY")):
        return True
    # Where nobody knows the home folder, expanduser leaves ~ as it is, and there is nothing of that name.
    config = os.environ.get("XDG_CONFIG_HOME", "~/.config")
    folders = [Path(os.path.expanduser(folder)) for folder in ("~/.kaggle", f"{config}/kaggle")]
    if os.environ.get("KAGGLE_CONFIG_DIR"):
        folders.append(Path(os.environ["KAGGLE_CONFIG_DIR"]))
    names = ("kaggle.json", "access_token", "access_token.txt", "credentials.json")
    return any((folder / name).is_file() for folder in folders for name in names)


class Kaggle:
    """The data set OWNER/SLUG.  Its files are kept unpacked; images anywhere among them are the data."""

    needs_network = True

    def __init__(self, slug):
        self.slug = slug
        self.phrase = f"Kaggle's data set {slug}"

    @property
    def folder(self):
        return raw_folder(f"kaggle-{self.slug}")

    def is_here(self):
        return self.folder.is_dir()

    def open(self, split):
        return Folder(self.fetch(), look_beside=False).open(split)

    def fetch(self, force=False):
        """Downloads and unpacks, unless that was done before.

        Raises:
            InputError: no key, a wrong one, terms not accepted, or no such data set.
            RunError: the network failed (what has arrived is kept), or the archive is damaged.
        """
        with only_one(self.folder.name):
            if self.is_here() and not force:
                return self.folder
            downloads = home() / "downloads" / file_name(self.slug)
            with replaced_folder(self.folder) as partial:
                archive = self._download(downloads, force)
                unpack(archive, partial)
            shutil.rmtree(downloads)
        return self.folder

    def _download(self, downloads, force):
        import requests

        archive = downloads / f"{self.slug.split('/')[1]}.zip"
        begun = archive.exists() and archive.stat().st_size > 0 and not force
        try:
            # The client writes advice to stdout, which is for results, and with it parts of addresses that are secret.
            with contextlib.redirect_stdout(io.StringIO()):
                client = _client()  # which says where there is no key
                say(f"Downloading {self.slug} from Kaggle" + (", going on where it stopped" if begun else ""))
                client.dataset_download_files(self.slug, path=str(downloads), quiet=False, force=force)
        except GDLError:
            raise
        except requests.exceptions.HTTPError as error:
            raise self._explained(error.response) from None
        except (requests.exceptions.RequestException, ValueError) as error:
            raise RunError(
                f"The download of {self.slug} from Kaggle failed ({type(error).__name__}): no network, or cut off.  "
                "Whatever has arrived is kept, and the same command goes on from there."
            ) from None
        return archive

    def _explained(self, response):
        status = response.status_code if response is not None else 0
        if status == 401:
            return InputError("Kaggle refused the key: make a new one at kaggle.com/settings and give that.")
        if status == 403:
            return InputError(
                f"Kaggle refuses {self.slug}: the key is wrong, the data set is private, or its terms must first be "
                f"accepted on kaggle.com/datasets/{self.slug}."
            )
        if status == 404:
            return InputError(f"Kaggle has no data set {self.slug}: check it at kaggle.com/datasets/{self.slug}.")
        return RunError(f"Kaggle answered with the error {status}: try again later.")


def _client():
    read_env_file()
    # Imported late: the package logs in, and may use the network, when it is imported.
    from kaggle.api.kaggle_api_extended import KaggleApi

    client = KaggleApi()
    try:
        client.authenticate()
    except SystemExit:
        if os.environ.get("KAGGLE_API_TOKEN"):
            raise InputError(
                "Kaggle does not know the token in KAGGLE_API_TOKEN: make a new one at kaggle.com/settings."
            ) from None
        raise InputError(NO_KEY) from None
    return client
