"""Puts the programs of chapters/ into the wheel, where `gdl` finds them; all else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithPrograms(build_py):
    """Copies the programs, without their notebooks, to gdl_keras/programs in the wheel."""

    def run(self):
        super().run()
        if not self.editable_mode:  # then they are found where they lie
            programs = Path(self.build_lib) / "gdl_keras" / "programs"
            shutil.rmtree(programs, ignore_errors=True)
            for program in sorted((ROOT / "chapters").glob("*/*/*.py")):
                copy = programs / program.relative_to(ROOT / "chapters")
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(program, copy)


setup(cmdclass={"build_py": BuildWithPrograms})
