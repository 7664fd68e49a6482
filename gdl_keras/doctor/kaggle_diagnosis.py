"""Whether Kaggle's key is at hand."""

import shlex

from gdl_keras.doctor.finding import Finding, Level

KAGGLE_PAGE = "kaggle.com/settings"
WRITE_KEY = "echo 'KAGGLE_API_TOKEN=YOUR_TOKEN' >> .env"


def about_kaggle(facts):
    """A key is a convenience: nothing but five data sets needs it.  It is never shown."""
    file = facts.key_file
    if facts.kaggle_key == "whole":
        yield Finding(Level.OK, "Kaggle key found (not tried)")
    elif facts.kaggle_key == "half":
        yield Finding(
            Level.NOTE,
            "half a Kaggle key: KAGGLE_USERNAME and KAGGLE_KEY belong together, and one of them is missing",
            f"Both are in the file kaggle.json that {KAGGLE_PAGE} gives; a KAGGLE_API_TOKEN alone does, too."
            + _where(facts),
            WRITE_KEY,
        )
    elif facts.kaggle_key == "none":
        yield Finding(
            Level.NOTE,
            "no Kaggle key",
            f"Only faces, bricks, recipes, flowers and wines need one.  Make it at {KAGGLE_PAGE}." + _where(facts),
            WRITE_KEY,
        )
    elif facts.kaggle_key == "locked":
        yield Finding(
            Level.WRONG,
            f"{file} cannot be read",
            "Kaggle's key is looked for there, and the file or its folder is another user's or closed to all.",
            f'sudo chown "$USER" {shlex.quote(file)} && chmod u+r {shlex.quote(file)}',
        )
    elif facts.kaggle_key == "garbled":
        name = shlex.quote(file)
        yield Finding(
            Level.WRONG,
            f"{file} is not text in UTF-8",
            "Windows's PowerShell, for one, writes UTF-16 with >>.  This keeps the plain letters and drops the rest.",
            f"LC_ALL=C tr -cd '\\11\\12\\15\\40-\\176' < {name} > {name}.new && mv {name}.new {name}",
        )


def _where(facts):
    """A container's own files end with it, so the key is written where the container is started."""
    if facts.machine.place != "container":
        return ""
    return (
        "  Write it on the host, beside compose.yaml, which hands it on; to docker run give "
        "--env-file .env -e GDL_DATA_DIR=/data."
    )
