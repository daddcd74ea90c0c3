"""Convolution of arrays of any rank, as jax.scipy.signal."""

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


def _check_method(method):
    if method == "fft":
        raise NotImplementedError("method='fft' is not there; 'direct' gives the same values")
    if method not in ("direct", "auto"):
        raise ValueError(f"Got {method=}; expected 'auto', 'fft', or 'direct'.")


def _check_plane(name, in1, in2, boundary, fillvalue):
    if boundary != "fill" or fillvalue != 0:
        raise NotImplementedError(f"{name}() only supports boundary='fill', fillvalue=0")
    if jnp.ndim(in1) != 2 or jnp.ndim(in2) != 2:
        raise ValueError(f"{name}() only supports 2-dimensional inputs.")


def _contains(a, b):
    return all(m >= n for m, n in zip(a, b))


@op(2)
def _convolve(in1, in2, mode):
    x, y = arraylike("convolve", in1, in2)
    if mode not in ("full", "same", "valid"):
        raise ValueError("mode must be one of ['full', 'same', 'valid']")
    if x.ndim != y.ndim:
        raise ValueError("in1 and in2 must have the same number of dimensions")
    if not x.size or not y.size:
        raise ValueError(f"zero-size arrays not supported in convolutions, got shapes {x.shape} and {y.shape}.")
    x, y = promoted_inexact(x, y)
    centre = y.shape
    if not _contains(x.shape, y.shape):
        if not _contains(y.shape, x.shape):
            raise ValueError("One input must be smaller than the other in every dimension.")
        x, y = y, x
    elif _contains(y.shape, x.shape):
        x, y = y, x
    pads = {
        "valid": [(0, 0)] * y.ndim,
        "full": [(n - 1, n - 1) for n in y.shape],
        "same": [(n - 1 - (c - 1) // 2, n - c + (c - 1) // 2) for n, c in zip(y.shape, centre)],
    }
    return lax.conv_general_dilated(x[None, None], jnp.flip(y)[None, None], (1,) * x.ndim, pads[mode])[0, 0]


def convolve(in1, in2, mode="full", method="auto", precision=None):
    """Convolution: "full", "same" (as in1, from the middle) or "valid"."""
    _check_method(method)
    return _convolve(in1, in2, mode)


def correlate(in1, in2, mode="full", method="auto", precision=None):
    """Correlation: convolution with in2 flipped."""
    _check_method(method)
    return _convolve(in1, jnp.flip(in2), mode)


def convolve2d(in1, in2, mode="full", boundary="fill", fillvalue=0, precision=None):
    """Convolution of two matrices, zeros around them."""
    _check_plane("convolve2d", in1, in2, boundary, fillvalue)
    return _convolve(in1, in2, mode)


def correlate2d(in1, in2, mode="full", boundary="fill", fillvalue=0, precision=None):
    """Correlation of two matrices, zeros around them."""
    _check_plane("correlate2d", in1, in2, boundary, fillvalue)
    in1, in2 = jnp.asarray(in1), jnp.asarray(in2)
    swap = _contains(in2.shape, in1.shape) and (mode == "full" or in1.shape != in2.shape)
    if swap and mode != "same":
        return _convolve(jnp.flip(in2), in1, mode)
    return jnp.flip(_convolve(jnp.flip(in1), in2, mode))
