"""Linear algebra primitives, as jax.lax.linalg."""

import ctypes
import enum

import numpy as np

from secant._eager import op
from secant._lib import lib
from secant._trace import results, tracer, values
from secant._tracer import made
from secant.lax._elementwise import FLOAT, _takes, select, sqrt
from secant.lax._reduce import batch_matmul, reduce_sum
from secant.lax._shape import broadcast_to, broadcasted_iota, concatenate, expand_dims, slice_in_dim, squeeze, transpose


class EigImplementation(enum.Enum):
    """How eigenvalues are computed; here always by LAPACK."""

    CUSOLVER = "cusolver"
    MAGMA = "magma"
    LAPACK = "lapack"


class EighImplementation(enum.Enum):
    """How eigenvalues of symmetric matrices are computed; here always by QR."""

    QR = "qr"
    JACOBI = "jacobi"
    QDWH = "qdwh"


class SvdAlgorithm(enum.Enum):
    """How singular values are computed; here always by divide and conquer."""

    DEFAULT = "default"
    QR = "QR"
    JACOBI = "Jacobi"
    POLAR = "polar"
    DIVIDE_AND_CONQUER = "divide_and_conquer"


def _factors(function, n, x, *static):
    """What a C function gives that takes a value, static arguments, and addresses of n results."""
    out = values([0] * n)
    at = ctypes.addressof(out)
    return results(function(x.value, *static, *[at + 8 * i for i in range(n)]), out)


def _floats(name, *xs):
    xs = [tracer(x) for x in xs]
    for x in xs:
        _takes(name, x, FLOAT)
    return xs


def _swapped(x):
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


@op(1)
def cholesky(x, *, symmetrize_input=True):
    """The lower triangular L with L Lᵀ = x; NaN where x is not positive definite.

    symmetrize_input : (x + xᵀ) / 2 is factored, else the lower triangle is read.
    """
    x = tracer(x)
    _takes("cholesky", x, FLOAT)
    return made(lib.sec_cholesky(x.value, bool(symmetrize_input)))


@op(2)
def triangular_solve(a, b, *, left_side=False, lower=False, transpose_a=False, conjugate_a=False, unit_diagonal=False):
    """x with a x = b (left_side) or x a = b; only one triangle of `a` is read."""
    a, b = tracer(a), tracer(b)
    _takes("triangular_solve", a, FLOAT)
    vector = left_side and b.ndim == a.ndim - 1
    if vector:
        b = expand_dims(b, (b.ndim,))
    out = made(
        lib.sec_triangular_solve(a.value, b.value, bool(left_side), bool(lower), bool(transpose_a), bool(unit_diagonal))
    )
    if vector:
        out = squeeze(out, (out.ndim - 1,))
    return out


@op(1)
def lu(x):
    """(packed L and U, pivots, permutation) of an LU factorisation with partial pivoting."""
    x = tracer(x)
    _takes("lu", x, FLOAT)
    out = values([0, 0, 0])
    at = ctypes.addressof(out)
    return tuple(results(lib.sec_lu(x.value, at, at + 8, at + 16), out))


@op(1)
def lu_pivots_to_permutation(pivots, permutation_size):
    """The order of rows that the row exchanges of lu make."""
    from secant._vmap import vmap
    from secant.lax._control import fori_loop

    pivots = tracer(pivots)
    if pivots.ndim > 1:
        return vmap(lambda p: lu_pivots_to_permutation(p, permutation_size))(pivots)

    def exchange(i, order):
        j = pivots[i]
        at_i, at_j = order[i], order[j]
        return order.at[i].set(at_j).at[j].set(at_i)

    order = broadcasted_iota("int32", (permutation_size,), 0)
    return fori_loop(0, pivots.shape[0], exchange, order) if pivots.shape[0] else order


# ---- QR ----
@op(1)
def qr(x, *, pivoting=False, full_matrices=True, use_magma=None):
    """(q, r) with x = q r, q orthogonal and r upper triangular; pivoting: (q, r, p) with x[:, p] = q r.

    full_matrices : q is square, else it has min(m, n) columns.
    """
    (x,) = _floats("qr", x)
    out = _factors(lib.sec_qr, 3, x, bool(full_matrices), True) if pivoting else None
    if out is None:
        pair = values([0] * 2)
        at = ctypes.addressof(pair)
        out = results(lib.sec_qr(x.value, bool(full_matrices), False, at, at + 8, None), pair)
    return tuple(out)


@op(1)
def geqrf(a):
    """(LAPACK's packed QR factors, factors of the reflectors)."""
    return tuple(_factors(lib.sec_geqrf, 2, *_floats("geqrf", a)))


@op(2)
def householder_product(a, taus):
    """The first columns of the product of reflectors, the columns of `a` below its diagonal."""
    a, taus = _floats("householder_product", a, taus)
    return made(lib.sec_householder_product(a.value, taus.value))


@op(3)
def ormqr(a, taus, c, *, left=True, transpose=False):
    """q c (left) or c q for the q of reflectors, or its transpose."""
    a, taus, c = _floats("ormqr", a, taus, c)
    return made(lib.sec_ormqr(a.value, taus.value, c.value, bool(left), bool(transpose)))


# ---- eigenvalues and singular values ----
@op(1)
def eig(
    x, *, compute_left_eigenvectors=True, compute_right_eigenvectors=True, use_magma=None, enable_eigvec_derivs=False,
    implementation=None,
):
    """(eigenvalues, left eigenvectors, right eigenvectors as columns) of any square matrices, complex.

    enable_eigvec_derivs : eigenvectors have derivatives, which are right where eigenvalues are distinct.
    """
    x = tracer(x)
    _takes("eig", x, FLOAT)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"The input to eig must be a square matrix. Got shape {x.shape}.")
    if implementation not in (None, EigImplementation.LAPACK):
        raise ValueError("Only the lapack implementation is supported on CPU.")
    n = 1 + bool(compute_left_eigenvectors) + bool(compute_right_eigenvectors)
    out = values([0] * n)
    at = ctypes.addressof(out)
    left = at + 8 if compute_left_eigenvectors else None
    right = at + 8 * (n - 1) if compute_right_eigenvectors else None
    return tuple(results(lib.sec_eig(x.value, bool(enable_eigvec_derivs), at, left, right), out))


def _subset(name, subset, n):
    start, end = subset
    if not 0 <= start < end <= n:
        raise ValueError(f"{name}: subset_by_index must be (start, end) with 0 <= start < end <= {n}, got {subset}")
    return start, end


@op(1)
def eigh(x, *, lower=True, symmetrize_input=True, sort_eigenvalues=True, subset_by_index=None, implementation=None):
    """(eigenvectors as columns, ascending eigenvalues) of symmetric matrices.

    symmetrize_input : (x + xᵀ) / 2 is taken, else the triangle that `lower` says.
    subset_by_index : (start, end) of the eigenvalues that are wanted.
    """
    (x,) = _floats("eigh", x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError(f"Argument to symmetric eigendecomposition must have shape [..., n, n], got shape {x.shape}")
    if implementation not in (None, EighImplementation.QR):
        raise NotImplementedError(f"{implementation} is not supported on CPU")
    if symmetrize_input:
        x = (x + _swapped(x)) / 2
    v, w = _factors(lib.sec_eigh, 2, x, bool(lower))
    if subset_by_index is None:
        return v, w
    start, end = _subset("eigh", subset_by_index, x.shape[-1])
    return slice_in_dim(v, start, end, axis=-1), slice_in_dim(w, start, end, axis=-1)


@op(1)
def svd(x, *, full_matrices=True, compute_uv=True, subset_by_index=None, algorithm=None):
    """(u, s, vt) with x = u diag(s) vt, s descending; without compute_uv s alone.

    full_matrices : u and vt are square, else they have min(m, n) columns and rows.
    subset_by_index : (start, end) of the singular values that are wanted.
    """
    (x,) = _floats("svd", x)
    if x.ndim < 2:
        raise ValueError(f"svd: an operand of at least two dimensions is needed, got {x.aval.str_short()}")
    k = min(x.shape[-2:])
    start, end = (0, k) if subset_by_index is None else _subset("svd", subset_by_index, k)
    if full_matrices and compute_uv and (start, end) != (0, k):
        raise ValueError("full_matrices and subset_by_index cannot both be set")
    if not compute_uv:
        out = values([0])
        (s,) = results(lib.sec_svd(x.value, False, False, ctypes.addressof(out), None, None), out)
        return slice_in_dim(s, start, end, axis=-1)
    s, u, vt = _factors(lib.sec_svd, 3, x, bool(full_matrices), True)
    if (start, end) != (0, k):
        s, u, vt = slice_in_dim(s, start, end, axis=-1), slice_in_dim(u, start, end, axis=-1), slice_in_dim(vt, start, end, axis=-2)
    return u, s, vt


@op(1)
def pinv(x, rtol=-1.0):
    """The pseudo-inverse; singular values up to rtol times the largest count as zero (negative: 10 max(m, n) eps)."""
    (x,) = _floats("pinv", x)
    return made(lib.sec_pinv(x.value, float(rtol)))


# ---- similar matrices of a simpler form ----
@op(1)
def schur(x, *, compute_schur_vectors=True, sort_eig_vals=False, select_callable=None):
    """(t, q) with x = q t qᵀ, t upper triangular but for blocks of two; without compute_schur_vectors (t,)."""
    (x,) = _floats("schur", x)
    if sort_eig_vals:
        raise NotImplementedError("The sort feature of LAPACK's gees routine is not implemented.")
    if compute_schur_vectors:
        return tuple(_factors(lib.sec_schur, 2, x))
    out = values([0])
    return tuple(results(lib.sec_schur(x.value, ctypes.addressof(out), None), out))


@op(1)
def hessenberg(a):
    """(Hessenberg form above the reflectors that lead to it, their factors)."""
    return tuple(_factors(lib.sec_hessenberg, 2, *_floats("hessenberg", a)))


@op(1)
def tridiagonal(a, *, lower=True):
    """(form and reflectors, diagonal, off-diagonal, factors of the reflectors) of a symmetric matrix, from one triangle."""
    (a,) = _floats("tridiagonal", a)
    out = values([0] * 4)
    return tuple(results(lib.sec_tridiagonal(a.value, bool(lower), out), out))


# ---- equations and updates ----
@op(4)
def tridiagonal_solve(dl, d, du, b, *, perturb_singular=False):
    """x with dl[i] x[i-1] + d[i] x[i] + du[i] x[i+1] = b[i]; NaN if the matrix is singular.

    perturb_singular : pivots near zero are moved away from it instead.
    """
    dl, d, du, b = _floats("tridiagonal_solve", dl, d, du, b)
    if not dl.shape == d.shape == du.shape:
        raise TypeError(f"tridiagonal_solve requires diagonals of one shape, got {dl.shape}, {d.shape} and {du.shape}")
    if d.shape != b.shape[:-1]:
        raise TypeError(f"tridiagonal_solve requires the leading dimensions of b to be those of the diagonals, got {b.shape} beside {d.shape}")
    return made(lib.sec_tridiagonal_solve(dl.value, d.value, du.value, b.value, bool(perturb_singular)))


@op(2)
def cholesky_update(r_matrix, w_vector):
    """The upper triangular R' with R'ᵀ R' = Rᵀ R + w wᵀ."""
    r, w = _floats("cholesky_update", r_matrix, w_vector)
    return made(lib.sec_cholesky_update(r.value, w.value))


@op(2)
def symmetric_product(a_matrix, c_matrix, *, alpha=1.0, beta=0.0, symmetrize_output=False):
    """alpha a aᵀ + beta c; symmetrize_output: the lower triangle is mirrored."""
    a, c = _floats("symmetric_product", a_matrix, c_matrix)
    if a.shape[-2] != c.shape[-1] or c.shape[-2] != c.shape[-1]:
        raise ValueError(f"symmetric_product expects matrices of shapes (m, n) and (m, m), got {a.shape} and {c.shape}")
    out = batch_matmul(a, _swapped(a)) * alpha + c * beta
    if not symmetrize_output:
        return out
    row, column = (broadcasted_iota("int32", out.shape, out.ndim - 2 + i) for i in range(2))
    return select(row >= column, out, _swapped(out))


@op(2)
def lu_solve(lu, permutation, b, trans=0):
    """x with a x = b (trans 1: aᵀ x = b) from the packed factors and the permutation of `lu`."""
    lu, permutation, b = tracer(lu), tracer(permutation), tracer(b)
    x = b if b.ndim > 1 else expand_dims(b, (1,))
    if trans == 0:
        x = triangular_solve(lu, x[permutation], left_side=True, lower=True, unit_diagonal=True)
        x = triangular_solve(lu, x, left_side=True, lower=False)
    elif trans in (1, 2):
        x = triangular_solve(lu, x, left_side=True, lower=False, transpose_a=True)
        x = triangular_solve(lu, x, left_side=True, lower=True, transpose_a=True, unit_diagonal=True)
        x = (x * 0).at[permutation].set(x)
    else:
        raise ValueError(f"'trans' value must be 0, 1, or 2, got {trans}")
    return x.reshape(b.shape)


# ---- polar decomposition ----
def _halley(low):
    """Weights (a, b, c) of the next step for singular values in [low, 1], and the new low."""
    square = low * low
    d = (4 * (1 - square) / (square * square)) ** (1 / 3)
    root = (1 + d) ** 0.5
    a = root + 0.5 * (8 - 4 * d + 8 * (2 - square) / (square * root)) ** 0.5
    b = (a - 1) ** 2 / 4
    c = a + b - 1
    return a, b, c, min(low * (a + b * square) / (1 + c * square), 1.0)


def _halley_step(u, a, b, c):
    """By QR where c is large, else by Cholesky."""
    n, ratio = u.shape[-1], b / c
    unit = broadcast_to((broadcasted_iota("int32", (n, n), 0) == broadcasted_iota("int32", (n, n), 1)).astype(u.dtype), (*u.shape[:-2], n, n))
    if c > 100:
        q, _ = qr(concatenate([u * c**0.5, unit], u.ndim - 2), full_matrices=False)
        first, second = slice_in_dim(q, 0, u.shape[-2], axis=-2), slice_in_dim(q, u.shape[-2], u.shape[-2] + n, axis=-2)
        return u * ratio + batch_matmul(first, _swapped(second)) * ((a - ratio) / c**0.5)
    lower = cholesky(batch_matmul(_swapped(u), u) * c + unit, symmetrize_input=False)
    half = triangular_solve(lower, u, lower=True, transpose_a=True)
    return u * ratio + triangular_solve(lower, half, lower=True) * (a - ratio)


@op(1)
def qdwh(x, *, is_hermitian=False, max_iterations=None, eps=None, dynamic_shape=None):
    """(u, h, iterations, converged): x = u h for a tall matrix, u with orthonormal columns and h positive semidefinite.

    Nakatsukasa, Bai and Gygi, Optimizing Halley's iteration for computing the matrix polar decomposition, 2010.  The
    weights follow from the precision alone, so that the iteration has no loop and can be differentiated.
    """
    (x,) = _floats("qdwh", x)
    if dynamic_shape is not None:
        raise NotImplementedError("qdwh: dynamic_shape is not available; pass a part of the matrix")
    if x.ndim < 2 or x.shape[-2] < x.shape[-1]:
        raise ValueError(f"The input matrix of shape M x N must have M >= N, got {x.shape}.")
    low = float(np.finfo(x.dtype).eps if eps is None else eps)
    limit, done, steps = 10 if max_iterations is None else max_iterations, 4 * float(np.finfo(x.dtype).eps), 0
    size = reduce_sum(x * x, (x.ndim - 2, x.ndim - 1))
    u = x / sqrt(expand_dims(select(size > 0, size, size + 1), (x.ndim - 2, x.ndim - 1)))
    while steps < limit and 1 - low > done:
        a, b, c, low = _halley(low)
        u, steps = _halley_step(u, a, b, c), steps + 1
    h = batch_matmul(_swapped(u), x)
    return u, (h + _swapped(h)) / 2, steps, 1 - low <= done
