"""What `gdl doctor` sees: of programs, files and a TensorFlow that the test puts in place of the real ones."""

import os
import re
import shutil
import subprocess
import sys
import venv
from ctypes.util import find_library
from dataclasses import replace
from importlib.metadata import metadata
from pathlib import Path

import pytest

from gdl_keras.doctor import diagnose
from gdl_keras.doctor.driver_probe import look_at_driver
from gdl_keras.doctor.facts import GPU, Driver, Facts, TensorFlow
from gdl_keras.doctor.gpu_unseen import LIBRARY_PATH, WSL_LIBRARY_PATH
from gdl_keras.doctor.installing import INSTALL_DRIVER
from gdl_keras.doctor.looking import look_at_machine, look_at_software
from gdl_keras.doctor.space_probe import look_at_folder, look_at_memory
from gdl_keras.doctor.tensorflow_probe import ask_tensorflow


@pytest.fixture
def root(tmp_path):
    """root({"proc/meminfo": "..."}): a folder that stands for the whole system, with these files in it."""

    def make(files):
        for name, text in files.items():
            path = tmp_path / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "root").mkdir(exist_ok=True)
        return tmp_path / "root"

    return make


@pytest.fixture
def program(tmp_path, monkeypatch):
    """program("nvidia-smi", "echo hello"): the only program of that name that is found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def make(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return make


@pytest.fixture
def tensorflow(tmp_path, monkeypatch):
    """tensorflow("raise ImportError('no')"): a module of that text is what `import tensorflow` finds elsewhere."""

    def make(text):
        folder = tmp_path / "modules"
        folder.mkdir()
        (folder / "tensorflow.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(folder))

    return make


# The driver.


def test_the_gpus_that_nvidia_smi_lists(program, root):
    program("nvidia-smi", "echo 'Tesla T4, 550.54.15, 15360, 14923'; echo 'NVIDIA GB10, 580.1, [N/A], [N/A]'")
    seen = look_at_driver(root({"dev/nvidia0": "", "proc/driver/nvidia/version": "NVRM version: x86_64  550.54.15  T"}))
    assert seen.gpus == (GPU("Tesla T4", "550.54.15", 15360, 14923), GPU("NVIDIA GB10", "580.1", 0, 0))
    assert (seen.complaint, seen.module, seen.has_nodes) == ("", "550.54.15", True)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo 'NVIDIA-SMI has failed.'; exit 9", "NVIDIA-SMI has failed."),
        ("echo 'Failed to initialize NVML: Unknown Error' >&2; exit 255", "Failed to initialize NVML: Unknown Error"),
        ("echo 'No devices were found'; exit 6", "No devices were found"),
        ("exit 12", "nvidia-smi ended with the code 12"),
    ],
)
def test_what_nvidia_smi_complains_of(program, root, script, complaint):
    program("nvidia-smi", script)
    assert look_at_driver(root({})) == Driver(complaint=complaint)


def test_a_driver_that_never_answers_is_given_up(program, root, monkeypatch):
    monkeypatch.setattr("gdl_keras.doctor.driver_probe.SECONDS", 0.2)
    program("nvidia-smi", "exec sleep 20")
    assert "did not answer" in look_at_driver(root({})).complaint


def test_a_card_without_driver(root, program):
    cards = {
        "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
        "sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n",
        "sys/bus/pci/devices/0000:01:00.1/vendor": "0x10de\n",  # its sound
        "sys/bus/pci/devices/0000:01:00.1/class": "0x040300\n",
        "sys/bus/pci/devices/0000:00:02.0/vendor": "0x8086\n",
        "sys/bus/pci/devices/0000:00:02.0/class": "0x030000\n",
    }
    assert look_at_driver(root(cards)) == Driver(cards=1)


def test_windows_shows_its_card_and_its_nvidia_smi(root, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    files = root({"dev/dxg": "", "usr/lib/wsl/lib/nvidia-smi": "#!/bin/sh\necho 'RTX 4070, 560.1, 12282, 11000'\n"})
    (files / "usr/lib/wsl/lib/nvidia-smi").chmod(0o755)
    seen = look_at_driver(files)
    assert seen.has_nodes
    assert seen.gpus == (GPU("RTX 4070", "560.1", 12282, 11000),)


def test_a_container_sees_the_module_of_its_host(root, program):
    seen = look_at_driver(root({"sys/module/nvidia/version": "550.54.15\n"}))
    assert (seen.module, seen.has_nodes, seen.gpus) == ("550.54.15", False, ())


# The machine.


@pytest.mark.parametrize(
    ("files", "place", "distributions"),
    [
        (
            {"etc/os-release": 'NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'},
            "",
            ("ubuntu", "debian"),
        ),
        ({"etc/os-release": "ID_LIKE='ubuntu debian'\nID=linuxmint\n"}, "", ("linuxmint", "ubuntu", "debian")),
        ({".dockerenv": "", "etc/os-release": 'ID="debian"\n'}, "container", ("debian",)),
        ({"run/.containerenv": ""}, "container", ()),
        ({"proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n"}, "wsl", ()),
        ({".dockerenv": "", "proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n"}, "container", ()),
    ],
)
def test_where_it_runs(root, files, place, distributions):
    machine = look_at_machine(root(files))
    assert (machine.place, machine.distributions) == (place, distributions)


@pytest.mark.parametrize("name", ["nvidia-ctk", "nvidia-container-runtime-hook"])
def test_docker_and_the_container_toolkit_are_programs(root, program, name, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    machine = look_at_machine(root({}))
    assert (machine.has_docker, machine.has_toolkit) == (False, False)
    program("docker", "")
    program(name, "")
    machine = look_at_machine(root({}))
    assert (machine.has_docker, machine.has_toolkit) == (True, True)


def test_the_docker_that_windows_lends_is_not_one_of_linux(root, program, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    program("docker", "")
    assert look_at_machine(root({})).has_docker
    files = root({"mnt/wsl/docker-desktop/cli-tools/usr/bin/docker": ""})
    lent = files / "mnt/wsl/docker-desktop/cli-tools/usr/bin/docker"
    (tmp_path / "bin" / "docker").rename(lent)
    (tmp_path / "bin" / "docker").symlink_to(lent)
    assert not look_at_machine(files).has_docker


NEW_SOURCES = """Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main{}
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
OLD_SOURCES = """# deb cdrom:[Debian]/ bookworm main
deb http://mirror.example/debian bookworm main{0}
deb-src http://mirror.example/debian-security bookworm-security main{0}
deb https://download.docker.com/linux/debian bookworm stable
"""
ADDED = " contrib non-free non-free-firmware"


@pytest.mark.skipif(sys.platform != "linux", reason="needs the sed of Linux")
@pytest.mark.parametrize("text", [NEW_SOURCES, OLD_SOURCES])
@pytest.mark.parametrize("more", ["", " non-free-firmware", ADDED])
@pytest.mark.parametrize(
    ("kernel", "kind"), [("6.1.0-28-cloud-amd64", "cloud-amd64"), ("6.12.48+deb13-amd64", "amd64")]
)
def test_debians_command_opens_its_own_sources_and_brings_kernel_headers(
    root, program, tmp_path, text, more, kernel, kind
):
    name = "etc/apt/sources.list.d/debian.sources" if text is NEW_SOURCES else "etc/apt/sources.list"
    files = root({name: text.format(more)})
    log = tmp_path / "log"
    # Nothing but sed is done, and that on the files of the test.
    program("sudo", f'if [ "$1" = sed ]; then exec "$@"; fi; echo "$@" >> {log}')
    program("uname", f"echo {kernel}")
    command = INSTALL_DRIVER["debian"].replace("/etc/apt", str(files / "etc/apt"))
    subprocess.run(["bash", "-c", command], check=True)
    assert (files / name).read_text() == text.format(ADDED)
    assert log.read_text().splitlines() == [
        "apt-get update",
        f"apt-get install -y linux-image-{kind} linux-headers-{kind} nvidia-driver",
        "reboot",
    ]


# Packages.


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """installed("keras", "3.3.3"): the metadata of such a package is found before all others."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name, version, *lines):
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        text = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines])
        (folder / "METADATA").write_text(text + "\n")

    return make


def test_ranges_are_those_of_the_packages_own_metadata(installed):
    installed(
        "gdl-keras",
        "9.9",
        "Requires-Python: >=4",
        "Requires-Dist: surely.Missing<7,>=6",
        "Requires-Dist: python_dotenv",
        "Requires-Dist: only-for-tests>=1; extra == 'dev'",
        "Requires-Dist: other-system; sys_platform == 'plan9'",
    )
    software = look_at_software()
    assert software.python_wanted == ">=4"
    missing, dotenv = software.packages
    assert (missing.name, missing.wanted, missing.installed) == ("surely.Missing", "<7,>=6", None)
    assert dotenv.installed is not None


def test_the_real_ranges_are_met_here():
    software = look_at_software()
    assert software.python_wanted == metadata("gdl-keras")["Requires-Python"]
    assert {"keras", "tensorflow", "numpy"} <= {package.name for package in software.packages}
    assert all(package.installed for package in software.packages)
    too_old = replace(software, python="3.8.1")
    (found,) = [finding for finding in diagnose(Facts(software=too_old)) if finding.is_wrong]
    offered = re.match(r"python(3\.\d+) -m venv", found.command).group(1)
    assert not any(finding.is_wrong for finding in diagnose(Facts(software=replace(software, python=f"{offered}.1"))))


def test_of_two_versions_the_first_on_the_path_counts(installed):
    installed("keras", "3.3.3")
    assert [package.installed for package in look_at_software().packages if package.name == "keras"] == ["3.3.3"]


def test_variants_of_tensorflow_over_each_other_are_seen(installed):
    installed("tensorflow", "2.21.0")
    installed("tensorflow-cpu", "2.21.0")
    assert look_at_software().tensorflows == ("tensorflow", "tensorflow-cpu")


def test_backends_are_seen_in_the_environment_and_in_keras_own_file(monkeypatch, tmp_path):
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    software = look_at_software()
    assert (software.backend, software.configured_backend) == ("torch", "jax")
    (tmp_path / "keras.json").write_text("not json")
    assert look_at_software().configured_backend == ""


# Memory and disk.

MEMORY = "MemTotal:       16000000 kB\nMemFree:  1 kB\nMemAvailable:    8000000 kB\n"


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "4000000000\n"}, 4),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, None),
        # A host's service: the tightest limit of all groups above counts.
        (
            {
                "proc/self/cgroup": "0::/user.slice/job\n",
                "sys/fs/cgroup/user.slice/memory.max": "3000000000\n",
                "sys/fs/cgroup/user.slice/job/memory.max": "5000000000\n",
            },
            3,
        ),
        # Version 1, in a container: the path is the host's, the group lies at the top.
        (
            {
                "proc/self/cgroup": "9:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000000\n",
            },
            2,
        ),
        # Version 1's way to say that there is none.
        (
            {
                "proc/self/cgroup": "4:memory:/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            None,
        ),
    ],
)
def test_memory_and_its_limits(root, files, limit):
    space = look_at_memory(root({"proc/meminfo": MEMORY, **files}))
    assert space.total == pytest.approx(16.384)
    assert space.available == pytest.approx(8.192)
    assert space.limit == limit
    assert space.shared is None


def test_shared_memory_is_a_folder(root):
    space = look_at_memory(root({"dev/shm/any": ""}))
    assert space.shared == pytest.approx(shutil.disk_usage(root({})).total / 1e9)


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path, monkeypatch):
    folder = look_at_folder(tmp_path / "not" / "yet")
    assert folder.path == str(tmp_path / "not" / "yet")
    assert folder.is_writable
    assert folder.free == pytest.approx(shutil.disk_usage(tmp_path).free / 1e9, rel=0.1)
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append((str(path), mode)))
    assert not look_at_folder(tmp_path / "not" / "yet").is_writable
    assert asked == [(str(tmp_path), os.W_OK)]


def test_a_folder_in_one_that_may_not_be_entered(tmp_path, monkeypatch):
    real = os.stat

    def refusing(path, *arguments, **names):
        if str(path).startswith(str(tmp_path / "locked" / "data")):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **names)

    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(os, "stat", refusing)
    monkeypatch.setattr(os, "lstat", refusing)
    assert look_at_folder(tmp_path / "locked" / "data").free > 0


@pytest.mark.parametrize("below", ["", "data"])
def test_a_file_or_a_link_that_leads_nowhere_is_no_folder(tmp_path, below):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "good").symlink_to(tmp_path)
    for name in ("file", "link"):
        folder = look_at_folder(tmp_path / name / below)
        assert (folder.is_writable, folder.obstacle) == (False, str(tmp_path / name))
    folder = look_at_folder(tmp_path / "good" / below)
    assert (folder.is_writable, folder.obstacle) == (True, "")


# TensorFlow.

FAKE = """
import sys
__version__ = "2.21.0"
class Anything:
    def __init__(self, **names): self.__dict__.update(names)
gpus = ["one"]
config = Anything(
    list_physical_devices=lambda kind: gpus,
    experimental=Anything(
        get_device_details=lambda gpu: {"device_name": "Tesla T4"}, set_memory_growth=lambda gpu, on: None
    ),
)
test = Anything(is_built_with_cuda=lambda: True)
"""


def test_a_tensorflow_that_sees_a_gpu(tensorflow):
    tensorflow(FAKE)
    assert ask_tensorflow() == TensorFlow(version="2.21.0", gpus=("Tesla T4",))


def test_a_gpu_that_cannot_compute(tensorflow):
    tensorflow(FAKE + "def device(name): raise RuntimeError('DNN library is not found.\\nmore')\n")
    assert ask_tensorflow().compute_error is None
    assert ask_tensorflow(compute=True).compute_error == "RuntimeError: DNN library is not found."


def test_a_computation_that_crashes(tensorflow):
    tensorflow(FAKE + "import os\ndef device(name): print('out of luck', file=sys.stderr, flush=True); os.abort()\n")
    seen = ask_tensorflow(compute=True)
    assert seen.gpus == ("Tesla T4",)
    assert seen.compute_error == "it crashed with SIGABRT: out of luck"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("raise ImportError('libfoo.so: cannot open shared object file')", "ImportError: libfoo.so: cannot open"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "it crashed with SIGILL"),
        ("raise SystemExit(3)", "it ended with the code 3"),
    ],
)
def test_a_tensorflow_that_does_not_start(tensorflow, text, error):
    tensorflow(text)
    seen = ask_tensorflow()
    assert seen.version == ""
    assert seen.error.startswith(error)


def test_a_tensorflow_that_hangs_is_given_up(tensorflow, monkeypatch):
    monkeypatch.setattr("gdl_keras.doctor.tensorflow_probe.SECONDS", 0.5)
    tensorflow("import time; time.sleep(30)")
    seen = ask_tensorflow()
    assert (seen.version, seen.is_late) == ("", True)
    assert "not ready after" in seen.error


def test_its_warnings_are_kept_and_its_advice_is_not(tensorflow):
    log = [
        "I0000 00:00:17.69  94 port.cc:153] oneDNN custom operations are on.",
        "W0000 00:00:17.70  94 gpu_device.cc:2365] Cannot dlopen some GPU libraries.",
        "E0000 00:00:17.70  94 cuda_platform.cc:52] failed call to cuInit: UNKNOWN ERROR (303)",
        "E0000 00:00:17.71  94 cuda_platform.cc:52] failed call to cuInit: UNKNOWN ERROR (303)",
    ]
    tensorflow(FAKE + f"print({chr(10).join(log)!r}, file=sys.stderr)\n")
    assert ask_tensorflow().log == "Cannot dlopen some GPU libraries.; failed call to cuInit: UNKNOWN ERROR (303)"


def test_libraries_that_lie_in_pips_folders_are_told_apart(tensorflow, tmp_path, monkeypatch):
    lines = [
        f"dso_loader.cc:144] Could not load dynamic library '{name}'; dlerror: no"
        for name in ("libA.so.1", "libB.so.2")
    ]
    tensorflow(FAKE + f"print({chr(10).join(lines)!r}, file=sys.stderr)\n")
    (tmp_path / "site" / "nvidia" / "b" / "lib").mkdir(parents=True)
    (tmp_path / "site" / "nvidia" / "b" / "lib" / "libB.so.2").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    seen = ask_tensorflow()
    assert (seen.missing, seen.unlinked) == (("libA.so.1", "libB.so.2"), ("libB.so.2",))


@pytest.mark.parametrize(
    ("commands", "before", "kept"),
    [
        ([LIBRARY_PATH], {}, set()),
        ([LIBRARY_PATH], {"LD_LIBRARY_PATH": "/opt/a:/opt/b"}, {"/opt/a", "/opt/b"}),
        ([WSL_LIBRARY_PATH, LIBRARY_PATH], {}, {"/usr/lib/wsl/lib"}),
        ([LIBRARY_PATH, WSL_LIBRARY_PATH], {}, {"/usr/lib/wsl/lib"}),
    ],
)
def test_the_command_for_the_library_path_names_pips_folders(tmp_path, commands, before, kept):
    venv.create(tmp_path / "env", symlinks=True)
    (packages,) = (tmp_path / "env").glob("lib/python*/site-packages")
    for name in ("cudnn", "cublas"):
        (packages / "nvidia" / name / "lib").mkdir(parents=True)
    shown = subprocess.run(
        ["bash", "-c", "\n".join([*commands, "echo $LD_LIBRARY_PATH"])],
        env={"PATH": f"{tmp_path / 'env' / 'bin'}:/usr/bin:/bin", **before},
        capture_output=True,
        text=True,
        check=True,
    )
    folders = {str(packages / "nvidia" / name / "lib") for name in ("cudnn", "cublas")}
    assert set(shown.stdout.strip().split(":")) == folders | kept


# The real TensorFlow, with a driver that is made of a few lines of C and knows one GPU.

DRIVER_IN_C = """
#include <stddef.h>
#include <stdio.h>
int cuInit(unsigned flags) { return 0; }
int cuDriverGetVersion(int *version) { *version = 12040; return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = attribute == 76 ? 0 : 8; return 0; }
int cuDeviceGetName(char *name, int size, int device) { snprintf(name, size, "Paper GPU"); return 0; }
int cuDeviceComputeCapability(int *major, int *minor, int device) { *major = 8; *minor = 0; return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = 8ul << 30; return 0; }
int cuDeviceGetPCIBusId(char *id, int size, int device) { snprintf(id, size, "0000:00:04.0"); return 0; }
int cuGetErrorName(int error, const char **name) { *name = "PAPER"; return 0; }
int cuGetErrorString(int error, const char **text) { *text = "paper"; return 0; }
static int context;
int cuDevicePrimaryCtxRetain(void **out, int device) { *out = &context; return 0; }
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { *flags = 0; *active = 1; return 0; }
int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) { return 0; }
int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
int cuCtxGetCurrent(void **out) { *out = NULL; return 0; }
int cuCtxSetCurrent(void *in) { return 0; }
int cuMemGetInfo_v2(size_t *free, size_t *total) { *free = *total = 8ul << 30; return 0; }
int nvmlInit_v2() { return 0; }
int nvmlInit() { return 0; }
"""
CUDA = (
    "libcudart.so.12",
    "libcublas.so.12",
    "libcublasLt.so.12",
    "libcufft.so.11",
    "libcusolver.so.11",
    "libcusparse.so.12",
    "libcudnn.so.9",
)


@pytest.fixture
def paper_driver(tmp_path, monkeypatch):
    """paper_driver(names, source): a driver, and empty libraries of these names, for programs started from here."""
    if sys.platform != "linux" or shutil.which("gcc") is None:
        pytest.skip("needs Linux and gcc")
    from_pip = any(next(Path(folder).glob("nvidia/cudnn/lib"), None) for folder in sys.path if folder)
    if look_at_driver().gpus or from_pip or find_library("cudnn"):
        pytest.skip("this machine has a real driver, or cuDNN")

    def build(name, source):
        command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", f"-Wl,-soname,{name}", "-o", str(tmp_path / name)]
        subprocess.run(command, input=source, text=True, check=True)

    def make(names, source=DRIVER_IN_C):
        for name in ("libcuda.so.1", "libnvidia-ml.so.1"):
            build(name, source)
        for name in names:
            build(name, "int nothing;")
        monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))

    return make


def test_tensorflow_itself_names_the_libraries_that_it_misses(paper_driver):
    paper_driver([name for name in CUDA if "cudnn" not in name])
    seen = ask_tensorflow()
    assert seen.missing == ("libcudnn.so.9",)
    assert "Cannot dlopen some GPU libraries" in seen.log
    findings = diagnose(Facts(tensorflow=seen, driver=Driver(gpus=(GPU("Paper GPU", "550.1"),))))
    (found,) = [finding for finding in findings if finding.is_wrong]
    assert found.what == "TensorFlow does not see Paper GPU: it misses libcudnn.so.9"
    assert found.command.startswith('pip install "tensorflow[and-cuda]')


def test_tensorflow_itself_says_when_a_variable_hides_the_gpu(paper_driver):
    hiding = DRIVER_IN_C.replace("int cuInit(unsigned flags) { return 0; }", "int cuInit(unsigned f) { return 100; }")
    paper_driver(CUDA, hiding.replace('"PAPER"', '"CUDA_ERROR_NO_DEVICE"'))
    driver = Driver(gpus=(GPU("Paper GPU", "550.1"),), hidden_by="GPU-8932f937")
    (found,) = [
        finding for finding in diagnose(Facts(tensorflow=ask_tensorflow(), driver=driver), True) if finding.is_wrong
    ]
    assert found.command == "unset CUDA_VISIBLE_DEVICES"


def test_tensorflow_itself_sees_a_gpu_that_cannot_compute(paper_driver):
    paper_driver(CUDA)
    seen = ask_tensorflow(compute=True)
    assert seen.gpus == ("Paper GPU",)
    assert "Error loading CUDA libraries" in seen.compute_error
