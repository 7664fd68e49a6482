"""Commands that bring what is missing."""

INSTALL_DRIVER = {
    "ubuntu": "sudo apt-get update && sudo apt-get install -y ubuntu-drivers-common && sudo ubuntu-drivers install "
    "&& sudo reboot",
    # Debian's own sources leave non-free out.  They are changed where they stand, in the old format or the new: apt
    # refuses the same source in a second file where only one of the two names its key.  The driver is built for the
    # kernel that starts next, which must be of the same kind as this one: amd64, cloud-amd64, ...
    "debian": "sudo sed -Ei '/^(deb|Components:)/ s/ main( .*)?$/ main contrib non-free non-free-firmware/' "
    "/etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null; "
    "sudo apt-get update && sudo apt-get install -y linux-{image,headers}-$(uname -r | sed 's/.*[0-9]-//') "
    "nvidia-driver && sudo reboot",
}
TELL_DOCKER = "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker"
# No distribution has the toolkit: apt must first be told where NVIDIA keeps it.
TOOLKIT_KEY = "/usr/share/keyrings/nvidia-container-toolkit-keyring.gpg"
INSTALL_TOOLKIT = (
    "curl -fsSL https://nvidia.github.io/libnvidia-container/gpgkey "
    f"| sudo gpg --yes --dearmor -o {TOOLKIT_KEY} "
    "&& curl -fsSL https://nvidia.github.io/libnvidia-container/stable/deb/nvidia-container-toolkit.list "
    f"| sed 's#deb https://#deb [signed-by={TOOLKIT_KEY}] https://#' "
    "| sudo tee /etc/apt/sources.list.d/nvidia-container-toolkit.list "
    f"&& sudo apt-get update && sudo apt-get install -y nvidia-container-toolkit && {TELL_DOCKER}"
)
# The Dockerfile's own defaults are those for a GPU.
BUILD_FOR_GPU = "docker build --tag IMAGE ."
BUILD_FOR_PROCESSOR = (
    "docker build --tag IMAGE --build-arg BASE=python:3.13-slim-trixie --build-arg TENSORFLOW=tensorflow ."
)


def install(facts, what):
    """What pip is to install; in a container whose packages belong to its image, the image is to be built anew."""
    if facts.machine.place == "container" and not facts.software.can_install:
        # The base with CUDA is for x86 alone.
        is_for_gpu = _has_gpu(facts) and facts.machine.processor == "x86_64"
        return BUILD_FOR_GPU if is_for_gpu else BUILD_FOR_PROCESSOR
    return f"pip install {what}"


def install_tensorflow(facts):
    """The TensorFlow that belongs here: with CUDA's libraries where there is a GPU."""
    return install(facts, tensorflow(facts, "tensorflow[and-cuda]" if _has_gpu(facts) else "tensorflow"))


def replace_tensorflow(facts):
    """The same where a wrong variant, or several, must go first: they share their files."""
    command = install_tensorflow(facts)
    return f"pip uninstall -y {' '.join(facts.software.tensorflows)} && {command}" if "pip" in command else command


def tensorflow(facts, name="tensorflow"):
    """TensorFlow, or the variant `name`, with the range in which it is supported, as a shell takes it."""
    packages = facts.software.packages or ()
    wanted = next((package.wanted for package in packages if package.name == "tensorflow"), "")
    return f'"{name}{wanted}"'


def mended_by_driver(facts, what, why):
    """(what, why, command) of what NVIDIA's driver mends, new or again, here or on the host of this container."""
    if facts.machine.place == "wsl":
        return what, why, "wsl --update"
    if facts.machine.place == "container":  # whose distribution is not its host's
        why += "  A container uses its host's driver: run this there, or where it is no Ubuntu, see nvidia.com/drivers."
        return what, why, INSTALL_DRIVER["ubuntu"]
    command = next((INSTALL_DRIVER[name] for name in facts.machine.distributions if name in INSTALL_DRIVER), "")
    return what, why if command else f"{why}  How it is installed on this system: nvidia.com/drivers.", command


def install_toolkit(facts):
    """NVIDIA's container toolkit, where apt brings it; "" elsewhere."""
    return INSTALL_TOOLKIT if "debian" in facts.machine.distributions else ""


def _has_gpu(facts):
    """Whether there is one, even if this container was not lent it."""
    return bool(facts.driver.gpus or facts.driver.module or facts.tensorflow.gpus)
