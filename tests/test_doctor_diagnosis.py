"""What `gdl doctor` says of each situation, given as facts; and that docs/troubleshooting.md has what it names."""

import re
from pathlib import Path

import pytest

from gdl_keras import data
from gdl_keras.data.sources.kaggle import Kaggle
from gdl_keras.doctor import Facts, diagnose, diagnosis
from gdl_keras.doctor.diagnosis import NOTE, OK, WRONG
from gdl_keras.doctor.facts import Folder
from gdl_keras.doctor.gpu import Driver, TensorFlow

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "troubleshooting.md").read_text()
BLOCKS = "".join(re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.sub(r"\\\n\s*", "", BLOCKS).splitlines()  # one may be broken into lines, each ending with a backslash
HEADINGS = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
ANCHORS = {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in HEADINGS}  # GitHub's rule
CPU = ("tensorflow-cpu",)
IN = {"place": "container"}
T4 = ("Tesla T4",)
NODES = {"is_loaded": True, "has_nodes": True}
MISMATCH = "Failed to initialize NVML: Driver/library version mismatch"
OLD_CUDNN = {"gpus": T4, "compute_error": "DNN library failed", "log": "Loaded runtime CuDNN library: 9.1.0"}
DRIVER, LIBRARIES = "#installing-nvidias-driver", "#libraries-that-cannot-be-loaded"
SPACE, WRITING = "#too-little-memory-or-disk", "#a-folder-that-cannot-be-written"
COMPUTING, UNSEEN = "#a-gpu-that-cannot-compute", "#tensorflow-does-not-see-the-gpu-that-the-driver-sees"
UNSET, AND_CUDA = "unset CUDA_VISIBLE_DEVICES", 'pip install "tensorflow[and-cuda]"'


def facts(driver=(), tensorflow=(), **changed):
    """Those of a laptop on which all is well, but for what is `changed`."""
    return Facts(driver=Driver(**dict(driver)), tensorflow=TensorFlow(**dict(tensorflow)), **changed)


def package(name, wanted, here, variants=("tensorflow",)):
    return facts(packages=((name, wanted, here),), variants=variants)


def seen(tensorflow=(), driver=(), **changed):
    """The driver sees a GPU and TensorFlow does not."""
    return facts({"gpus": T4, "version": "550.54.15", **NODES, **dict(driver)}, tensorflow, **changed)


# (facts, level, words of what and why, what mends it: words of the command or the section)
ALWAYS = [
    (facts(python="3.10.12"), WRONG, ["Python 3.10.12", "<3.14,>=3.11"], "python3.12 -m venv .venv"),
    (package("keras", "<4,>=3.15", None), WRONG, ["keras is not installed"], 'pip install "keras<4,>=3.15"'),
    (package("keras", "<4,>=3.15", "3.3.3"), WRONG, ["keras 3.3.3", "<4,>=3.15"], 'pip install "keras<4,>=3.15"'),
    (package("tensorflow", "<2.22", "2.22.0rc0"), WRONG, ["tensorflow 2.22.0rc0"], 'pip install "tensorflow<2.22"'),
    (package("tensorflow", ">=2.21", "2.18.0", CPU), WRONG, ["2.18.0"], 'pip install "tensorflow-cpu>=2.21"'),
    (facts(packages=None), NOTE, ["cannot be checked"], "pip install -e ."),
    (facts(variants=("tensorflow", *CPU)), WRONG, ["tensorflow, tensorflow-cpu", "each other"], "#another-tensorflow"),
    (facts(backend="jax"), WRONG, ["'jax'", "KERAS_BACKEND"], "unset KERAS_BACKEND"),
    (facts(backend=""), WRONG, ["''"], "unset KERAS_BACKEND"),
    (facts(tensorflow={"version": ""}, variants=()), WRONG, ["is not installed"], "pip install -r requirements.txt"),
    (facts(tensorflow={"version": "", "error": "no"}), WRONG, ["does not start", "no"], "#tensorflow-does-not-start"),
    (facts(system="Windows", data=None), WRONG, ["Windows itself", "WSL2"], "wsl --install"),
    (seen({"has_cuda": False}, variants=CPU), WRONG, ["tensorflow-cpu was", "Tesla T4"], "#another-tensorflow"),
    (seen({"has_cuda": False}, processor="aarch64"), WRONG, ["without CUDA", "aarch64"], "#another-tensorflow"),
    (seen(driver={"version": "470.256.02"}), WRONG, ["470.256.02", "525"], DRIVER),
    (seen({"missing": ("libcublas.so.12",)}), WRONG, ["Tesla T4", "libcublas.so.12"], AND_CUDA + LIBRARIES),
    (seen({"missing": ("libcuda.so.1",)}, place="wsl"), WRONG, ["libcuda.so.1"], LIBRARIES),
    (seen({"missing": ("libnvinfer.so.8",)}), WRONG, ["It says: nothing"], UNSEEN),
    (seen({"log": "CUDA_ERROR_UNKNOWN"}), WRONG, ["Tesla T4", "CUDA_ERROR_UNKNOWN"], UNSEEN),
    (seen(driver={"hidden_by": "1,0"}), WRONG, ["CUDA_VISIBLE_DEVICES", "'1,0'"], UNSET + UNSEEN),
    (facts(tensorflow=OLD_CUDNN), WRONG, ["cannot compute", "failed", "9.1.0"], AND_CUDA + COMPUTING),
    (facts(memory=1.0), WRONG, ["too little memory: 1.0 GB"], SPACE),
    (facts(memory_limit=1.5, **IN), WRONG, ["too little memory: 1.5 GB, the limit of this container"], SPACE),
    (facts(data=Folder("/data", free=1.2)), WRONG, ["too little disk: 1.2 GB", "/data"], SPACE),
    (facts(runs=Folder("/app/runs", free=0.3)), WRONG, ["too little disk: 0.3 GB", "for runs, /app/runs"], SPACE),
    (facts(data=Folder("/data", is_writable=False, free=0)), WRONG, ["data, /data, cannot be written"], WRITING),
    (facts(runs=Folder("/runs", is_writable=False, free=0)), WRONG, ["runs, /runs, cannot be written"], WRITING),
    (facts(kaggle_key="none"), NOTE, ["no Kaggle key"], "echo 'KAGGLE_API_TOKEN=YOUR_TOKEN' >> .env#kaggle"),
    (facts(kaggle_key="unreadable"), WRONG, [".env", "cannot be read", "PowerShell", "UTF-16"], "#kaggle"),
]
# These are wrong only when a GPU is wanted.
ABOUT_GPU = [
    (facts({"has_card": True}), NOTE, ["NVIDIA card", "no driver"], DRIVER),
    (facts({"has_card": True, "complaint": "It has failed"}), NOTE, ["does not work", "It has failed"], DRIVER),
    (facts({"complaint": MISMATCH}), NOTE, ["does not work", "version mismatch"], "sudo reboot" + DRIVER),
    (facts({"is_loaded": True}, **IN), NOTE, ["has none", "--gpus all"], "#docker-and-nvidias-container-toolkit"),
    (facts({**NODES, "complaint": "Unknown Error"}, **IN), NOTE, ["Unknown"], "docker restart CONTAINER" + DRIVER),
    (facts(NODES, {"missing": ("libnvidia-ml.so.1",)}, **IN), NOTE, ["part", "libnvidia-ml.so.1"], LIBRARIES),
    (facts({"has_nodes": True}, {"missing": ("libcuda.so.1",)}, place="wsl"), NOTE, ["never into WSL"], DRIVER),
    (seen(driver={"hidden_by": "-1"}), NOTE, ["hides Tesla T4", "'-1'"], UNSET),
    (seen(driver={"hidden_by": ""}), NOTE, ["hides Tesla T4", "''"], UNSET),
]


def the_one(findings):
    """The one finding that is not ok."""
    (found,) = [finding for finding in findings if finding.level != OK]
    return found


@pytest.mark.parametrize(("situation", "level", "words", "way"), [*ALWAYS, *ABOUT_GPU])
def test_each_situation_is_named_explained_and_mended(situation, level, words, way):
    found = the_one(diagnose(situation))
    assert found.level == level
    assert [word for word in words if word not in f"{found.what}: {found.why}"] == []
    command, _, section = way.partition("#")
    assert found.section == section or (command and found.section == "python-and-packages")
    assert found.command.startswith(command) and bool(found.command) == bool(command)
    assert str(found).startswith(f"[{level}] {found.what}\n     ")
    assert not section or str(found).endswith(f"\n     See: docs/troubleshooting.md#{section}")


@pytest.mark.parametrize("situation", [situation for situation, *_ in ABOUT_GPU])
def test_the_same_is_wrong_when_a_gpu_is_wanted(situation):
    assert the_one(diagnose(situation, gpu_wanted=True)).is_wrong


def test_the_page_has_each_section_and_each_command():
    named = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', Path(diagnosis.__file__).read_text()))
    found = [the_one(diagnose(situation)) for situation, *_ in [*ALWAYS, *ABOUT_GPU]]
    used = {finding.section for finding in found if finding.section}
    assert used <= ANCHORS and named <= used
    without_ranges = {re.sub(r'[<>][^"]*"', '"', command) for command in COMMANDS}
    assert {re.sub(r'[<>][^"]*"', '"', one.command) for one in found if one.command} <= without_ranges


WELL = [facts(), facts(place="container"), facts(place="wsl"), facts(system="Darwin")]
CANDIDATE = package("tensorflow", "<2.22,>=2.21", "2.21.1rc0")
USED = seen({"gpus": ("A100", "A100", "Tesla T4")})


@pytest.mark.parametrize("situation", [*WELL, CANDIDATE, USED])
def test_what_is_well_is_said_to_be(situation):
    assert all(finding.level == OK for finding in diagnose(situation))


@pytest.mark.parametrize("situation", WELL)
def test_a_laptop_without_gpu_is_well_unless_one_is_wanted(situation):
    found = the_one(diagnose(situation, gpu_wanted=True))
    assert found.is_wrong and "no GPU" in found.what


def test_gpus_that_are_used_are_all_named():
    assert "[ok] TensorFlow sees 2 x A100, Tesla T4" in map(str, diagnose(USED, gpu_wanted=True))


def test_what_the_driver_sees_is_said_where_tensorflow_does_not_start():
    assert "[ok] the driver sees Tesla T4" in map(str, diagnose(seen({"version": "", "error": "no"})))


def test_of_what_cannot_be_told_nothing_is_said():
    said = " ".join(finding.what for finding in diagnose(facts(memory=None, data=None, kaggle_key="")))
    assert not any(word in said for word in ("memory", "for data", "Kaggle"))


def test_the_sets_that_need_a_kaggle_key_are_named():
    needing = {entry.name for entry in data.catalogue() if all(isinstance(one, Kaggle) for one in entry.sources)}
    assert needing and needing <= set(re.findall(r"\w+", the_one(diagnose(facts(kaggle_key="none"))).why))
