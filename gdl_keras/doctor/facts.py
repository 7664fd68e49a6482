"""What can be seen of a machine, without a word on what it means.  The defaults are a laptop on which all is well."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Machine:
    """Attributes:
    system: "Linux", "Darwin" or "Windows".
    processor: "x86_64", "aarch64", "arm64", ...
    distributions: Linux's name for itself, then those of the systems that it is made from: ("ubuntu", "debian"), ...
    place: "container", "wsl" (Linux inside Windows), or "".
    has_docker: whether Docker is installed here; in Linux inside Windows, not the one that Windows lends.
    has_toolkit: whether NVIDIA's container toolkit is installed.
    """

    system: str = "Linux"
    processor: str = "x86_64"
    distributions: tuple[str, ...] = ("ubuntu", "debian")
    place: str = ""
    has_docker: bool = False
    has_toolkit: bool = False


@dataclass(frozen=True)
class Package:
    """A package that this project asks for: the range that it supports, and the version that is here, or None."""

    name: str
    wanted: str
    installed: str | None


@dataclass(frozen=True)
class Software:
    """Attributes:
    python: the version; python_wanted: the supported range, "" where it is not known.
    packages: every `Package` that this project asks for; None where its own metadata cannot be read.
    tensorflows: the distributions that bring the module tensorflow.
    backend: KERAS_BACKEND, or None where it is not set.
    configured_backend: the one in Keras's own file keras.json, or "".
    can_install: whether the folder in which pip puts packages can be written.
    """

    python: str = "3.12.1"
    python_wanted: str = "<3.14,>=3.11"
    packages: tuple[Package, ...] | None = (
        Package("keras", "<4,>=3.15", "3.15.1"),
        Package("tensorflow", "<2.22,>=2.21", "2.21.0"),
    )
    tensorflows: tuple[str, ...] = ("tensorflow",)
    backend: str | None = None
    configured_backend: str = ""
    can_install: bool = True


@dataclass(frozen=True)
class GPU:
    """One that the driver sees: its name, the driver's version, and its memory in MB (0: not told)."""

    name: str
    driver: str
    memory: int = 0
    free_memory: int = 0


@dataclass(frozen=True)
class Driver:
    """Attributes:
    gpus: what nvidia-smi lists.
    complaint: what nvidia-smi said instead; "" where it is not there or did not complain.
    cards: NVIDIA's graphics cards on the PCI bus, with a driver or without.
    module: the version of NVIDIA's kernel module; a container sees its host's.
    has_nodes: whether there are device files by which programs reach a GPU.
    hidden_by: the value of CUDA_VISIBLE_DEVICES, or None.
    """

    gpus: tuple[GPU, ...] = ()
    complaint: str = ""
    cards: int = 0
    module: str = ""
    has_nodes: bool = False
    hidden_by: str | None = None


@dataclass(frozen=True)
class TensorFlow:
    """Attributes:
    version: "" where it did not start.
    error: why it did not start.
    is_late: whether it was given up before it had started or failed.
    has_cuda: whether it was built for NVIDIA's GPUs.
    gpus: the names of those that it sees.
    missing: the libraries that it looked for and could not load.
    unlinked: those among them that lie in pip's folders, where they are not looked for.
    log: its warnings, as one line.
    compute_error: why the first GPU could not compute; None where it could or was not asked to.
    """

    version: str = "2.21.0"
    error: str = ""
    is_late: bool = False
    has_cuda: bool = True
    gpus: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unlinked: tuple[str, ...] = ()
    log: str = ""
    compute_error: str | None = None


@dataclass(frozen=True)
class Space:
    """Memory in GB; None where the system does not tell.

    Attributes:
        total: the machine's.
        limit: what the container or service may use, or None.
        available: what is free now.
        shared: the size of /dev/shm.
    """

    total: float | None = 16
    limit: float | None = None
    available: float | None = 12
    shared: float | None = 8


@dataclass(frozen=True)
class Folder:
    """A folder, whether it can be written, how many GB are free there, and what stands in its place or above, or ""."""

    path: str
    is_writable: bool = True
    free: float = 100
    obstacle: str = ""


@dataclass(frozen=True)
class Facts:
    """Attributes:
    data: where data goes; None where that cannot be told, and then `data_error` says why.
    runs: where `gdl run` writes when it is started here.
    kaggle_key: "whole", "half" or "none"; "locked" or "garbled" where the file `key_file`, in which it is looked for,
        may not be read or is no text; "" where nothing can be told.
    """

    machine: Machine = field(default_factory=Machine)
    software: Software = field(default_factory=Software)
    driver: Driver = field(default_factory=Driver)
    tensorflow: TensorFlow = field(default_factory=TensorFlow)
    space: Space = field(default_factory=Space)
    data: Folder | None = Folder("~/.cache/gdl_keras")
    data_error: str = ""
    runs: Folder = Folder("runs")
    kaggle_key: str = "whole"
    key_file: str = ".env"
