"""Convolution in one dimension, differences, windows."""

import builtins

import numpy as np

from secant import _types, lax
from secant._array import from_numpy
from secant._eager import op
from secant.numpy._common import arraylike, axes_of, inexact, one_axis, promoted, promoted_inexact, scalar_like
from secant.numpy._creation import asarray
from secant.numpy._logic import where
from secant.numpy._picking import diff
from secant.numpy._products import dot
from secant.numpy._reductions import cumsum
from secant.numpy._shape import concatenate, flip, moveaxis, ravel
from secant.numpy._ufuncs import abs, mod


def _slide(x, v, mode, preferred_element_type):
    """Products of `v` with windows of `x`, v no longer than x."""
    m = v.shape[0]
    pads = {"full": (m - 1, m - 1), "same": (m // 2, m - 1 - m // 2), "valid": (0, 0)}
    if mode not in pads:
        raise ValueError("mode must be one of ['full', 'same', 'valid']")
    out = lax.conv_general_dilated(x[None, None], v[None, None], (1,), [pads[mode]], preferred_element_type=preferred_element_type)
    return out.reshape(out.shape[2:])


def _vectors(name, a, v, preferred_element_type):
    a, v = (promoted_inexact if preferred_element_type is None else promoted)(*arraylike(name, a, v))
    if a.ndim != 1 or v.ndim != 1:
        raise ValueError(f"{name} only supports 1-dimensional inputs, got {a.aval.str_short()} and {v.aval.str_short()}")
    if not a.size or not v.size:
        raise ValueError(f"{name}: inputs cannot be empty, got shapes {a.shape} and {v.shape}.")
    return a, v


@op(2)
def convolve(a, v, mode="full", *, precision=None, preferred_element_type=None):
    """Convolution of two vectors: "full", "same" or "valid"."""
    a, v = _vectors("convolve", a, v, preferred_element_type)
    if a.shape[0] < v.shape[0]:
        a, v = v, a
    return _slide(a, flip(v), mode, preferred_element_type)


@op(2)
def correlate(a, v, mode="valid", *, precision=None, preferred_element_type=None):
    """Correlation of two vectors: "valid", "same" or "full"."""
    a, v = _vectors("correlate", a, v, preferred_element_type)
    if a.shape[0] < v.shape[0]:
        return flip(_slide(v, a, mode, preferred_element_type))
    return _slide(a, v, mode, preferred_element_type)


def gradient(f, *varargs, axis=None, edge_order=None):
    """Central differences, one-sided at the ends.

    varargs : the distance of samples (one number, or one an axis), or their coordinates (vectors).
    """
    if edge_order is not None:
        raise NotImplementedError("The 'edge_order' argument to gradient is not supported.")
    spacing = tuple(v if isinstance(v, (int, float)) else asarray(v) for v in varargs)
    return _gradient(f, spacing, axis)


@op(2)
def _gradient(f, spacing, axis):
    f = inexact(arraylike("gradient", f))
    axes = axes_of(axis, f.ndim)
    if len(spacing) not in (0, 1, len(axes)):
        raise TypeError(f"Invalid number of spacing arguments {len(spacing)} for axis={axis}")
    if builtins.any(f.shape[a] < 2 for a in axes):
        raise ValueError("Shape of array too small to calculate a numerical gradient, at least 2 elements are required.")
    steps = spacing * len(axes) if len(spacing) == 1 else spacing or (1.0,) * len(axes)
    out = [_central(f, a, h) for a, h in zip(axes, steps)]
    return out if axis is None and len(axes) > 1 or isinstance(axis, (tuple, list)) else out[0]


def _central(f, axis, h):
    x = moveaxis(f, axis, 0)
    h = arraylike("gradient", h)
    if not h.ndim:
        inner = (x[2:] - x[:-2]) / (2 * h)
        first, last = (x[1:2] - x[:1]) / h, (x[-1:] - x[-2:-1]) / h
    else:
        gaps = diff(h).reshape((-1,) + (1,) * (x.ndim - 1))
        before, after = gaps[:-1], gaps[1:]
        a = -after / (before * (before + after))
        b = (after - before) / (before * after)
        c = before / (after * (before + after))
        inner = a * x[:-2] + b * x[1:-1] + c * x[2:]
        first, last = (x[1:2] - x[:1]) / gaps[:1], (x[-1:] - x[-2:-1]) / gaps[-1:]
    return moveaxis(concatenate([first, inner, last]), 0, axis)


@op(1)
def ediff1d(ary, to_end=None, to_begin=None):
    """Differences of neighbours of the flat array, with given values before and behind."""
    x = ravel(arraylike("ediff1d", ary))
    parts = [diff(x)]
    if to_begin is not None:
        parts.insert(0, ravel(arraylike("ediff1d", to_begin)))
    if to_end is not None:
        parts.append(ravel(arraylike("ediff1d", to_end)))
    return concatenate(parts)


@op(1)
def unwrap(p, discont=None, axis=-1, period=2 * np.pi):
    """Phases without jumps of more than half a period."""
    p = inexact(arraylike("unwrap", p))
    axis = one_axis(axis, p.ndim)
    discont = period / 2 if discont is None else discont
    step = diff(p, 1, axis)
    folded = mod(step + period / 2, period) - period / 2
    folded = where((folded == -period / 2) & (step > 0), period / 2, folded)
    correction = where(abs(step) < discont, 0.0, folded - step)
    first = lax.slice_in_dim(p, 0, 1, 1, axis)
    rest = lax.slice_in_dim(p, 1, None, 1, axis) + cumsum(correction, axis)
    return concatenate([first, rest], axis)


# ---- windows: constants of their length ----
def _window(name, doc):
    def window(M, *args):
        values = getattr(np, name)(int(M), *map(float, args))
        return from_numpy(values.astype(_types.numpy_dtype(_types.default_code("FLOAT"))))

    window.__name__ = window.__qualname__ = name
    window.__doc__, window.__module__ = doc, "secant.numpy"
    return window


bartlett = _window("bartlett", "The Bartlett (triangular) window of M points.")
blackman = _window("blackman", "The Blackman window of M points.")
hamming = _window("hamming", "The Hamming window of M points.")
hanning = _window("hanning", "The Hann window of M points.")


def kaiser(M, beta):
    """The Kaiser window of M points and shape beta."""
    return _kaiser(M, beta)


_kaiser = _window("kaiser", "")


@op(2)
def matvec(x1, x2, /):
    """Matrices times vectors, over stacks."""
    x, v = promoted(*arraylike("matvec", x1, x2))
    return (x @ v[..., None])[..., 0]


@op(2)
def vecmat(x1, x2, /):
    """Vectors times matrices, over stacks."""
    v, x = promoted(*arraylike("vecmat", x1, x2))
    return (v[..., None, :] @ x)[..., 0, :]
