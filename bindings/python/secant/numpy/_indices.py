"""Index arrays, index tricks, and functions that write at indices."""

import builtins
import operator

import numpy as np

from secant import _types, lax
from secant._array import from_numpy
from secant._eager import op
from secant._tracer import Tracer
from secant.numpy._common import arraylike, convert, one_axis, promoted
from secant.numpy._creation import asarray
from secant.numpy._logic import where
from secant.numpy._picking import flatnonzero, take
from secant.numpy._reductions import any
from secant.numpy._rounding import clip
from secant.numpy._shape import broadcast_arrays, concatenate, moveaxis, ravel, tile


def _index_array(found):
    """NumPy indices in the default integer."""
    return from_numpy(np.asarray(found).astype(_types.numpy_dtype(_types.default_code("INT"))))


def _constant(name, doc):
    def f(*args, **keywords):
        return tuple(_index_array(found) for found in getattr(np, name)(*args, **keywords))

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = doc, "secant.numpy"
    return f


tril_indices = _constant("tril_indices", "(rows, columns) of the lower triangle of an n by m matrix.")
triu_indices = _constant("triu_indices", "(rows, columns) of the upper triangle of an n by m matrix.")
diag_indices = _constant("diag_indices", "Indices of the diagonal of an array of `ndim` axes of size n.")


def tril_indices_from(arr, k=0):
    """tril_indices for the shape of a matrix."""
    return tril_indices(arr.shape[-2], k, arr.shape[-1])


def triu_indices_from(arr, k=0):
    """triu_indices for the shape of a matrix."""
    return triu_indices(arr.shape[-2], k, arr.shape[-1])


def diag_indices_from(arr):
    """diag_indices for an array whose axes have one size."""
    if arr.ndim < 2 or len(set(arr.shape)) != 1:
        raise ValueError(f"All dimensions of input must be of equal length, and at least two, got shape {arr.shape}")
    return diag_indices(arr.shape[0], arr.ndim)


def mask_indices(n, mask_func, k=0, *, size=None):
    """(rows, columns) where mask_func(ones((n, n)), k) is not zero."""
    from secant.numpy._creation import ones
    from secant.numpy._picking import nonzero

    return nonzero(mask_func(ones((n, n)), k), size=size)


@op(1)
def unravel_index(indices, shape):
    """Coordinates of positions in a flat array; beyond its ends: of the nearest place."""
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    i = arraylike("unravel_index", indices)
    total = int(np.prod(sizes, dtype=np.int64))
    i = clip(where(i < 0, i + total, i), 0, builtins.max(total - 1, 0))
    out = []
    for d in reversed(sizes):
        out.append(i % d)
        i = i // d
    return tuple(reversed(out))


def ravel_multi_index(multi_index, dims, mode="raise", order="C", *, dtype=None):
    """Positions in a flat array of coordinates: "raise" (concrete ones only), "wrap" or "clip"."""
    indices = [asarray(i) for i in multi_index]
    if len(indices) != len(dims):
        raise ValueError(f"len(multi_index)={len(indices)} != len(dims)={len(dims)}")
    for i, d in zip(indices, dims):
        if not _types.is_integer(i.aval.code):
            raise TypeError("only int indices permitted")
        if mode == "raise":
            if isinstance(i, Tracer):
                i._need("ravel_multi_index with mode='raise'")
            if builtins.bool(any((i < 0) | (i >= d))):
                raise ValueError("invalid entry in coordinates array")
    return _ravel_multi_index(indices, tuple(operator.index(d) for d in dims), mode, order)


@op(1)
def _ravel_multi_index(indices, dims, mode, order):
    strides = np.cumprod((1, *(dims if order == "F" else dims[::-1]))[:-1])
    strides = strides if order == "F" else strides[::-1]
    total = 0
    for i, d, s in zip(indices, dims, strides):
        i = arraylike("ravel_multi_index", i)
        i = i % d if mode == "wrap" else clip(i, 0, d - 1) if mode == "clip" else i
        total = total + i * int(s)
    return total


# ---- index tricks ----
class _Slices:
    """np.s_ and np.index_exp: the index itself."""

    def __init__(self, always_tuple):
        self._always_tuple = always_tuple

    def __getitem__(self, index):
        return (index,) if self._always_tuple and not isinstance(index, tuple) else index


s_, index_exp = _Slices(False), _Slices(True)


class _Grid:
    """np.mgrid and np.ogrid over Secant's arrays."""

    def __init__(self, grid):
        self._grid = grid

    def __getitem__(self, index):
        found = self._grid[index]
        return [_default(x) for x in found] if isinstance(found, (tuple, list)) else _default(found)


def _default(x):
    """A NumPy array in the default type of its kind."""
    kinds = {"f": "FLOAT", "i": "INT"}
    return from_numpy(x.astype(_types.numpy_dtype(_types.default_code(kinds[x.dtype.kind]))))


mgrid, ogrid = _Grid(np.mgrid), _Grid(np.ogrid)


class _Joined:
    """np.r_ and np.c_: arrays, numbers and slices joined along an axis."""

    def __init__(self, columns):
        self._columns = columns

    def __getitem__(self, index):
        from secant.numpy._shape import atleast_1d, column_stack

        parts = [
            _default(np.mgrid[item]) if isinstance(item, slice) else atleast_1d(asarray(item))
            for item in (index if isinstance(index, tuple) else (index,))
        ]
        return column_stack(parts) if self._columns else concatenate(parts)


r_, c_ = _Joined(False), _Joined(True)


# ---- writing ----
def _no_inplace(name, inplace):
    if inplace:
        raise ValueError(
            f"jax.numpy.{name} cannot modify arrays in-place, because arrays are immutable.\n"
            "  hint: pass inplace=False to instead return an updated array"
        )


@op(3)
def put(a, ind, v, mode=None, *, inplace=True):
    """A copy of `a` with values at positions of the flat array."""
    _no_inplace("put", inplace)
    x, i = arraylike("put", a, ind)
    v, i = ravel(arraylike("put", v)), ravel(i)
    if not i.size or not v.size:
        return x
    v = tile(v, -(-i.size // v.size))[: i.size]
    if mode == "wrap":
        i = i % x.size
    elif mode not in (None, "clip"):
        raise ValueError(f"mode should be one of 'wrap', 'clip', or None; got mode={mode!r}")
    return ravel(x).at[i].set(v, mode="clip").reshape(x.shape)


@op(3)
def put_along_axis(arr, indices, values, axis, inplace=True, *, mode=None):
    """A copy of `arr` with values at places whose index along `axis` is given."""
    _no_inplace("put_along_axis", inplace)
    x, i = arraylike("put_along_axis", arr, indices)
    values = arraylike("put_along_axis", values)
    if axis is None:
        return ravel(x).at[i].set(values, mode=mode).reshape(x.shape)
    axis = one_axis(axis, x.ndim)
    grid = [i if d == axis else lax.broadcasted_iota(i.dtype, i.shape, d) for d in range(x.ndim)]
    return x.at[tuple(grid)].set(values, mode=mode)


def place(arr, mask, vals, *, inplace=True):
    """A copy of `arr` with the elements under a mask set to the values, in turn."""
    _no_inplace("place", inplace)
    return put(arr, flatnonzero(mask), vals, inplace=False)


@op(2)
def fill_diagonal(a, val, wrap=False, *, inplace=True):
    """A copy of `a` with its diagonal set."""
    _no_inplace("fill_diagonal", inplace)
    if wrap:
        raise NotImplementedError("fill_diagonal: wrap=True is not available; pass wrap=False")
    x, v = arraylike("fill_diagonal", a, val)
    if x.ndim < 2:
        raise ValueError("array must be at least 2-d")
    n = builtins.min(x.shape)
    return x.at[(_index_array(np.arange(n)),) * x.ndim].set(v if not v.ndim else _cycled(ravel(v), n))


def _cycled(v, n):
    return tile(v, -(-n // v.size))[:n]


# ---- picking ----
@op(2)
def choose(a, choices, out=None, mode="raise"):
    """For each place the element of the choice that `a` names; modes "wrap" and "clip", "raise" is for concrete ones."""
    i = arraylike("choose", a)
    options = promoted(*[arraylike("choose", c) for c in choices])
    n = len(options)
    i = i % n if mode == "wrap" else clip(i, 0, n - 1)
    i, *options = broadcast_arrays(i, *options)
    return lax.select_n(convert(i, _types.I32), *options)


def compress(condition, a, axis=None, *, size=None, fill_value=0, out=None):
    """Slices along an axis where a vector of conditions holds; `size` of them, filled up."""
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.compress is not supported.")
    if size is not None:
        return _compressed(condition, a, axis, int(size), fill_value)
    chosen = np.asarray(condition).astype(bool)
    a = ravel(asarray(a)) if axis is None else asarray(a)
    return take(a, _index_array(np.nonzero(chosen)[0]), 0 if axis is None else axis)


def delete(arr, obj, axis=None, *, assume_unique_indices=False):
    """The array without slices along an axis: an integer, a slice, integers or a mask."""
    arr = ravel(asarray(arr)) if axis is None else asarray(arr)
    axis = one_axis(0 if axis is None else axis, arr.ndim)
    keep = np.ones(arr.shape[axis], bool)
    keep[obj if isinstance(obj, slice) else np.asarray(obj)] = False
    return take(arr, _index_array(np.nonzero(keep)[0]), axis)


def insert(arr, obj, values, axis=None):
    """The array with values before positions along an axis."""
    arr, values = asarray(arr), asarray(values)
    if axis is None:
        arr, axis = ravel(arr), 0
    axis = one_axis(axis, arr.ndim)
    n = arr.shape[axis]
    at = np.arange(n)[obj] if isinstance(obj, slice) else np.asarray(obj)
    at = np.where(at < 0, at + n, at)
    x = moveaxis(arr, axis, 0)
    if at.ndim == 0:
        v = values.reshape((1,) * (arr.ndim - values.ndim) + values.shape) if values.ndim < arr.ndim else values
        v = moveaxis(v, 0, axis) if values.ndim else v
        v = moveaxis(v, axis, 0)
        at = np.full(v.shape[0], at)
    else:
        v = moveaxis(lax.broadcast_to(values, np.broadcast_shapes(values.shape, (1,) * arr.ndim)), axis, 0)
    v = lax.broadcast_to(v.astype(arr.dtype), (len(at), *x.shape[1:]))
    order = np.argsort(np.concatenate([np.arange(n) + 0.5, at.astype(float)]), kind="stable")
    return moveaxis(take(concatenate([x, v]), _index_array(order), 0), 0, axis)


@op(1)
def resize(a, new_shape):
    """The elements, repeated or cut, in a new shape."""
    shape = (new_shape,) if isinstance(new_shape, int) else tuple(new_shape)
    x = ravel(arraylike("resize", a))
    size = int(np.prod(shape, dtype=np.int64))
    if not x.size:
        return lax.full(shape, 0, x.dtype)
    return tile(x, -(-size // x.size) or 1)[:size].reshape(shape)


def trim_zeros(filt, trim="fb", axis=None):
    """An array without what is all zero in front ("f") and behind ("b") along axes; concrete arrays only."""
    if np.ndim(filt) != 1 or axis is not None:
        return _trimmed(asarray(filt), trim, axis)
    values = np.asarray(filt)
    found = np.nonzero(values)[0]
    first = found[0] if "f" in trim.lower() and len(found) else 0 if len(found) else len(values)
    last = found[-1] + 1 if "b" in trim.lower() and len(found) else len(values)
    return asarray(filt)[int(first) : int(last)]


def _trimmed(x, trim, axis):
    places = np.nonzero(np.asarray(x))
    for d in [d % x.ndim for d in (range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,))]:
        first, last = (places[d].min(), places[d].max() + 1) if places[d].size else (x.shape[d], x.shape[d])
        first, last = first if "f" in trim.lower() else 0, last if "b" in trim.lower() else x.shape[d]
        x = x[tuple(slice(int(first), int(last)) if k == d else slice(None) for k in range(x.ndim))]
    return x


def _compressed(condition, a, axis, size, fill_value):
    from secant.numpy._picking import nonzero

    a = ravel(asarray(a)) if axis is None else asarray(a)
    axis = one_axis(0 if axis is None else axis, a.ndim)
    condition = asarray(condition).astype(bool)[: a.shape[axis]]
    places = nonzero(condition, size=size, fill_value=a.shape[axis])[0]
    return take(a, places, axis, mode="fill", fill_value=fill_value)
