"""What this machine has, and what is missing: `gdl doctor`.

Looking and judging are apart: `look` gathers `Facts`, `diagnose` says what they mean.  Neither imports TensorFlow: that
is asked in a process of its own, so that one that cannot start, crashes or hangs becomes a finding.
"""

from pathlib import Path

from gdl_keras.doctor.diagnosis import diagnose
from gdl_keras.doctor.facts import Facts
from gdl_keras.doctor.finding import Finding, Level
from gdl_keras.doctor.looking import look
from gdl_keras.doctor.space_diagnosis import HERE_IS_GONE

__all__ = ["Facts", "Finding", "Level", "diagnose", "examine", "look"]


def examine(gpu=False):
    """Every `Finding` about this machine; with `gpu`, whatever keeps a GPU from working is wrong."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return [HERE_IS_GONE]
    return diagnose(look(compute=gpu), gpu)
