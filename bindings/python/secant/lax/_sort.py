"""lax's sort and top_k."""

import ctypes

from secant import _types
from secant._capi import sec_gather_dims
from secant._eager import op
from secant._lib import int64s, lib
from secant._trace import results, tracer, values
from secant._tracer import made
from secant.lax import _shape


def _axis(name, axis, ndim):
    if not -ndim <= axis < ndim:
        raise ValueError(f"{name}: axis {axis} is out of bounds for array of dimension {ndim}")
    return axis % ndim


def _operands(name, operands):
    xs = [tracer(x) for x in operands]
    if not xs:
        raise TypeError(f"{name} requires at least one operand")
    if len({x.shape for x in xs}) > 1:
        raise TypeError(f"Arguments to {name} must have equal shapes, got: {', '.join(str(x.shape) for x in xs)}")
    if name == "top_k" and any(_types.KINDS[x.aval.code] == "COMPLEX" for x in xs):
        raise TypeError(f"{name} does not accept complex numbers, which have no order\n  hint: sort takes them, by real parts first")
    return xs


def _sorted(xs, dimension, is_stable, num_keys):
    out = values([0] * len(xs))
    return results(lib.sec_sort(values([x.value for x in xs]), len(xs), dimension, num_keys, is_stable, out), out)


@op(1)
def sort(operand, dimension=-1, is_stable=True, num_keys=1):
    """An array in order along an axis, NaN last; or several in the order of the first num_keys of them."""
    several = isinstance(operand, (tuple, list))
    xs = _operands("sort", operand if several else (operand,))
    if not 1 <= num_keys <= len(xs):
        raise ValueError(f"{num_keys=} must be between 1 and len(operand)={len(xs)}")
    out = _sorted(xs, _axis("sort", dimension, xs[0].ndim), bool(is_stable), num_keys)
    return tuple(out) if several else out[0]


@op(2)
def sort_key_val(keys, values, dimension=-1, is_stable=True):
    """`keys` in order along an axis, and `values` in the order of their keys."""
    return sort((keys, values), dimension, is_stable, 1)


def take_along(x, indices, axis):
    """x[.., indices[..], ..] along an axis; indices are inside and differ from x in that axis alone."""
    others = [d for d in range(x.ndim) if d != axis]
    lists = [int64s(axes) for axes in ((), (axis,), (axis,), others, others)]
    dims = sec_gather_dims(*[ctypes.addressof(a) for a in lists], *[len(a) for a in lists[:4]])
    at = _shape.expand_dims(indices, (x.ndim,))
    return made(lib.sec_gather(x.value, at.value, ctypes.addressof(dims), int64s([1] * x.ndim), 2))


@op(1)
def top_k(operand, k, *, axis=-1):
    """(The k largest elements along an axis, in descending order, and their indices); NaN is largest, +0 above -0."""
    (x,) = _operands("top_k", (operand,))
    if x.ndim == 0:
        raise TypeError("top_k operand must have >= 1 dimension, got ()")
    axis = _axis("top_k", axis, x.ndim)
    if k < 0:
        raise ValueError(f"k argument to top_k must be nonnegative, got {k}")
    if k > x.shape[axis]:
        raise ValueError(f"k argument to top_k must be no larger than size along axis; got {k=} with shape={x.shape} and {axis=}")
    out = values([0, 0])
    return tuple(results(lib.sec_top_k(x.value, k, axis, out), out))
