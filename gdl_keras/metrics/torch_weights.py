"""Weights that PyTorch has written, read without PyTorch.

Such a file is a pickle, and a pickle may call whatever it names.  This one reader knows the five names that a table of
tensors takes, each answered by something harmless here, and refuses every other before anything is called.
"""

import math
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import as_strided

from gdl_keras.errors import InputError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DTYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "LongStorage": "<i8"}


def read_torch_weights(path):
    """The tensors of a file that `torch.save` wrote before PyTorch 1.6: {name: numpy array}, in the file's order.

    The file is a row of pickles (a magic number, the protocol, the machine, the tensors as views of storages, the keys
    of the storages), and behind them each storage, its length and its numbers.

    Args:
        path: str or Path.

    Raises:
        InputError: the file cannot be read, is no such file, or names anything but tensors.
    """
    try:
        with open(path, "rb") as file:
            return _read(file, Path(path).stat().st_size)
    except InputError:
        raise
    except Exception as error:  # damaged pickles raise whatever their damage leads to
        raise InputError(f"{path} is no file of PyTorch's weights, or is damaged ({error}).") from error


class _Tensors(pickle.Unpickler):
    """Reads one pickle; `storages` are the arrays that its tensors look into, filled in later."""

    def __init__(self, file, size):
        super().__init__(file)
        self.size = size
        self.storages = {}

    def find_class(self, module, name):
        known = {"collections.OrderedDict": OrderedDict, "torch._utils._rebuild_tensor_v2": _view}
        known |= {f"torch.{storage}": np.dtype(dtype) for storage, dtype in DTYPES.items()}
        if (found := known.get(f"{module}.{name}")) is None:
            raise InputError(f"A file of weights names {module}.{name}, which is no tensor: it is not read.")
        return found

    def persistent_load(self, saved):
        kind, dtype, key, _, count, part = saved
        if kind != "storage" or part is not None or not 0 <= count * dtype.itemsize <= self.size:
            raise ValueError(f"a storage of {count} numbers")
        return self.storages.setdefault(key, np.zeros(count, dtype))


def _read(file, size):
    head = [_Tensors(file, size).load() for _ in range(3)]
    if head[:2] != [MAGIC, PROTOCOL] or not head[2]["little_endian"]:
        raise ValueError("it begins otherwise")
    reader = _Tensors(file, size)
    tensors = reader.load()
    for key in _Tensors(file, size).load():
        storage = reader.storages[key]
        (count,) = np.frombuffer(file.read(8), "<i8")
        if count != len(storage):
            raise ValueError(f"{count} numbers where {len(storage)} were told")
        storage[:] = np.frombuffer(file.read(storage.nbytes), storage.dtype)
    return {name: np.array(tensor, order="C") for name, tensor in tensors.items()}


def _view(storage, offset, shape, strides, *_):
    # as_strided looks wherever it is told to, so that is checked here.
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    if min(offset, *shape, *strides, 0) < 0 or (math.prod(shape) and last >= len(storage)):
        raise ValueError("a tensor reaches beyond its storage")
    return as_strided(storage[offset:], shape, [stride * storage.itemsize for stride in strides], writeable=False)
