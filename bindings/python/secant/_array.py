"""Concrete arrays: a counted sec_array *, read by NumPy without a copy."""

import ctypes

import numpy as np

from secant import _fast, _running, _types
from secant._errors import check, check_pointer
from secant._lib import context, int64s, lib
from secant._operators import Array

_release = lib.sec_array_release


class _Plain:
    """What the C type of the fast path holds: a counted handle and its Aval."""

    __slots__ = ("_handle", "aval", "__weakref__")

    def __init__(self, handle, aval=None):
        self._handle = handle
        self.aval = aval or _types.aval_at(lib.sec_array_aval(handle))

    def __del__(self, release=_release):
        release(self._handle)

    def __buffer__(self, flags):
        if self.aval.code == _types.BF16:
            raise BufferError("the buffer protocol has no letter for this dtype; use numpy.asarray")
        return self._view().__buffer__(flags)


class _Methods:
    """A concrete array in the library's memory."""

    __slots__ = ()

    # ---- to NumPy and Python ----
    def __array__(self, dtype=None, copy=None):
        view = self._view()
        if dtype is not None and np.dtype(dtype) != view.dtype:
            return view.astype(dtype)
        return view.copy() if copy else view

    def _view(self):
        """A read-only NumPy array of the same memory, which it keeps alive."""
        dtype = self.aval.dtype
        check(lib.sec_array_check(self._handle))
        if not self.aval.size:
            return np.empty(self.aval.shape, dtype)
        if _fast.enabled and self.aval.code != _types.BF16 and dtype.kind != "V":
            return np.asarray(memoryview(self))
        flat = np.asarray(_Memory(self))
        return (flat if flat.dtype == dtype else flat.view(dtype)).reshape(self.aval.shape)

    def __dlpack__(self, **keywords):
        """A capsule of the same memory, read-only; of a copy for who asks for the version that cannot say so."""
        view = self._view()
        if (keywords.get("max_version") or (0, 0))[0] < 1 or keywords.get("copy"):
            view, keywords = view.copy(), {k: v for k, v in keywords.items() if k != "copy"}
        return view.__dlpack__(**keywords)

    def __dlpack_device__(self):
        return (1, 0)

    def item(self, *args):
        return self._view().item(*args)

    def tolist(self):
        return self._view().tolist()

    def tobytes(self, order="C"):
        """The elements' bytes."""
        return self._view().tobytes(order)

    def byteswap(self):
        """The array with the bytes of each element in the other order."""
        return from_numpy(self._view().byteswap(), self.aval.weak_type)

    def _scalar(self, name):
        if self.aval.ndim:
            raise TypeError(f"Only scalar arrays can be converted to Python {name}; got arr.ndim={self.aval.ndim}")
        return self._view().item()

    def __float__(self):
        return float(self._scalar("floats"))

    def __int__(self):
        return int(self._scalar("integers"))

    def __complex__(self):
        return complex(self._scalar("complexes"))

    def __index__(self):
        if not _types.is_integer(self.aval.code) or self.aval.ndim:
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return int(self._view().item())

    def __bool__(self):
        if self.aval.size != 1:
            what = "empty array" if not self.aval.size else "array with more than one element"
            raise ValueError(f"The truth value of an {what} is ambiguous. Use a.any() or a.all()")
        return bool(self._view().item())

    def __iter__(self):
        if not self.aval.ndim:
            raise TypeError("iteration over a 0-d array")
        return iter([from_numpy(row) for row in self._view()])

    def __contains__(self, item):
        return bool((self == item).any())

    # ---- text ----
    def __repr__(self):
        weak = ", weak_type=True" if self.aval.weak_type else ""
        check(lib.sec_array_check(self._handle))
        if not self.aval.size:
            body = "[]" + (f", shape={self.aval.shape}" if self.aval.shape != (0,) else "")
        else:
            body = np.array2string(self._view(), separator=", ", prefix="Array(")
        return f"Array({body}, dtype={self.aval.dtype.name}{weak})"

    def __str__(self):
        return str(self._view())

    def __format__(self, spec):
        return format(self._view()[()] if not self.aval.ndim else self._view(), spec)

    # ---- copy, pickle, devices ----
    def __reduce__(self):
        return _unpickle, (np.array(self._view()), self.aval.weak_type)

    def __copy__(self):
        check(lib.sec_array_check(self._handle))
        return self

    def __deepcopy__(self, memo):
        return self.__copy__()

    def block_until_ready(self):
        """The array itself: a run has ended when its results are there."""
        return self.__copy__()

    def is_ready(self):
        """True: a run has ended when its results are there."""
        return self.block_until_ready() is self

    def delete(self):
        """Ends the array: its memory is freed unless NumPy, a jaxpr or a run still reads it; later uses raise RuntimeError."""
        for _, handle in _running.claim([self]):
            _running.end(handle)

    def is_deleted(self):
        """Whether the array was deleted, or donated to a call that took its memory."""
        return lib.sec_array_is_deleted(self._handle)

    # ---- devices ----
    @property
    def device(self):
        """The device that holds the array."""
        from secant import _devices

        return _devices._device(lib.sec_array_device(self._handle))

    def devices(self):
        return {self.device}

    @property
    def sharding(self):
        return self.device._sharding

    @property
    def committed(self):
        """Whether results stay on this array's device: it was put there."""
        return lib.sec_array_is_committed(self._handle)

    _committed = committed
    is_fully_addressable = is_fully_replicated = True

    def to_device(self, device, *, stream=None):
        """The array on another device, committed to it."""
        from secant import _devices

        return _devices.put(self, device)

    @property
    def addressable_shards(self):
        from secant import _devices

        return [_devices.Shard(self.block_until_ready())]

    global_shards = addressable_shards

    def addressable_data(self, index):
        return self.addressable_shards[index].data

    def platform(self):
        return self.device.platform

    def copy_to_host_async(self):
        """Nothing: the memory is the host's."""
        self.block_until_ready()

    def on_device_size_in_bytes(self):
        return self.block_until_ready().nbytes

    def unsafe_buffer_pointer(self):
        """The address of the elements."""
        return lib.sec_array_data(self.block_until_ready()._handle) or 0

    @property
    def __array_namespace__(self):
        import secant.numpy

        return lambda api_version=None: secant.numpy


if _fast.enabled:
    ArrayImpl = _fast.array_type(Array, _Methods)
else:

    class ArrayImpl(_Methods, _Plain, Array):
        __slots__ = ()
        __doc__ = _Methods.__doc__


class Number(ArrayImpl):
    """A concrete scalar made from a Python number while tracing: it enters the trace as a literal."""

    __slots__ = ("number",)

    def __init__(self, array, number):
        super().__init__(lib.sec_array_retain(array._handle), array.aval)
        self.number = number


class _Memory:
    """The memory of an array in NumPy's array interface, as bytes of its dtype; it has a count of its own."""

    __slots__ = ("array", "__array_interface__")

    def __init__(self, array):
        dtype = array.aval.dtype
        code = dtype.str if dtype.kind != "V" and array.aval.code != _types.BF16 else f"<u{dtype.itemsize}"
        self.array = lib.sec_array_retain(array._handle)
        self.__array_interface__ = {
            "version": 3,
            "shape": (array.aval.size,),
            "typestr": code,
            "data": (lib.sec_array_data(self.array), True),
        }

    def __del__(self, release=_release):
        release(self.array)


def another(x):
    """Another array in the memory of `x`, which both may read; tracers are returned as they are."""
    if type(x) is not ArrayImpl:
        return x
    return ArrayImpl(check_pointer(lib.sec_array_reshape(x._handle, x.ndim, int64s(x.shape))), x.aval)


def _unpickle(view, weak):
    return from_numpy(view, weak)


def from_numpy(value, weak=False):
    """A new array with the elements of a NumPy array; its dtype is kept."""
    value = np.asarray(value)
    code = _types.code_of(value.dtype)
    dtype = _types.numpy_dtype(code)
    if value.dtype != dtype or not value.flags.c_contiguous:
        value = np.ascontiguousarray(value, dtype).reshape(value.shape)
    handle = check_pointer(lib.sec_array_from_data(context, code, value.ndim, int64s(value.shape), value.ctypes.data))
    if weak:
        lib.sec_array_set_weak(handle, True)
    return ArrayImpl(handle)


_PYTHON_KINDS = {bool: "BOOL", int: "INT", float: "FLOAT", complex: "COMPLEX"}


_STORAGE = {
    _types.BOOL: ctypes.c_uint8,
    _types.I32: ctypes.c_int32,
    _types.I64: ctypes.c_int64,
    _types.F32: ctypes.c_float,
    _types.F64: ctypes.c_double,
}


def from_scalar(x):
    """A weakly typed array of a Python number (bool: not weak)."""
    aval = aval_of_number(x)
    if aval.code == _types.I32 and not -(2**31) <= x < 2**31:
        raise OverflowError(f"Python integer {x} out of bounds for int32")
    storage = _STORAGE.get(aval.code)
    if storage is None:
        return from_numpy(np.asarray(x, aval.dtype), weak=True)
    data = storage(x)
    handle = check_pointer(lib.sec_array_from_data(context, aval.code, 0, None, ctypes.addressof(data)))
    if aval.weak_type:
        lib.sec_array_set_weak(handle, True)
    return ArrayImpl(handle, aval)


def to_array(x):
    """`x` as a concrete array: arrays, NumPy arrays and scalars, Python numbers; TypeError for the rest."""
    cls = type(x)
    if cls is ArrayImpl or cls is Number:
        return x
    if cls in _PYTHON_KINDS:
        return from_scalar(x)
    if isinstance(x, np.ndarray):
        return from_numpy(x)
    if isinstance(x, np.generic):
        number = _types.narrowed(x)
        return from_numpy(x) if type(number) is cls else from_scalar(number)
    if isinstance(x, (bool, int, float, complex)):
        return from_scalar(next(t for t in (bool, int, float, complex) if isinstance(x, t))(x))
    converter = getattr(x, "__jax_array__", None)
    if converter is not None:
        return to_array(converter())
    if hasattr(x, "__array__"):
        return from_numpy(np.asarray(x))
    raise TypeError(f"Value {x!r} with type {cls} is not a valid array type")


_number_avals = {}


def aval_of_number(x):
    """The Aval of a Python number, without making the array."""
    key = type(x), _types.x64()
    aval = _number_avals.get(key)
    if aval is None:
        kind = _PYTHON_KINDS[type(x)]
        aval = _number_avals[key] = _types.aval(_types.default_code(kind), (), kind != "BOOL")
    return aval
