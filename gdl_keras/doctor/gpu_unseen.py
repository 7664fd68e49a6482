"""Why TensorFlow does not see the GPU that the driver sees.

Each situation is a function of the facts that returns (what, why, command), or None where it is not the case.  They are
asked in order, the most specific first; the last is always the case.
"""

from gdl_keras.doctor.finding import listed
from gdl_keras.doctor.installing import install_tensorflow, mended_by_driver, replace_tensorflow

# CUDA 12's libraries work with any driver from here on.
OLDEST_DRIVER = 525
# The part of the driver that programs load; a container gets it from its host.
DRIVER_LIBRARIES = {"libcuda.so.1", "libnvidia-ml.so.1"}
# How CUDA's own begin.  Others that it looks for, such as TensorRT's, may be missing.
CUDA_LIBRARIES = ("libcu", "libnccl")
# Both go before what is set already: a machine may need the one and the other.
ALREADY = "${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
LIBRARY_PATH = (
    "export LD_LIBRARY_PATH=$(python -c \"import glob, sysconfig; print(':'.join("
    f"glob.glob(sysconfig.get_path('purelib') + '/nvidia/*/lib')))\"){ALREADY}"
)
WSL_LIBRARY_PATH = f"export LD_LIBRARY_PATH=/usr/lib/wsl/lib{ALREADY}"
KEEP_IT = (
    "  The command holds for this shell: to keep it, add it to the end of .venv/bin/activate, or where there is no "
    "virtual environment, of ~/.bashrc."
)


def is_hidden(facts):
    """CUDA_VISIBLE_DEVICES keeps every GPU from TensorFlow: CUDA stops at the first entry that names none."""
    value = facts.driver.hidden_by
    if value is None or _names_a_gpu(value.split(",")[0].strip(), facts):
        return None
    return (
        "CUDA_VISIBLE_DEVICES hides the GPU",
        f"Its value is {value!r}, and its first entry names none that is here.  They are numbered from 0.",
        "unset CUDA_VISIBLE_DEVICES",
    )


def _names_a_gpu(entry, facts):
    if entry.startswith(("GPU-", "MIG-")):  # followed by a serial number, of which TensorFlow tells whether it is here
        return "CUDA_ERROR_NO_DEVICE" not in facts.tensorflow.log
    return entry.isdecimal() and int(entry) < len(facts.driver.gpus)


def _is_windows(facts):
    if facts.machine.system != "Windows":
        return None
    return (
        f"TensorFlow does not use {_gpu(facts)} in Windows itself",
        "Since version 2.11 it uses them in WSL2 only.",
        "wsl --install",
    )


def _is_built_without_cuda(facts):
    if facts.tensorflow.has_cuda:
        return None
    if "tensorflow-cpu" in facts.software.tensorflows:
        return (
            f"this is tensorflow-cpu, which cannot use {_gpu(facts)}",
            "Both variants bring the same module: take this one away first.",
            replace_tensorflow(facts),
        )
    return (
        f"this TensorFlow was built without CUDA and cannot use {_gpu(facts)}",
        f"For {facts.machine.processor} there may be no other: then use a machine with x86_64.",
        replace_tensorflow(facts),
    )


def _is_driver_too_old(facts):
    version = facts.driver.gpus[0].driver
    if not version.split(".")[0].isdigit() or int(version.split(".")[0]) >= OLDEST_DRIVER:
        return None
    return mended_by_driver(
        facts,
        f"the driver {version} is too old for TensorFlow",
        f"It uses CUDA 12, which needs {OLDEST_DRIVER} or newer.",
    )


def lacks_driver_libraries(facts):
    """Libraries that come with the driver cannot be loaded."""
    lacking = [name for name in facts.tensorflow.missing if name in DRIVER_LIBRARIES]
    if not lacking:
        return None
    what = f"{' and '.join(lacking)}, a part of the driver, cannot be loaded"
    if facts.machine.place == "container":
        return (
            what,
            "The container was given only a part of the driver.",
            "docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,utility IMAGE",
        )
    if facts.machine.place == "wsl":
        return what, f"Windows puts it where programs are not told to look.{KEEP_IT}", WSL_LIBRARY_PATH
    return mended_by_driver(facts, what, "The driver is not installed whole.")


def _lacks_cuda_libraries(facts):
    missing = [name for name in facts.tensorflow.missing if name.startswith(CUDA_LIBRARIES)]
    if not missing:
        return None
    names = listed(missing)
    if set(missing) <= set(facts.tensorflow.unlinked):
        return (
            f"TensorFlow does not see {_gpu(facts)}: {names} are installed, and are not found",
            f"pip put them into folders in which the system does not look.{KEEP_IT}",
            LIBRARY_PATH,
        )
    return (
        f"TensorFlow does not see {_gpu(facts)}: it misses {names}",
        "Plain tensorflow comes without CUDA's libraries; those of the official Docker image are too old for it.",
        install_tensorflow(facts),
    )


def _is_unseen_otherwise(facts):
    said = f"It says: {facts.tensorflow.log}" if facts.tensorflow.log else "It does not say why."
    again = "docker restart CONTAINER" if facts.machine.place == "container" else "sudo reboot"
    return f"TensorFlow does not see {_gpu(facts)}", f"{said}  After an update or a sleep a fresh start helps.", again


UNSEEN = (
    is_hidden,
    _is_windows,
    _is_built_without_cuda,
    _is_driver_too_old,
    lacks_driver_libraries,
    _lacks_cuda_libraries,
    _is_unseen_otherwise,
)


def _gpu(facts):
    return listed([gpu.name for gpu in facts.driver.gpus])
