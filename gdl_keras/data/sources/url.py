"""Plain files of the web: all that belong together, or none."""

import json

from gdl_keras.data.notices import bar
from gdl_keras.data.paths import only_one, raw_folder, replaced_folder
from gdl_keras.errors import RunError

TIMEOUT = (10, 60)  # seconds to connect, and without a byte


class Files:
    """Some files of one site.

    Args:
        name: of the data set.
        address: of the folder on the web.
        names: of the files in it.
        check: a function of a file's content (bytes) that raises ValueError where that cannot be the file.
    """

    needs_network = True

    def __init__(self, name, address, names, check):
        self.name, self.address, self.names, self.check = name, address, names, check
        self.phrase = address

    def is_here(self):
        return raw_folder(self.name).is_dir()

    def fetch(self, force=False):
        """Downloads all files, unless that was done before.

        Raises:
            RunError: the network failed, or what arrived is not the file.
        """
        folder = raw_folder(self.name)
        with only_one(self.name):
            if self.is_here() and not force:
                return folder
            with replaced_folder(folder) as partial:
                for name in bar(self.names, desc=f"downloading {self.name}", unit=" files"):
                    (partial / name).write_bytes(self._download(name))
        return folder

    def _download(self, name):
        import requests

        address = f"{self.address}/{name}"
        try:
            # Not compressed on the way, so that the length announced is the length of the file.
            answer = requests.get(address, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
            answer.raise_for_status()
        except requests.exceptions.HTTPError as error:
            raise RunError(
                f"{address} answered with the error {error.response.status_code}: try again later."
            ) from None
        except requests.exceptions.RequestException as error:
            raise RunError(
                f"{address} could not be fetched ({type(error).__name__}): no network, or the download was cut off.  "
                "Run the same command again."
            ) from None
        try:
            self.check(answer.content)
        except ValueError as error:
            raise RunError(f"{address} gave something else than expected ({error}): try again later.") from None
        return answer.content


def cello_suites():
    """Bach's six suites for cello, a MIDI file a movement."""
    galanteries = ("men", "men", "bou", "bou", "gav", "gav")
    movements = [("pre", "all", "cou", "sar", galanterie, "gig") for galanterie in galanteries]
    names = [
        f"cs{suite}-{number}{movement}.mid"
        for suite, names in enumerate(movements, start=1)
        for number, movement in enumerate(names, start=1)
    ]
    return Files("cellosuites", "http://www.jsbach.net/midi", names, check_midi)


def chorales():
    """The chorales as JSON; the `.npz` beside it that the book takes holds pickles, which could run any code."""
    address = "https://github.com/czhuang/JSB-Chorales-dataset/raw/master"
    return Files("chorales", address, ["Jsb16thSeparated.json"], check_chorales)


def check_midi(content):
    """Raises where a download is no MIDI file, which begins with the four letters MThd."""
    if not content.startswith(b"MThd"):
        raise ValueError("not a MIDI file")


def check_chorales(content):
    """Three lists of chorales, each a list of steps of four voices."""
    try:
        chorales = json.loads(content)
        whole = all(
            len(step) == 4 for part in ("train", "valid", "test") for chorale in chorales[part] for step in chorale
        )
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise ValueError("not JSON of chorales in four voices")
