"""Polynomials as vectors of coefficients, the highest first."""

import builtins

import numpy as np

from secant import _types, lax
from secant._eager import op
from secant._tracer import Tracer
from secant.numpy._common import arraylike, convert, inexact, promoted, promoted_inexact, scalar_like
from secant.numpy._creation import asarray
from secant.numpy._logic import where
from secant.numpy._picking import take
from secant.numpy._products import outer
from secant.numpy._reductions import cumsum, sum
from secant.numpy._shape import atleast_1d, concatenate, stack
from secant.numpy._signals import convolve


def _aligned(name, a, b):
    """Two coefficient vectors of one length and type."""
    a, b = promoted(*arraylike(name, a, b))
    n = builtins.max(a.shape[0], b.shape[0])
    zero = a[:1] * 0
    return [x if x.shape[0] == n else concatenate([lax.broadcast_to(zero, (n - x.shape[0],)), x]) for x in (a, b)]


@op(2)
def polyadd(a1, a2):
    """Sum of two polynomials."""
    a, b = _aligned("polyadd", a1, a2)
    return a + b


@op(2)
def polysub(a1, a2):
    """Difference of two polynomials."""
    a, b = _aligned("polysub", a1, a2)
    return a - b


@op(2)
def polymul(a1, a2, *, trim_leading_zeros=False):
    """Product of two polynomials."""
    if trim_leading_zeros:
        raise NotImplementedError("polymul: trim_leading_zeros needs concrete values, which a compiled function lacks")
    return convolve(*promoted_inexact(*arraylike("polymul", a1, a2)))


@op(2)
def polydiv(u, v, *, trim_leading_zeros=False):
    """(quotient, remainder) of two polynomials."""
    if trim_leading_zeros:
        raise NotImplementedError("polydiv: trim_leading_zeros needs concrete values, which a compiled function lacks")
    u, v = promoted_inexact(*arraylike("polydiv", u, v))
    n, m = u.shape[0], v.shape[0]
    quotient = []
    for k in range(n - m + 1):
        q = u[k] / v[0]
        quotient.append(q)
        u = u.at[k : k + m].add(-q * v)
    return (stack(quotient) if quotient else u[:1] * 0), u


@op(1)
def polyder(p, m=1):
    """The m-th derivative of a polynomial."""
    if m < 0:
        raise ValueError("Order of derivative must be positive")
    p = inexact(arraylike("polyder", p))
    for _ in range(m):
        n = p.shape[0]
        p = p[:-1] * np.arange(n - 1, 0, -1).astype(p.dtype)
    return p


@op(1)
def polyint(p, m=1, k=None):
    """The m-th antiderivative of a polynomial; `k` holds the constants of integration."""
    p = inexact(arraylike("polyint", p))
    if m < 0:
        raise ValueError("Order of integral must be positive")
    constants = lax.broadcast_to(convert(arraylike("polyint", 0 if k is None else k), p.aval.code), (m,))
    for i in range(m):
        n = p.shape[0]
        p = concatenate([p / np.arange(n, 0, -1).astype(p.dtype), constants[i : i + 1]])
    return p


def poly(seq_of_zeros):
    """The polynomial with given zeros."""
    return _poly(seq_of_zeros)


@op(1)
def _poly(zeros):
    zeros = inexact(arraylike("poly", zeros))
    if zeros.ndim != 1:
        raise NotImplementedError("poly: the characteristic polynomial of a matrix needs eigenvalues")
    p = lax.full((1,), 1, zeros.dtype)
    for i in range(zeros.shape[0]):
        p = convolve(p, stack([zeros[i] * 0 + 1, -zeros[i]]))
    return p


@op(1)
def vander(x, N=None, increasing=False):
    """The matrix of the powers of a vector, [len(x), N]."""
    x = arraylike("vander", x)
    if x.ndim != 1:
        raise ValueError("x must be a one-dimensional array")
    n = x.shape[0] if N is None else N
    columns = [x**i for i in range(n)]
    return stack([convert(c, x.aval.code) for c in (columns if increasing else columns[::-1])], 1)


@op(1)
def _all_roots(p):
    """The eigenvalues of the companion matrix of p, whose first coefficient is not zero."""
    from secant.numpy import linalg

    n = p.shape[0] - 1
    below = np.eye(n, k=-1).astype(p.dtype)
    first = -p[1:] / p[0]
    return linalg.eigvals(where(np.arange(n)[:, None] == 0, first[None, :], below))


@op(1)
def _roots_but_zeros(p):
    """The roots of p after its leading zeros, then NaN; roots at zero after the others."""
    n = p.shape[0]
    count = sum(cumsum(convert(p != 0, _types.I32)) == 0)
    p = where(count == n, scalar_like(p, 1), p)
    roots = _all_roots(take(p, (count % n + np.arange(n)) % n))
    from secant.numpy._sorting import argsort

    roots = take(roots, argsort(roots == 0, stable=True))
    return where(np.arange(n - 1) < n - 1 - count, roots, lax.complex(*[scalar_like(lax.real(roots[:1]), np.nan)] * 2))


def roots(p, *, strip_zeros=True):
    """The roots of a polynomial, complex.

    strip_zeros : zeros in front are left out, which needs concrete values; else so many roots at the end are NaN.
    """
    p = atleast_1d(asarray(p))
    if p.ndim != 1:
        raise ValueError("Input must be a rank-1 array.")
    if not np.issubdtype(p.dtype, np.inexact):
        p = p.astype(float)
    if p.shape[0] >= 2 and strip_zeros:
        if isinstance(p, Tracer):
            p._need("roots: concrete coefficients (or strip_zeros=False)")
        found = np.nonzero(np.asarray(p))[0]
        p = p[int(found[0]) if len(found) else p.shape[0] :]
    if p.shape[0] < 2:
        return asarray(np.zeros(0, np.result_type(p.dtype, np.complex64)))
    return _all_roots(p) if strip_zeros else _roots_but_zeros(p)


@op(2)
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """The polynomial of degree `deg` that is nearest to the points (x, y) by least squares, with weights `w`."""
    from secant.numpy import linalg

    x, y = promoted_inexact(*arraylike("polyfit", x, y))
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1 or x.shape[0] == 0:
        raise TypeError(f"expected a vector with elements for x, got {x.aval.str_short()}")
    if y.shape[0] != x.shape[0]:
        raise TypeError(f"expected x and y to have the same length, got {x.aval.str_short()} and {y.aval.str_short()}")
    n, order = x.shape[0], deg + 1
    left = vander(x, order)
    if w is not None:
        w = convert(arraylike("polyfit", w), x.aval.code)
        if w.shape != (n,):
            raise TypeError(f"expected weights of the shape of x, got {w.aval.str_short()}")
        left, y = left * w.reshape(-1, 1), y * (w.reshape(-1, 1) if y.ndim > 1 else w)
    scale = lax.sqrt(sum(lax.square(left), 0))
    rcond = n * float(np.finfo(x.dtype).eps) if rcond is None else float(rcond)
    fit, residuals, rank, s = linalg.lstsq(left / scale, y, rcond)
    fit = fit / (scale.reshape(-1, 1) if fit.ndim > 1 else scale)
    if full:
        return fit, residuals, rank, s, lax.full((), rcond, x.dtype)
    if not cov:
        return fit
    left = left / scale
    base = linalg.inv(lax.transpose(left, (1, 0)) @ left) / outer(scale, scale)
    if cov != "unscaled":
        if n <= order:
            raise ValueError("the number of data points must exceed order to scale the covariance matrix")
        factor = residuals / (n - order)
        return fit, base * factor if y.ndim == 1 else base[:, :, None] * factor
    return fit, base if y.ndim == 1 else base[:, :, None]
