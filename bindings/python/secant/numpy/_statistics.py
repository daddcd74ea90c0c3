"""Covariances, histograms, and what passes over NaN."""

import builtins

import numpy as np

from secant import _types, lax
from secant._eager import op
from secant.numpy._common import arraylike, convert, inexact, kind, one_axis, promoted, promoted_inexact
from secant.numpy._creation import asarray, linspace, zeros
from secant.numpy._logic import isnan, where
from secant.numpy._picking import diag, diff, searchsorted
from secant.numpy._products import dot
from secant.numpy._reductions import all, argmax, argmin, average, cumprod, cumsum, max, min, nanmean, sum
from secant.numpy._rounding import clip
from secant.numpy._shape import concatenate, expand_dims, flip, ravel
from secant.numpy._ufuncs import sqrt, square


def _nan_arg(name, function, fill):
    def f(a, axis=None, out=None, keepdims=None):
        x = arraylike(name, a)
        keepdims = bool(keepdims)
        if not x.aval.is_float:
            return function(x, axis, None, keepdims)
        missing = isnan(x)
        found = function(where(missing, fill, x), axis, None, keepdims)
        return where(all(missing, axis, None, bool(keepdims)), -1, found)

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = f"{name[3:]} that passes over NaN; -1 where all are NaN.", "secant.numpy"
    return op(1)(f)


nanargmax = _nan_arg("nanargmax", argmax, -np.inf)
nanargmin = _nan_arg("nanargmin", argmin, np.inf)


def _nan_running(name, function, fill):
    def f(a, axis=None, dtype=None, out=None):
        x = arraylike(name, a)
        return function(where(isnan(x), fill, x) if x.aval.is_float else x, axis, dtype)

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = f"{name[3:]} that passes over NaN.", "secant.numpy"
    return op(1)(f)


nancumsum, nancumprod = _nan_running("nancumsum", cumsum, 0), _nan_running("nancumprod", cumprod, 1)


@op(1)
def nanvar(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, where=None, mean=None):
    """Variance that passes over NaN."""
    from secant.numpy._logic import where as choose

    x = inexact(arraylike("nanvar", a))
    x = convert(x, x.aval.code if dtype is None else _types.code_of(dtype))
    if where is not None:
        x = choose(where, x, np.nan)
    there = ~isnan(x)
    centered = choose(there, x - (nanmean(x, axis, keepdims=True) if mean is None else arraylike("nanvar", mean)), 0.0)
    count = sum(there, axis, keepdims=keepdims)
    total = sum(square(centered), axis, keepdims=keepdims)
    return choose(count > ddof, total / (count - ddof).astype(x.dtype), np.nan)


@op(1)
def nanstd(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, where=None, mean=None):
    """Standard deviation that passes over NaN."""
    return sqrt(nanvar(a, axis, dtype, None, ddof, keepdims, where, mean))


def _array_api_running(name, function, first):
    def f(x, /, *, axis=None, dtype=None, include_initial=False):
        x = arraylike(name, x)
        if axis is None:
            if x.ndim != 1:
                raise ValueError(f"The input array has rank {x.ndim}, however axis was not set to an explicit value.")
            axis = 0
        axis = one_axis(axis, x.ndim)
        if dtype is None and _types.is_integer(x.aval.code):
            default = _types.default_code(kind(x))
            dtype = _types.numpy_dtype(max_code(x.aval.code, default))
        out = function(x, axis, dtype)
        if not include_initial:
            return out
        head = tuple(1 if d == axis else n for d, n in enumerate(x.shape))
        return concatenate([lax.full(head, first, out.dtype), out], axis)

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = f"{function.__doc__} `include_initial` puts {first} in front.", "secant.numpy"
    return op(1)(f)


def max_code(a, b):
    """The wider of two dtype codes."""
    return a if _types.SIZES[a] >= _types.SIZES[b] else b


cumulative_sum = _array_api_running("cumulative_sum", cumsum, 0)
cumulative_prod = _array_api_running("cumulative_prod", cumprod, 1)


# ---- covariances ----
@op(2)
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, dtype=None):
    """Covariance matrix of variables in rows (rowvar) or columns."""
    x = inexact(arraylike("cov", m))
    if y is not None:
        x, y = promoted_inexact(x, arraylike("cov", y))
        y = y.reshape(1, -1) if y.ndim < 2 else y if rowvar else y.T
    if x.ndim > 2:
        raise ValueError(f"m has more than 2 dimensions, got {x.aval.str_short()}")
    x = x.reshape(1, -1) if x.ndim < 2 else x if rowvar else x.T
    if y is not None:
        x = concatenate([x, y])
    if dtype is not None:
        x = x.astype(dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = None
    for w in (fweights, aweights):
        if w is not None:
            w = convert(arraylike("cov", w), x.aval.code)
            weights = w if weights is None else weights * w
    mean = average(x, 1, weights)
    total = x.shape[1] if weights is None else sum(weights)
    if weights is None:
        factor = total - ddof
    elif not ddof or aweights is None:
        factor = total - ddof
    else:
        factor = total - ddof * sum(weights * convert(arraylike("cov", aweights), x.aval.code)) / total
    x = x - mean[:, None]
    weighted = x if weights is None else x * weights
    out = dot(x, weighted.T) / factor
    return out.reshape(()) if out.shape == (1, 1) else out


@op(2)
def corrcoef(x, y=None, rowvar=True, dtype=None):
    """Correlation coefficients: covariances of standardised variables, held in [-1, 1]."""
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    scale = sqrt(diag(c))
    return clip(c / scale[:, None] / scale[None, :], -1, 1)


# ---- counts ----
def bincount(x, weights=None, minlength=0, *, length=None, out_sharding=None):
    """How often 0, 1, 2, ... occur; negative integers count as 0; `length` fixes the size (needed while tracing)."""
    x = asarray(x)
    if not _types.is_integer(x.aval.code):
        raise TypeError(f"x argument to bincount must have an integer type; got {x.aval.str_short()}")
    if x.ndim != 1:
        raise ValueError("only 1-dimensional input supported.")
    if length is None:
        largest = int(max(x)) + 1 if x.size else 0
        length = largest if largest > minlength else int(minlength)
    return _bincount(x, weights, int(length))


@op(2)
def _bincount(x, weights, length):
    x = clip(arraylike("bincount", x), 0)
    w = 1 if weights is None else arraylike("bincount", weights)
    dtype = int if weights is None else w.dtype
    return zeros(length, dtype).at[x].add(w, mode="drop")


@op(2)
def digitize(x, bins, right=False, *, method=None):
    """The number of the bin of each element; bins increase or decrease."""
    x, bins = promoted(*arraylike("digitize", x, bins))
    if not bins.shape[0]:
        return x.astype(int) * 0
    side = "right" if not right else "left"
    up = searchsorted(bins, x, side)
    down = bins.shape[0] - searchsorted(flip(bins), x, side)
    return where(bins[-1] >= bins[0], up, down)


def histogram_bin_edges(a, bins=10, range=None, weights=None):
    """The edges of bins: `bins` equal ones between the extremes or the ends of `range`, or the edges themselves."""
    if isinstance(bins, str):
        raise NotImplementedError("histogram: `bins` by name is not available; pass their number or their edges")
    if np.ndim(bins) == 1:
        edges = asarray(bins)
        return edges if edges.aval.is_float else edges.astype(_types.numpy_dtype(_types.default_code("FLOAT")))
    return _edges(a, int(bins), None if range is None else tuple(range))


@op(1)
def _edges(a, bins, range):
    x = ravel(arraylike("histogram", a))
    if range is None:
        low, high = (min(x), max(x)) if x.size else (0.0, 1.0)
    else:
        low, high = range
    dtype = inexact(x).dtype
    low, high = (convert(arraylike("histogram", end), inexact(x).aval.code) for end in (low, high))
    same = low == high
    return linspace(where(same, low - 0.5, low), where(same, high + 0.5, high), bins + 1, dtype=dtype)


def histogram(a, bins=10, range=None, weights=None, density=None):
    """(how many elements, or how much weight, each bin holds; the edges of the bins)."""
    edges = histogram_bin_edges(a, bins, range, weights)
    return _histogram(a, edges, weights, bool(density)), edges


@op(3)
def _histogram(a, edges, weights, density):
    x = ravel(arraylike("histogram", a))
    x, edges = promoted_inexact(x, arraylike("histogram", edges))
    w = lax.full(x.shape, 1, x.dtype) if weights is None else ravel(arraylike("histogram", weights))
    n = edges.shape[0] - 1
    at = searchsorted(edges, x, "right") - 1
    at = where(x == edges[-1], n - 1, at)
    outside = (x < edges[0]) | (x > edges[-1]) | isnan(x)
    counts = zeros(n, w.dtype).at[where(outside, n, at)].add(w, mode="drop")
    return counts / diff(edges) / sum(counts) if density else counts


def histogram2d(x, y, bins=10, range=None, weights=None, density=None):
    """(how many points, or how much weight, each rectangle holds; the edges along x; along y)."""
    pair = bins if np.ndim(bins) or isinstance(bins, (list, tuple)) else (bins, bins)
    if len(pair) != 2:
        pair = (bins, bins)
    counts, (x_edges, y_edges) = histogramdd(asarray([asarray(x), asarray(y)]).T, list(pair), range, weights, density)
    return counts, x_edges, y_edges


def histogramdd(sample, bins=10, range=None, weights=None, density=None):
    """(how many points, the rows of `sample`, each box holds; the edges along each axis)."""
    if isinstance(sample, (list, tuple)):
        sample = asarray(list(sample)).T
    sample = asarray(sample)
    if sample.ndim == 1:
        sample = sample[:, None]
    n, d = sample.shape
    if range is not None and (len(range) != d or any_wrong(range)):
        raise ValueError(f"For sample.shape={(n, d)}, range must be a sequence of {d} pairs or Nones; got {range=}")
    bins = list(bins) if isinstance(bins, (list, tuple)) else [bins] * d if np.ndim(bins) == 0 else list(bins)
    if len(bins) != d:
        raise ValueError("should be a bin for each dimension.")
    edges = [histogram_bin_edges(sample[:, k], bins[k], None if range is None else range[k]) for k in np.arange(d)]
    return _boxes(sample, tuple(edges), weights, bool(density)), edges


def any_wrong(ranges):
    return builtins.any(r is not None and np.shape(r)[0] != 2 for r in ranges)


@op(3)
def _boxes(sample, edges, weights, density):
    sample, edges = arraylike("histogramdd", sample), [arraylike("histogramdd", e) for e in edges]
    shape = tuple(e.shape[0] - 1 for e in edges)
    place = outside = None
    for k, e in enumerate(edges):
        x, e = promoted_inexact(sample[:, k], e)
        at = where(x == e[-1], shape[k] - 1, searchsorted(e, x, "right") - 1)
        out = (x < e[0]) | (x > e[-1]) | isnan(x)
        place, outside = (at, out) if place is None else (place * shape[k] + at, outside | out)
    total = int(np.prod(shape))
    w = lax.full(place.shape, 1, place.dtype) if weights is None else ravel(arraylike("histogramdd", weights))
    counts = zeros(total, w.dtype).at[where(outside, total, place)].add(w, mode="drop").reshape(shape)
    if not density:
        return counts
    counts = counts / sum(counts)
    for k, e in enumerate(edges):
        counts = counts / diff(e).reshape([-1 if d == k else 1 for d in np.arange(len(edges))])
    return counts


@op(2)
def isin(element, test_elements, assume_unique=False, invert=False, *, method="auto"):
    """Which elements occur among others."""
    x, y = promoted(*arraylike("isin", element, test_elements))
    found = sum(expand_dims(x, x.ndim) == ravel(y), -1) > 0
    return ~found if invert else found
