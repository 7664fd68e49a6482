"""What there is to say about the GPU."""

from gdl_keras.doctor.finding import Finding, Level, listed
from gdl_keras.doctor.gpu_absent import ABSENT, is_absent, is_mac
from gdl_keras.doctor.gpu_unseen import UNSEEN, is_hidden
from gdl_keras.doctor.installing import TELL_DOCKER, install_tensorflow, install_toolkit

SHARED_GB = 1
FREE_GPU_MB = 2000


def about_gpu(facts, wanted):
    """Findings about the GPU.  None is fine, unless one is `wanted`; one that is not used never is."""
    tensorflow, driver = facts.tensorflow, facts.driver
    if tensorflow.gpus:
        yield from _about_use(facts)
    elif driver.gpus and not tensorflow.version:
        yield Finding(Level.OK, f"the driver sees {listed([gpu.name for gpu in driver.gpus])}")
    elif driver.gpus:
        situation, found = _first(UNSEEN, facts)
        yield Finding(Level.NOTE if situation is is_hidden and not wanted else Level.WRONG, *found)
    else:
        situation, found = _first(ABSENT, facts)
        harmless = Level.OK if situation in (is_mac, is_absent) else Level.NOTE
        yield Finding(Level.WRONG if wanted else harmless, *found)
    if driver.gpus and facts.machine.has_docker and facts.machine.place != "container":
        yield _about_docker(facts)


def _about_use(facts):
    tensorflow, gpus = facts.tensorflow, facts.driver.gpus
    if tensorflow.compute_error is not None:
        said = "; ".join(filter(None, (tensorflow.compute_error, tensorflow.log)))
        yield Finding(
            Level.WRONG,
            f"TensorFlow sees {listed(tensorflow.gpus)} and cannot compute on it",
            f"It says: {said}  Most often it finds a cuDNN that is too old: another package's, or one that "
            "LD_LIBRARY_PATH leads to.",
            install_tensorflow(facts),
        )
    else:
        yield Finding(Level.OK, f"TensorFlow sees {listed(tensorflow.gpus)}")
    full = [gpu for gpu in gpus if gpu.memory and gpu.free_memory < FREE_GPU_MB]
    if full:
        yield Finding(
            Level.NOTE,
            f"{full[0].name} has {full[0].free_memory} of {full[0].memory} MB of memory free",
            "Another program uses the rest: a run, or a notebook whose kernel still lives.",
            "nvidia-smi --query-compute-apps=pid,process_name,used_memory --format=csv",
        )
    shared = facts.space.shared
    if len(tensorflow.gpus) > 1 and shared is not None and shared < SHARED_GB:
        yield Finding(
            Level.WRONG,
            f"/dev/shm has {shared * 1000:.0f} MB, too few for {len(tensorflow.gpus)} GPUs",
            "They exchange gradients there (NCCL: No space left on device); Docker gives 64 MB.",
            "docker run --shm-size=1g --gpus all IMAGE",
        )


def _about_docker(facts):
    """Whether it can lend a GPU; whether it was told that it can, only a container that asks for one shows."""
    if facts.machine.has_toolkit:
        what = f"NVIDIA's container toolkit is here; if Docker says 'could not select device driver': {TELL_DOCKER}"
        return Finding(Level.OK, what)
    return Finding(
        Level.NOTE,
        "Docker is here, NVIDIA's container toolkit is not",
        "docker run --gpus all will say: could not select device driver.  Without Docker nothing is missing.  "
        "Systems without apt: see docs.nvidia.com/datacenter/cloud-native/container-toolkit.",
        install_toolkit(facts),
    )


def _first(situations, facts):
    """The first of `situations` that is the case, and what it says."""
    return next((situation, found) for situation in situations if (found := situation(facts)) is not None)
