"""constraints.txt holds all that the scripts and the image install, whatever others have released since.

What a pinned version asks for in turn is read here only where that very version is installed: it never changes.
"""

import runpy
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.test_docker import those

ROOT = Path(__file__).resolve().parent.parent
RENEWAL = runpy.run_path(str(ROOT / "scripts" / "renew_constraints.py"))
PYTHONS = RENEWAL["PYTHONS"]
MACHINES = (("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def requirements(lines):
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def lines_of(name):
    return (ROOT / name).read_text().splitlines()


def asked_for():
    """All that requirements.txt, every extra, the building of the project, and the Dockerfile ask pip for."""
    named = [*lines_of("requirements.txt"), *PROJECT["build-system"]["requires"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        named += extra
    return requirements([one for one in named if not one.startswith("gdl-keras")] + asked_for_by_the_image())


def asked_for_by_the_image():
    """The packages that the Dockerfile names itself, that of its argument included."""
    (install,) = (rest for rest in those("RUN") if "--requirement" in rest)
    words = [word for command in install.split("&&") for word in command.split("pip install")[1].split()]
    files = [words[i + 1] for i, word in enumerate(words) if word in ("--constraint", "--requirement")]
    named = [word for word in words if not word.startswith("-") and word not in files]
    (tensorflow,) = (rest.split("=", 1)[1] for rest in those("ARG") if rest.startswith("TENSORFLOW="))
    return [tensorflow if word == '"${TENSORFLOW}"' else word for word in named]


def kept_by(pins, environment):
    """{name: version} of the pins that hold in an environment."""
    held = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(environment)]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in held}


def not_pinned(asked, pins, asked_in_turn, environment):
    """What is asked for, directly or in turn, and has no pin that fits.

    Args:
        asked: `Requirement`s.
        pins: {name: version}.
        asked_in_turn: (name, version) -> lines of requirements, none where they cannot be known.
        environment: {variable of markers: value}.
    """
    ahead, seen, missing = [(one, {""}) for one in asked], set(), []
    while ahead:
        wanted, extras = ahead.pop()
        marker, name = wanted.marker, canonicalize_name(wanted.name)
        if (marker and not any(marker.evaluate(environment | {"extra": extra}) for extra in extras)) or wanted in seen:
            continue
        seen.add(wanted)
        if name not in pins or not wanted.specifier.contains(pins[name], prereleases=True):
            missing.append(str(wanted))
        else:
            ahead += [(one, {"", *wanted.extras}) for one in requirements(asked_in_turn(name, pins[name]))]
    return missing


def pinned_distribution(name, version):
    """What is installed of a package, None unless it is this version."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return found if found.version == version else None


def asked_by_installed(name, version):
    found = pinned_distribution(name, version)
    return (found.requires if found else None) or []


@pytest.mark.parametrize("machine", MACHINES, ids="-".join)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_package_is_pinned(python, machine):
    names = ("sys_platform", "platform_system", "platform_machine", "python_version", "python_full_version")
    environment = dict(zip(names, (*machine, python, f"{python}.0")))
    pins = kept_by(requirements(lines_of("constraints.txt")), environment)
    assert not_pinned(asked_for(), pins, asked_by_installed, environment) == []


@pytest.mark.parametrize("python", PYTHONS)
def test_the_first_release_of_each_python_is_enough(python):
    """Debian 12 has Python 3.11.2, and TensorFlow's image may have an older one."""
    pins = kept_by(requirements(lines_of("constraints.txt")), {"python_version": python})
    found = {name: pinned_distribution(name, version) for name, version in pins.items()}
    ranges = {name: one.metadata.get("Requires-Python", "") for name, one in found.items() if one}
    assert [name for name, wanted in ranges.items() if f"{python}.0" not in SpecifierSet(wanted)] == []


def test_the_pythons_are_those_of_the_project():
    wanted = SpecifierSet(PROJECT["project"]["requires-python"])
    assert [f"3.{minor}" for minor in range(30) if f"3.{minor}.0" in wanted] == list(PYTHONS)


def test_a_package_without_its_pin_is_found():
    world = {
        "kaggle": ["kagglesdk>=0.1.38", "only_there; sys_platform == 'plan9'", "more; extra == 'all'"],
        "kagglesdk": ["Under.Score<2"],
        "under-score": ["kaggle"],
    }

    def missing(line, **pins):
        named = {name.replace("_", "-"): version for name, version in pins.items()}
        return not_pinned(requirements([line]), named, lambda name, _: world[name], {"sys_platform": "linux"})

    assert missing("kaggle", kaggle="2.2.5", kagglesdk="0.1.38", under_score="1.9") == []
    assert missing("kaggle", kaggle="2.2.5", kagglesdk="0.1.37", under_score="1.9") == ["kagglesdk>=0.1.38"]
    assert missing("kaggle", kaggle="2.2.5", kagglesdk="0.1.38") == ["Under.Score<2"]
    assert missing("kaggle[all]", kaggle="2.2.5", kagglesdk="0.1.38", under_score="1.9") == ['more; extra == "all"']
    assert missing("kaggle>=3", kaggle="2.2.5") == ["kaggle>=3"]


def test_what_another_version_asks_for_does_not_count():
    version = distribution("keras").version
    assert any(line.startswith("numpy") for line in asked_by_installed("keras", version))
    assert asked_by_installed("keras", f"{version}.post1") == [] == asked_by_installed("surely-missing", "1")


def test_the_list_is_as_its_script_writes_it():
    """So that a renewal changes versions and nothing else."""
    text = (ROOT / "constraints.txt").read_text()
    assert text.startswith(RENEWAL["HEADER"])
    lines = text.removeprefix(RENEWAL["HEADER"]).splitlines()
    assert lines == sorted(lines)
    for pin in requirements(lines):
        (only,) = pin.specifier
        assert (only.operator, pin.name, pin.url) == ("==", canonicalize_name(pin.name), None)


def test_the_renewal_asks_for_every_extra():
    extras = PROJECT["project"]["optional-dependencies"]
    (others,) = (Requirement(one).extras for one in extras["dev"] if one.startswith("gdl-keras"))
    assert others | {"dev"} == set(extras) and ".[dev]" in RENEWAL["ASKED"]
