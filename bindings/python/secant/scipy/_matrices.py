"""Matrices of special structure: toeplitz, companion, hilbert, ..."""

import math
import operator

import numpy as np

from secant import _types, lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, inexact, promoted


def _grid(rows, columns):
    """Numbers of rows, as a column, and of columns, as a row."""
    return np.arange(rows)[:, None], np.arange(columns)[None, :]


def _vector(name, x):
    x = arraylike(name, x)
    return x if x.ndim else x.reshape(1)


def _leading(x, shape):
    """The vectors in the last axis of x, for each of the leading axes `shape`."""
    return lax.broadcast_to(x, (*shape, x.shape[-1]))


# ---- constant along diagonals ----
def _along_diagonals(first, second, place):
    """[..., i, j] = (first, second joined)[..., place[i, j]]."""
    lead = np.broadcast_shapes(first.shape[:-1], second.shape[:-1])
    first, second = promoted(_leading(first, lead), _leading(second, lead))
    return jnp.concatenate([first, second], -1)[..., place]


@op(2)
def toeplitz(c, r=None):
    """The matrix with first column c and first row r (without it: c), constant along its diagonals."""
    c = _vector("toeplitz", c)
    r = c if r is None else _vector("toeplitz", r)
    i, j = _grid(c.shape[-1], r.shape[-1])
    if 0 in (i.size, j.size):
        return jnp.zeros((i.size, j.size), jnp.result_type(c, r))
    return _along_diagonals(jnp.flip(r[..., 1:], -1), c, i - j + j.size - 1)


@op(2)
def hankel(c, r=None):
    """The matrix with first column c and last row r (without it: zeros), constant along its antidiagonals."""
    c = arraylike("hankel", c)
    r = jnp.zeros_like(c) if r is None else arraylike("hankel", r)
    for name, x in (("c", c), ("r", r)):
        if x.ndim == 0:
            raise ValueError(f"hankel: {name} must be at least 1-dimensional, got a scalar.")
    i, j = _grid(c.shape[-1], r.shape[-1])
    if 0 in (i.size, j.size):
        return jnp.zeros((i.size, j.size), jnp.result_type(c, r))
    return _along_diagonals(c, r[..., 1:], i + j)


@op(1)
def circulant(c):
    """The matrix whose columns are c, rotated by one place more in each."""
    c = _vector("circulant", c)
    i, j = _grid(c.shape[-1], c.shape[-1])
    return c[..., (i - j) % max(c.shape[-1], 1)]


@op(1)
def convolution_matrix(a, n, mode="full"):
    """The matrix m with m @ v = convolve(a, v, mode) for vectors v of length n."""
    n = operator.index(n)
    if n <= 0:
        raise ValueError(f"n must be a positive integer; got {n}.")
    a = arraylike("convolution_matrix", a)
    if a.ndim == 0:
        raise ValueError("convolution_matrix: a must be at least 1-dimensional, got a scalar.")
    m = a.shape[-1]
    if m < 1:
        raise ValueError(f"len(a) must be at least 1; got shape {a.shape}.")
    if mode not in ("full", "valid", "same"):
        raise ValueError(f"mode must be one of 'full', 'valid', 'same'; got {mode!r}.")
    trim = {"full": 0, "same": min(n, m) - 1, "valid": 2 * (min(n, m) - 1)}[mode]
    first = trim // 2
    i, j = _grid(m + n - 1 - trim, n)
    place = i + first - j
    inside = (place >= 0) & (place < m)
    return jnp.where(inside, a[..., np.clip(place, 0, m - 1)], jnp.zeros((), a.dtype))


# ---- of polynomials and populations ----
@op(2)
def leslie(f, s):
    """The Leslie matrix of fecundities f (the first row) and survivals s (below the diagonal)."""
    f, s = promoted(_vector("leslie", f), _vector("leslie", s))
    n = f.shape[-1]
    if n < 2:
        raise ValueError(f"The length of f along the last axis must be at least 2; got shape {f.shape}.")
    if s.shape[-1] != n - 1:
        raise ValueError(
            "Incorrect lengths for f and s. The length of s along the last axis must be one less than the length of f; "
            f"got f shape {f.shape} and s shape {s.shape}."
        )
    i, j = _grid(n, n)
    lead = np.broadcast_shapes(f.shape[:-1], s.shape[:-1])
    f, s = _leading(f, lead), _leading(s, lead)
    below = jnp.where(i == j + 1, s[..., np.minimum(j, n - 2)], jnp.zeros((), s.dtype))
    return jnp.where(i == 0, f[..., None, :], below)


@op(1)
def companion(a):
    """The companion matrix of a polynomial, the highest coefficient first."""
    a = inexact(_vector("companion", a))
    n = a.shape[-1] - 1
    if n < 1:
        raise ValueError(f"The length of `a` along the last axis must be at least 2; got shape {a.shape}.")
    i, j = _grid(n, n)
    first = -a[..., 1:] / a[..., :1]
    return jnp.where(i == 0, first[..., None, :], jnp.asarray(i == j + 1).astype(a.dtype))


@op(1)
def fiedler(a):
    """The matrix of |a_i - a_j|."""
    a = _vector("fiedler", a)
    return jnp.abs(a[..., :, None] - a[..., None, :])


@op(1)
def fiedler_companion(a):
    """Fiedler's pentadiagonal companion matrix of a polynomial, the highest coefficient first."""
    a = inexact(_vector("fiedler_companion", a))
    n = a.shape[-1] - 1
    if n < 0:
        raise ValueError(
            f"fiedler_companion requires the last axis of 'a' to have nonzero length, but got an array of shape {a.shape}."
        )
    if n == 0:
        return jnp.zeros((*a.shape[:-1], 0, 0), a.dtype)
    a = a / a[..., :1]
    i, j = _grid(n, n)
    even = i % 2 == 0
    # the coefficient that stands in a place (0: none), with its sign changed; and where the ones stand
    place = np.where((i == 0) & (j == 0), 1, np.where(even & (j == i + 1), i + 2, np.where(even & (i >= 2) & (j == i - 1), i + 1, 0)))
    ones = ((i == 1) & (j == 0)) | (even & (j == i + 2)) | (~even & (i >= 3) & (j == i - 2))
    return jnp.where(place > 0, -a[..., place], jnp.asarray(ones).astype(a.dtype))


# ---- of numbers alone: made on the host, in exact integers where they are integers ----
def _default(x):
    return jnp.asarray(np.array(x, dtype=np.float64), dtype=_types.numpy_dtype(_types.default_code("FLOAT")))


def hilbert(n):
    """The matrix of 1 / (i + j + 1)."""
    i, j = _grid(n, n)
    return _default(1 / (i + j + 1))


def invhilbert(n):
    """The inverse of hilbert(n)."""

    def entry(i, j):
        parts = math.comb(n + i, n - j - 1) * math.comb(n + j, n - i - 1) * math.comb(i + j, i) ** 2
        return float((-1) ** (i + j) * (i + j + 1) * parts)

    return _default([[entry(i, j) for j in range(n)] for i in range(n)] or np.zeros((0, 0)))


_KINDS = ("symmetric", "lower", "upper")


def _kind(kind):
    kind = kind or "symmetric"
    if kind not in _KINDS:
        raise ValueError(f"Expected kind to be one of: {list(_KINDS)}; got {kind}")
    return kind


def _binomials(n):
    return np.array([[math.comb(i, j) for j in range(n)] for i in range(n)], dtype=object).reshape(n, n)


def _of_kind(lower, symmetric, kind):
    return (symmetric() if kind == "symmetric" else lower if kind == "lower" else lower.T).astype(np.float64)


def pascal(n, kind=None):
    """Pascal's triangle as a matrix: "symmetric", "lower" or "upper"."""
    lower = _binomials(n)
    return jnp.asarray(_of_kind(lower, lambda: lower.dot(lower.T), _kind(kind)), dtype="float32")


def invpascal(n, kind=None):
    """The inverse of pascal(n, kind)."""
    i, j = _grid(n, n)
    lower = _binomials(n) * np.where((i - j) % 2 == 0, 1, -1).astype(object)
    return _default(_of_kind(lower, lambda: lower.T.dot(lower), _kind(kind)))


def helmert(n, full=False):
    """Helmert's matrix: orthonormal rows, orthogonal to the vector of ones (`full`: which is the first row)."""
    if n < 1:
        raise ValueError(f"n must be a positive integer; got {n}.")
    i, j = _grid(n - 1, n)
    k = i + 1
    rows = np.where(j < k, 1.0, np.where(j == k, -1.0 * k, 0.0)) / np.sqrt(k * (k + 1.0))
    return _default(np.concatenate([np.full((1, n), 1 / np.sqrt(n)), rows]) if full else rows)


def hadamard(n, dtype=int):
    """Hadamard's matrix of 1 and -1, n a power of two (Sylvester's construction)."""
    if n < 1 or n & (n - 1):
        raise ValueError(f"n must be a positive power of 2; got {n}.")
    h = np.ones((1, 1), np.int64)
    while h.shape[0] < n:
        h = np.block([[h, h], [h, -h]])
    return jnp.asarray(h).astype(dtype)
