"""Scaling images, as jax.image: each axis is a product with a matrix of weights."""

import enum
from functools import partial

import numpy as np

from secant import _types, lax, numpy as jnp
from secant._eager import op
from secant.lax._precision import Precision
from secant.numpy._common import arraylike


class ResizeMethod(enum.Enum):
    """How places between pixels are filled."""

    NEAREST, LINEAR, LANCZOS3, LANCZOS5, CUBIC = range(5)

    @staticmethod
    def from_string(s):
        names = {"nearest": 0, "linear": 1, "bilinear": 1, "trilinear": 1, "triangle": 1, "lanczos3": 2, "lanczos5": 3}
        names |= {"cubic": 4, "bicubic": 4, "tricubic": 4}
        if s not in names:
            raise ValueError(f'Unknown resize method "{s}"')
        return ResizeMethod(names[s])


def _lanczos(radius, x):
    y = radius * jnp.sin(np.pi * x) * jnp.sin(np.pi * x / radius)
    out = jnp.where(x > 1e-3, y / jnp.where(x != 0, np.pi**2 * x * x, 1), 1)
    return jnp.where(x > radius, 0.0, out)


def _keys(x):
    """Keys' cubic with a = -1/2 (IEEE Trans. ASSP 29, 1981)."""
    out = ((1.5 * x - 2.5) * x) * x + 1.0
    out = jnp.where(x >= 1.0, ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0, out)
    return jnp.where(x >= 2.0, 0.0, out)


_KERNELS = {
    ResizeMethod.LINEAR: lambda x: jnp.maximum(0, 1 - jnp.abs(x)),
    ResizeMethod.LANCZOS3: partial(_lanczos, 3.0),
    ResizeMethod.LANCZOS5: partial(_lanczos, 5.0),
    ResizeMethod.CUBIC: _keys,
}


def _weights(n_in, n_out, scale, translation, kernel, antialias, dtype):
    """The matrix [n_in, n_out] that makes an axis of n_out samples."""
    inverse = 1.0 / scale
    width = jnp.maximum(inverse, 1.0) if antialias else 1.0
    at = (jnp.arange(n_out, dtype=dtype) + 0.5) * inverse - translation * inverse - 0.5
    x = jnp.abs(at[None, :] - jnp.arange(n_in, dtype=dtype)[:, None]) / width
    weights = kernel(x)
    total = jnp.sum(weights, 0, keepdims=True)
    small = 1000.0 * float(np.finfo(np.float32).eps)
    weights = jnp.where(jnp.abs(total) > small, weights / jnp.where(total != 0, total, 1), 0)
    return jnp.where(((at >= -0.5) & (at <= n_in - 0.5))[None, :], weights, 0)


def _scaled(x, shape, dims, scale, translation, kernel, antialias):
    for i, d in enumerate(dims):
        weights = _weights(x.shape[d], shape[d], scale[i], translation[i], kernel, antialias, x.dtype)
        x = jnp.moveaxis(jnp.tensordot(x, weights, ((d,), (0,))), -1, d)
    return x


def _method(method):
    return ResizeMethod.from_string(method) if isinstance(method, str) else method


@op(1)
def _float(x):
    x = arraylike("resize", x)
    return x if x.aval.is_float else x.astype(_types.numpy_dtype(_types.default_code("FLOAT")))


def scale_and_translate(image, shape, spatial_dims, scale, translation, method, antialias=True, precision=Precision.HIGHEST):
    """The image in another shape: its spatial axes scaled, then moved; what comes from outside is 0."""
    shape = tuple(int(n) for n in shape)
    if len(shape) != np.ndim(image):
        raise ValueError(f"shape must have length equal to the number of dimensions of x; {shape} vs {np.shape(image)}")
    method = _method(method)
    if method is ResizeMethod.NEAREST:
        raise ValueError("Nearest neighbor resampling is not currently supported for scale_and_translate.")
    x = _float(image)
    scale, translation = (jnp.asarray(v).astype(x.dtype) for v in (scale, translation))
    return _placed(x, scale, translation, shape, tuple(d % x.ndim for d in spatial_dims), method, bool(antialias))


@op(3)
def _placed(x, scale, translation, shape, dims, method, antialias):
    x, scale, translation = arraylike("scale_and_translate", x, scale, translation)
    return _scaled(x, shape, dims, scale, translation, _KERNELS[method], antialias)


def resize(image, shape, method, antialias=True, precision=Precision.HIGHEST):
    """The image in another shape: nearest, linear, cubic, lanczos3 or lanczos5; smaller ones are smoothed (antialias)."""
    shape = tuple(int(n) for n in shape)
    if len(shape) != np.ndim(image):
        raise ValueError(f"shape must have length equal to the number of dimensions of x; {shape} vs {np.shape(image)}")
    return _resized(image, shape, _method(method), bool(antialias))


@op(1)
def _resized(x, shape, method, antialias):
    x = arraylike("resize", x)
    dims = [d for d in range(x.ndim) if x.shape[d] != shape[d]]
    if method is ResizeMethod.NEAREST:
        for d in dims:
            at = np.floor((np.arange(shape[d], dtype=np.float32) + 0.5) * np.float32(x.shape[d]) / np.float32(shape[d]))
            x = jnp.take(x, jnp.asarray(at.astype(np.int32)), d, mode="clip")
        return x
    if 0 in x.shape:
        raise ValueError(f"cannot resize an image of shape {x.shape}")
    x = _float.__wrapped__(x)
    scale = [jnp.asarray(shape[d] / x.shape[d]).astype(x.dtype) for d in dims]
    zero = lax.full((len(dims),), 0, x.dtype)
    return _scaled(x, shape, dims, scale, [zero[i] for i in range(len(dims))], _KERNELS[method], antialias)
