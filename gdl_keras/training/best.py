"""Which epoch of a run was the best."""

import math


class Best:
    """Which epoch was the best by the number that `--every` follows: the smaller, the better.

    Args:
        found: what a checkpoint says of it: {"epoch", "by": name of the number, "value"}, or None.
        following: list of `kinds.Follow`, one, or none where nothing is followed.

    Attributes:
        found: the same, up to now.
    """

    def __init__(self, found, following):
        self.found = found
        self.following = following

    def look(self, line):
        """Takes a line of the history, {name: number}, into account."""
        for by in (follow.decides for follow in self.following):
            # What is not a number is no better than anything, nor is anything better than it.
            if by in line and not math.isnan(line[by]) and (self.found is None or line[by] < self.found["value"]):
                self.found = {"epoch": line["epoch"], "by": by, "value": line[by]}
