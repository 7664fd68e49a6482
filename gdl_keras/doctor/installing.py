"""Commands that bring what is missing."""

INSTALL_DRIVER = {
    "ubuntu": "sudo apt-get update && sudo apt-get install -y ubuntu-drivers-common && sudo ubuntu-drivers install "
    "&& sudo reboot",
    "debian": "sudo apt-get install -y nvidia-driver && sudo reboot",
}
INSTALL_TOOLKIT = (
    "sudo apt-get install -y nvidia-container-toolkit && sudo nvidia-ctk runtime configure --runtime=docker "
    "&& sudo systemctl restart docker"
)


def install(facts, what):
    """What pip is to install; in a container whose packages belong to its image, the image is to be built anew."""
    if facts.machine.place == "container" and not facts.software.can_install:
        return "docker build --tag IMAGE ."
    return f"pip install {what}"


def install_tensorflow(facts):
    """The TensorFlow that belongs here: with CUDA's libraries where there is a GPU."""
    has_gpu = facts.driver.gpus or facts.tensorflow.gpus
    return install(facts, tensorflow(facts, "tensorflow[and-cuda]" if has_gpu else "tensorflow"))


def replace_tensorflow(facts):
    """The same where a wrong variant, or several, must go first: they share their files."""
    command = install_tensorflow(facts)
    return f"pip uninstall -y {' '.join(facts.software.tensorflows)} && {command}" if "pip" in command else command


def tensorflow(facts, name="tensorflow"):
    """TensorFlow, or the variant `name`, with the range in which it is supported, as a shell takes it."""
    packages = facts.software.packages or ()
    wanted = next((package.wanted for package in packages if package.name == "tensorflow"), "")
    return f'"{name}{wanted}"'


def install_driver(facts):
    """NVIDIA's driver, new or again, on the machine that `facts` are of, or on its host."""
    machine = facts.machine
    if machine.place == "wsl":
        return "wsl --update"
    if machine.place == "container":  # whose distribution is not its host's
        return INSTALL_DRIVER["ubuntu"]
    return INSTALL_DRIVER.get(machine.distribution, "")
