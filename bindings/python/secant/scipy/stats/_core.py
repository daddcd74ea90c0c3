"""Statistics of samples: ranks, standard errors, the most frequent values."""

from typing import NamedTuple

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, one_axis


def _propagates(name, nan_policy):
    if nan_policy not in ("propagate", "omit", "raise"):
        raise ValueError(f"Illegal nan_policy value {nan_policy!r}; expected one of {{'propagate', 'omit', 'raise'}}")
    if nan_policy == "raise":
        raise NotImplementedError(f"{name}: nan_policy='raise' is not available: values are not known while tracing")
    if nan_policy == "omit" and name != "sem":
        raise NotImplementedError(f"{name}: nan_policy='omit' is not available")


# ---- ranks ----
def rankdata(a, method="average", *, axis=None, nan_policy="propagate"):
    """The rank of each element from 1; equal ones share by method: average, min, max, dense or ordinal."""
    _propagates("rankdata", nan_policy)
    if method not in ("average", "min", "max", "dense", "ordinal"):
        raise ValueError(f"unknown method '{method}'")
    return _rankdata(a, method, axis)


@op(1)
def _rankdata(a, method, axis):
    x = arraylike("rankdata", a)
    if axis is None:
        return _ranks(x.reshape(-1), method).astype(float)
    return jnp.apply_along_axis(lambda row: _ranks(row, method).astype(float), one_axis(axis, x.ndim), x)


def _ranks(x, method):
    n = x.shape[0]
    order = jnp.argsort(x)
    place = jnp.zeros(n, int).at[order].set(jnp.arange(n))
    if method == "ordinal":
        return place + 1
    sorted_x = x[order]
    new = jnp.concatenate([jnp.full((min(n, 1),), True), sorted_x[1:] != sorted_x[:-1]])
    dense = jnp.cumsum(new)[place]
    if method == "dense":
        return dense
    firsts = jnp.nonzero(new, size=n + 1, fill_value=n)[0]
    low, high = firsts[dense - 1] + 1, firsts[dense]
    if method != "average":
        return low if method == "min" else high
    out = 0.5 * (low + high).astype(float)
    return jnp.where(jnp.any(jnp.isnan(x)), np.nan, out) if x.aval.is_float else out


# ---- standard error ----
@op(1)
def sem(a, axis=0, ddof=1, nan_policy="propagate", *, keepdims=False):
    """Standard error of the mean."""
    _propagates("sem", nan_policy)
    x = arraylike("sem", a)
    if axis is None:
        x, axis = x.reshape(-1), 0
    if nan_policy == "omit":
        count = jnp.sum(~jnp.isnan(x), axis, keepdims=keepdims)
        return jnp.nanstd(x, axis, ddof=ddof, keepdims=keepdims) / jnp.sqrt(count.astype(x.dtype))
    return jnp.std(x, axis, ddof=ddof, keepdims=keepdims) / float(np.sqrt(x.shape[one_axis(axis, x.ndim)]))


# ---- mode ----
class ModeResult(NamedTuple):
    mode: object
    count: object


def mode(a, axis=0, nan_policy="propagate", keepdims=False):
    """(the most frequent value along an axis, the least of several; how often it occurs)."""
    _propagates("mode", nan_policy)
    return ModeResult(*_mode(a, axis, bool(keepdims)))


@op(1)
def _mode(a, axis, keepdims):
    x = arraylike("mode", a)
    shape = x.shape
    if axis is None:
        x, axis = x.reshape(-1), 0
        kept = (1,) * len(shape)
    else:
        axis = one_axis(axis, x.ndim)
        kept = tuple(1 if d == axis else n for d, n in enumerate(shape))
    rows = jnp.sort(jnp.moveaxis(x, axis, -1), -1)
    n = rows.shape[-1]
    count = jnp.sum(rows[..., :, None] == rows[..., None, :], -1)
    best = jnp.argmax(count, -1)
    value = jnp.take_along_axis(rows, best[..., None], -1)[..., 0]
    times = jnp.take_along_axis(count, best[..., None], -1)[..., 0]
    return (value.reshape(kept), times.reshape(kept)) if keepdims else (value, times)
