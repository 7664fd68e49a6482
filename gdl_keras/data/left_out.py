"""What a data set leaves out of the reader's files: how many, and why."""

from collections import Counter
from pathlib import PurePath

from gdl_keras.data.notices import say

SHOWN = 4  # suffixes that a reason names


class LeftOut:
    """Names of files by the reason for which they are left out, in the order in which the reasons came up.

    Attributes:
        names: {reason: list of str}; a reason goes on from a number: "3 hidden".
    """

    def __init__(self, names=None):
        self.names = {reason: list(some) for reason, some in (names or {}).items()}

    def add(self, reason, names):
        """Notes that files with these names are left out; none is no reason."""
        if names := list(map(str, names)):
            self.names.setdefault(reason, []).extend(names)

    def add_others(self, files):
        """Notes files that are left out because nothing reads their format, which their suffixes tell."""
        files = list(map(str, files))
        suffixes = Counter(PurePath(file).suffix.lower() or "no suffix" for file in files)
        shown = [suffix for suffix, _ in suffixes.most_common(SHOWN)] + ["others"] * (len(suffixes) > SHOWN)
        self.add(f"of a format that is not read here ({', '.join(shown)})", files)

    def add_damaged(self, pairs):
        """Notes examples that cannot be read: pairs of a name and why, "damaged: ..." """
        for name, reason in pairs:
            self.add(reason.split(":")[0], [name])

    def counts(self):
        """{reason: how many}."""
        return {reason: len(names) for reason, names in self.names.items()}

    def tell(self, name):
        """Prints what is left out of the data set `name`, in one line; nothing where nothing is."""
        if self.names:
            say(f"{name}: left out: {told(self.counts())}.")


def told(counts):
    """What `LeftOut.counts` gives as text: "3 hidden; 1 ..."."""
    return "; ".join(f"{count:,} {reason}" for reason, count in counts.items())


def printable(name):
    """A name of a file as text: bytes that are no UTF-8 are written as \\xe9."""
    return str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
