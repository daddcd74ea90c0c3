"""Sets of values.  Without `size` their results' shapes depend on values: concrete arrays only; with it they can be traced."""

from typing import NamedTuple

import numpy as np

from secant import _types, lax
from secant._array import from_numpy
from secant._eager import op
from secant._trace import aval_of
from secant._tracer import Tracer
from secant.numpy._common import arraylike, convert, one_axis, promoted
from secant.numpy._creation import arange, asarray, full, zeros
from secant.numpy._logic import isnan, where
from secant.numpy._reductions import cumsum, sum
from secant.numpy._shape import concatenate, moveaxis
from secant.numpy._sorting import lexsort


def _concrete(name, *xs):
    for x in xs:
        if isinstance(x, Tracer):
            x._need(f"{name}: the shape of its result")
    return [np.asarray(x) for x in xs]


def _int(x):
    return from_numpy(x.astype(_types.numpy_dtype(_types.default_code("INT"))))


# ---- unique ----
def _differs(rows, equal_nan):
    """Whether each row is another than the one before; the first one is."""
    after, before = rows[1:], rows[:-1]
    other = after != before
    if equal_nan and rows.aval.is_float:
        other = other & ~(isnan(after) & isnan(before))
    other = sum(other, tuple(range(1, other.ndim))) > 0
    return concatenate([full((min(rows.shape[0], 1),), True), other])


def _first(mask, size):
    """The places of the first `size` truths, and which of them there are."""
    n = mask.shape[0]
    at = cumsum(mask) - 1
    places = full(size, n, int).at[where(mask, at, size)].set(arange(n), mode="drop")
    return places, places < n


@op(1)
def _unique(x, axis, equal_nan, size, fill_value):
    """(values, first indices, inverse, counts) of `size` entries."""
    x = arraylike("unique", x)
    shape = x.shape
    x = x.reshape(-1) if axis is None else moveaxis(x, axis, 0)
    n = x.shape[0]
    if n == 0 and size and fill_value is None:
        raise ValueError("jnp.unique: for zero-sized input with nonzero size argument, fill_value must be specified")
    rows = x.reshape(n, -1) if x.size else zeros((n, 0), x.dtype)
    order = lexsort([rows[:, k] for k in range(rows.shape[1])][::-1]) if rows.shape[1] else arange(n)
    rows = x[order]
    new = _differs(rows, equal_nan)
    ends, _ = _first(new, size + 1)
    places = ends[:size]
    there = places < n
    at = where(there, places, 0)
    values = rows[at] if n else full((size, *rows.shape[1:]), fill_value, x.dtype)
    if fill_value is not None and n:
        values = where(there.reshape(-1, *[1] * (values.ndim - 1)), values, asarray(fill_value).astype(x.dtype))
    counts = where(there, ends[1:] - places, 0)
    inverse = zeros(n, int).at[order].set(cumsum(new) - 1)
    first = order[at] if n else full(size, 0)
    return moveaxis(values, 0, axis or 0), first, inverse.reshape(shape) if axis is None else inverse, counts


def unique(
    ar,
    return_index=False,
    return_inverse=False,
    return_counts=False,
    axis=None,
    *,
    equal_nan=True,
    size=None,
    fill_value=None,
    sorted=True,
):
    """The different elements in order, and on demand where each is first, which one each element is, and how often
    each occurs; `size` of them, filled up with fill_value (or the least)."""
    if size is None:
        (x,) = _concrete("unique", ar)
        found, *rest = np.unique(x, True, True, True, axis, equal_nan=equal_nan)
        rest[1] = rest[1].reshape(x.shape) if axis is None else rest[1].reshape(-1)
        out = [from_numpy(found), *map(_int, rest)]
    else:
        out = _unique(ar, None if axis is None else one_axis(axis, np.ndim(ar)), bool(equal_nan), int(size), fill_value)
    chosen = [out[0], *(x for x, wanted in zip(out[1:], (return_index, return_inverse, return_counts)) if wanted)]
    return tuple(chosen) if len(chosen) > 1 else chosen[0]


class UniqueAllResult(NamedTuple):
    values: object
    indices: object
    inverse_indices: object
    counts: object


class UniqueCountsResult(NamedTuple):
    values: object
    counts: object


class UniqueInverseResult(NamedTuple):
    values: object
    inverse_indices: object


def unique_all(x, /, *, size=None, fill_value=None):
    """The different elements, where each is first, which one each element is, and how often each occurs."""
    return UniqueAllResult(*unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value))


def unique_counts(x, /, *, size=None, fill_value=None):
    """The different elements and how often each occurs."""
    return UniqueCountsResult(*unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_inverse(x, /, *, size=None, fill_value=None):
    """The different elements and which one each element is."""
    return UniqueInverseResult(*unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_values(x, /, *, size=None, fill_value=None):
    """The different elements."""
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


# ---- two sets ----
@op(2)
def _chosen(a, b, rule, size, fill_value):
    """Elements of both, in order and once each, that `rule` (whether it is in a, in b) takes: `size` of them."""
    a, b = (x.reshape(-1) for x in promoted(*arraylike("a set", a, b)))
    every = concatenate([a, b])
    own = concatenate([zeros(a.shape, "int32"), zeros(b.shape, "int32") + 1])
    values, own = lax.sort((every, own), 0, True, 1)
    new = _differs(values, True)
    group = cumsum(new) - 1
    member = [zeros(every.shape[0], bool).at[where(own == k, group, every.shape[0])].set(True, mode="drop")[group] for k in (0, 1)]
    taken = {"or": member[0] | member[1], "and": member[0] & member[1], "sub": member[0] & ~member[1], "xor": member[0] ^ member[1]}[rule]
    return _filled(values, taken & new, size, fill_value)


def _filled(values, mask, size, fill_value):
    places, there = _first(mask, size)
    found = values[where(there, places, places[0])] if values.shape[0] else zeros(size, values.dtype)
    return found if fill_value is None else where(there, found, asarray(fill_value).astype(values.dtype))


def _pair(name, a, b):
    """Two concrete arrays of their promoted type."""
    code, _ = _types.promote(aval_of(a), aval_of(b))
    return [x.astype(_types.numpy_dtype(code)) for x in _concrete(name, a, b)]


def union1d(ar1, ar2, *, size=None, fill_value=None):
    """The elements of either, in order."""
    if size is None:
        return from_numpy(np.union1d(*_pair("union1d", ar1, ar2)))
    return _chosen(ar1, ar2, "or", int(size), fill_value)


def intersect1d(ar1, ar2, assume_unique=False, return_indices=False, *, size=None, fill_value=None):
    """The elements of both, in order; with return_indices also where each is first in the one and in the other."""
    if size is None:
        a, b = _pair("intersect1d", ar1, ar2)
        found = np.intersect1d(a, b, assume_unique, return_indices)
        return (from_numpy(found[0]), _int(found[1]), _int(found[2])) if return_indices else from_numpy(found)
    found = _chosen(ar1, ar2, "and", int(size), fill_value)
    if not return_indices:
        return found
    there = _chosen(ar1, ar2, "and", int(size), None)
    count = _common(ar1, ar2)
    return found, *(_where_first(there, x, count) for x in (ar1, ar2))


@op(2)
def _common(a, b):
    """How many different elements are in both."""
    n = max(np.size(a), np.size(b), 1)
    a, b = (x.reshape(-1) for x in promoted(*arraylike("intersect1d", a, b)))
    values, first, _, counts = _unique.__wrapped__(a, None, True, n, 0)
    return sum((counts > 0) & (sum(values[:, None] == b, 1) > 0))


@op(3)
def _where_first(values, x, count):
    """The first place of each of `count` values in x; behind them the size of x."""
    values, x, count = arraylike("intersect1d", values, x, count)
    same = values[:, None] == x.reshape(-1)
    at = lax.argmax(same, 1, _types.numpy_dtype(_types.default_code("INT")))
    return where(arange(values.shape[0]) < count, at, x.size)


def setdiff1d(ar1, ar2, assume_unique=False, *, size=None, fill_value=None):
    """The elements of the first that are not in the second, in order (as they come with assume_unique)."""
    if size is None:
        return from_numpy(np.setdiff1d(*_pair("setdiff1d", ar1, ar2), assume_unique))
    return _chosen(ar1, ar2, "sub", int(size), 0 if fill_value is None else fill_value)


def setxor1d(ar1, ar2, assume_unique=False, *, size=None, fill_value=None):
    """The elements of exactly one, in order."""
    if size is None:
        return from_numpy(np.setxor1d(*_pair("setxor1d", ar1, ar2), assume_unique))
    return _chosen(ar1, ar2, "xor", int(size), fill_value)
