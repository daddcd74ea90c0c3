"""Linear algebra, as jax.numpy.linalg: what cholesky, lu and triangular_solve give."""

import numpy as np

from secant import lax
from secant._eager import op
from secant._lib import lib
from secant._tracer import made
from secant.numpy._common import arraylike, axes_of, convert, inexact, promoted_inexact, scalar_like
from secant.numpy._creation import _eye
from secant.numpy._logic import where
from secant.numpy._picking import diagonal, trace  # noqa: F401
from secant.numpy._products import cross, matmul, outer, tensordot, vecdot  # noqa: F401
from secant.numpy._reductions import max, min, prod, sum
from secant.numpy._shape import matrix_transpose
from secant.numpy._ufuncs import abs, log, sign, sqrt, square


def _square(name, x):
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"Argument to {name} must have shape [..., n, n], got {x.shape}\n  hint: solve(a.T @ a, a.T @ b) is the least-squares solution for others")


@op(1)
def cholesky(a, *, upper=False, symmetrize_input=True):
    """The lower triangular L with L Lᵀ = a; NaN where `a` is not positive definite."""
    x = inexact(arraylike("cholesky", a))
    _square("cholesky", x)
    lower = lax.linalg.cholesky(x, symmetrize_input=symmetrize_input)
    return matrix_transpose(lower) if upper else lower


@op(2)
def solve(a, b):
    """x with a x = b; b is a vector or a matrix."""
    a, b = promoted_inexact(*arraylike("solve", a, b))
    _square("solve", a)
    return made(lib.sec_solve(a.value, b.value))


@op(1)
def inv(a):
    """The inverse matrix."""
    x = inexact(arraylike("inv", a))
    _square("inv", x)
    n = x.shape[-1]
    unit = lax.broadcast_to(_eye(n, n, 0, x.aval.code), x.shape)
    return made(lib.sec_solve(x.value, unit.value))


def _lu_sign(x):
    """(diagonal of U, sign of the permutation) of stacks of matrices."""
    packed, pivots, _ = lax.linalg.lu(x)
    swaps = sum(pivots != lax.broadcasted_iota(pivots.dtype, pivots.shape, pivots.ndim - 1), -1)
    return diagonal(packed, 0, -2, -1), 1 - 2 * convert(swaps % 2, x.aval.code)


@op(1)
def det(a):
    """The determinant."""
    x = inexact(arraylike("det", a))
    _square("det", x)
    n = x.shape[-1]
    if n == 1:
        return x[..., 0, 0]
    if n == 2:
        return x[..., 0, 0] * x[..., 1, 1] - x[..., 0, 1] * x[..., 1, 0]
    if n == 3:
        m = lambda i, j: x[..., i, j]  # noqa: E731
        return (
            m(0, 0) * m(1, 1) * m(2, 2)
            + m(0, 1) * m(1, 2) * m(2, 0)
            + m(0, 2) * m(1, 0) * m(2, 1)
            - m(0, 2) * m(1, 1) * m(2, 0)
            - m(0, 0) * m(1, 2) * m(2, 1)
            - m(0, 1) * m(1, 0) * m(2, 2)
        )
    if n == 0:
        return lax.full(x.shape[:-2], 1, x.dtype)
    d, s = _lu_sign(x)
    return prod(d, -1) * s


@op(1)
def slogdet(a, *, method=None):
    """(sign, logarithm of the absolute value) of the determinant."""
    x = inexact(arraylike("slogdet", a))
    _square("slogdet", x)
    d, s = _lu_sign(x)
    zero = sum(d == 0, -1) > 0
    s = where(zero, scalar_like(x, 0), s * prod(sign(d), -1))
    return s, where(zero, scalar_like(x, -np.inf), sum(log(abs(d)), -1))


@op(1, call="norm")
def norm(x, ord=None, axis=None, keepdims=False):
    """Norm of vectors or matrices; the Euclidean (Frobenius) one without `ord`."""
    x = inexact(arraylike("norm", x))
    if ord is None:
        return sqrt(sum(square(x), axis, keepdims=keepdims))
    axes = axes_of(axis, x.ndim)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) != 2:
        raise ValueError(f"Improper number of axes for norm: {axes}")
    rows, columns = axes
    if ord in ("fro", "f"):
        return sqrt(sum(square(x), axes, keepdims=keepdims))
    if ord in (1, -1, np.inf, -np.inf):
        first, second = (rows, columns) if ord in (1, -1) else (columns, rows)
        pick = max if ord > 0 else min
        out = pick(sum(abs(x), first, keepdims=True), second, keepdims=True)
        return out if keepdims else lax.squeeze(out, axes)
    raise NotImplementedError(
        f"norm: ord={ord!r} of a matrix needs the singular values, which are not available in this version"
    )


def _vector_norm(x, ord, axes, keepdims):
    if ord == 2:
        return sqrt(sum(square(x), axes, keepdims=keepdims))
    if ord == np.inf:
        return max(abs(x), axes, keepdims=keepdims)
    if ord == -np.inf:
        return min(abs(x), axes, keepdims=keepdims)
    if ord == 1:
        return sum(abs(x), axes, keepdims=keepdims)
    if ord == 0:
        return sum(x != 0, axes, x.dtype, keepdims=keepdims)
    return sum(abs(x) ** ord, axes, keepdims=keepdims) ** (1.0 / ord)


def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """Norm of vectors along axes."""
    return norm(x if axis is not None else x.reshape(-1), ord, -1 if axis is None else axis, keepdims)


def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    """Norm of matrices in the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


@op(1)
def matrix_power(a, n):
    """The n-th power of a square matrix."""
    x = arraylike("matrix_power", a)
    _square("matrix_power", x)
    if n < 0:
        x, n = inv(x), -n
    size = x.shape[-1]
    out = lax.broadcast_to(_eye(size, size, 0, x.aval.code), x.shape)
    while n:
        if n & 1:
            out = matmul(out, x)
        x, n = matmul(x, x) if n > 1 else x, n >> 1
    return out


def multi_dot(arrays, *, precision=None):
    """The product of several matrices, from left to right."""
    out = arrays[0]
    for a in arrays[1:]:
        out = out @ a
    return out


def _tensor_axes(shape, ind):
    """The sizes of the first `ind` axes and of the rest together."""
    return int(np.prod(shape[:ind], dtype=np.int64)), int(np.prod(shape[ind:], dtype=np.int64))


@op(1)
def tensorinv(a, ind=2):
    """The inverse of tensordot(a, ., ind)."""
    x = inexact(arraylike("tensorinv", a))
    rows, columns = _tensor_axes(x.shape, ind)
    if ind <= 0 or rows != columns:
        raise ValueError(f"tensorinv: the first {ind} axes of {x.aval.str_short()} must have the size of the rest")
    return inv(x.reshape(rows, columns)).reshape(x.shape[ind:] + x.shape[:ind])


@op(2)
def tensorsolve(a, b, axes=None):
    """x with tensordot(a, x, x.ndim) = b."""
    a, b = promoted_inexact(*arraylike("tensorsolve", a, b))
    if axes is not None:
        last = axes_of(axes, a.ndim)
        a = lax.transpose(a, [d for d in range(a.ndim) if d not in last] + list(last))
    shape = a.shape[b.ndim :]
    return solve(a.reshape(b.size, -1), b.reshape(-1)).reshape(shape)
