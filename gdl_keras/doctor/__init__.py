"""What this machine has, and what is missing: `gdl doctor`.

Looking and judging are apart: `look` gathers `Facts`, `diagnose` says what they mean.  What takes more than a
command is told by docs/troubleshooting.md, and the finding names the section.
"""

from pathlib import Path

from gdl_keras.doctor.diagnosis import WRONG, Finding, diagnose
from gdl_keras.doctor.facts import Facts, look

__all__ = ["Facts", "Finding", "diagnose", "examine", "look"]


def examine(gpu=False):
    """Every `Finding` about this machine; with `gpu`, whatever keeps a GPU from working is wrong."""
    try:
        Path.cwd()
    except FileNotFoundError:
        what = "the folder in which this shell stands no longer exists"
        return [Finding(WRONG, what, "It was deleted or moved away: nothing can be started from here.", "cd ~")]
    return diagnose(look(compute=gpu), gpu)
