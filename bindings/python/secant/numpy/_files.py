"""Text of arrays, files, and arrays from other libraries."""

import numpy as np

from secant import _types
from secant._array import from_numpy, to_array
from secant._devices import on_device
from secant._tracer import Tracer

printoptions, set_printoptions, get_printoptions = np.printoptions, np.set_printoptions, np.get_printoptions


def array_repr(arr, max_line_width=None, precision=None, suppress_small=None):
    """repr of an array, with options of NumPy's."""
    if isinstance(arr, Tracer):
        return repr(arr)
    with np.printoptions(**_options(max_line_width, precision, suppress_small)):
        return repr(to_array(arr))


def array_str(a, max_line_width=None, precision=None, suppress_small=None):
    """str of an array, with options of NumPy's."""
    with np.printoptions(**_options(max_line_width, precision, suppress_small)):
        return str(a)


def _options(width, precision, suppress):
    given = {"linewidth": width, "precision": precision, "suppress": suppress}
    return {name: value for name, value in given.items() if value is not None}


def save(file, arr, allow_pickle=True):
    """Writes an array as an .npy file."""
    np.save(file, np.asarray(arr))


def savez(file, *args, **kwds):
    """Writes arrays as an .npz file."""
    np.savez(file, *map(np.asarray, args), **{name: np.asarray(a) for name, a in kwds.items()})


def load(file, *args, **kwargs):
    """An array of an .npy file, or the arrays of an .npz file (NumPy's)."""
    found = np.load(file, *args, **kwargs)
    return from_numpy(found) if isinstance(found, np.ndarray) else found


@on_device
def from_dlpack(x, /, *, device=None, copy=None):
    """An array of any library that speaks DLPack."""
    return from_numpy(np.from_dlpack(x))


def frombuffer(buffer, dtype=float, count=-1, offset=0):
    """A vector of the bytes of a buffer."""
    return from_numpy(np.frombuffer(buffer, _types.numpy_dtype(_types.code_of(dtype)), count, offset))


def fromfile(file, dtype=float, count=-1, sep="", offset=0):
    """A vector of the elements of a file."""
    return from_numpy(np.fromfile(file, _types.numpy_dtype(_types.code_of(dtype)), count, sep, offset))


def fromiter(iter, dtype, count=-1):
    """A vector of what an iterable gives."""
    return from_numpy(np.fromiter(iter, _types.numpy_dtype(_types.code_of(dtype)), count))


def fromstring(string, dtype=float, count=-1, *, sep):
    """A vector of the numbers in a text."""
    return from_numpy(np.fromstring(string, _types.numpy_dtype(_types.code_of(dtype)), count, sep=sep))


def iterable(y):
    """Whether iter(y) works."""
    return np.iterable(y)
