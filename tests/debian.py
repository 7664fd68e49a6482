"""A Debian package, made without Debian's tools."""

import io
import tarfile


def write_package(path, files):
    """Writes a package that holds `files`, {path in it, such as usr/share/a.png: bytes}."""
    members = {"debian-binary": b"2.0\n", "control.tar.xz": _tar({"control": CONTROL}), "data.tar.xz": _tar(files)}
    path.write_bytes(b"!<arch>\n" + b"".join(_member(name, content) for name, content in members.items()))


CONTROL = b"Package: test\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: test\n"


def _tar(files):
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:xz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def _member(name, content):
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n"
    return header.encode() + content + b"\n" * (len(content) % 2)
