"""Diagonals and triangles of matrices; elements picked by indices."""

import builtins

import numpy as np

from secant import _types, lax
from secant._array import from_numpy
from secant._eager import op
from secant._trace import tracer
from secant._tracer import Tracer
from secant.lax._shape import broadcast_to as _broadcast_to
from secant.numpy._common import arraylike, broadcasted, one_axis, promoted, promoted_inexact, scalar_like
from secant.numpy._creation import _eye, _tri
from secant.numpy._logic import isnan, where
from secant.numpy._reductions import sum
from secant.numpy._rounding import clip
from secant.numpy._shape import moveaxis, ravel, stack
from secant.numpy._ufuncs import abs


@op(1)
def diagonal(a, offset=0, axis1=0, axis2=1):
    """A diagonal, as the last axis."""
    x = moveaxis(arraylike("diagonal", a), (axis1, axis2), (-2, -1))
    n, m = x.shape[-2:]
    size = builtins.max(builtins.min(n + builtins.min(offset, 0), m - builtins.max(offset, 0)), 0)
    row, column = builtins.max(-offset, 0), builtins.max(offset, 0)
    flat = x.reshape(*x.shape[:-2], n * m)
    start = row * m + column
    limit = start + (size - 1) * (m + 1) + 1 if size else start
    lead = x.ndim - 2
    start, limit = builtins.min(start, n * m), builtins.min(limit, n * m)
    return lax.slice(flat, [0] * lead + [start], [*x.shape[:-2], limit], [1] * lead + [m + 1])


@op(1)
def diag(v, k=0):
    """The k-th diagonal of a matrix, or the matrix with a vector on it."""
    x = arraylike("diag", v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError("diag input must be 1d or 2d")
    n = x.shape[0] + builtins.abs(k)
    rows = lax.pad(x, scalar_like(x, 0), [(builtins.max(-k, 0), builtins.max(k, 0), 0)])
    return where(_eye(n, n, k, _types.BOOL), rows.reshape(n, 1), scalar_like(x, 0))


@op(1)
def diagflat(v, k=0):
    return diag(ravel(v), k)


@op(1)
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    """Sum of a diagonal."""
    return sum(diagonal(a, offset, axis1, axis2), -1, dtype)


@op(1, call="triu")
def triu(m, k=0):
    """Zeros below the k-th diagonal."""
    x = arraylike("triu", m)
    return where(_tri(*x.shape[-2:], k - 1, _types.BOOL), scalar_like(x, 0), x)


@op(1, call="tril")
def tril(m, k=0):
    """Zeros above the k-th diagonal."""
    x = arraylike("tril", m)
    return where(_tri(*x.shape[-2:], k, _types.BOOL), x, scalar_like(x, 0))


def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    """Coordinate arrays of a grid of vectors."""
    return _meshgrid(list(xi), bool(sparse), indexing)


@op(1)
def _meshgrid(xi, sparse, indexing):
    xs = [tracer(x) for x in xi]
    shapes = []
    for i in range(len(xs)):
        at = 1 - i if indexing == "xy" and i < 2 and len(xs) > 1 else i
        shapes.append([xs[i].size if d == at else 1 for d in range(len(xs))])
    xs = [x.reshape(s) for x, s in zip(xs, shapes)]
    return xs if sparse else broadcasted(*xs)


def ix_(*args):
    """Vectors shaped to index the grid of them."""
    return tuple(a.reshape([-1 if j == i else 1 for j in range(len(args))]) for i, a in enumerate(args))


@op(1, call="diff")
def diff(a, n=1, axis=-1, prepend=None, append=None):
    """Differences of neighbours along an axis, n times; with values in front and behind."""
    x = arraylike("diff", a)
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    if x.ndim == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = one_axis(axis, x.ndim)
    if n and (prepend is not None or append is not None):
        x = _joined(prepend, x, append, axis)
    for _ in range(n):
        size = x.shape[axis]
        after, before = lax.slice_in_dim(x, 1, size, 1, axis), lax.slice_in_dim(x, 0, size - 1, 1, axis)
        x = after != before if x.aval.code == _types.BOOL else after - before
    return x


def _joined(before, x, after, axis):
    from secant.numpy._shape import broadcast_to, concatenate

    parts = [None if e is None else arraylike("diff", e) for e in (before, after)]
    one = tuple(1 if d == axis else n for d, n in enumerate(x.shape))
    parts = [broadcast_to(e, one) if e is not None and e.ndim == 0 else e for e in parts]
    return concatenate([e for e in (parts[0], x, parts[1]) if e is not None], axis)


# ---- picking ----
def take(a, indices, axis=None, out=None, mode=None, unique_indices=False, indices_are_sorted=False, fill_value=None):
    """Elements at indices along an axis; out of bounds gives NaN (mode "fill"), or clips, or wraps."""
    if isinstance(indices, (list, tuple)):
        raise TypeError(f"take requires ndarray or scalar arguments, got {type(indices)} at position 1.")
    return _take(a, indices, axis, mode, fill_value)


@op(2)
def _take(a, indices, axis, mode, fill_value):
    from secant._indexing import gather_rows

    x, i = arraylike("take", a, indices)
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = one_axis(axis, x.ndim)
    if not _types.is_integer(i.aval.code):
        raise TypeError(f"take requires integer indices, got {i.dtype.name}")
    n = x.shape[axis]
    if mode == "wrap":
        i, mode = i % n, "clip"
    elif mode != "clip":
        i = where(i < 0, i + n, i)
    return gather_rows(x, i, axis, mode or "fill", fill_value)


@op(2)
def take_along_axis(arr, indices, axis=-1, mode=None, fill_value=None, *, wrap_negative_indices=True):
    """For each place the element whose index along `axis` the indices give."""
    from secant._indexing import gather_points

    x, i = arraylike("take_along_axis", arr, indices)
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = one_axis(axis, x.ndim)
    shape = np.broadcast_shapes(*(s[:axis] + (1,) + s[axis + 1 :] for s in (x.shape, i.shape)))
    full = lambda s: shape[:axis] + (s[axis],) + shape[axis + 1 :]  # noqa: E731
    x, i = _broadcast_to(x, full(x.shape)), _broadcast_to(i, full(i.shape))
    if mode != "clip":
        i = where(i < 0, i + x.shape[axis], i)
    grid = [i if d == axis else lax.broadcasted_iota(i.dtype, i.shape, d) for d in range(x.ndim)]
    return gather_points(x, grid, mode or "fill", fill_value)


def first_places(mask, size):
    """The first `size` places where a flat mask holds, and how many there are; the rest of the places is 0."""
    import secant.numpy as jnp

    order = jnp.cumsum(mask)
    n = mask.shape[0]
    at = where(mask, order - 1, size)  # past the end: dropped
    places = jnp.zeros(size, order.dtype).at[at].set(jnp.arange(n, dtype=order.dtype), mode="drop")
    return places, order[-1] if n else jnp.zeros((), order.dtype)


def _nonzero_of_size(a, size, fill_value):
    """nonzero of a traced array."""
    import secant.numpy as jnp

    flat, count = first_places(ravel(a) != 0, size)
    found = jnp.unravel_index(flat, a.shape) if a.size else [jnp.zeros(size, flat.dtype)] * a.ndim
    fills = fill_value if isinstance(fill_value, tuple) else (fill_value or 0,) * a.ndim
    return tuple(where(jnp.arange(size) < count, f, fill).astype(flat.dtype) for f, fill in zip(found, fills))


def nonzero(a, *, size=None, fill_value=None):
    """The indices of elements that are not zero; of a traced array with `size` alone."""
    if isinstance(a, Tracer):
        if size is not None and a.ndim:
            return _nonzero_of_size(a, int(size), fill_value)
        a._need("nonzero: the shape of its result")
    found = np.nonzero(np.asarray(a))
    if size is not None:
        fills = fill_value if isinstance(fill_value, (tuple, list)) else [0 if fill_value is None else fill_value] * len(found)
        found = tuple(
            np.concatenate([f[:size], np.full(builtins.max(size - len(f), 0), fill)]) for f, fill in zip(found, fills)
        )
    dtype = _types.numpy_dtype(_types.default_code("INT"))
    return tuple(from_numpy(f.astype(dtype)) for f in found)


def flatnonzero(a, *, size=None, fill_value=None):
    return nonzero(ravel(a), size=size, fill_value=fill_value)[0]


def argwhere(a, *, size=None, fill_value=None):
    return stack(nonzero(a, size=size, fill_value=fill_value), 1)


def extract(condition, arr, *, size=None, fill_value=0):
    """The elements where a condition holds; `size` of them, filled up."""
    if size is None:
        return ravel(arr)[np.asarray(ravel(condition)).astype(bool)]
    from secant.numpy import compress

    return compress(ravel(condition), ravel(arr), size=size, fill_value=fill_value)


def select(condlist, choicelist, default=0):
    """The choice of the first condition that holds."""
    out = default
    for c, x in zip(condlist[::-1], choicelist[::-1]):
        out = where(c, x, out)
    return out


@op(2)
def searchsorted(a, v, side="left", sorter=None, *, method="scan"):
    """Where v belongs in the sorted vector `a`: before equals (left) or behind them (right)."""
    if side not in ("left", "right"):
        raise ValueError(f"{side!r} is an invalid value for keyword 'side'. Expected one of ['left', 'right'].")
    a, v = promoted(*arraylike("searchsorted", a, v))
    if sorter is not None:
        a = a[sorter]
    dtype = _types.numpy_dtype(_types.default_code("INT"))
    low, high = lax.full(v.shape, 0, dtype), lax.full(v.shape, a.shape[0], dtype)
    for _ in range(int(np.ceil(np.log2(a.shape[0] + 1)))):
        middle = (low + high) // 2
        there = take(a, middle, 0, mode="clip")
        left = v < there if side == "right" else v <= there
        if a.aval.is_float:  # NaN stands last
            left = left | (isnan(there) & ~isnan(v) if side == "right" else isnan(there))
        low, high = where(left, low, middle), where(left, middle, high)
    return high


@op(3)
def interp(x, xp, fp, left=None, right=None, period=None):
    """Linear interpolation between points (xp, fp); xp increases."""
    if period is not None:
        raise NotImplementedError("interp: period is not available in this version")
    x, xp, fp = promoted_inexact(*arraylike("interp", x, xp, fp))
    at = clip(searchsorted(xp, x, "right"), 1, xp.shape[0] - 1)
    df, dx = fp[at] - fp[at - 1], xp[at] - xp[at - 1]
    delta = x - xp[at - 1]
    tiny = np.spacing(np.finfo(x.dtype).eps)
    flat = abs(dx) <= tiny
    f = where(flat, fp[at - 1], fp[at - 1] + (delta / where(flat, 1, dx)) * df)
    f = where(x < xp[0], fp[0] if left is None else left, f)
    return where(x > xp[-1], fp[-1] if right is None else right, f)
