"""Order: sorts and order statistics."""

import numpy as np

from secant import _types, lax
from secant._eager import op
from secant._trace import literal
from secant.lax._sort import sort as _lax_sort
from secant.lax._sort import take_along
from secant.numpy._common import arraylike, axes_of, convert, inexact, one_axis
from secant.numpy._logic import isnan, where
from secant.numpy._reductions import any, cumsum, sum
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


@op(1)
def sort_complex(a):
    """The elements as complex numbers in order along the last axis, by real and then by imaginary part."""
    x = arraylike("sort_complex", a)
    return lax.sort(convert(x, _types.code_of(np.promote_types(inexact(x).dtype, np.complex64))), x.ndim - 1)


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
_METHODS = ("linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf")


def _rows(x, kept, axes):
    """The reduced axes as one, behind the others."""
    n = int(np.prod([x.shape[d] for d in axes], dtype=np.int64))
    return lax.reshape(lax.transpose(x, (*kept, *axes)), (*(x.shape[d] for d in kept), n))


def _weights(weights, x, axis, method):
    """Weights of the shape of x, in its dtype."""
    if weights is None:
        return None
    if method != "inverted_cdf":
        raise NotImplementedError(f"{method} doesn't support weights. Only method 'inverted_cdf' supports weights.")
    w = convert(inexact(arraylike("weights", weights)), x.aval.code)
    if w.shape == x.shape:
        return w
    if axis is None:
        raise ValueError("Weights shape must match 'a' shape when axis is None.")
    axes = axes_of(axis, x.ndim)
    if w.shape != tuple(x.shape[d] for d in axes):
        raise ValueError(f"Weights shape {w.shape} must match reduction axes {tuple(x.shape[d] for d in axes)}")
    return lax.broadcast_in_dim(w, x.shape, axes)


def _quantile(name, a, q, axis, out, overwrite_input, method, keepdims, weights, pass_nan):
    """Between the neighbours of place q (n - 1) of the sorted elements; the axes of q come first."""
    if overwrite_input or out is not None:
        raise ValueError(f"jax.numpy.{name} does not support overwrite_input=True or out != None")
    if method not in _METHODS:
        raise ValueError("method can only be 'linear', 'lower', 'higher', 'midpoint', 'nearest' or 'inverted_cdf'")
    x, q = (inexact(v) for v in arraylike(name, a, q))
    x, q = convert(x, x.aval.code), convert(q, q.aval.code)
    w = _weights(weights, x, axis, method)
    if q.ndim > 1:
        raise ValueError(f"q must be have rank <= 1, got shape {q.shape}")
    axes = axes_of(axis, x.ndim)
    kept = [d for d in range(x.ndim) if d not in axes]
    shape = tuple(x.shape[d] for d in kept)
    result = tuple(1 if d in axes else n for d, n in enumerate(x.shape)) if keepdims else shape
    rows = _rows(x, kept, axes)
    missing = isnan(rows)
    if pass_nan:
        rows = where(missing, np.nan, rows)
    elif method != "inverted_cdf":
        rows = where(any(missing, -1, keepdims=True), np.nan, rows)
    count = sum((~missing).astype(q.dtype), -1, keepdims=True) if pass_nan else convert(arraylike(name, float(rows.shape[-1])), q.aval.code)
    if method == "inverted_cdf":
        found = _inverse(rows, q.reshape(-1), count, None if w is None else _rows(w, kept, axes), pass_nan)
    else:
        found = _between(_lax_sort(rows, rows.ndim - 1), q.reshape(-1), count, method)
    return moveaxis(convert(found, x.aval.code), -1, 0).reshape(*q.shape, *result)


def _between(rows, q, count, method):
    at = lax.broadcast_to(q * (count - 1), (*rows.shape[:-1], q.size))
    low, high = (lax.max(lax.full_like(at, 0), lax.min(f(at), lax.broadcast_to(count - 1, at.shape))) for f in (lax.floor, lax.ceil))
    weight = at - lax.floor(at)
    low, high = (take_along(rows, v.astype("int32"), rows.ndim - 1) for v in (low, high))
    if method == "linear":
        return low.astype(q.dtype) * (1 - weight) + high.astype(q.dtype) * weight
    if method == "nearest":
        return where(weight <= 0.5, low, high)
    return {"lower": low, "higher": high, "midpoint": (low + high) * 0.5}[method]


def _inverse(rows, q, count, w, pass_nan):
    """The first element at which the running weight reaches the share q of all."""
    w = lax.full_like(rows, 1) if w is None else w
    rows, w = _lax_sort((rows, w), rows.ndim - 1, True, 1)
    missing, bad = isnan(rows), (w < 0) | isnan(w)
    running = cumsum(where(bad | missing, lax.full_like(w, 0), w), -1)
    reached = q * running[..., -1:]
    at = sum((running[..., None, :] < reached[..., None]).astype(int), -1)
    last = lax.broadcast_to((count - 1).astype(at.dtype), at.shape)
    found = take_along(rows, lax.max(lax.full_like(at, 0), lax.min(at, last)), rows.ndim - 1)
    nothing = count == 0 if pass_nan else any(missing, -1, keepdims=True)
    return where(any(bad, -1, keepdims=True) | nothing, np.nan, found)


@op(2)
def quantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    """The value below which a share q of the elements lies; NaN where there is one."""
    return _quantile("quantile", a, q, axis, out, overwrite_input, method, keepdims, weights, False)


@op(2)
def nanquantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    """quantile that passes over NaN."""
    return _quantile("nanquantile", a, q, axis, out, overwrite_input, method, keepdims, weights, True)


@op(2)
def percentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None, out_sharding=None):
    """The value below which q percent of the elements lie; NaN where there is one."""
    q = inexact(arraylike("percentile", q)) / 100
    return _quantile("percentile", a, q, axis, out, overwrite_input, method, keepdims, weights, False)


@op(2)
def nanpercentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    """percentile that passes over NaN."""
    q = inexact(arraylike("nanpercentile", q)) / 100
    return _quantile("nanpercentile", a, q, axis, out, overwrite_input, method, keepdims, weights, True)


@op(1)
def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The middle element, or the mean of the two middle ones; NaN where there is one."""
    return _quantile("median", a, 0.5, axis, out, overwrite_input, "midpoint", keepdims, None, False)


@op(1)
def nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    """median that passes over NaN."""
    return _quantile("nanmedian", a, 0.5, axis, out, overwrite_input, "midpoint", keepdims, None, True)
