"""Reductions of windows that slide over arrays."""

import ctypes
import math

import numpy as np

from secant import _tree, _types
from secant._array import ArrayImpl
from secant._capi import sec_window_dims
from secant._eager import op
from secant._lib import int64s, lib
from secant._trace import aval_of, literal, tracer
from secant._tracer import Tracer, made
from secant.lax._elementwise import BITS, NUMBER, ORDERED, _takes, convert_element_type
from secant.lax._shape import sizes


def padtype_to_pads(in_shape, window_shape, window_strides, padding):
    """(low, high) of each axis for "SAME", "SAME_LOWER" or "VALID"."""
    kind = padding.upper() if isinstance(padding, str) else padding
    if kind == "VALID":
        return [(0, 0)] * len(in_shape)
    if kind not in ("SAME", "SAME_LOWER"):
        raise RuntimeError(f"Unrecognized padding type: expected 'VALID', 'SAME', or 'SAME_LOWER', got {padding!r}.")
    pads = []
    for n, window, stride in zip(in_shape, window_shape, window_strides):
        total = max((-(-n // stride) - 1) * stride + window - n, 0)
        less = total // 2
        pads.append((less, total - less) if kind == "SAME" else (total - less, less))
    return pads


def dilated(shape, dilation):
    """Sizes with gaps between the elements."""
    return tuple(0 if not n else (n - 1) * d + 1 for n, d in zip(shape, dilation))


def pairs(name, padding):
    """Explicit padding as pairs of integers."""
    try:
        return tuple((low.__index__(), high.__index__()) for low, high in padding)
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"padding argument to {name} should be a string or a sequence of (low, high) pairs, got {padding}") from None


def window_struct(window, strides, padding, base_dilation, window_dilation):
    """The C struct, and the lists it points to."""
    lists = [window, strides, [p[0] for p in padding], [p[1] for p in padding], base_dilation, window_dilation]
    kept = [int64s(v) for v in lists]
    return sec_window_dims(*[ctypes.addressof(a) for a in kept]), kept


class _Window:
    """Window, strides, padding, dilations of base and window, one an axis."""

    def __init__(self, shape, window, strides, padding, base, dilation):
        n = len(shape)
        self.window = sizes(window)
        self.strides = (1,) * len(self.window) if strides is None else sizes(strides)
        self.base = (1,) * len(self.window) if base is None else sizes(base)
        self.dilation = (1,) * len(self.window) if dilation is None else sizes(dilation)
        if len(self.window) != n:
            raise TypeError(
                "reduce_window got the wrong number of window_dimensions for operand: "
                f"got operand shape {tuple(shape)} with window_dimensions {self.window}."
            )
        for what, v in (("window_strides", self.strides), ("base_dilation", self.base), ("window_dilation", self.dilation)):
            if len(v) != n:
                raise TypeError(f"reduce_window got inconsistent {what} and window_dimensions: got {what} {v} and window_dimensions {self.window}.")
        for what, v in (("window_dimensions", self.window), ("window_strides", self.strides), ("base_dilation", self.base), ("window_dilation", self.dilation)):
            if any(i < 1 for i in v):
                raise TypeError(f"reduce_window {what} must have every element be positive, got {v}.")
        if isinstance(padding, str):
            padding = padtype_to_pads(shape, dilated(self.window, self.dilation), self.strides, padding)
        self.padding = pairs("reduce_window", padding)
        if len(self.padding) != n:
            raise TypeError(f"reduce_window got {len(self.padding)} pairs of padding for operand shape {tuple(shape)}.")

    def key(self):
        return self.window, self.strides, self.padding, self.base, self.dilation


_KNOWN = {"sum": NUMBER, "prod": NUMBER, "max": ORDERED, "min": ORDERED, "and": BITS, "or": BITS}


@op(1)
def _pooled(operand, kind, key):
    x = tracer(operand)
    _takes("reduce_window_" + kind, x, _KNOWN[kind])
    dims, kept = window_struct(*key)
    return made(getattr(lib, "sec_reduce_window_" + kind)(x.value, ctypes.addressof(dims)))


@op(2)
def _places(operand, fill, key):
    """The windows in one axis in front."""
    x, n = tracer(operand), ctypes.c_int()
    dims, kept = window_struct(*key)
    windows = made(lib.sec_window_places(x.value, tracer(fill).value, ctypes.addressof(dims), ctypes.byref(n)))
    return windows.reshape((math.prod(windows.shape[: n.value]), *windows.shape[n.value :]))


def _kinds():
    from secant.lax import _elementwise as e

    return {e.add: "sum", e.mul: "prod", e.max: "max", e.min: "min", e.bitwise_and: "and", e.bitwise_or: "or"}


def _is_identity(kind, init, code):
    """Whether a concrete scalar is what the reduction starts from anyway."""
    if isinstance(init, Tracer):
        return False
    if isinstance(init, ArrayImpl):
        init = np.asarray(init)
    if np.ndim(init):
        return False
    value = np.asarray(init)[()]
    if kind in ("max", "min"):
        if _types.is_float(code):
            return value == (-np.inf if kind == "max" else np.inf)
        low, high = (False, True) if code == _types.BOOL else _limits(code)
        return value == (low if kind == "max" else high)
    if kind == "and":
        return value == (True if code == _types.BOOL else _limits(code)[1] if _limits(code)[0] == 0 else -1)
    return value == (1 if kind == "prod" else 0)


def _limits(code):
    info = np.iinfo(_types.numpy_dtype(code))
    return info.min, info.max


def reduce_window(
    operand,
    init_value,
    computation,
    window_dimensions,
    window_strides=None,
    padding="VALID",
    base_dilation=None,
    window_dilation=None,
):
    """Reduction of every window by any function of two values; the initial value enters each window once.

    lax.add, mul, max, min, bitwise_and and bitwise_or are primitives, other functions go one place after the other.
    A pytree of operands is reduced together.  Padded places add nothing.
    """
    leaves, tree = _tree.tree_flatten(operand)
    starts, other = _tree.tree_flatten(init_value)
    if tree != other:
        raise ValueError(f"Operands must have the same tree structure as init_values: {tree} vs. {other}")
    if not leaves:
        raise ValueError("reduce_window must have at least one operand.")
    shape = aval_of(leaves[0]).shape
    w = _Window(shape, window_dimensions, window_strides, padding, base_dilation, window_dilation)
    kind = _kinds().get(computation) if len(leaves) == 1 else None
    if kind and _is_identity(kind, starts[0], aval_of(leaves[0]).code):
        return tree.unflatten([_pooled(leaves[0], kind, w.key())])
    starts = [_start(s, aval_of(x)) for s, x in zip(starts, leaves)]
    if kind:
        return tree.unflatten([computation(_pooled(leaves[0], kind, w.key()), starts[0])])
    if any(aval_of(x).shape != shape for x in leaves):
        raise TypeError(f"reduce_window operands must have the same shape, got {[aval_of(x).shape for x in leaves]}.")
    return _one_by_one(leaves, starts, tree, computation, w)


def _start(init, aval):
    a = aval_of(init)
    if a.shape:
        raise TypeError(f"reduce_window expected init_values to be scalars but init_values have shapes {[a.shape]}.")
    if a.code == aval.code:
        return init
    if not a.weak_type:
        raise TypeError(
            "reduce_window got inconsistent dtypes for operands and init_values: "
            f"got operand dtypes {[aval.dtype.name]} and init_value dtypes {[a.dtype.name]}."
        )
    return convert_element_type(init, aval.dtype)


def _one_by_one(leaves, starts, tree, computation, w):
    """A scan over the places of the windows, in row-major order."""
    from secant import numpy as jnp
    from secant.lax._control import scan

    rows = [_places(x, jnp.zeros((), x.dtype), w.key()) for x in leaves]
    inside = _places(jnp.ones(aval_of(leaves[0]).shape, bool), False, w.key())
    begin = [jnp.broadcast_to(s, x.shape[1:]) for s, x in zip(starts, rows)]
    padded = any(p > 0 for pair in w.padding for p in pair) or any(b > 1 for b in w.base)

    def step(carry, row):
        values, here = row
        new = _tree.tree_leaves(computation(tree.unflatten(carry), tree.unflatten(values)))
        if len(new) != len(carry):
            raise ValueError(f"reduce_window output must have the same tree structure as the operands, got {len(new)} values for {len(carry)}")
        return ([jnp.where(here, n, c) for n, c in zip(new, carry)] if padded else new), None

    out = scan(step, begin, (rows, inside))[0]
    return tree.unflatten(out)


def reduce_window_shape_tuple(operand_shape, window_dimensions, window_strides, padding, base_dilation=None, window_dilation=None):
    """The shape of the result of reduce_window."""
    if base_dilation is not None:
        operand_shape = dilated(operand_shape, base_dilation)
    if window_dilation is not None:
        window_dimensions = dilated(window_dimensions, window_dilation)
    full = [n + low + high for n, (low, high) in zip(operand_shape, padding)]
    return tuple(0 if n < k else (n - k) // s + 1 for n, k, s in zip(full, window_dimensions, window_strides))
