"""What the facts mean: from `Facts` to findings, and nothing else, so that every situation can be tested."""

from collections import Counter
from dataclasses import dataclass

# How much a finding matters, as it is marked.  A note is worth knowing, and the chapters run.
OK, NOTE, WRONG = "ok", "--", "!!"
MEMORY_GB, DATA_GB, RUNS_GB = 2, 5, 1  # the least
OLDEST_DRIVER = 525  # CUDA 12's libraries work with any driver from here on
DRIVER_LIBRARIES = ("libcuda.so", "libnvidia-ml.so")  # how the part of the driver that programs load begins
CUDA_LIBRARIES = ("libcu", "libnccl")  # others that are looked for, such as TensorRT's, may be missing
AND_CUDA = 'pip install "tensorflow[and-cuda]"'
# Sections of docs/troubleshooting.md.
DRIVER, LIBRARIES, SPACE = "installing-nvidias-driver", "libraries-that-cannot-be-loaded", "too-little-memory-or-disk"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: str  # OK, NOTE or WRONG
    what: str  # is the case, in a line
    why: str = ""  # where it comes from or what follows from it
    command: str = ""  # the one that mends it
    section: str = ""  # the one of docs/troubleshooting.md, by its anchor, that has more to do

    @property
    def is_wrong(self):
        return self.level == WRONG

    def __str__(self):
        command = self.command and f"Run: {self.command}"
        section = self.section and f"See: docs/troubleshooting.md#{self.section}"
        return "\n     ".join(filter(None, [f"[{self.level}] {self.what}", self.why, command, section]))


def diagnose(facts, gpu_wanted=False):
    """Every `Finding`, in the order in which to mend them: what is first often causes what follows."""
    if facts.system == "Windows":
        why = "gdl_keras runs on Linux and macOS, and in Windows inside WSL2, which also reaches the GPU."
        return [Finding(WRONG, "this is Windows itself", why, "wsl --install")]
    place = {"container": ", in a container", "wsl": ", inside Windows (WSL)"}.get(facts.place, "")
    return [
        Finding(OK, f"{facts.system} on {facts.processor}{place}"),
        *_about_software(facts),
        _about_tensorflow(facts),
        _about_gpu(facts, gpu_wanted),
        *_about_space(facts),
        *_about_kaggle(facts.kaggle_key),
    ]


def _about_software(facts):
    if not facts.python_wanted or _is_in_range(facts.python, facts.python_wanted):
        yield Finding(OK, f"Python {facts.python}")
    else:
        what = f"Python {facts.python} is out of the supported range {facts.python_wanted}"
        why = "The packages that the models run on have no build for it."
        yield Finding(WRONG, what, why, "python3.12 -m venv .venv && .venv/bin/pip install -e .")
    packages = facts.packages or ()
    wrong = [(name, wanted, here) for name, wanted, here in packages if not (here and _is_in_range(here, wanted))]
    for name, wanted, here in wrong:
        what = f"{name} {here} is out of the supported range {wanted}" if here else f"{name} is not installed"
        variant = facts.variants[0] if name == "tensorflow" and facts.variants else name
        yield Finding(WRONG, what, "", f'pip install "{variant}{wanted}"', "python-and-packages")
    if packages and not wrong:
        shown = ", ".join(f"{name} {here}" for name, _, here in packages if name in ("keras", "tensorflow"))
        yield Finding(OK, f"all {len(packages)} packages are in the supported range ({shown})")
    if facts.packages is None:
        why = "gdl_keras is not installed as a package, or the package `packaging`, which Keras brings, is missing."
        yield Finding(NOTE, "the packages' versions cannot be checked", why, "pip install -e .")
    if len(facts.variants) > 1:
        why = "They bring the same module: which files are whose is chance, and taking one away breaks the other."
        what = f"{_listed(facts.variants)} are installed over each other"
        yield Finding(WRONG, what, why, section="another-tensorflow")
    if facts.backend not in (None, "tensorflow"):
        what = f"Keras is set to the backend {facts.backend!r} by KERAS_BACKEND"
        yield Finding(WRONG, what, "gdl_keras runs on TensorFlow.", "unset KERAS_BACKEND")


def _about_tensorflow(facts):
    if facts.tensorflow.version:
        return Finding(OK, f"TensorFlow {facts.tensorflow.version} starts")
    if not facts.variants:
        return Finding(WRONG, "TensorFlow is not installed", command="pip install -r requirements.txt")
    why = f"It says: {facts.tensorflow.error}"
    return Finding(WRONG, "TensorFlow does not start", why, section="tensorflow-does-not-start")


def _about_gpu(facts, wanted):
    """None is fine, unless one is `wanted`; one that the driver sees and TensorFlow cannot use never is."""
    driver, tensorflow = facts.driver, facts.tensorflow
    seen, used, absent = _listed(driver.gpus), _listed(tensorflow.gpus), WRONG if wanted else NOTE
    if used and tensorflow.compute_error is not None:
        why = "It says: " + "; ".join(filter(None, (tensorflow.compute_error, tensorflow.log)))
        what = f"TensorFlow sees {used} and cannot compute on it"
        return Finding(WRONG, what, why, AND_CUDA, "a-gpu-that-cannot-compute")
    if used or (seen and not tensorflow.version):
        return Finding(OK, f"TensorFlow sees {used}" if used else f"the driver sees {seen}")
    if seen and driver.hidden_by in ("", "-1", "NoDevFiles"):
        why = f"It is {driver.hidden_by!r}, and only the processor computes."
        return Finding(absent, f"CUDA_VISIBLE_DEVICES hides {seen}", why, "unset CUDA_VISIBLE_DEVICES")
    if seen:
        return Finding(WRONG, f"TensorFlow does not see {seen}", *_reason_unseen(facts))
    if reason := _reason_absent(facts):
        return Finding(absent, *reason)
    why = "The book's want a machine with an NVIDIA card: Colab's, or a rented one's.  A Mac's own is not used."
    return Finding(WRONG if wanted else OK, "no GPU: the cpu presets take minutes, the book's hours or days", why)


def _reason_unseen(facts):
    """(why, command, section): why TensorFlow does not see the GPU that the driver sees."""
    driver, tensorflow, major = facts.driver, facts.tensorflow, facts.driver.version.split(".")[0]
    missing = [name for name in tensorflow.missing if name.startswith((*CUDA_LIBRARIES, *DRIVER_LIBRARIES))]
    if not tensorflow.has_cuda:
        why = f"{_listed(facts.variants)} was built without CUDA; for {facts.processor} there may be no other."
        return why, "", "another-tensorflow"
    if major.isdecimal() and int(major) < OLDEST_DRIVER:
        return f"The driver {driver.version} is too old: CUDA 12 needs {OLDEST_DRIVER} or newer.", "", DRIVER
    if missing:
        is_the_drivers = all(name.startswith(DRIVER_LIBRARIES) for name in missing)
        return f"It cannot load {_listed(missing)}.", "" if is_the_drivers else AND_CUDA, LIBRARIES
    why = f"It says: {tensorflow.log or 'nothing.'}"
    if driver.hidden_by:
        why += f"  CUDA_VISIBLE_DEVICES is {driver.hidden_by!r}: an entry that names no GPU hides what follows it."
    command = "unset CUDA_VISIBLE_DEVICES" if driver.hidden_by else ""
    return why, command, "tensorflow-does-not-see-the-gpu-that-the-driver-sees"


def _reason_absent(facts):
    """(what, why, command, section): why the driver sees no GPU; None where there is none."""
    driver, is_container = facts.driver, facts.place == "container"
    lacking = [name for name in facts.tensorflow.missing if name.startswith(DRIVER_LIBRARIES)]
    if is_container and (driver.is_loaded or driver.has_card) and not driver.has_nodes:
        why = "It was started without --gpus all (compose: profile gpu), or Docker has not learnt to lend GPUs."
        return "the host has a GPU, this container has none", why, "", "docker-and-nvidias-container-toolkit"
    if driver.complaint:
        commands = {"Unknown Error": "docker restart CONTAINER", "version mismatch": "sudo reboot"}
        command = next((commands[words] for words in commands if words in driver.complaint), "")
        return "NVIDIA's driver does not work", f"nvidia-smi says: {driver.complaint}", command, DRIVER
    if facts.place == "wsl" and driver.has_nodes:
        why = "The driver belongs into Windows, never into WSL; other makers' cards are not used."
        return "Windows shows a graphics card that NVIDIA's driver does not know", why, "", DRIVER
    if driver.has_nodes and lacking:
        return "a part of the driver is missing", f"TensorFlow cannot load {_listed(lacking)}.", "", LIBRARIES
    if driver.has_card:
        return "there is an NVIDIA card and no driver for it", "TensorFlow needs NVIDIA's own.", "", DRIVER
    return None


def _about_space(facts):
    total = facts.memory if facts.memory_limit is None else facts.memory_limit
    limit = "" if facts.memory_limit is None else ", the limit of this container"
    if total is not None and total < MEMORY_GB:
        why = f"TensorFlow and a small model take 1 GB, and data comes on top: {MEMORY_GB} GB are the least."
        yield Finding(WRONG, f"too little memory: {total:.1f} GB{limit}", why, section=SPACE)
    elif total is not None:
        yield Finding(OK, f"memory: {total:.0f} GB{limit}")
    for name, folder, least in (("data", facts.data, DATA_GB), ("runs", facts.runs, RUNS_GB)):
        if folder is None:
            continue
        shown = f"folder for {name}, {folder.path}"
        if not folder.is_known:
            why = "No home folder is known: there is neither HOME nor an entry for this user, as in some containers."
            yield Finding(WRONG, f"the folder for {name} cannot be found", why, "export GDL_DATA_DIR=$PWD/data")
        elif not folder.is_writable:
            why = "It is another user's, or a file or a link that leads nowhere stands in its place."
            yield Finding(WRONG, f"the {shown}, cannot be written", why, section="a-folder-that-cannot-be-written")
        elif folder.free < least:
            what = f"too little disk: {folder.free:.1f} GB free in the {shown}"
            yield Finding(WRONG, what, f"{least} GB are the least.", section=SPACE)
        else:
            yield Finding(OK, f"{shown}, {folder.free:.0f} GB free")


def _about_kaggle(key):
    """A key is a convenience: nothing but five data sets needs it.  It is never shown."""
    if key == "found":
        yield Finding(OK, "Kaggle key found (not tried)")
    elif key == "none":
        why = "Only faces, bricks, recipes, flowers and wines need one.  Make it at kaggle.com/settings."
        yield Finding(NOTE, "no Kaggle key", why, "echo 'KAGGLE_API_TOKEN=YOUR_TOKEN' >> .env", "kaggle")
    elif key == "unreadable":
        why = "Kaggle's key is looked for in it.  It is closed to you, or no UTF-8: PowerShell, for one, writes UTF-16."
        yield Finding(WRONG, "the file .env, here or in a folder above, cannot be read", why, section="kaggle")


def _is_in_range(version, wanted):
    from packaging.specifiers import SpecifierSet  # where a range is known, this was there to read it

    return SpecifierSet(wanted).contains(version, prereleases=True)


def _listed(names):
    return ", ".join(name if count == 1 else f"{count} x {name}" for name, count in Counter(names).items())
