"""Why the driver sees no GPU: situations as in `gpu_unseen`."""

from gdl_keras.doctor.gpu_unseen import lacks_driver_libraries
from gdl_keras.doctor.installing import mended_by_driver


def _is_cut_off(facts):
    if facts.machine.place != "container" or "Unknown Error" not in facts.driver.complaint:
        return None
    return (
        "this container has lost its GPU",
        f"nvidia-smi says: {facts.driver.complaint}  It happens when the host reloads its services.",
        "docker restart CONTAINER",
    )


def _has_two_drivers(facts):
    if "version mismatch" not in facts.driver.complaint:
        return None
    return (
        "the driver was updated and its old half still runs",
        f"nvidia-smi says: {facts.driver.complaint}"
        + ("  Run this on the host." if facts.machine.place == "container" else ""),
        "sudo reboot",
    )


def _is_container_without_gpu(facts):
    if facts.machine.place != "container" or facts.driver.has_nodes or not (facts.driver.module or facts.driver.cards):
        return None
    return (
        "the host has a GPU, this container has none",
        "It was started without --gpus all (compose: profile gpu).  If Docker then answers 'could not select device "
        "driver', gdl doctor on the host tells how to give it NVIDIA's container toolkit.",
        "docker run --gpus all IMAGE gdl doctor --gpu",
    )


def _is_half_given(facts):
    if not facts.driver.has_nodes or facts.machine.place == "wsl":  # where any maker's card has one
        return None
    return lacks_driver_libraries(facts)


def _has_broken_driver(facts):
    if not facts.driver.complaint:
        return None
    return mended_by_driver(
        facts,
        "NVIDIA's driver is installed and does not work",
        f"nvidia-smi says: {facts.driver.complaint}  After an update of the kernel the driver must be built again.",
    )


def _lacks_driver(facts):
    if not facts.driver.cards:
        return None
    return mended_by_driver(
        facts,
        "there is an NVIDIA card and no driver for it",
        "Without NVIDIA's own driver TensorFlow cannot use it.",
    )


def _is_wsl_without_driver(facts):
    if facts.machine.place != "wsl" or not facts.driver.has_nodes:
        return None
    return (
        "Windows shows a graphics card that NVIDIA's driver does not know",
        "The driver belongs into Windows, never into WSL.  Install or update it there, and then WSL from PowerShell; "
        "other makers' cards are not used.",
        "wsl --update",
    )


def is_mac(facts):
    """A Mac: its GPU is not for this TensorFlow."""
    if facts.machine.system != "Darwin":
        return None
    return (
        "no GPU: on a Mac this TensorFlow computes on the processor",
        "The cpu presets take minutes; the book's want a machine with an NVIDIA card: Colab or a rented one.",
        "",
    )


def is_absent(facts):
    """There is no GPU, and that is all."""
    return (
        "no GPU: the cpu presets take minutes, the book's hours or days",
        "No command brings one: the book's want a machine with an NVIDIA card, such as Colab or a rented one.",
        "",
    )


ABSENT = (
    _is_cut_off,
    _has_two_drivers,
    _is_container_without_gpu,
    _is_half_given,
    _has_broken_driver,
    _lacks_driver,
    _is_wsl_without_driver,
    is_mac,
    is_absent,
)
