"""New arrays: from data, of one value, ranges."""

import numpy as np

from secant import _array, _tree, _types
from secant._array import ArrayImpl
from secant._devices import beside, on_device
from secant._eager import op
from secant._errors import placed
from secant._lib import int64s, lib
from secant._operators import Array
from secant._trace import aval_of, literal, local, tracer
from secant._tracer import Tracer, made
from secant.lax._shape import sizes
from secant.numpy._common import arraylike, convert, scalar_like

_NUMBERS = (bool, int, float, complex)


@placed
@on_device
def array(object, dtype=None, copy=True, order="K", ndmin=0, *, device=None, out_sharding=None):
    """An array of data: arrays, numbers, nested lists and tuples of them.

    Python numbers take 32-bit dtypes (64-bit with jax_enable_x64); NumPy arrays keep theirs.
    """
    x = _from_data(object, None if dtype is None else _types.code_of(dtype))
    if x is object and copy:
        x = _array.another(x)
    if ndmin > x.ndim:
        x = x.reshape((1,) * (ndmin - x.ndim) + x.shape)
    return x


@placed
@on_device
def asarray(a, dtype=None, order=None, *, copy=None, device=None, out_sharding=None):
    """`a` as an array; see array."""
    return _from_data(a, None if dtype is None else _types.code_of(dtype))


def _from_data(x, code):
    if isinstance(x, Array):
        return x if code is None or x.aval.code == code else _cast(x, code)
    if x is None:
        raise ValueError("None is not a valid value for jnp.array")
    if isinstance(x, (np.ndarray, np.generic)):
        if code is None:
            return _array.from_numpy(_strong(x))
        return _array.from_numpy(_numpy_cast(np.asarray(x), code))
    if type(x) in _NUMBERS:
        made_of = _array.from_scalar(x) if code is None else _array.from_numpy(_numpy_cast(np.asarray(x), code))
        return _array.Number(made_of, made_of.item()) if local.frames else made_of
    if isinstance(x, (list, tuple)):
        leaves = _tree.tree_leaves(list(x))
        if any(isinstance(leaf, Array) for leaf in leaves):
            return _stack(x, code)
        return _array.from_numpy(_list(x, leaves, code))
    if hasattr(x, "__jax_array__"):
        return _from_data(x.__jax_array__(), code)
    if hasattr(x, "__array__"):
        return _from_data(np.asarray(x), code)
    raise TypeError(f"Unexpected input type for array: {type(x)}")


def _numpy_cast(x, code):
    dtype = _types.numpy_dtype(code)
    with np.errstate(all="ignore"):
        if x.dtype.kind == "O":
            raise TypeError("an array of Python objects is no array of numbers")
        return x.astype(dtype)


def _strong(x):
    """A NumPy scalar in the default width, where that is 32 bits and it fits; arrays as they are."""
    if isinstance(x, np.ndarray) or type(number := _types.narrowed(x)) is type(x):
        return x
    with np.errstate(over="ignore"):
        return np.asarray(number, _array.aval_of_number(number).dtype)


def _list(x, leaves, code):
    """A nested list of numbers and NumPy arrays as a NumPy array of JAX's dtype."""
    out = np.array(x)
    if out.dtype.kind not in "biufc":
        raise TypeError(f"cannot make an array of {x!r}")
    if code is not None:
        return _numpy_cast(out, code)
    if any(isinstance(leaf, np.ndarray) for leaf in leaves):
        return out
    if any(isinstance(leaf, np.generic) for leaf in leaves):
        wide = out.dtype.kind in "iu" and out.size and not -(2**31) <= out.min() <= out.max() < 2**31
        return out if wide else out.astype(_strong(out.dtype.type(0)).dtype)
    kind = {"b": "BOOL", "i": "INT", "u": "INT", "f": "FLOAT", "c": "COMPLEX"}[out.dtype.kind] if out.size else "FLOAT"
    default = _types.numpy_dtype(_types.default_code(kind))
    if kind == "INT" and out.size and (out.max() > np.iinfo(default).max or out.min() < np.iinfo(default).min):
        raise OverflowError(f"Python integers out of bounds for {default.name}")
    with np.errstate(over="ignore"):
        return out.astype(default)


def _stack(x, code):
    """A list with arrays in it."""
    from secant.numpy._shape import stack

    parts = [_from_data(p, code) for p in x]
    return (
        stack(parts)
        if parts
        else _array.from_numpy(np.zeros((0,), _types.numpy_dtype(_types.F32 if code is None else code)))
    )


@op(1)
def _cast(x, code):
    return made(lib.sec_convert(tracer(x).value, code, False))


@op(1)
def copy(a, order=None):
    """A copy, as a new value."""
    return made(lib.sec_copy(arraylike("copy", a).value))


# ---- of one value ----
def _shape_of(shape):
    if isinstance(shape, Array) and not isinstance(shape, Tracer):
        shape = shape.tolist()
    if isinstance(shape, Tracer):
        sizes([shape])
    return sizes(shape)


@op(0)
def _filled(shape, code, value):
    return made(lib.sec_full(literal(code, value).value, len(shape), int64s(shape)))


@placed
@on_device
def zeros(shape, dtype=None, *, device=None, out_sharding=None):
    """Zeros, f32 by default."""
    return _filled(_shape_of(shape), _types.code_of(float if dtype is None else dtype), 0)


@placed
@on_device
def ones(shape, dtype=None, *, device=None, out_sharding=None):
    """Ones, f32 by default."""
    return _filled(_shape_of(shape), _types.code_of(float if dtype is None else dtype), 1)


empty = zeros


@placed
@on_device
def full(shape, fill_value, dtype=None, *, device=None, out_sharding=None):
    """An array of one value; an array as value is broadcast."""
    return _full(asarray(fill_value), _shape_of(shape), None if dtype is None else _types.code_of(dtype))


@op(1)
def _full(x, shape, code):
    x = tracer(x)
    if code is not None:
        x = convert(x, code)
    if x.ndim:
        from secant.lax._shape import broadcast_to

        return broadcast_to(x, shape)
    return made(lib.sec_full(x.value, len(shape), int64s(shape)))


def _like(a, dtype, shape, value):
    aval = aval_of(a)
    shape = aval.shape if shape is None else _shape_of(shape)
    code = aval.code if dtype is None else _types.code_of(dtype)
    made_of = _filled_weak(shape, code, value) if dtype is None and aval.weak_type else _filled(shape, code, value)
    return beside(made_of, a)


@op(0)
def _filled_weak(shape, code, value):
    return made(lib.sec_full(literal(code, value, True).value, len(shape), int64s(shape)))


@placed
@on_device
def zeros_like(a, dtype=None, shape=None, *, device=None, out_sharding=None):
    """Zeros of the shape and dtype of `a`."""
    return _like(a, dtype, shape, 0)


@placed
@on_device
def ones_like(a, dtype=None, shape=None, *, device=None, out_sharding=None):
    """Ones of the shape and dtype of `a`."""
    return _like(a, dtype, shape, 1)


def empty_like(prototype, dtype=None, shape=None, *, device=None, out_sharding=None):
    """Zeros of the shape and dtype of an array."""
    return _like(prototype, dtype, shape, 0)


@placed
@on_device
def full_like(a, fill_value, dtype=None, shape=None, *, device=None, out_sharding=None):
    """An array of one value, of the shape and dtype of `a`."""
    aval = aval_of(a)
    return beside(full(aval.shape if shape is None else shape, fill_value, aval.dtype if dtype is None else dtype), a)


# ---- ranges ----
def _concrete(x, what):
    if isinstance(x, Tracer):
        x._need(f"{what}: a concrete number")
    return x.item() if isinstance(x, (ArrayImpl, np.generic)) else x


@placed
@on_device
def arange(start, stop=None, step=None, dtype=None, *, device=None, out_sharding=None):
    """start, start + step, ... below stop."""
    start, stop, step = (None if x is None else _concrete(x, "arange") for x in (start, stop, step))
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    if dtype is None:
        kind = "FLOAT" if any(isinstance(x, float) for x in (start, stop, step)) else "INT"
        code = _types.default_code(kind)
    else:
        code = _types.code_of(dtype)
    n = max(int(np.ceil((stop - start) / step)), 0)
    if _types.is_float(code):
        return (
            _array.from_numpy(np.arange(start, stop, step, dtype=_types.numpy_dtype(code)))
            if not local.frames
            else _affine(n, start, step, code)
        )
    return _affine(n, start, step, code)


@op(0)
def _affine(n, start, step, code):
    i = made(lib.sec_iota(code, 1, int64s((n,)), 0))
    if step != 1:
        i = i * literal(code, step)
    return i + literal(code, start) if start else i


@placed
@on_device
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    """`num` numbers from start to stop, evenly spaced."""
    num = int(_concrete(num, "linspace"))
    out, step = _linspace(
        asarray(start), asarray(stop), num, bool(endpoint), None if dtype is None else _types.code_of(dtype)
    )
    if axis:
        from secant.numpy._shape import moveaxis

        out = moveaxis(out, 0, axis)
    return (out, step) if retstep else out


@op(2)
def _linspace(start, stop, num, endpoint, code):
    from secant.numpy._common import broadcasted, promoted_inexact
    from secant.numpy._rounding import floor

    a, b = broadcasted(*promoted_inexact(tracer(start), tracer(stop)))
    a, b = convert(a, a.aval.code), convert(b, b.aval.code)
    steps = num - 1 if endpoint else num
    i = made(lib.sec_iota(a.aval.code, 1, int64s((num,)), 0)).reshape((num,) + (1,) * a.ndim)
    if steps > 0:
        t = i / scalar_like(i, steps)
        out = a * (1 - t) + b * t
        if endpoint and num > 1:
            from secant.numpy._shape import concatenate

            out = concatenate([out[:-1], b.reshape((1,) + b.shape)], 0)
    else:
        out = a + i * 0
    step = (b - a) / scalar_like(a, steps) if steps > 0 else a * np.nan
    if code is not None:
        if _types.is_integer(code):
            out = floor(out)
        out = convert(out, code)
    return out, step


def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    """base to the powers of linspace."""
    out = base ** linspace(start, stop, num, endpoint, axis=axis)
    return out if dtype is None else out.astype(dtype)


def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` positive numbers from start to stop, of equal ratio."""
    from secant.numpy._ufuncs import exp, log

    out = exp(linspace(log(start), log(stop), num, endpoint, axis=axis))
    return out if dtype is None else out.astype(dtype)


@placed
@on_device
def eye(N, M=None, k=0, dtype=None, *, device=None, out_sharding=None):
    """Ones on the k-th diagonal of an N x M matrix."""
    return _eye(int(N), int(N if M is None else M), int(k), _types.code_of(float if dtype is None else dtype))


@op(0)
def _eye(n, m, k, code):
    i = made(lib.sec_iota(_types.I32, 2, int64s((n, m)), 0))
    j = made(lib.sec_iota(_types.I32, 2, int64s((n, m)), 1))
    return convert(i + k == j, code)


def identity(n, dtype=None):
    """The identity matrix."""
    return eye(n, dtype=dtype)


def tri(N, M=None, k=0, dtype=None):
    """Ones on and below the k-th diagonal."""
    return _tri(int(N), int(N if M is None else M), int(k), _types.code_of(float if dtype is None else dtype))


@op(0)
def _tri(n, m, k, code):
    i = made(lib.sec_iota(_types.I32, 2, int64s((n, m)), 0))
    j = made(lib.sec_iota(_types.I32, 2, int64s((n, m)), 1))
    return convert(i + k >= j, code)


def fromfunction(function, shape, *, dtype=float, **keywords):
    """function(i, j, ...) of index arrays."""
    return function(*indices(shape, dtype), **keywords)


def indices(dimensions, dtype=None, sparse=False):
    """The index along each axis of a grid."""
    from secant.lax._shape import broadcasted_iota
    from secant.numpy._shape import stack

    dtype = _types.numpy_dtype(_types.code_of(int if dtype is None else dtype))
    dims = tuple(dimensions)
    if sparse:
        return tuple(
            broadcasted_iota(dtype, tuple(d if j == i else 1 for j, d in enumerate(dims)), i) for i in range(len(dims))
        )
    return stack([broadcasted_iota(dtype, dims, i) for i in range(len(dims))])
