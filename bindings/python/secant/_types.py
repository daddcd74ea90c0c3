"""Element types and abstract values, shared with the library: its codes, NumPy's dtypes, JAX's rules."""

import ctypes

import numpy as np

from secant import _errors
from secant._capi import DTYPES
from secant._lib import context, int64s, lib

N_DTYPES = len(DTYPES)


def _numpy_dtype(name):
    if name != "bfloat16":
        return np.dtype(name)
    try:
        import ml_dtypes
    except ImportError:
        return None
    return np.dtype(ml_dtypes.bfloat16)


NAMES = tuple(row[3] for row in DTYPES)
SIZES = tuple(row[1] for row in DTYPES)
KINDS = tuple(row[2] for row in DTYPES)
CODES = {name: code for code, name in enumerate(NAMES)}
BOOL, I32, I64, U8, U32, U64 = (CODES[n] for n in ("bool", "int32", "int64", "uint8", "uint32", "uint64"))
F16, BF16, F32, F64 = (CODES[n] for n in ("float16", "bfloat16", "float32", "float64"))

_numpy = [None if name == "bfloat16" else np.dtype(name) for name in NAMES]
_codes = {dtype: code for code, dtype in enumerate(_numpy) if dtype is not None}
float0 = np.dtype([("float0", np.void, 0)])


def numpy_dtype(code):
    """The NumPy dtype of a code; bfloat16 needs ml_dtypes."""
    dtype = _numpy[code]
    if dtype is None:
        dtype = _numpy[code] = _numpy_dtype(NAMES[code])
        if dtype is None:
            raise TypeError("bfloat16 arrays need the package ml_dtypes")
        _codes[dtype] = code
    return dtype


_x64 = [bool(lib.sec_context_x64(context))]


def x64():
    """Whether default dtypes are 64-bit."""
    return _x64[0]


def set_x64(on):
    """Makes default dtypes 64-bit, or 32-bit."""
    lib.sec_context_enable_x64(context, on)
    _x64[0] = on


def default_code(kind):
    """The default of a kind: 'INT' is int32, or int64 with jax_enable_x64."""
    wide = x64()
    if kind == "BOOL":
        return BOOL
    return {
        "INT": I64 if wide else I32,
        "UINT": U64 if wide else U32,
        "FLOAT": F64 if wide else F32,
        "COMPLEX": CODES["complex128" if wide else "complex64"],
    }[kind]


_PYTHON = {bool: "BOOL", int: "INT", float: "FLOAT", complex: "COMPLEX"}


def code_of(dtype):
    """The code of a dtype given as JAX users give it: a name, a NumPy dtype or scalar type, int, float, ..."""
    if dtype in _PYTHON:
        return default_code(_PYTHON[dtype])
    code = _codes.get(dtype)
    if code is not None:
        return code
    if isinstance(dtype, str) and dtype in CODES:
        return CODES[dtype]
    try:
        dtype = np.dtype(
            dtype if isinstance(dtype, type) and issubclass(dtype, np.generic) else getattr(dtype, "dtype", dtype)
        )
    except TypeError:
        raise TypeError(f"{dtype!r} is no dtype\n  hint: take one of {', '.join(NAMES)}") from None
    code = _codes.get(dtype, CODES.get(dtype.name))
    if code is None:
        raise TypeError(f"dtype {dtype} is not one of Secant's: {', '.join(NAMES)}")
    return code


def narrowed(x):
    """A NumPy scalar of 64 bits as a Python number where the default width is 32: what np.sqrt(2.0) gives asks for no 64."""
    if x.dtype.itemsize != 8 << (x.dtype.kind == "c") or x.dtype.kind not in "iufc" or x64():
        return x
    return x if x.dtype.kind in "iu" and not -(2**31) <= x < 2**31 else x.item()


def is_float(code):
    return KINDS[code] in ("FLOAT", "COMPLEX")


def is_integer(code):
    return KINDS[code] in ("INT", "UINT")


class Aval:
    """An abstract value: shape, dtype, weak type.  One object a type, so that identity is equality."""

    __slots__ = ("pointer", "shape", "code", "weak_type", "ndim", "size")

    def __init__(self, pointer):
        self.pointer = pointer
        self.code = lib.sec_aval_dtype(pointer)
        self.weak_type = lib.sec_aval_weak(pointer)
        self.ndim = lib.sec_aval_rank(pointer)
        dims = ctypes.cast(lib.sec_aval_dims(pointer), ctypes.POINTER(ctypes.c_int64))
        self.shape = tuple(dims[: self.ndim]) if self.ndim else ()
        self.size = lib.sec_aval_size(pointer)

    @property
    def dtype(self):
        return numpy_dtype(self.code)

    @property
    def is_float(self):
        return is_float(self.code)

    def str_long(self):
        """As float32[3,4]."""
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"

    def str_short(self):
        return lib.sec_aval_text(self.pointer).decode()

    def __repr__(self):
        return f"ShapedArray({self.str_short()}{', weak_type=True' if self.weak_type else ''})"

    def __reduce__(self):
        return aval, (self.code, self.shape, self.weak_type)


_by_pointer, _by_type = {}, {}
kept = []  # every Aval: arrays of the fast path hold no count on theirs


def aval_at(pointer):
    """The Aval of a sec_aval *."""
    found = _by_pointer.get(pointer)
    if found is None:
        found = _by_pointer.setdefault(pointer, Aval(_errors.check_pointer(pointer)))
        kept.append(found)
    return found


def aval(code, shape=(), weak=False):
    """The Aval of a dtype code, a shape and a weak type."""
    key = (code, shape, weak)
    found = _by_type.get(key)
    if found is None:
        found = _by_type[key] = aval_at(lib.sec_aval_get(context, code, weak, len(shape), int64s(shape)))
    return found


def promote(a, b):
    """(code, weak) that two avals convert to."""
    weak = ctypes.c_bool()
    code = lib.sec_dtype_promote(context, a.code, a.weak_type, b.code, b.weak_type, ctypes.addressof(weak))
    return code, weak.value


class ShapeDtypeStruct:
    """A shape and a dtype, where an array is expected but only its type matters."""

    __slots__ = ("shape", "dtype", "weak_type")

    def __init__(self, shape, dtype, *, weak_type=False):
        self.shape, self.dtype, self.weak_type = tuple(shape), numpy_dtype(code_of(dtype)), weak_type

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: int(np.prod(self.shape, dtype=np.int64)))

    def __repr__(self):
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype.name}{', weak_type=True' if self.weak_type else ''})"

    def __eq__(self, other):
        return isinstance(other, ShapeDtypeStruct) and (self.shape, self.dtype, self.weak_type) == (
            other.shape,
            other.dtype,
            other.weak_type,
        )

    def __hash__(self):
        return hash((self.shape, self.dtype, self.weak_type))
