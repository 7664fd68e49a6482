"""Which epoch of a run was the best."""


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
            if by in line and (self.found is None or line[by] < self.found["value"]):
                self.found = {"epoch": line["epoch"], "by": by, "value": line[by]}
