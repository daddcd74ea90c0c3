"""Dtype queries under jax.dtypes' names."""

from secant._types import float0  # noqa: F401
from secant.numpy import canonicalize_dtype, finfo, iinfo, issubdtype, promote_types, result_type  # noqa: F401


def itemsize_bits(dtype):
    """The width of a dtype in bits."""
    from secant import _types

    return 8 * _types.SIZES[_types.code_of(dtype)]


def scalar_type_of(x):
    """The Python type of scalars of a value's dtype."""
    from secant import _types
    from secant._trace import aval_of

    return {"BOOL": bool, "INT": int, "UINT": int, "FLOAT": float, "COMPLEX": complex}[_types.KINDS[aval_of(x).code]]


def __getattr__(name):
    if name == "bfloat16":
        from secant.numpy import bfloat16

        return bfloat16.dtype.type
    raise AttributeError(f"module 'secant.dtypes' has no attribute {name!r}")
