"""Polynomials as vectors of coefficients, the highest first."""

import builtins

import numpy as np

from secant import lax
from secant._eager import op
from secant.numpy._common import arraylike, convert, inexact, promoted, promoted_inexact
from secant.numpy._products import outer
from secant.numpy._reductions import sum
from secant.numpy._shape import concatenate, stack
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


def least_squares(a, b):
    """x that minimises |a x - b| for a tall matrix of full rank: modified Gram-Schmidt of [a | b] (stable, Björck 1967)."""
    n = a.shape[1]
    columns, rows, rest = [a[:, j] for j in range(n)], [], b
    right = []
    for j in range(n):
        length = lax.sqrt(sum(lax.square(columns[j])))
        q = columns[j] / length
        row = [length * 0] * j + [length]
        for k in range(j + 1, n):
            r = sum(q * columns[k])
            columns[k] = columns[k] - r * q
            row.append(r)
        z = sum(outer(q, q[:1] * 0 + 1) * rest.reshape(rest.shape[0], -1), 0)
        rest = rest - (outer(q, z)).reshape(rest.shape)
        right.append(z)
        rows.append(stack(row))
    x = lax.linalg.triangular_solve(stack(rows), stack(right), left_side=True, lower=False)
    return x.reshape((n, *b.shape[1:]))


@op(2)
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """The polynomial of degree `deg` that is nearest to the points (x, y) by least squares, with weights `w`."""
    if full or cov:
        raise NotImplementedError("polyfit: full and cov need an SVD, which is not available in this version")
    x, y = promoted_inexact(*arraylike("polyfit", x, y))
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if x.ndim != 1 or x.shape[0] == 0:
        raise TypeError(f"expected a vector with elements for x, got {x.aval.str_short()}")
    if y.shape[0] != x.shape[0]:
        raise TypeError(f"expected x and y to have the same length, got {x.aval.str_short()} and {y.aval.str_short()}")
    left = vander(x, deg + 1)
    if w is not None:
        w = convert(arraylike("polyfit", w), x.aval.code)
        left, y = left * w.reshape(-1, 1), y * (w.reshape(-1, 1) if y.ndim > 1 else w)
    scale = lax.sqrt(sum(lax.square(left), 0))
    fit = least_squares(left / scale, y)
    return fit / (scale.reshape(-1, 1) if fit.ndim > 1 else scale)
