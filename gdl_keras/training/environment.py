"""What a run ran on, so that its numbers can be understood later."""

import os
import platform
from importlib.metadata import version

PACKAGES = ("gdl-keras", "keras", "tensorflow", "tensorflow-cpu", "numpy", "tensorflow-datasets")


def describe():
    """{"python", "platform", "processors", "devices", "packages"}; imports TensorFlow."""
    import tensorflow as tf

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "devices": [_device_name(device) for device in tf.config.list_physical_devices()],
        "packages": {name: v for name in PACKAGES if (v := package_version(name))},
    }


def package_version(name):
    """The installed version of a package, or None."""
    try:
        return version(name)
    except ModuleNotFoundError:
        return None


def _device_name(device):
    import tensorflow as tf

    if device.device_type == "GPU":
        return tf.config.experimental.get_device_details(device).get("device_name", "GPU")
    return device.device_type
