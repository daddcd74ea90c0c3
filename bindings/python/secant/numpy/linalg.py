"""Linear algebra, as jax.numpy.linalg."""

import builtins
import ctypes
import math
from collections import namedtuple

import numpy as np

from secant import _types, lax
from secant._custom import custom_jvp
from secant._eager import op
from secant._lib import lib
from secant._trace import results, values
from secant._tracer import Tracer, made
from secant.numpy._common import arraylike, axes_of, convert, inexact, promoted_inexact, scalar_like
from secant.numpy._creation import _eye
from secant.numpy._logic import where
from secant.numpy import _picking
from secant.numpy._picking import take_along_axis
from secant.numpy._products import cross, matmul, outer, tensordot, vecdot  # noqa: F401
from secant.numpy._reductions import max, min, prod, sum
from secant.numpy._shape import matrix_transpose, moveaxis
from secant.numpy._ufuncs import abs, isnan, log, sign, sqrt, square

QRResult = namedtuple("QRResult", "Q R")
EigResult = namedtuple("EigResult", "eigenvalues eigenvectors")
EighResult = namedtuple("EighResult", "eigenvalues eigenvectors")
SVDResult = namedtuple("SVDResult", "U S Vh")
SlogdetResult = namedtuple("SlogdetResult", "sign logabsdet")


def _square(name, x):
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"Argument to {name} must have shape [..., n, n], got {x.shape}\n  hint: solve(a.T @ a, a.T @ b) is the least-squares solution for others")


@op(1)
def diagonal(x, /, *, offset=0):
    """The diagonals of matrices in the last two axes."""
    return _picking.diagonal(x, offset, -2, -1)


@op(1)
def trace(x, /, *, offset=0, dtype=None):
    """The sums of the diagonals of matrices in the last two axes."""
    return _picking.trace(x, offset, -2, -1, dtype)


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
    return diagonal(packed), 1 - 2 * convert(swaps % 2, x.aval.code)


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


def _slogdet_lu(x):
    d, s = _lu_sign(x)
    zero = sum(d == 0, -1) > 0
    s = where(zero, scalar_like(x, 0), s * prod(sign(d), -1))
    return s, where(zero, scalar_like(x, -np.inf), sum(log(abs(d)), -1))


def _slogdet_qr(x):
    """A reflector has determinant -1, and LAPACK makes none where tau is 0."""
    packed, taus = lax.linalg.geqrf(x)
    d = diagonal(packed)
    odd = sum(taus[..., : x.shape[-1] - 1] != 0, -1) % 2
    return prod(sign(d), -1) * (1 - 2 * convert(odd, x.aval.code)), sum(log(abs(d)), -1)


def _slogdet_rule(primals, tangents):
    (x,), (dx,) = primals, tangents
    s, logarithm = _slogdet_by_qr(x)
    return (s, logarithm), (s * 0, trace(solve(x, dx)))


_slogdet_by_qr = custom_jvp(_slogdet_qr)
_slogdet_by_qr.defjvp(_slogdet_rule)


@op(1)
def slogdet(a, *, method=None):
    """(sign, logarithm of the absolute value) of the determinant, by "lu" or "qr"."""
    x = inexact(arraylike("slogdet", a))
    _square("slogdet", x)
    if method not in (None, "lu", "qr"):
        raise ValueError(f"Unknown slogdet method '{method}'. Supported methods are 'lu' (`None`), and 'qr'.")
    return SlogdetResult(*(_slogdet_by_qr if method == "qr" else _slogdet_lu)(x))


# ---- factorisations ----
@op(1)
def qr(a, mode="reduced"):
    """(Q, R) with a = Q R; mode "complete": Q is square, "r": R alone, "raw": LAPACK's reflectors, transposed."""
    x = inexact(arraylike("qr", a))
    if mode == "raw":
        packed, taus = lax.linalg.geqrf(x)
        return QRResult(matrix_transpose(packed), taus)
    if mode not in ("reduced", "r", "full", "complete"):
        raise ValueError(f"Unsupported QR decomposition mode '{mode}'")
    q, r = lax.linalg.qr(x, full_matrices=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


@op(1)
def eig(a):
    """(eigenvalues, eigenvectors as columns) of any square matrices, complex."""
    w, v = lax.linalg.eig(inexact(arraylike("eig", a)), compute_left_eigenvectors=False)
    return EigResult(w, v)


@op(1)
def eigvals(a):
    """The eigenvalues of any square matrices, complex."""
    return lax.linalg.eig(inexact(arraylike("eigvals", a)), compute_left_eigenvectors=False, compute_right_eigenvectors=False)[0]


@op(1)
def eigh(a, UPLO=None, symmetrize_input=True):
    """(eigenvalues, ascending; eigenvectors as columns) of symmetric matrices."""
    if UPLO not in (None, "L", "U"):
        raise ValueError(f"UPLO must be one of None, 'L', or 'U', got {UPLO}")
    v, w = lax.linalg.eigh(inexact(arraylike("eigh", a)), lower=UPLO != "U", symmetrize_input=symmetrize_input)
    return EighResult(w, v)


@op(1)
def eigvalsh(a, UPLO="L", *, symmetrize_input=True):
    """The eigenvalues of symmetric matrices, ascending."""
    return eigh(a, UPLO, symmetrize_input)[0]


def _hermitian_svd(x, compute_uv, subset):
    """By eigenvalues: their absolute values in descending order, their signs in vt."""
    v, w = lax.linalg.eigh(x, subset_by_index=subset)
    order = lax.sort((-abs(w), lax.broadcasted_iota("int32", w.shape, w.ndim - 1)), num_keys=1)[1]
    w = take_along_axis(w, order, -1)
    if not compute_uv:
        return abs(w)
    u = take_along_axis(v, lax.expand_dims(order, (order.ndim - 1,)), -1)
    return SVDResult(u, abs(w), matrix_transpose(u * lax.expand_dims(sign(w), (w.ndim - 1,))))


@op(1)
def svd(a, full_matrices=True, compute_uv=True, hermitian=False, subset_by_index=None):
    """(U, S, Vh) with a = U diag(S) Vh, S descending; without compute_uv S alone."""
    x = inexact(arraylike("svd", a))
    if hermitian:
        return _hermitian_svd(x, compute_uv, subset_by_index)
    out = lax.linalg.svd(x, full_matrices=full_matrices, compute_uv=compute_uv, subset_by_index=subset_by_index)
    return SVDResult(*out) if compute_uv else out


@op(1)
def svdvals(x, /):
    """The singular values, descending."""
    return svd(x, compute_uv=False)


# ---- by singular values ----
@op(1)
def pinv(a, rtol=None, hermitian=False, *, rcond=None):
    """The pseudo-inverse; singular values up to rtol times the largest count as zero."""
    if rcond is not None:
        if rtol is not None:
            raise ValueError("pinv: only one of rtol and rcond may be specified.")
        rtol = rcond
    x = inexact(arraylike("pinv", a))
    if hermitian:
        x = (x + matrix_transpose(x)) / 2
    if rtol is None or isinstance(rtol, (int, float)):
        return lax.linalg.pinv(x, -1.0 if rtol is None else rtol)
    u, s, vt = lax.linalg.svd(x, full_matrices=False)
    cut = convert(arraylike("pinv", rtol), x.aval.code)[..., None] * s[..., :1]
    s = where(s > cut, s, scalar_like(x, np.inf))
    return matmul(matrix_transpose(vt), matrix_transpose(u) / s[..., None])


@op(1)
def matrix_rank(M, rtol=None, *, hermitian=False, tol=None):
    """How many singular values are above rtol (without it: max(m, n) eps times the largest)."""
    if tol is not None:
        if rtol is not None:
            raise ValueError("matrix_rank: only one of tol or rtol may be specified.")
        rtol = tol
    x = inexact(arraylike("matrix_rank", M))
    if x.ndim < 2:
        return (sum(x != 0) > 0).astype("int32")
    s = svd(x, full_matrices=False, compute_uv=False, hermitian=hermitian)
    if rtol is None:
        rtol = max(s, -1) * (np.max(x.shape[-2:]) * np.finfo(x.dtype).eps)
    rtol = arraylike("matrix_rank", rtol)
    return sum(s > lax.expand_dims(rtol, (rtol.ndim,)), -1)


@op(2)
def lstsq(a, b, rcond=None, *, numpy_resid=False):
    """(x with the least norm(a x - b), squared residuals, rank, singular values)."""
    if numpy_resid:
        raise NotImplementedError("lstsq: numpy_resid=True makes shapes depend on the rank, which a compiled function cannot")
    a, b = promoted_inexact(*arraylike("lstsq", a, b))
    if a.ndim != 2:
        raise TypeError(f"{a.ndim}-dimensional array given. Array must be two-dimensional")
    if b.ndim not in (1, 2):
        raise TypeError(f"{b.ndim}-dimensional array given. Array must be one or two-dimensional")
    if a.shape[0] != b.shape[0]:
        raise ValueError(f"Leading dimensions of input arrays must match, got {a.shape} and {b.shape}")
    if isinstance(rcond, Tracer):
        raise NotImplementedError("lstsq: rcond must be a number, not a traced value")
    out = values([0] * 4)
    x, residuals, rank, s = results(lib.sec_lstsq(a.value, b.value, math.nan if rcond is None else float(rcond), ctypes.addressof(out)), out)
    return x, residuals, convert(rank, _types.default_code("INT")), s


@op(1)
def cond(x, p=None):
    """The condition number: norm(x) norm(inv(x)) in the norm `p`; 2 without it."""
    x = inexact(arraylike("cond", x))
    if x.ndim < 2:
        raise ValueError(f"jnp.linalg.cond: input array must be at least 2D; got arr.shape={x.shape}")
    if 0 in x.shape[-2:]:
        raise ValueError(f"jnp.linalg.cond: input array must not be empty; got arr.shape={x.shape}")
    if p is None or p == 2:
        s = svdvals(x)
        return s[..., 0] / s[..., -1]
    if p == -2:
        s = svdvals(x)
        r = s[..., -1] / s[..., 0]
    elif x.shape[-2] != x.shape[-1]:
        raise ValueError(f"jnp.linalg.cond: for p={p}, array must be square; got arr.shape={x.shape}")
    else:
        r = norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))
    return where(isnan(r) & (sum(isnan(x), (-2, -1)) == 0), scalar_like(x, np.inf), r)


# ---- norms ----
@op(1, call="norm")
def norm(x, ord=None, axis=None, keepdims=False):
    """Norm of vectors or matrices; the Euclidean (Frobenius) one without `ord`."""
    x = inexact(arraylike("norm", x))
    if x.dtype.kind == "c" and (ord is None or ord in (2, "fro", "f")):
        x = abs(x)
    if ord is None and axis is None:
        return sqrt(sum(square(x), keepdims=keepdims))
    axes = axes_of(axis, x.ndim)
    if len(axes) == 1:
        return _vector_norm(x, 2 if ord is None else ord, axes, keepdims)
    if len(axes) != 2:
        raise ValueError(f"Improper number of axes for norm: axis={axes}. Pass one axis to compute a vector-norm, or two axes to compute a matrix-norm.")
    return _matrix_norm(x, ord, axes, keepdims)


_SPECTRAL = {"nuc": 1, 2: 2, -2: -2}  # sec_spectral_norm's orders


def _matrix_norm(x, ord, axes, keepdims):
    rows, columns = axes
    if ord is None or ord in ("fro", "f"):
        return sqrt(sum(square(x), axes, keepdims=keepdims))
    if ord in (1, -1, np.inf, -np.inf):
        first, second = (rows, columns) if ord in (1, -1) else (columns, rows)
        start = {"initial": 0} if ord > 0 else {}
        out = (max if ord > 0 else min)(sum(abs(x), first, keepdims=True), second, keepdims=True, **start)
    elif ord in _SPECTRAL:
        s = moveaxis(x, axes, (-2, -1))
        out = _no_singular_values(s) if 0 in s.shape[-2:] and ord != -2 else made(lib.sec_spectral_norm(s.value, _SPECTRAL[ord]))
        return lax.expand_dims(out, sorted(axes)) if keepdims else out
    else:
        raise ValueError(f"Invalid order '{ord}' for matrix norm.")
    return out if keepdims else lax.squeeze(out, axes)


def _no_singular_values(x):
    return lax.full(x.shape[:-2], 0, x.dtype)


def _vector_norm(x, ord, axes, keepdims):
    if isinstance(ord, str):
        hint = {"inf": " Use 'jax.numpy.inf' instead.", "-inf": " Use '-jax.numpy.inf' instead."}.get(ord, "")
        raise ValueError(f"Invalid order '{ord}' for vector norm.{hint}")
    if ord == 2:
        return sqrt(sum(square(x), axes, keepdims=keepdims))
    if ord == np.inf:
        return max(abs(x), axes, keepdims=keepdims, initial=0)
    if ord == -np.inf:
        return min(abs(x), axes, keepdims=keepdims)
    if ord == 1:
        return sum(abs(x), axes, keepdims=keepdims)
    if ord == 0:
        return sum(x != 0, axes, x.dtype, keepdims=keepdims)
    return sum(abs(x) ** ord, axes, keepdims=keepdims) ** (1.0 / ord)


@op(1)
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """Norm of vectors along axes; of all elements without `axis`."""
    x = inexact(arraylike("vector_norm", x))
    return _vector_norm(x, 2 if ord is None else ord, axes_of(axis, x.ndim), keepdims)


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


def _chain(sizes):
    """{(i, j): where to split the product of matrices i .. j} for the fewest multiplications; matrix i is sizes[i] by sizes[i + 1]."""
    n = len(sizes) - 1
    cost, split = {(i, i): 0 for i in range(n)}, {}
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            costs = [(cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)]
            cost[i, j], split[i, j] = builtins.min(costs)
    return split


def multi_dot(arrays, *, precision=None):
    """The product of several matrices, in the cheapest order; the first and last may be vectors."""
    if len(arrays) < 2:
        raise ValueError(f"multi_dot requires at least two arrays; got len(arrays)={len(arrays)}")
    return _multi_dot(tuple(arrays))


@op(1)
def _multi_dot(arrays):
    xs = arraylike("multi_dot", *arrays)
    shapes = [x.shape for x in xs]
    if xs[0].ndim not in (1, 2) or xs[-1].ndim not in (1, 2) or any(x.ndim != 2 for x in xs[1:-1]):
        raise ValueError(
            "multi_dot: input arrays must all be two-dimensional, except for the first and last array which may be 1 or 2 "
            f"dimensional. Got array shapes {shapes}"
        )
    if any(a[-1] != b[0] for a, b in zip(shapes, shapes[1:])):
        raise ValueError(f"multi_dot: last dimension of each array must match first dimension of following array. Got array shapes {shapes}")
    split = _chain([shapes[0][0] if len(shapes[0]) == 2 else 1, *[s[0] for s in shapes[1:]], shapes[-1][-1] if len(shapes[-1]) == 2 else 1])

    def product(i, j):
        return xs[i] if i == j else matmul(product(i, split[i, j]), product(split[i, j] + 1, j))

    return product(0, len(xs) - 1)


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
