"""What `gdl doctor` says of each situation, given as facts; and that docs/troubleshooting.md has the same commands."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from gdl_keras import data
from gdl_keras.data.sources.kaggle import Kaggle
from gdl_keras.doctor import Facts, Level, diagnose
from gdl_keras.doctor.facts import GPU, Driver, Folder, Machine, Package, Software, Space, TensorFlow

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "troubleshooting.md"
# A command may be broken into lines, each ending with a backslash.
GUIDE_COMMANDS = re.sub(r"\\\n\s*", "", GUIDE.read_text())
T4 = GPU("Tesla T4", "550.54.15", 15360, 14900)
SEEN = Driver(gpus=(T4,), cards=1, module="550.54.15", has_nodes=True)
CONTAINER = Machine(distributions=("debian",), place="container")
WSL = Machine(place="wsl")
CUDNN = "libcudnn.so.9"
AND_CUDA = 'pip install "tensorflow[and-cuda]<2.22,>=2.21"'


def facts(**changed):
    """Those of a laptop on which all is well, but for what is `changed`."""
    return Facts(**changed)


# name: (facts, level, words of what and why, the command that mends it, or its beginning)
SITUATIONS = {
    "python": (
        facts(software=Software(python="3.10.12")),
        Level.WRONG,
        ["Python 3.10.12", "<3.14,>=3.11"],
        "python3.12 -m venv .venv && .venv/bin/pip install -e .",
    ),
    "package missing": (
        facts(software=Software(packages=(Package("kaggle", "<3,>=2.2.4", None),))),
        Level.WRONG,
        ["not installed: kaggle"],
        "pip install -r requirements.txt",
    ),
    "package too old": (
        facts(software=Software(packages=(Package("keras", "<4,>=3.15", "3.3.3"),))),
        Level.WRONG,
        ["keras 3.3.3", "<4,>=3.15"],
        'pip install "keras<4,>=3.15"',
    ),
    "release candidate": (
        facts(software=Software(packages=(Package("tensorflow", "<2.22,>=2.21", "2.22.0rc0"),))),
        Level.WRONG,
        ["tensorflow 2.22.0rc0"],
        'pip install "tensorflow<2.22,>=2.21"',
    ),
    "processor's variant too old": (
        facts(
            software=Software(
                packages=(Package("tensorflow", "<2.22,>=2.21", "2.18.0"),), tensorflows=("tensorflow-cpu",)
            )
        ),
        Level.WRONG,
        ["tensorflow 2.18.0"],
        'pip install "tensorflow-cpu<2.22,>=2.21"',
    ),
    "not a package": (facts(software=Software(packages=None)), Level.NOTE, ["cannot be checked"], "pip install -e ."),
    "two variants": (
        facts(software=Software(tensorflows=("tensorflow", "tensorflow-cpu"))),
        Level.WRONG,
        ["tensorflow and tensorflow-cpu", "over each other"],
        'pip uninstall -y tensorflow tensorflow-cpu && pip install "tensorflow<2.22,>=2.21"',
    ),
    "other backend": (
        facts(software=Software(backend="jax")),
        Level.WRONG,
        ["'jax'", "KERAS_BACKEND"],
        "unset KERAS_BACKEND",
    ),
    "empty backend": (facts(software=Software(backend="")), Level.WRONG, ["''"], "unset KERAS_BACKEND"),
    "backend in Keras's file": (
        facts(software=Software(configured_backend="torch")),
        Level.NOTE,
        ["keras.json", "'torch'"],
        "export KERAS_BACKEND=tensorflow",
    ),
    "no TensorFlow": (
        facts(software=Software(tensorflows=()), tensorflow=TensorFlow(version="", error="ModuleNotFoundError")),
        Level.WRONG,
        ["TensorFlow is not installed"],
        "pip install -r requirements.txt",
    ),
    "TensorFlow does not start": (
        facts(tensorflow=TensorFlow(version="", error="ImportError: libfoo.so: cannot open shared object file")),
        Level.WRONG,
        ["does not start", "libfoo.so"],
        'pip install --force-reinstall "tensorflow<2.22,>=2.21"',
    ),
    "TensorFlow hangs": (
        facts(tensorflow=TensorFlow(version="", error="it was not ready after 180 seconds", is_late=True)),
        Level.WRONG,
        ["does not start", "180 seconds", "busy"],
        "time python -c 'import tensorflow; tensorflow.config.list_physical_devices()'",
    ),
    "processor without AVX": (
        facts(tensorflow=TensorFlow(version="", error="it crashed with SIGILL")),
        Level.WRONG,
        ["AVX", "Mac"],
        "docker build --platform linux/arm64 --tag IMAGE --build-arg BASE=python:3.13-slim-trixie "
        "--build-arg TENSORFLOW=tensorflow .",
    ),
    "card without driver": (
        facts(driver=Driver(cards=1)),
        Level.NOTE,
        ["NVIDIA card", "no driver"],
        "sudo apt-get update && sudo apt-get install -y ubuntu-drivers-common && sudo ubuntu-drivers install",
    ),
    "card without driver on Debian": (
        facts(driver=Driver(cards=1), machine=Machine(distributions=("kali", "debian"))),
        Level.NOTE,
        ["NVIDIA card", "no driver"],
        "sudo sed -Ei ",
    ),
    "card without driver on Mint": (
        facts(driver=Driver(cards=1), machine=Machine(distributions=("linuxmint", "ubuntu", "debian"))),
        Level.NOTE,
        ["NVIDIA card", "no driver"],
        "sudo apt-get update && sudo apt-get install -y ubuntu-drivers-common && sudo ubuntu-drivers install",
    ),
    "driver not running": (
        facts(driver=Driver(cards=1, complaint="NVIDIA-SMI has failed because it couldn't communicate")),
        Level.NOTE,
        ["does not work", "couldn't communicate"],
        "sudo apt-get update && sudo apt-get install -y ubuntu-drivers-common && sudo ubuntu-drivers install",
    ),
    "driver half updated": (
        facts(driver=Driver(cards=1, complaint="Failed to initialize NVML: Driver/library version mismatch")),
        Level.NOTE,
        ["old half"],
        "sudo reboot",
    ),
    "container without --gpus": (
        facts(machine=CONTAINER, driver=Driver(module="550.54.15")),
        Level.NOTE,
        ["this container has none", "--gpus all", "could not select device driver"],
        "docker run --gpus all IMAGE gdl doctor --gpu",
    ),
    "container that lost its GPU": (
        facts(
            machine=CONTAINER,
            driver=Driver(module="550", has_nodes=True, complaint="Failed to initialize NVML: Unknown Error"),
        ),
        Level.NOTE,
        ["lost its GPU"],
        "docker restart CONTAINER",
    ),
    "container with half a driver": (
        facts(
            machine=CONTAINER,
            driver=Driver(module="550", has_nodes=True),
            tensorflow=TensorFlow(missing=("libnvidia-ml.so.1",)),
        ),
        Level.NOTE,
        ["libnvidia-ml.so.1", "only a part of the driver"],
        "docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,utility IMAGE",
    ),
    "host without container toolkit": (
        facts(
            machine=Machine(has_docker=True, has_toolkit=False),
            driver=SEEN,
            tensorflow=TensorFlow(gpus=("Tesla T4",)),
        ),
        Level.NOTE,
        ["container toolkit", "could not select device driver"],
        "curl -fsSL https://nvidia.github.io/libnvidia-container/gpgkey | sudo gpg ",
    ),
    "Docker's own engine in WSL without container toolkit": (
        facts(
            machine=replace(WSL, has_docker=True, has_toolkit=False),
            driver=SEEN,
            tensorflow=TensorFlow(gpus=("Tesla T4",)),
        ),
        Level.NOTE,
        ["container toolkit", "could not select device driver"],
        "curl -fsSL https://nvidia.github.io/libnvidia-container/gpgkey | sudo gpg ",
    ),
    "Windows's driver missing": (
        facts(machine=WSL, driver=Driver(has_nodes=True), tensorflow=TensorFlow(missing=("libcuda.so.1",))),
        Level.NOTE,
        ["never into WSL", "PowerShell"],
        "wsl --update",
    ),
    "hidden": (
        facts(driver=replace(SEEN, hidden_by="-1")),
        Level.NOTE,
        ["CUDA_VISIBLE_DEVICES", "'-1'"],
        "unset CUDA_VISIBLE_DEVICES",
    ),
    "hidden by a number that no GPU has": (
        facts(driver=replace(SEEN, hidden_by="1,0")),
        Level.NOTE,
        ["CUDA_VISIBLE_DEVICES", "'1,0'"],
        "unset CUDA_VISIBLE_DEVICES",
    ),
    "hidden by a word": (
        facts(driver=replace(SEEN, hidden_by="NoDevFiles")),
        Level.NOTE,
        ["CUDA_VISIBLE_DEVICES", "'NoDevFiles'"],
        "unset CUDA_VISIBLE_DEVICES",
    ),
    "hidden by another GPU's serial number": (
        facts(
            driver=replace(SEEN, hidden_by="GPU-8932f937"),
            tensorflow=TensorFlow(
                log="failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected"
            ),
        ),
        Level.NOTE,
        ["CUDA_VISIBLE_DEVICES", "'GPU-8932f937'"],
        "unset CUDA_VISIBLE_DEVICES",
    ),
    "Windows": (facts(machine=Machine(system="Windows")), Level.WRONG, ["Windows itself", "WSL2"], "wsl --install"),
    "wrong variant": (
        facts(driver=SEEN, software=Software(tensorflows=("tensorflow-cpu",)), tensorflow=TensorFlow(has_cuda=False)),
        Level.WRONG,
        ["tensorflow-cpu", "Tesla T4"],
        f"pip uninstall -y tensorflow-cpu && {AND_CUDA}",
    ),
    "built without CUDA": (
        facts(driver=SEEN, machine=Machine(processor="aarch64"), tensorflow=TensorFlow(has_cuda=False)),
        Level.WRONG,
        ["without CUDA", "aarch64"],
        f"pip uninstall -y tensorflow && {AND_CUDA}",
    ),
    "old driver": (
        facts(driver=replace(SEEN, gpus=(replace(T4, driver="470.256.02"),))),
        Level.WRONG,
        ["470.256.02", "525"],
        "sudo apt-get update && sudo apt-get install -y ubuntu-drivers-common && sudo ubuntu-drivers install",
    ),
    "driver's library missing": (
        facts(driver=SEEN, machine=WSL, tensorflow=TensorFlow(missing=("libcuda.so.1",))),
        Level.WRONG,
        ["libcuda.so.1", ".venv/bin/activate"],
        "export LD_LIBRARY_PATH=/usr/lib/wsl/lib",
    ),
    "CUDA's libraries missing": (
        facts(driver=SEEN, tensorflow=TensorFlow(missing=("libcublas.so.12", CUDNN))),
        Level.WRONG,
        ["Tesla T4", "libcublas.so.12 and libcudnn.so.9", "official Docker image"],
        AND_CUDA,
    ),
    "CUDA's libraries not found": (
        facts(driver=SEEN, tensorflow=TensorFlow(missing=(CUDNN,), unlinked=(CUDNN,))),
        Level.WRONG,
        ["are installed, and are not found", CUDNN, ".venv/bin/activate"],
        "export LD_LIBRARY_PATH=$(python -c ",
    ),
    "unseen for another reason": (
        facts(driver=SEEN, tensorflow=TensorFlow(log="failed call to cuInit: CUDA_ERROR_UNKNOWN")),
        Level.WRONG,
        ["Tesla T4", "CUDA_ERROR_UNKNOWN"],
        "sudo reboot",
    ),
    "unseen, though CUDA_VISIBLE_DEVICES names it": (
        facts(driver=replace(SEEN, hidden_by="0"), tensorflow=TensorFlow(log="CUDA_ERROR_UNKNOWN")),
        Level.WRONG,
        ["Tesla T4", "CUDA_ERROR_UNKNOWN"],
        "sudo reboot",
    ),
    "unseen, though CUDA_VISIBLE_DEVICES has its serial number": (
        facts(driver=replace(SEEN, hidden_by="GPU-8932f937"), tensorflow=TensorFlow(log="CUDA_ERROR_UNKNOWN")),
        Level.WRONG,
        ["Tesla T4", "CUDA_ERROR_UNKNOWN"],
        "sudo reboot",
    ),
    "GPU that cannot compute": (
        facts(
            driver=SEEN,
            tensorflow=TensorFlow(
                gpus=("Tesla T4",), compute_error="DNN library failed", log="Loaded runtime CuDNN library: 9.1.0"
            ),
        ),
        Level.WRONG,
        ["cannot compute", "DNN library failed", "9.1.0", "another package's"],
        AND_CUDA,
    ),
    "GPU in use": (
        facts(driver=replace(SEEN, gpus=(replace(T4, free_memory=300),)), tensorflow=TensorFlow(gpus=("Tesla T4",))),
        Level.NOTE,
        ["300 of 15360 MB"],
        "nvidia-smi --query-compute-apps=pid,process_name,used_memory --format=csv",
    ),
    "two GPUs, small shared memory": (
        facts(
            machine=CONTAINER,
            driver=replace(SEEN, gpus=(T4, T4)),
            tensorflow=TensorFlow(gpus=("Tesla T4", "Tesla T4")),
            space=Space(shared=0.067),
        ),
        Level.WRONG,
        ["/dev/shm has 67 MB", "NCCL"],
        "docker run --shm-size=1g --gpus all IMAGE",
    ),
    "little memory": (
        facts(space=Space(total=1.0)),
        Level.WRONG,
        ["too little memory: 1.0 GB"],
        "gdl run CHAPTER --batch-size 16",
    ),
    "container's memory limit": (
        facts(machine=CONTAINER, space=Space(total=64, limit=1.5)),
        Level.WRONG,
        ["too little memory: 1.5 GB, the limit of this container"],
        "docker run --memory 8g IMAGE",
    ),
    "memory in use": (
        facts(space=Space(available=0.4)),
        Level.NOTE,
        ["0.4 of 16 GB"],
        "ps -eo pid,rss,comm --sort=-rss | head",
    ),
    "little disk": (
        facts(data=Folder("/data", free=1.2)),
        Level.WRONG,
        ["too little disk: 1.2 GB", "/data"],
        "export GDL_DATA_DIR=/A_FOLDER/ON_A_LARGER_DISK",
    ),
    "little disk in a container": (
        facts(machine=CONTAINER, data=Folder("/data", free=1.2)),
        Level.WRONG,
        ["too little disk: 1.2 GB", "/data"],
        "docker run -v /A_FOLDER/ON_A_LARGER_DISK:/data IMAGE",
    ),
    "little disk for runs": (
        facts(runs=Folder("/home/me/runs", free=0.3)),
        Level.WRONG,
        ["too little disk: 0.3 GB", "the folder for runs, /home/me/runs"],
        "cd /A_FOLDER/ON_A_LARGER_DISK",
    ),
    "little disk for runs in a container": (
        facts(machine=CONTAINER, runs=Folder("/app/runs", free=0.3)),
        Level.WRONG,
        ["too little disk: 0.3 GB", "/app/runs"],
        "docker run -v /A_FOLDER/ON_A_LARGER_DISK:/app/runs IMAGE",
    ),
    "data folder of another user": (
        facts(data=Folder("/data", is_writable=False)),
        Level.WRONG,
        ["/data", "cannot be written"],
        "export GDL_DATA_DIR=~/gdl_data",
    ),
    "file in the place of the data folder": (
        facts(data=Folder("/etc/passwd/data", is_writable=False, free=0, obstacle="/etc/passwd")),
        Level.WRONG,
        ["the data folder, /etc/passwd/data", "/etc/passwd is no folder"],
        "export GDL_DATA_DIR=~/gdl_data",
    ),
    "file in the place of the folder for runs": (
        facts(runs=Folder("/home/me/runs", is_writable=False, free=0, obstacle="/home/me/runs")),
        Level.WRONG,
        ["the folder for runs, /home/me/runs", "is no folder"],
        "cd ~",
    ),
    "runs of another user in a container": (
        facts(machine=CONTAINER, runs=Folder("/app/runs", is_writable=False)),
        Level.WRONG,
        ["/app/runs", "cannot be written", "mounted", "1000", "--user"],
        "sudo chown -R 1000 FOLDER",
    ),
    "runs of another user": (facts(runs=Folder("/runs", is_writable=False)), Level.WRONG, ["/runs"], "cd ~"),
    "data folder not known": (
        facts(data=None, data_error="No module named 'numpy'"),
        Level.WRONG,
        ["No module named 'numpy'"],
        "pip install -r requirements.txt",
    ),
    "no Kaggle key": (
        facts(kaggle_key="none"),
        Level.NOTE,
        ["no Kaggle key", "kaggle.com/settings"],
        "echo 'KAGGLE_API_TOKEN=YOUR_TOKEN' >> .env",
    ),
    "half a Kaggle key": (
        facts(kaggle_key="half"),
        Level.NOTE,
        ["KAGGLE_USERNAME and KAGGLE_KEY"],
        "echo 'KAGGLE_API_TOKEN=YOUR_TOKEN' >> .env",
    ),
    "no Kaggle key in a container": (
        facts(machine=CONTAINER, kaggle_key="none"),
        Level.NOTE,
        ["no Kaggle key", "on the host", "compose.yaml", "--env-file .env -e GDL_DATA_DIR=/data"],
        "echo 'KAGGLE_API_TOKEN=YOUR_TOKEN' >> .env",
    ),
    "a file .env that may not be read": (
        facts(kaggle_key="locked", key_file=".env"),
        Level.WRONG,
        [".env cannot be read", "another user"],
        'sudo chown "$USER" .env && chmod u+r .env',
    ),
    "a file .env that is no text": (
        facts(kaggle_key="garbled", key_file=".env"),
        Level.WRONG,
        [".env is not text in UTF-8", "PowerShell", "UTF-16"],
        "LC_ALL=C tr -cd ",
    ),
}
# These are wrong only when a GPU is wanted.
ABOUT_GPU = [
    "card without driver",
    "driver not running",
    "driver half updated",
    "container without --gpus",
    "container that lost its GPU",
    "container with half a driver",
    "Windows's driver missing",
    "hidden",
    "hidden by a number that no GPU has",
    "hidden by a word",
    "hidden by another GPU's serial number",
]


def the_one(findings):
    """The one finding that is not ok."""
    (found,) = [finding for finding in findings if finding.level is not Level.OK]
    return found


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_situation_is_named_explained_and_mended(name):
    situation, level, words, command = SITUATIONS[name]
    found = the_one(diagnose(situation))
    assert found.level is level
    assert [word for word in words if word not in f"{found.what} {found.why}"] == []
    assert found.why
    assert found.command.startswith(command)
    assert str(found).endswith(f"Run: {found.command}")


@pytest.mark.parametrize("name", ABOUT_GPU)
def test_the_same_is_wrong_when_a_gpu_is_wanted(name):
    found = the_one(diagnose(SITUATIONS[name][0], gpu_wanted=True))
    assert found.level is Level.WRONG
    assert found.command.startswith(SITUATIONS[name][3])


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_guide_has_each_command(name):
    found = the_one(diagnose(SITUATIONS[name][0]))
    assert found.command in GUIDE_COMMANDS


@pytest.mark.parametrize("machine", [Machine(), CONTAINER, WSL, Machine(system="Darwin", processor="arm64")])
def test_a_laptop_without_gpu_is_well_unless_one_is_wanted(machine):
    assert all(finding.level is Level.OK for finding in diagnose(facts(machine=machine)))
    found = the_one(diagnose(facts(machine=machine), gpu_wanted=True))
    assert found.level is Level.WRONG
    assert "no GPU" in found.what


def test_a_gpu_that_is_used_is_well():
    machine = facts(
        driver=SEEN, tensorflow=TensorFlow(gpus=("Tesla T4",)), machine=Machine(has_docker=True, has_toolkit=True)
    )
    for wanted in (False, True):
        findings = diagnose(machine, gpu_wanted=wanted)
        assert all(finding.level is Level.OK for finding in findings)
        assert any("sees Tesla T4" in finding.what for finding in findings)


def test_variants_over_each_other_are_replaced_by_the_one_for_the_gpu():
    both = facts(
        driver=SEEN,
        software=Software(tensorflows=("tensorflow", "tensorflow-cpu")),
        tensorflow=TensorFlow(gpus=("Tesla T4",)),
    )
    assert the_one(diagnose(both)).command == f"pip uninstall -y tensorflow tensorflow-cpu && {AND_CUDA}"


FEDORA = Machine(distributions=("fedora",))


@pytest.mark.parametrize(
    "driver",
    [Driver(cards=1), Driver(complaint="NVIDIA-SMI has failed"), replace(SEEN, gpus=(replace(T4, driver="470.1"),))],
)
def test_where_no_command_is_known_the_page_that_has_it_is_named(driver):
    found = the_one(diagnose(facts(machine=FEDORA, driver=driver)))
    assert (found.command, "nvidia.com/drivers" in found.why) == ("", True)


def test_where_apt_is_not_the_toolkit_has_a_page():
    machine = facts(machine=replace(FEDORA, has_docker=True), driver=SEEN, tensorflow=TensorFlow(gpus=("Tesla T4",)))
    found = the_one(diagnose(machine))
    assert (found.command, "docs.nvidia.com" in found.why) == ("", True)


@pytest.mark.parametrize("place", ["", "wsl"])
def test_where_the_toolkit_is_here_one_line_tells_how_docker_learns_of_it(place):
    docker = Machine(place=place, has_docker=True, has_toolkit=True)
    findings = diagnose(facts(machine=docker, driver=SEEN, tensorflow=TensorFlow(gpus=("Tesla T4",))))
    (line,) = [str(finding) for finding in findings if "could not select device driver" in str(finding)]
    assert line.startswith("[ok]") and "\n" not in line
    command = line.partition("driver': ")[2]
    assert command.startswith("sudo nvidia-ctk runtime configure --runtime=docker && ")
    assert f"```\n{command}\n```" in GUIDE_COMMANDS


def test_of_docker_nothing_is_said_without_it_or_without_a_gpu():
    for situation in (facts(driver=SEEN), facts(machine=Machine(has_docker=True, has_toolkit=True))):
        assert not any("could not select" in str(finding) for finding in diagnose(situation))


def test_a_driver_that_a_container_lacks_is_its_hosts():
    found = the_one(diagnose(facts(machine=CONTAINER, driver=replace(SEEN, gpus=(replace(T4, driver="470.1"),)))))
    assert "host" in found.why and "nvidia.com/drivers" in found.why
    assert "ubuntu-drivers install" in found.command


IMAGE = Software(tensorflows=("tensorflow-cpu",), can_install=False)
LACKING = replace(IMAGE, packages=(Package("keras", "<4,>=3.15", None),))
FOR_PROCESSOR = "--build-arg BASE=python:3.13-slim-trixie --build-arg TENSORFLOW=tensorflow ."


@pytest.mark.parametrize(
    ("situation", "arguments"),
    [
        (facts(machine=CONTAINER, software=IMAGE, driver=SEEN, tensorflow=TensorFlow(has_cuda=False)), "."),
        (facts(machine=CONTAINER, software=IMAGE, driver=SEEN, tensorflow=TensorFlow(missing=(CUDNN,))), "."),
        (facts(machine=CONTAINER, software=LACKING), FOR_PROCESSOR),
        (facts(machine=replace(CONTAINER, processor="aarch64"), software=LACKING), FOR_PROCESSOR),
    ],
)
def test_where_packages_belong_to_an_image_that_is_built_anew(situation, arguments):
    found = the_one(diagnose(situation))
    assert found.command == f"docker build --tag IMAGE {arguments}"
    assert f"{found.command}\n" in GUIDE_COMMANDS


def test_the_image_for_a_processor_is_built_as_the_dockerfile_says():
    assert FOR_PROCESSOR in (GUIDE.parents[1] / "Dockerfile").read_text()


def test_a_release_candidate_inside_the_range_is_well():
    candidate = Software(python="3.13.0rc2", packages=(Package("tensorflow", "<2.22,>=2.21", "2.21.1rc0"),))
    assert all(finding.level is Level.OK for finding in diagnose(facts(software=candidate)))


def test_two_different_gpus_are_both_named():
    two = facts(driver=SEEN, tensorflow=TensorFlow(gpus=("A100", "A100", "Tesla T4")))
    assert "TensorFlow sees 2 x A100 and Tesla T4" in [finding.what for finding in diagnose(two)]


def test_on_a_system_that_does_not_tell_its_memory_nothing_is_said_of_it():
    unknown = Space(total=None, limit=None, available=None, shared=None)
    assert not any("memory" in finding.what for finding in diagnose(facts(space=unknown)))


def test_the_sets_that_need_a_kaggle_key_are_named():
    needing = {entry.name for entry in data.catalogue() if all(isinstance(one, Kaggle) for one in entry.sources)}
    assert needing
    named = set(re.findall(r"\w+", the_one(diagnose(facts(kaggle_key="none"))).why))
    assert needing <= named
