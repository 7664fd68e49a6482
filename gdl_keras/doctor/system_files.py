"""The files by which a system tells about itself."""


def read(path):
    """The text of a file, without the space around it; "" where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
