"""What the doctor says of one thing."""

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How much a finding matters, and how it is marked."""

    OK = "ok"
    NOTE = "--"  # worth knowing; the chapters run
    WRONG = "!!"  # something does not work that should


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: how much it matters.
        what: what is the case, in a line.
        why: where it comes from or what follows from it.
        command: the one command that mends it.
    """

    level: Level
    what: str
    why: str = ""
    command: str = ""

    @property
    def is_wrong(self):
        return self.level is Level.WRONG

    def __str__(self):
        more = [self.why] * bool(self.why) + [f"Run: {self.command}"] * bool(self.command)
        return "\n     ".join([f"[{self.level.value}] {self.what}", *more])


def listed(names):
    """ "A", "A and B", or "2 x A"."""
    counted = {name: list(names).count(name) for name in names}
    shown = [name if count == 1 else f"{count} x {name}" for name, count in counted.items()]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
