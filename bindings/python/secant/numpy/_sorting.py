"""Order: sorts, order statistics, sets of values."""

import builtins

import numpy as np

from secant import _types, lax
from secant._array import from_numpy
from secant._eager import op
from secant._trace import literal
from secant._tracer import Tracer
from secant.lax._sort import sort as _lax_sort
from secant.lax._sort import take_along
from secant.numpy._common import arraylike, axes_of, convert, inexact, one_axis
from secant.numpy._logic import isnan, where
from secant.numpy._reductions import any, sum
from secant.numpy._shape import moveaxis


def _order_of(name, a, axis, kind, order):
    """The operand and the axis to sort along."""
    if kind is not None:
        raise TypeError(f"'kind' argument to {name} is not supported. Use stable=True or stable=False to specify sort stability.")
    if order is not None:
        raise TypeError(f"'order' argument to {name} is not supported.")
    x = arraylike(name, a)
    return (x.reshape(-1), 0) if axis is None else (x, one_axis(axis, x.ndim))


@op(1, call="sort")
def sort(a, axis=-1, *, kind=None, order=None, stable=True, descending=False):
    """The elements in order along an axis (None: all of them), NaN last; descending: in reverse."""
    x, axis = _order_of("sort", a, axis, kind, order)
    out = _lax_sort(x, axis, bool(stable))
    return lax.rev(out, (axis,)) if descending else out


def _places(x, axis, dtype=None):
    """The index along an axis, for each element."""
    code = _types.default_code("INT") if dtype is None else _types.code_of(dtype)
    return lax.broadcasted_iota(_types.numpy_dtype(code), x.shape, axis)


@op(1, call="argsort")
def argsort(a, axis=-1, *, kind=None, order=None, stable=True, descending=False, dtype=None):
    """The indices that sort along an axis (None: all elements); equals keep their order."""
    x, axis = _order_of("argsort", a, axis, kind, order)
    at = _places(x, axis, dtype)
    if descending and stable:
        x, at = lax.rev(x, (axis,)), lax.rev(at, (axis,))
    at = _lax_sort((x, at), axis, bool(stable))[1]
    return lax.rev(at, (axis,)) if descending else at


@op(1)
def lexsort(keys, axis=-1):
    """The indices that sort by the last key, then by the one before, and so on."""
    if isinstance(keys, (tuple, list)):
        xs = [arraylike("lexsort", x) for x in keys]
    else:
        keys = arraylike("lexsort", keys)
        xs = [keys[i] for i in range(keys.shape[0])]
    if not xs:
        raise TypeError("need sequence of keys with len > 0 in lexsort")
    if len({x.shape for x in xs}) > 1:
        raise ValueError("all keys need to be the same shape")
    if xs[0].ndim == 0:
        return literal(_types.default_code("INT"), 0)
    axis = one_axis(axis, xs[0].ndim)
    return _lax_sort((*xs[::-1], _places(xs[0], axis)), axis, True, len(xs))[-1]


def _inside(name, kth, n):
    if not -n <= kth < n:
        raise ValueError(f"{name}: kth={kth} is out of bounds for an axis of size {n}")


@op(1)
def partition(a, kth, axis=-1):
    """The elements with the kth in its place in the order, smaller ones before and greater ones behind it."""
    x = arraylike("partition", a)
    _inside("partition", kth, x.shape[one_axis(axis, x.ndim)])
    return _lax_sort(x, one_axis(axis, x.ndim))


@op(1)
def argpartition(a, kth, axis=-1):
    """The indices that partition along an axis."""
    x = arraylike("argpartition", a)
    axis = one_axis(axis, x.ndim)
    _inside("argpartition", kth, x.shape[axis])
    return _lax_sort((x, _places(x, axis)), axis)[1]


# ---- order statistics ----
_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(name, a, q, axis, out, overwrite_input, method, keepdims, pass_nan):
    """Between the neighbours of place q (n - 1) of the sorted elements; the axes of q come first."""
    if overwrite_input or out is not None:
        raise ValueError(f"jax.numpy.{name} does not support overwrite_input=True or out != None")
    if method not in _METHODS:
        raise ValueError("method can only be 'linear', 'lower', 'higher', 'midpoint' or 'nearest'")
    x, q = (inexact(v) for v in arraylike(name, a, q))
    x, q = convert(x, x.aval.code), convert(q, q.aval.code)
    if q.ndim > 1:
        raise ValueError(f"q must be have rank <= 1, got shape {q.shape}")
    axes = axes_of(axis, x.ndim)
    kept = [d for d in range(x.ndim) if d not in axes]
    shape = tuple(x.shape[d] for d in kept)
    result = tuple(1 if d in axes else n for d, n in enumerate(x.shape)) if keepdims else shape
    n = int(np.prod([x.shape[d] for d in axes], dtype=np.int64))
    rows = lax.reshape(lax.transpose(x, (*kept, *axes)), (*shape, n))
    missing = isnan(rows)
    if pass_nan:
        rows, count = where(missing, np.nan, rows), sum((~missing).astype(q.dtype), -1, keepdims=True)
    else:
        rows, count = where(any(missing, -1, keepdims=True), np.nan, rows), convert(arraylike(name, float(n)), q.aval.code)
    rows = _lax_sort(rows, rows.ndim - 1)
    at = q.reshape(-1) * (count - 1)
    at = lax.broadcast_to(at, (*shape, q.size))
    low, high = (lax.max(lax.full_like(at, 0), lax.min(f(at), lax.broadcast_to(count - 1, at.shape))) for f in (lax.floor, lax.ceil))
    weight = at - lax.floor(at)
    low, high = (take_along(rows, v.astype("int32"), rows.ndim - 1) for v in (low, high))
    if method == "linear":
        found = low.astype(q.dtype) * (1 - weight) + high.astype(q.dtype) * weight
    elif method == "nearest":
        found = where(weight <= 0.5, low, high)
    else:
        found = {"lower": low, "higher": high, "midpoint": (low + high) * 0.5}[method]
    return moveaxis(convert(found, x.aval.code), -1, 0).reshape(*q.shape, *result)


@op(2)
def quantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False):
    """The value below which a share q of the elements lies; NaN where there is one."""
    return _quantile("quantile", a, q, axis, out, overwrite_input, method, keepdims, False)


@op(2)
def nanquantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False):
    """quantile that passes over NaN."""
    return _quantile("nanquantile", a, q, axis, out, overwrite_input, method, keepdims, True)


@op(2)
def percentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False):
    """The value below which q percent of the elements lie; NaN where there is one."""
    q = inexact(arraylike("percentile", q)) / 100
    return _quantile("percentile", a, q, axis, out, overwrite_input, method, keepdims, False)


@op(2)
def nanpercentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False):
    """percentile that passes over NaN."""
    q = inexact(arraylike("nanpercentile", q)) / 100
    return _quantile("nanpercentile", a, q, axis, out, overwrite_input, method, keepdims, True)


@op(1)
def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The middle element, or the mean of the two middle ones; NaN where there is one."""
    return _quantile("median", a, 0.5, axis, out, overwrite_input, "midpoint", keepdims, False)


@op(1)
def nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """median that passes over NaN."""
    return _quantile("nanmedian", a, 0.5, axis, out, overwrite_input, "midpoint", keepdims, True)


# ---- sets: concrete arrays only ----
def _concrete(name, x):
    if isinstance(x, Tracer):
        x._need(f"{name}: the shape of its result")
    return np.asarray(x)


def _int(x):
    return from_numpy(x.astype(_types.numpy_dtype(_types.default_code("INT"))))


def _sized(found, size, fill):
    """The first `size` entries along the first axis, filled up."""
    if size is None:
        return found
    rest = builtins.max(size - len(found), 0)
    return np.concatenate([found[:size], np.full((rest, *found.shape[1:]), fill, found.dtype)])


def _unique_of_size(ar, size, fill_value, equal_nan):
    """(elements, first places, inverse, counts) of a traced array."""
    import secant.numpy as jnp
    from secant.numpy._picking import first_places

    x = jnp.ravel(ar)
    n = x.shape[0]
    if not n:
        none = jnp.zeros(size, int)
        if size and fill_value is None:
            raise ValueError("jnp.unique: for zero-sized input with nonzero size argument, fill_value must be specified")
        return jnp.full(size, 0 if fill_value is None else fill_value, x.dtype), none, jnp.zeros(ar.shape, int), none
    order = jnp.argsort(x)
    values = x[order]
    differs = values[1:] != values[:-1]
    if equal_nan:
        differs = differs & ~(jnp.isnan(values[1:]) & jnp.isnan(values[:-1])) if x.aval.is_float else differs
    new = jnp.concatenate([jnp.ones(1, bool), differs])
    starts, count = first_places(new, size)
    known = jnp.arange(size) < count
    rank = jnp.cumsum(new) - 1
    fill = values[0] if fill_value is None else jnp.asarray(fill_value).astype(x.dtype)
    found = jnp.where(known, values[starts], fill)
    inverse = jnp.zeros(n, rank.dtype).at[order].set(rank).reshape(ar.shape)
    counts = jnp.zeros(size, rank.dtype).at[rank].add(1, mode="drop")
    first = jnp.where(known, order[starts], order[0])
    return found, first, inverse, counts


def unique(ar, return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True, size=None, fill_value=None, sorted=True):
    """The different elements in order, and on demand where each is first, which one each element is, and how often
    each occurs; of a traced array with `size` and without axis alone."""
    if isinstance(ar, Tracer) and size is not None and axis is None:
        out = _unique_of_size(ar, int(size), fill_value, equal_nan)
        out = [v for v, wanted in zip(out, (True, return_index, return_inverse, return_counts)) if wanted]
        return tuple(out) if len(out) > 1 else out[0]
    x = _concrete("unique", ar)
    found, first, inverse, counts = np.unique(x, True, True, True, axis, equal_nan=equal_nan)
    if axis is None:
        inverse = inverse.reshape(x.shape)
    if size is not None:
        along = axis or 0
        fill = fill_value if fill_value is not None else np.take(found, 0, along) if found.size else 0
        found = np.moveaxis(_sized(np.moveaxis(found, along, 0), size, fill), 0, along)
        first, counts = _sized(first, size, first[0] if len(first) else 0), _sized(counts, size, 0)
    out = [from_numpy(found)]
    out += [_int(v) for v, wanted in ((first, return_index), (inverse, return_inverse), (counts, return_counts)) if wanted]
    return tuple(out) if len(out) > 1 else out[0]


def _set_operation(name, doc):
    def f(ar1, ar2, assume_unique=False, *, size=None, fill_value=None):
        a, b = _concrete(name, ar1), _concrete(name, ar2)
        found = getattr(np, name)(a, b) if name == "union1d" else getattr(np, name)(a, b, assume_unique)
        fill = fill_value if fill_value is not None else found[0] if len(found) else 0
        return from_numpy(_sized(found, size, fill))

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = f"{doc}; concrete arrays only.", "secant.numpy"
    return f


union1d = _set_operation("union1d", "The elements of either, in order")
intersect1d = _set_operation("intersect1d", "The elements of both, in order")
setdiff1d = _set_operation("setdiff1d", "The elements of the first that are not in the second")
setxor1d = _set_operation("setxor1d", "The elements of exactly one, in order")
