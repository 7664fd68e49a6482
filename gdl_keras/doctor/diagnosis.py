"""What the facts mean: from `Facts` to findings, and nothing else, so that every situation can be tested."""

from gdl_keras.doctor.finding import Finding, Level
from gdl_keras.doctor.gpu_diagnosis import about_gpu
from gdl_keras.doctor.installing import BUILD_FOR_PROCESSOR, install, replace_tensorflow, tensorflow
from gdl_keras.doctor.kaggle_diagnosis import about_kaggle
from gdl_keras.doctor.space_diagnosis import about_folders, about_memory


def diagnose(facts, gpu_wanted=False):
    """Every `Finding`, in the order in which to mend them: what is first often causes what follows."""
    return [
        *about_software(facts),
        *about_tensorflow(facts),
        *about_gpu(facts, gpu_wanted),
        *about_memory(facts),
        *about_folders(facts),
        *about_kaggle(facts),
    ]


def about_software(facts):
    """Python, packages, several TensorFlows on top of each other, Keras's backend."""
    software = facts.software
    yield _about_system(facts)
    yield _about_python(software)
    yield from _about_packages(facts)
    if len(software.tensorflows) > 1:
        yield Finding(
            Level.WRONG,
            f"{' and '.join(software.tensorflows)} are installed over each other",
            "They bring the same module: which files are whose is chance, and taking one away breaks the other.",
            replace_tensorflow(facts),
        )
    yield _about_backend(software)


def about_tensorflow(facts):
    """Whether it starts; what it sees belongs to the GPU."""
    version, error = facts.tensorflow.version, facts.tensorflow.error
    if version:
        yield Finding(Level.OK, f"TensorFlow {version} starts")
    elif not facts.software.tensorflows:
        command = install(facts, "-r requirements.txt")
        yield Finding(Level.WRONG, "TensorFlow is not installed", "Every model runs on it.", command)
    elif facts.tensorflow.is_late:
        yield Finding(
            Level.WRONG,
            f"TensorFlow does not start: {error}",
            "The machine or its disk is busy, or the GPU's driver does not answer.  This shows whether it ever starts.",
            "time python -c 'import tensorflow; tensorflow.config.list_physical_devices()'",
        )
    elif "AVX" in error or "SIGILL" in error:
        yield Finding(
            Level.WRONG,
            "TensorFlow asks for instructions (AVX) that this processor does not have",
            "A Mac with an M processor says so in an image that was built for Intel's: build it for its own.  A "
            "processor of Intel or AMD that lacks them cannot run TensorFlow.",
            BUILD_FOR_PROCESSOR.replace("--tag", "--platform linux/arm64 --tag"),
        )
    else:
        yield Finding(
            Level.WRONG,
            "TensorFlow does not start",
            f"It says: {error}",
            install(facts, f"--force-reinstall {tensorflow(facts, facts.software.tensorflows[0])}"),
        )


def _about_system(facts):
    machine = facts.machine
    if machine.system == "Windows":
        return Finding(
            Level.WRONG,
            "this is Windows itself",
            "gdl_keras runs on Linux and macOS, and in Windows inside WSL2, which also reaches the GPU.",
            "wsl --install",
        )
    place = {"container": ", in a container", "wsl": ", inside Windows (WSL)"}.get(machine.place, "")
    return Finding(Level.OK, f"{machine.system} on {machine.processor}{place}")


def _about_python(software):
    if not software.python_wanted or _in_range(software.python, software.python_wanted):
        return Finding(Level.OK, f"Python {software.python}")
    return Finding(
        Level.WRONG,
        f"Python {software.python} is out of the supported range {software.python_wanted}",
        "The packages that the models run on have no build for it.",
        "python3.12 -m venv .venv && .venv/bin/pip install -e .",
    )


def _about_packages(facts):
    software = facts.software
    if software.packages is None:
        yield Finding(
            Level.NOTE,
            "the packages' versions cannot be checked",
            "gdl_keras is not installed as a package, or the package `packaging`, which Keras brings, is missing.",
            install(facts, "-e ."),
        )
        return
    missing = [package for package in software.packages if package.installed is None]
    outside = [
        package
        for package in software.packages
        if package.installed is not None and not _in_range(package.installed, package.wanted)
    ]
    if missing:
        yield Finding(
            Level.WRONG,
            f"not installed: {', '.join(package.name for package in missing)}",
            "The models need every package of requirements.txt.",
            install(facts, "-r requirements.txt"),
        )
    for package in outside:
        is_cpu_variant = package.name == "tensorflow" and software.tensorflows == ("tensorflow-cpu",)
        name = "tensorflow-cpu" if is_cpu_variant else package.name
        yield Finding(
            Level.WRONG,
            f"{package.name} {package.installed} is out of the supported range {package.wanted}",
            "The models are tested with that range alone.",
            install(facts, f'"{name}{package.wanted}"'),
        )
    if not missing and not outside:
        shown = ", ".join(f"{p.name} {p.installed}" for p in software.packages if p.name in ("keras", "tensorflow"))
        yield Finding(Level.OK, f"all {len(software.packages)} packages are in the supported range ({shown})")


def _about_backend(software):
    if software.backend not in (None, "tensorflow"):
        return Finding(
            Level.WRONG,
            f"Keras is set to the backend {software.backend!r} by KERAS_BACKEND",
            "gdl_keras runs on TensorFlow.",
            "unset KERAS_BACKEND",
        )
    if software.backend is None and software.configured_backend not in ("", "tensorflow"):
        return Finding(
            Level.NOTE,
            f"Keras's own file keras.json names the backend {software.configured_backend!r}",
            "gdl overrides it; a program of yours that imports keras before gdl_keras is refused.",
            "export KERAS_BACKEND=tensorflow",
        )
    return Finding(Level.OK, "Keras runs on TensorFlow")


def _in_range(version, wanted):
    from packaging.specifiers import SpecifierSet  # where a range is known, this was there to read it

    return SpecifierSet(wanted).contains(version, prereleases=True)
