"""PyTorch's files without PyTorch: tensors come out as they went in, and nothing that a file names is run."""

import os
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from gdl_keras.errors import InputError
from gdl_keras.metrics.torch_weights import MAGIC, PROTOCOL, read_torch_weights

MACHINE = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


class Storage:
    def __init__(self, kind, values):
        self.kind, self.values = kind, np.asarray(values)


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.parts = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.parts


@pytest.fixture
def write(tmp_path, monkeypatch):
    """write(tensors, storages) -> path of a file as torch.save of PyTorch 1.5 makes it."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "DoubleStorage", "HalfStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    exec("def _rebuild_tensor_v2(*parts): raise AssertionError", utils.__dict__)
    utils._rebuild_tensor_v2.__module__ = "torch._utils"
    torch._utils = utils
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def write(tensors, storages, told=None):
        class Pickler(pickle.Pickler):
            def persistent_id(self, thing):
                if isinstance(thing, Storage):
                    count = told or len(thing.values)
                    return ("storage", getattr(torch, thing.kind), str(id(thing)), "cpu", count, None)
                return None

        path = tmp_path / "weights.pth"
        with open(path, "wb") as file:
            for part in (MAGIC, PROTOCOL, MACHINE, tensors, [str(id(storage)) for storage in storages]):
                Pickler(file, protocol=2).dump(part)
            for storage in storages:
                file.write(struct.pack("<q", len(storage.values)) + storage.values.tobytes())
        return path

    return write


@pytest.fixture
def numbers():
    return Storage("FloatStorage", np.arange(24, dtype="<f4"))


def test_tensors_are_views_of_storages_with_any_strides(write, numbers):
    counter = Storage("LongStorage", np.array([7], "<i8"))
    tensors = OrderedDict(
        plain=Tensor(numbers, 0, (2, 12), (12, 1)),
        turned=Tensor(numbers, 0, (4, 6), (1, 4)),
        part=Tensor(numbers, 10, (3,), (2,)),
        counter=Tensor(counter, 0, (), ()),
        empty=Tensor(numbers, 24, (0, 3), (3, 1)),
    )
    read = read_torch_weights(write(tensors, [numbers, counter]))
    assert list(read) == list(tensors)
    np.testing.assert_array_equal(read["plain"], np.arange(24).reshape(2, 12))
    np.testing.assert_array_equal(read["turned"], np.arange(24).reshape(6, 4).T)
    np.testing.assert_array_equal(read["part"], [10, 12, 14])
    assert (read["counter"].dtype, read["counter"].shape, read["counter"].item()) == (np.int64, (), 7)
    assert (read["plain"].dtype, read["empty"].shape) == (np.float32, (0, 3))


class Call:
    """What is read calls this function with these arguments."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("place", range(5))
def test_a_file_that_would_run_a_command_is_refused_before_it_does(tmp_path, place, protocol):
    """In each of the five pickles of the file."""
    mark = tmp_path / "mark"
    parts = [MAGIC, PROTOCOL, MACHINE, OrderedDict(), []]
    parts[place] = Call(os.system, f"touch {mark}")
    path = tmp_path / "weights.pth"
    path.write_bytes(b"".join(pickle.dumps(part, protocol) for part in parts))
    with pytest.raises(InputError, match=r"names \w+\.system, which is no tensor: it is not read"):
        read_torch_weights(path)
    assert not mark.exists()
    if place == 0:  # the file does what it is said to do
        pickle.loads(path.read_bytes())
        assert mark.exists()


@pytest.mark.parametrize(
    "named",
    [
        "builtins\neval",
        "builtins\ngetattr",
        "torch\nHalfStorage",
        "torch._utils\n_rebuild_parameter",
        "numpy\nload",
        "collections\ndeque",
        "gdl_keras.metrics.torch_weights\n_view",
    ],
)
def test_only_the_names_of_tensors_are_known(tmp_path, named):
    path = tmp_path / "weights.pth"
    path.write_bytes(f"c{named}\n.".encode())
    with pytest.raises(InputError, match=named.replace("\n", r"\.")):
        read_torch_weights(path)


def test_dotted_names_lead_nowhere(tmp_path):
    path = tmp_path / "weights.pth"
    words = b"".join(b"\x8c" + bytes([len(word)]) + word for word in (b"collections", b"_sys.modules"))
    path.write_bytes(b"\x80\x04" + words + b"\x93.")
    with pytest.raises(InputError, match=r"collections\._sys"):
        read_torch_weights(path)


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (25,), (1,)), (23, (2,), (1,)), (0, (5, 6), (6, 1)), (-1, (2,), (1,)), (5, (3,), (-1,)), (0, (-2, 3), (3, 1))],
)
def test_a_tensor_beyond_its_storage_is_refused(write, numbers, offset, shape, strides):
    with pytest.raises(InputError, match="a tensor reaches beyond its storage"):
        read_torch_weights(write({"a": Tensor(numbers, offset, shape, strides)}, [numbers]))


def test_storages_larger_than_the_file_take_no_memory(write, numbers):
    with pytest.raises(InputError, match="a storage of 1000000000000 numbers"):
        read_torch_weights(write({"a": Tensor(numbers, 0, (24,), (1,))}, [numbers], told=10**12))


def test_a_damaged_file_is_one_sentence(write, numbers, tmp_path):
    whole = write({"a": Tensor(numbers, 0, (24,), (1,))}, [numbers]).read_bytes()
    path = tmp_path / "cut.pth"
    for length in (*range(0, len(whole), 7), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.pth is no file of PyTorch's weights, or is damaged"):
            read_torch_weights(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    for other in (path, tmp_path / "missing.pth"):
        with pytest.raises(InputError, match="is no file of PyTorch's weights"):
            read_torch_weights(other)
