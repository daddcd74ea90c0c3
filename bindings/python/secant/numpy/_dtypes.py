"""Scalar types, constants and dtype queries of secant.numpy."""

import numpy as np

from secant import _types
from secant._operators import Array
from secant._trace import aval_of

e, euler_gamma, inf, nan, newaxis, pi = np.e, np.euler_gamma, np.inf, np.nan, None, np.pi


class _Meta(type):
    """Scalar types compare and hash as their NumPy scalar types, and make arrays when called."""

    def __call__(cls, x=0):
        from secant.numpy._creation import asarray

        return asarray(x, dtype=cls.dtype)

    def __eq__(cls, other):
        return other is cls or other is cls.dtype.type or (isinstance(other, np.dtype) and other == cls.dtype)

    def __hash__(cls):
        return hash(cls.dtype.type)

    def __repr__(cls):
        return f"<class 'secant.numpy.{cls.__name__}'>"


def _scalar_type(name):
    return _Meta(name, (), {"dtype": np.dtype(name), "__doc__": f"The dtype {name}; called, an array of it."})


bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, float32, float64, complex64, complex128 = map(
    _scalar_type,
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split(),
)
bool = bool_  # noqa: A001
single, double, int_, uint, float_ = float32, float64, int32, uint32, float32
csingle, cdouble, complex_ = complex64, complex128, complex64
ComplexWarning = getattr(np, "exceptions", np).ComplexWarning
integer, floating, inexact, number, signedinteger, unsignedinteger, generic, complexfloating = (
    np.integer,
    np.floating,
    np.inexact,
    np.number,
    np.signedinteger,
    np.unsignedinteger,
    np.generic,
    np.complexfloating,
)
character, flexible, object_ = np.character, np.flexible, np.object_
dtype, ndarray, iinfo = np.dtype, Array, np.iinfo


def __getattr__(name):
    if name == "bfloat16":
        try:
            return _Meta("bfloat16", (), {"dtype": _types.numpy_dtype(_types.BF16)})
        except TypeError as error:
            raise AttributeError(str(error)) from None
    raise AttributeError(f"module 'secant.numpy' has no attribute {name!r}")


def finfo(dtype):
    """Limits of a float dtype."""
    dtype = _types.numpy_dtype(_types.code_of(dtype))
    if dtype.name == "bfloat16":
        import ml_dtypes

        return ml_dtypes.finfo(dtype)
    return np.finfo(dtype)


def result_type(*args):
    """The dtype that the arguments convert to."""
    avals = []
    for a in args:
        if isinstance(a, (str, np.dtype, type)):
            weak = a in (int, float, complex)
            avals.append(_types.aval(_types.code_of(a), (), weak))
        else:
            avals.append(aval_of(a))
    code, weak = avals[0].code, avals[0].weak_type
    for b in avals[1:]:
        code, weak = _types.promote(_types.aval(code, (), weak), b)
    return _types.numpy_dtype(code)


def promote_types(a, b):
    """The least dtype that two dtypes convert to."""
    return result_type(a, b)


def issubdtype(arg1, arg2):
    return np.issubdtype(getattr(arg1, "dtype", arg1), getattr(arg2, "dtype", arg2) if isinstance(arg2, _Meta) else arg2)


def isdtype(dtype, kind):
    return np.isdtype(dtype, kind)


def isscalar(element):
    return np.isscalar(element) or (isinstance(element, Array) and element.ndim == 0)


def iscomplexobj(x):
    return _types.KINDS[aval_of(x).code] == "COMPLEX"


def can_cast(from_, to, casting="safe"):
    return np.can_cast(getattr(from_, "dtype", from_), getattr(to, "dtype", to), casting)


def canonicalize_dtype(dtype):
    return _types.numpy_dtype(_types.code_of(dtype))


def shape(a):
    return aval_of(a).shape


def ndim(a):
    return aval_of(a).ndim


def size(a, axis=None):
    return aval_of(a).size if axis is None else aval_of(a).shape[axis]
