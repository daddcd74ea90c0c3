"""Fourier transforms, as jax.numpy.fft."""

import math
import operator

import numpy as np

from secant import _types, lax
from secant._eager import op
from secant.lax._fft import FftType, fft as _transform
from secant.numpy._common import arraylike, axes_of, inexact, kind
from secant.numpy._creation import arange, array
from secant.numpy._rounding import conj
from secant.numpy._shape import moveaxis, roll

_INVERSE = ("ifft", "ifftn", "ifft2", "irfft", "irfftn", "irfft2", "ihfft")
_NORMS = ("backward", "ortho", "forward")


def _factor(name, lengths, norm):
    """What a result is multiplied by; the transforms back divide by the number of elements themselves."""
    if norm not in (None, *_NORMS):
        raise ValueError(f'Invalid norm value {norm}; should be "backward","ortho" or "forward".')
    n = float(math.prod(lengths))
    power = {None: 0, "backward": 0, "ortho": 0.5, "forward": 1}[norm]
    return n**power if name in _INVERSE else n**-power


def _fitted(x, axis, size):
    """x cut off, or with zeros behind, along an axis."""
    have = x.shape[axis]
    if have > size:
        return lax.slice_in_dim(x, 0, size, 1, axis)
    if have == size:
        return x
    config = [(0, size - have if a == axis else 0, 0) for a in range(x.ndim)]
    return lax.pad(x, lax.full((), 0, x.dtype), config)


def _core(name, fft_type, x, s, axes, norm):
    full = f"jax.numpy.fft.{name}"
    if s is not None:
        s = tuple(map(operator.index, s))
        if any(n < 1 for n in s):
            raise ValueError("Shape should be positive.")
        if axes is not None and len(s) != len(axes):
            raise ValueError("Shape and axes have different lengths.")
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    for a in axes:
        if not -x.ndim <= a < x.ndim:
            if s is not None and len(s) > x.ndim:
                raise ValueError(f"FFT input shape {x.shape} must have at least as many input dimensions as fft_lengths {s}.")
            raise ValueError(f"axis {a} is out of bounds for array of dimension {x.ndim}")
    axes = tuple(a % x.ndim for a in axes)
    if len(set(axes)) != len(axes):
        raise ValueError(f"{full} does not support repeated axes. Got axes {axes}.")
    x = inexact(x)
    if fft_type == FftType.RFFT and kind(x) == "COMPLEX":
        raise ValueError("only real valued inputs supported for rfft")
    if not axes:
        return x if kind(x) == "COMPLEX" else lax.convert_element_type(x, "complex128" if x.aval.code == _types.F64 else "complex64")
    if s is None:
        s = [x.shape[a] for a in axes]
        if fft_type == FftType.IRFFT:
            s[-1] = 2 * (s[-1] - 1)
            if s[-1] < 1:
                raise ValueError("Shape should be positive.")
    wanted = list(s)
    if fft_type == FftType.IRFFT:
        wanted[-1] = s[-1] // 2 + 1
    for a, n in zip(axes, wanted):
        x = _fitted(x, a, n)
    factor = _factor(name, s, norm)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    x = _transform(moveaxis(x, axes, last), fft_type, tuple(s))
    if factor != 1:
        x = x * factor
    return moveaxis(x, last, axes)


def _single(name, fft_type, doc):
    def f(a, n=None, axis=-1, norm=None):
        if isinstance(axis, (tuple, list)):
            raise ValueError(
                f"jax.numpy.fft.{name} does not support multiple axes. Please use jax.numpy.fft.{name}n. Got axis = {axis!r}."
            )
        return _core(name, fft_type, arraylike(name, a), None if n is None else (n,), (operator.index(axis),), norm)

    return _named(f, name, doc)


def _double(name, fft_type, doc):
    def f(a, s=None, axes=(-2, -1), norm=None):
        if len(axes) != 2:
            raise ValueError(f"jax.numpy.fft.{name} only supports 2 axes. Got axes = {axes!r}.")
        return _core(name, fft_type, arraylike(name, a), s, tuple(axes), norm)

    return _named(f, name, doc)


def _several(name, fft_type, doc):
    def f(a, s=None, axes=None, norm=None):
        return _core(name, fft_type, arraylike(name, a), s, None if axes is None else tuple(axes), norm)

    return _named(f, name, doc)


def _named(f, name, doc):
    f.__name__ = f.__qualname__ = name
    run = op(1)(f)

    def public(a, *args, **keywords):
        fixed = {k: tuple(v) if isinstance(v, list) else v for k, v in keywords.items()}
        return run(a, *[tuple(v) if isinstance(v, list) else v for v in args], **fixed)

    public.__name__ = public.__qualname__ = name
    public.__doc__, public.__module__, public.__wrapped__ = doc, "secant.numpy.fft", f
    return public


fft = _single("fft", FftType.FFT, "The transform along one axis: sums of a[j] exp(-2 pi i j k / n).")
ifft = _single("ifft", FftType.IFFT, "The inverse of fft.")
rfft = _single("rfft", FftType.RFFT, "The first n // 2 + 1 elements of the transform of real numbers.")
irfft = _single("irfft", FftType.IRFFT, "The inverse of rfft; n = 2 (m - 1) unless given.")
fft2 = _double("fft2", FftType.FFT, "fft along two axes.")
ifft2 = _double("ifft2", FftType.IFFT, "The inverse of fft2.")
rfft2 = _double("rfft2", FftType.RFFT, "rfft along the last of two axes, fft along the other.")
irfft2 = _double("irfft2", FftType.IRFFT, "The inverse of rfft2.")
fftn = _several("fftn", FftType.FFT, "fft along all axes, or some.")
ifftn = _several("ifftn", FftType.IFFT, "The inverse of fftn.")
rfftn = _several("rfftn", FftType.RFFT, "rfft along the last of the axes, fft along the others.")
irfftn = _several("irfftn", FftType.IRFFT, "The inverse of rfftn.")


def _one_axis(name, axis):
    if isinstance(axis, (tuple, list)):
        raise ValueError(f"jax.numpy.fft.{name} does not support multiple axes. Please use jax.numpy.fft.{name}n. Got axis = {axis!r}.")
    return operator.index(axis)


@op(1)
def hfft(a, n=None, axis=-1, norm=None):
    """The transform, which is real, of a signal with a[-j] = conj(a[j]) that is given by its first half."""
    x, axis = arraylike("hfft", a), _one_axis("hfft", axis)
    axes_of(axis, x.ndim)
    size = 2 * (x.shape[axis] - 1) if n is None else n
    return _core("hfft", FftType.IRFFT, conj(x), None if n is None else (n,), (axis,), norm) * float(size)


@op(1)
def ihfft(a, n=None, axis=-1, norm=None):
    """The inverse of hfft."""
    x, axis = arraylike("ihfft", a), _one_axis("ihfft", axis)
    axes_of(axis, x.ndim)
    size = x.shape[axis] if n is None else n
    return conj(_core("ihfft", FftType.RFFT, x, None if n is None else (n,), (axis,), norm)) * (1 / size)


def _check_frequencies(name, n, d):
    for what, value, text in (("n", n, "an int"), ("d", d, "a single value")):
        if isinstance(value, (list, tuple)):
            raise ValueError(f"The {what} argument of jax.numpy.fft.{name} only takes {text}. Got {what} = {value}.")
    return operator.index(n)


def fftfreq(n, d=1.0, *, dtype=None, device=None):
    """The frequency of each element of fft's result, for samples d apart."""
    n = _check_frequencies("fftfreq", n, d)
    dtype = _types.numpy_dtype(_types.code_of(dtype or float))
    k = (np.arange(n) + n // 2) % n - n // 2 if n else np.zeros(0)
    return array(k.astype(dtype)) / array(d * n, dtype)


def rfftfreq(n, d=1.0, *, dtype=None, device=None):
    """The frequency of each element of rfft's result, for samples d apart."""
    n = _check_frequencies("rfftfreq", n, d)
    dtype = _types.numpy_dtype(_types.code_of(dtype or float))
    return arange(n // 2 + 1, dtype=dtype) / array(d * n, dtype)


def _shift(name, sign):
    def f(x, axes=None):
        x = arraylike(name, x)
        axes = axes_of(axes, x.ndim)
        shifts = tuple((x.shape[a] // 2 if sign > 0 else -(x.shape[a] // 2)) for a in axes)
        return roll(x, shifts, axes) if axes else x

    return f


fftshift = _named(_shift("fftshift", 1), "fftshift", "Frequency 0 moved to the middle of the axes.")
ifftshift = _named(_shift("ifftshift", -1), "ifftshift", "The inverse of fftshift.")
