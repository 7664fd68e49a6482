"""What `gdl doctor` sees: of programs, files and a TensorFlow that the test puts in place of the real ones."""

import os
import re
import shutil
import subprocess
import sys
from ctypes.util import find_library
from email import message_from_string
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from gdl_keras.doctor import Facts, diagnose, look
from gdl_keras.doctor.facts import look_at_folder, look_at_memory, look_at_packages, look_for_place
from gdl_keras.doctor.gpu import Driver, TensorFlow, ask_tensorflow, look_at_driver
from tests.harness import long


@pytest.fixture
def root(tmp_path, monkeypatch):
    """root({"dev/nvidia0": "..."}): a folder that stands for the whole system, with these files, its only programs."""

    def make(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        return tmp_path

    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return make


def smi(script, place="bin"):
    return {f"{place}/nvidia-smi": f"#!/bin/sh\n{script}\n"}


def card(vendor, kind):
    device = "sys/bus/pci/devices/0000:01:00.0"
    return {f"{device}/vendor": f"0x{vendor}\n", f"{device}/class": f"0x{kind}\n"}


TWO = ("Tesla T4", "NVIDIA GB10, odd")
LIST = "echo '550.54, Tesla T4'; echo '550.54, NVIDIA GB10, odd'"
NVML = "Failed to initialize NVML: Unknown Error"


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        (smi(LIST), Driver(TWO, "550.54")),
        (smi("echo 'NVIDIA-SMI has failed.'; echo more; exit 9"), Driver(complaint="NVIDIA-SMI has failed.")),
        (smi(f"echo '{NVML}' >&2; exit 255"), Driver(complaint=NVML)),
        (smi("exit 12"), Driver(complaint="nvidia-smi ended with the code 12")),
        (smi("exec /bin/sleep 20"), Driver(complaint="nvidia-smi did not answer within 1 seconds")),
        ({"bin/nvidia-smi": "#!/nowhere"}, Driver(complaint="nvidia-smi cannot be run: No such file or directory")),
        ({"dev/dxg": "", **smi(LIST, "usr/lib/wsl/lib")}, Driver(TWO, "550.54", has_nodes=True)),  # in Windows
        ({"dev/nvidia0": "", "proc/driver/nvidia/version": "NVRM"}, Driver(is_loaded=True, has_nodes=True)),
        ({"sys/module/nvidia/version": "550.54\n"}, Driver(is_loaded=True)),  # a container sees its host's
        (card("10de", "030200"), Driver(has_card=True)),
        (card("10de", "040300"), Driver()),  # its sound
        (card("8086", "030000"), Driver()),
    ],
)
def test_what_can_be_seen_of_the_driver(root, monkeypatch, files, seen):
    monkeypatch.setattr("gdl_keras.doctor.gpu.DRIVER_SECONDS", 1)
    assert look_at_driver(root(files)) == seen
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert look_at_driver(root({})).hidden_by == "-1"


WSL = {"proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n"}
PLACES = [({}, ""), ({"run/.containerenv": ""}, "container"), (WSL, "wsl"), ({".dockerenv": "", **WSL}, "container")]


@pytest.mark.parametrize(("files", "place"), PLACES)
def test_where_it_runs(root, files, place):
    assert look_for_place(root(files)) == place


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize(
    ("file", "text", "limit"),
    [
        ("memory.max", "1000000000\n", 1),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "500000000\n", 0.5),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
    ],
)
def test_memory_and_the_limit_of_a_container(root, file, text, limit):
    memory = int(re.search(r"MemTotal: +(\d+) kB", Path("/proc/meminfo").read_text())[1]) * 1024 / 1e9
    assert look_at_memory(root({f"sys/fs/cgroup/{file}": text})) == (pytest.approx(memory, rel=0.01), limit)


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path, monkeypatch):
    folder = look_at_folder(tmp_path / "not" / "yet")
    free = pytest.approx(shutil.disk_usage(tmp_path).free / 1e9, rel=0.1)
    assert (folder.path, folder.is_writable, folder.free) == (str(tmp_path / "not" / "yet"), True, free)
    monkeypatch.setattr(os, "access", lambda path, mode: (str(path), mode) != (str(tmp_path), os.W_OK))
    assert not look_at_folder(tmp_path / "not" / "yet").is_writable


def test_a_folder_in_one_that_may_not_be_entered(tmp_path, monkeypatch):
    def refusing(path, real=os.stat, **names):
        if str(path).startswith(str(tmp_path / "locked")):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, **names)

    monkeypatch.setattr(os, "stat", refusing)
    monkeypatch.setattr(os, "lstat", refusing)
    assert look_at_folder(tmp_path / "locked" / "data").free > 0


@pytest.mark.parametrize("below", ["", "data"])
def test_a_file_or_a_link_that_leads_nowhere_is_no_folder(tmp_path, below):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "good").symlink_to(tmp_path)
    written = [look_at_folder(tmp_path / name / below).is_writable for name in ("file", "link", "good")]
    assert written == [False, False, True]


@pytest.fixture
def installed(monkeypatch):
    """installed({"keras": "3.3.3"}, "keras>=3"): all packages that are here, and what this project asks for."""

    def make(versions, *asked):
        def version(name):
            if name not in versions:
                raise PackageNotFoundError(name)
            return versions[name]

        own = "\n".join(["Requires-Python: >=3", *(f"Requires-Dist: {one}" for one in asked)])
        monkeypatch.setattr("gdl_keras.doctor.facts.version", version)
        monkeypatch.setattr("gdl_keras.doctor.facts.metadata", lambda name: message_from_string(own))

    return make


def test_packages_and_their_ranges_are_seen(installed):
    of_tests, of_others = "only-for-tests>=1; extra == 'dev'", "other; sys_platform == 'plan9'"
    installed({"keras": "3.3.3", "tensorflow-cpu": "2.21.0"}, "missing<7", "keras", "tensorflow>2", of_tests, of_others)
    packages = (("missing", "<7", None), ("keras", "", "3.3.3"), ("tensorflow", ">2", "2.21.0"))
    assert look_at_packages() == (">=3", packages)


@pytest.mark.parametrize("variants", [("tensorflow-cpu",), ("tensorflow", "tensorflow-cpu")])
def test_variants_of_tensorflow_and_the_backend_are_seen(installed, monkeypatch, variants):
    monkeypatch.setattr("gdl_keras.doctor.facts.ask_tensorflow", lambda compute: TensorFlow())
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    installed(dict.fromkeys(variants, "2.21.0"))
    facts = look()
    assert (facts.variants, facts.backend) == (variants, "torch")


def test_the_real_ranges_are_met_here():
    wanted, packages = look_at_packages()
    assert {"keras", "tensorflow", "numpy"} <= {name for name, _, _ in packages}
    too_old = Facts(python="3.8.1", python_wanted=wanted, packages=packages)
    (found,) = [finding for finding in diagnose(too_old) if finding.is_wrong]
    offered = re.match(r"python(3\.\d+) -m venv", found.command)[1]
    assert not any(one.is_wrong for one in diagnose(Facts(python=f"{offered}.1", python_wanted=wanted)))


FAKE = """
import os, sys
__version__ = "2.21.0"
class Anything:
    def __init__(self, **names): self.__dict__.update(names)
nothing = lambda *arguments: {"device_name": "Tesla T4"}
experimental = Anything(get_device_details=nothing, set_memory_growth=nothing)
config = Anything(list_physical_devices=lambda kind: ["one"], experimental=experimental)
test = Anything(is_built_with_cuda=lambda: True)
"""
SEEN = {"version": "2.21.0", "gpus": ("Tesla T4",)}
LOG = [
    "I0000 00:00:17.69  94 port.cc:153] oneDNN custom operations are on.",
    *["W0000 00:00:17.70  94 gpu_device.cc:2365] Cannot dlopen some GPU libraries."] * 2,
    *["dso_loader.cc:144] Could not load dynamic library 'libA.so.1'; dlerror: no"] * 2,
    "2026-01-31 gpu_device.cc:2] Ignoring visible gpu device (device: 0)",
]
WARN = f"print(*{LOG}, sep='\\n', file=sys.stderr)"
KEPT = "Cannot dlopen some GPU libraries.; Ignoring visible gpu device (device: 0)"
NO_DNN = "def device(name): raise RuntimeError('no DNN library.\\nmore')"
CRASH = "def device(name): print('out of luck', file=sys.stderr, flush=True); os.abort()"


@pytest.mark.parametrize(
    ("compute", "text", "said"),
    [
        (False, FAKE + NO_DNN, TensorFlow(**SEEN)),
        (True, FAKE + NO_DNN, TensorFlow(**SEEN, compute_error="RuntimeError: no DNN library.")),
        (True, FAKE + CRASH, TensorFlow(**SEEN, compute_error="it crashed with SIGABRT: out of luck")),
        (False, FAKE + WARN, TensorFlow(**SEEN, missing=("libA.so.1",), log=KEPT)),
        (False, "raise ImportError('libB.so')", TensorFlow(version="", error="ImportError: libB.so")),
        (False, "import os; os.kill(os.getpid(), 4)", TensorFlow(version="", error="it crashed with SIGILL")),
        (False, "raise SystemExit(3)", TensorFlow(version="", error="it ended with the code 3")),
        (False, "import time; time.sleep(30)", TensorFlow(version="", error="it was not ready after 1 seconds")),
    ],
)
def test_what_tensorflow_says(tmp_path, monkeypatch, compute, text, said):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("gdl_keras.doctor.gpu.TENSORFLOW_SECONDS", 1 if "sleep" in text else 60)
    (tmp_path / "tensorflow.py").write_text(text)
    assert ask_tensorflow(compute) == said


# The real TensorFlow, with a driver that is made of a few lines of C and knows one GPU.

DRIVER_IN_C = """
#include <stddef.h>
#include <stdio.h>
#define SAYS(name, type, value) int name(type *out) { *out = value; return 0; }
#define DONE(name) int name() { return 0; }
static int context;
int cuInit(unsigned flags) { return CUINIT; }
SAYS(cuDriverGetVersion, int, 12040) SAYS(cuDeviceGetCount, int, 1) SAYS(cuDeviceGet, int, 0)
SAYS(cuDeviceTotalMem_v2, size_t, 8ul << 30) SAYS(cuDevicePrimaryCtxRetain, void *, &context)
SAYS(cuCtxGetCurrent, void *, NULL) DONE(cuCtxSetCurrent) DONE(nvmlInit_v2) DONE(nvmlInit)
DONE(cuDevicePrimaryCtxSetFlags_v2) DONE(cuDevicePrimaryCtxRelease_v2)
int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = attribute == 76 ? 0 : 8; return 0; }
int cuDeviceGetName(char *name, int size, int device) { snprintf(name, size, "Paper GPU"); return 0; }
int cuDeviceComputeCapability(int *major, int *minor, int device) { *major = 8; *minor = 0; return 0; }
int cuDeviceGetPCIBusId(char *id, int size, int device) { snprintf(id, size, "0000:00:04.0"); return 0; }
int cuGetErrorName(int error, const char **name) { *name = "CUDA_ERROR_NO_DEVICE"; return 0; }
int cuGetErrorString(int error, const char **text) { *text = "paper"; return 0; }
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { *flags = 0; *active = 1; return 0; }
int cuMemGetInfo_v2(size_t *free, size_t *total) { *free = *total = 8ul << 30; return 0; }
"""
CUDA = ["cudart.so.12", "cublas.so.12", "cublasLt.so.12", "cufft.so.11", "cusolver.so.11", "cusparse.so.12"]


@pytest.mark.parametrize(
    ("libraries", "cuinit", "says"),
    [
        (CUDA, "0", "does not see Paper GPU\n.* cannot load libcudnn.so.9"),
        long([*CUDA, "cudnn.so.9"], "100", "does not see Paper GPU\n.* CUDA_ERROR_NO_DEVICE"),
        long([*CUDA, "cudnn.so.9"], "0", "sees Paper GPU and cannot compute on it\n.* Error loading CUDA libraries"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux" or shutil.which("gcc") is None, reason="needs Linux and gcc")
def test_tensorflow_itself_says_why_it_does_not_use_a_gpu(tmp_path, monkeypatch, libraries, cuinit, says):
    from_pip = any(next(Path(folder).glob("nvidia/cudnn/lib"), None) for folder in sys.path if folder)
    if look_at_driver().gpus or from_pip or find_library("cudnn"):
        pytest.skip("this machine has a real driver, or cuDNN")
    driver = dict.fromkeys(["libcuda.so.1", "libnvidia-ml.so.1"], DRIVER_IN_C.replace("CUINIT", cuinit))
    for name, source in {**driver, **{f"lib{name}": "int nothing;" for name in libraries}}.items():
        command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", f"-Wl,-soname,{name}", "-o", str(tmp_path / name)]
        subprocess.run(command, input=source, text=True, check=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    facts = Facts(tensorflow=ask_tensorflow(compute=True), driver=Driver(gpus=("Paper GPU",)))
    (found,) = [finding for finding in diagnose(facts) if finding.is_wrong]
    assert re.search(says, str(found))
