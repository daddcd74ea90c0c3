"""Linear algebra, as jax.scipy.linalg."""

import numpy as np

from secant import lax, numpy as jnp
from secant._autodiff import jvp
from secant._eager import op
from secant.numpy import linalg
from secant.numpy._common import arraylike, inexact, promoted, promoted_inexact
from secant.scipy._matrices import (  # noqa: F401
    circulant,
    companion,
    convolution_matrix,
    fiedler,
    fiedler_companion,
    hadamard,
    hankel,
    helmert,
    hilbert,
    invhilbert,
    invpascal,
    leslie,
    pascal,
    toeplitz,
)


@op(1)
def det(a, overwrite_a=False, check_finite=True):
    """The determinant."""
    return linalg.det(a)


@op(1)
def inv(a, overwrite_a=False, check_finite=True):
    """The inverse matrix."""
    return linalg.inv(a)


@op(1)
def cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    """The triangular factor of a positive definite matrix: upper, or lower."""
    factor = lax.linalg.cholesky(inexact(arraylike("cholesky", a)))
    return factor if lower else jnp.matrix_transpose(factor)


def _stacked(function, a, b):
    """function(matrix, matrix) over stacks of matrices a; b is a vector, or a stack of matrices or of vectors."""
    vector = b.ndim == 1 or (a.ndim == b.ndim + 1 and a.shape[-1] == b.shape[-1] and (b.ndim < 2 or b.shape[-2] != a.shape[-1]))
    if vector:
        b = b[..., None]
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = function(lax.broadcast_to(a, (*lead, *a.shape[-2:])), lax.broadcast_to(b, (*lead, *b.shape[-2:])))
    return x[..., 0] if vector else x


def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """(Cholesky factor, lower), as cho_solve takes it."""
    return cholesky(a, lower=lower), lower


def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    """x with a x = b from the factor of cho_factor."""
    c, lower = c_and_lower
    return _cho_solve(c, b, bool(lower))


@op(2)
def _cho_solve(c, b, lower):
    def both(c, x):
        for transposed in ((False, True) if lower else (True, False)):
            x = lax.linalg.triangular_solve(c, x, left_side=True, lower=lower, transpose_a=transposed)
        return x

    return _stacked(both, *promoted_inexact(*arraylike("cho_solve", c, b)))


@op(2)
def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, debug=None, check_finite=True):
    """x with a x = b (trans 1 or "T": aᵀ x = b) for a triangular matrix."""
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(f"Invalid 'trans' value {trans}")

    def one(a, x):
        return lax.linalg.triangular_solve(
            a, x, left_side=True, lower=bool(lower), transpose_a=trans not in (0, "N"), unit_diagonal=unit_diagonal
        )

    return _stacked(one, *promoted_inexact(*arraylike("solve_triangular", a, b)))


@op(2)
def solve(a, b, lower=False, overwrite_a=False, overwrite_b=False, debug=False, check_finite=True, assume_a="gen"):
    """x with a x = b; assume_a "pos" for positive definite `a`."""
    if assume_a not in ("gen", "sym", "her", "pos"):
        raise ValueError(f"Expected assume_a to be one of gen, sym, her, pos; got {assume_a!r}")
    if assume_a != "pos":
        return jnp.linalg.solve(a, b)
    return _cho_solve(cholesky(a, lower=lower), b, bool(lower))


@op(1)
def lu_factor(a, overwrite_a=False, check_finite=True):
    """(LU of a matrix in one, pivots)."""
    packed, pivots, _ = lax.linalg.lu(inexact(arraylike("lu_factor", a)))
    return packed, pivots


@op(2)
def lu_solve(lu_and_piv, b, trans=0, overwrite_b=False, check_finite=True):
    """x with a x = b from lu_factor's result; trans 1: aᵀ x = b."""
    packed, pivots = lu_and_piv
    packed, b = promoted_inexact(*arraylike("lu_solve", packed, b))
    order = lax.linalg.lu_pivots_to_permutation(arraylike("lu_solve", pivots), packed.shape[-1])
    if packed.ndim == 2 and b.ndim <= 2:
        return lax.linalg.lu_solve(packed, order, b, trans)
    signature = "(n,n),(n),(n)->(n)" if b.ndim == 1 else "(n,n),(n),(n,k)->(n,k)"
    return jnp.vectorize(lambda *one: lax.linalg.lu_solve(*one, trans), signature=signature)(packed, order, b)


@op(1)
def lu(a, permute_l=False, overwrite_a=False, check_finite=True):
    """(P, L, U) with a = P L U; permute_l: (P L, U)."""
    x = inexact(arraylike("lu", a))
    packed, _, order = lax.linalg.lu(x)
    m, n = x.shape[-2:]
    k = min(m, n)
    p = (order[..., None, :] == np.arange(m)[:, None]).astype(x.dtype)
    lower = jnp.tril(packed, -1)[..., :, :k] + np.eye(m, k).astype(x.dtype)
    upper = jnp.triu(packed)[..., :k, :]
    return (p @ lower, upper) if permute_l else (p, lower, upper)


# ---- QR ----
@op(1)
def qr(a, overwrite_a=False, lwork=None, mode="full", pivoting=False, check_finite=True):
    """(Q, R) with a = Q R; mode "economic", "r"; pivoting: and the order P with a[:, P] = Q R."""
    if mode not in ("full", "r", "economic"):
        raise ValueError(f"Unsupported QR decomposition mode '{mode}'")
    out = lax.linalg.qr(inexact(arraylike("qr", a)), pivoting=pivoting, full_matrices=mode != "economic")
    return out[1:] if mode == "r" else out


@op(2)
def qr_multiply(a, c, mode="right", pivoting=False, conjugate=False, overwrite_a=False, overwrite_c=False):
    """(c Q or, mode "left", Q c; R) for the QR factors of `a`; pivoting: and the order of columns."""
    if mode not in ("right", "left"):
        raise ValueError(f"mode must be 'right' or 'left', got {mode!r}")
    a, c = promoted_inexact(*arraylike("qr_multiply", a, c))
    left, vector = mode == "left", c.ndim == 1
    if vector:
        c = c[:, None] if left else c[None, :]
    m, n = a.shape[-2:]
    k = min(m, n)
    if (c.shape[-2] != k) if left else (c.shape[-1] != m):
        raise ValueError(f"Array shapes are not compatible: Q of {a.shape} is {m} by {k}, but c has shape {c.shape}")
    lead = np.broadcast_shapes(a.shape[:-2], c.shape[:-2])
    a, c = lax.broadcast_to(a, (*lead, m, n)), lax.broadcast_to(c, (*lead, *c.shape[-2:]))
    if pivoting:
        q, r, p = lax.linalg.qr(a, pivoting=True, full_matrices=False)
        out = q @ c if left else c @ q
    else:
        packed, taus = lax.linalg.geqrf(a)
        if left and m > k:
            c = jnp.concatenate([c, jnp.zeros((*lead, m - k, c.shape[-1]), c.dtype)], -2)
        out = lax.linalg.ormqr(packed, taus, c, left=left)
        out, r, p = out if left else out[..., :k], jnp.triu(packed[..., :k, :]), None
    out = out.ravel() if vector else out
    return (out, r) if p is None else (out, r, p)


# ---- eigenvalues and singular values ----
@op(1)
def svd(a, full_matrices=True, compute_uv=True, overwrite_a=False, check_finite=True, lapack_driver="gesdd"):
    """(U, s, Vh) with a = U diag(s) Vh; without compute_uv s alone."""
    return lax.linalg.svd(inexact(arraylike("svd", a)), full_matrices=full_matrices, compute_uv=compute_uv)


@op(1)
def eigh(
    a, b=None, lower=True, eigvals_only=False, overwrite_a=False, overwrite_b=False, turbo=True, eigvals=None, type=1,
    check_finite=True,
):
    """(eigenvalues, ascending; eigenvectors as columns) of symmetric matrices."""
    if b is not None:
        raise NotImplementedError("Only the b=None case of eigh is implemented")
    if type != 1:
        raise NotImplementedError("Only the type=1 case of eigh is implemented.")
    if eigvals is not None:
        raise NotImplementedError("Only the eigvals=None case of eigh is implemented.")
    v, w = lax.linalg.eigh(inexact(arraylike("eigh", a)), lower=lower)
    return w if eigvals_only else (w, v)


@op(2)
def eigh_tridiagonal(d, e, *, eigvals_only=False, select="a", select_range=None, tol=None, key=None):
    """Eigenvalues (and eigenvectors) of symmetric tridiagonal matrices: all, or select="i": those with numbers in a range.

    It works on the whole matrix: n² numbers, n³ operations.
    """
    d, e = arraylike("eigh_tridiagonal", d, e)
    if d.dtype != e.dtype:
        raise TypeError(f"diagonal and off-diagonal values must have same dtype, got {d.dtype} and {e.dtype}")
    if d.dtype not in (np.float32, np.float64):
        raise TypeError(f"Only float32 and float64 inputs are supported as inputs to eigh_tridiagonal, got {d.dtype}")
    if select == "v":
        raise NotImplementedError("eigh_tridiagonal(..., select='v') is not implemented")
    if select not in ("a", "i"):
        raise ValueError("'select must have a value in {'a', 'i', 'v'}.")
    n = d.shape[0]
    first, last = 0, n - 1
    if select == "i":
        if select_range is None:
            raise ValueError("for select='i', select_range must be specified.")
        first, last = select_range
        if first > last:
            raise ValueError("Got empty index range in select_range.")
    a = jnp.diag(d) if n <= 1 else jnp.diag(d) + jnp.diag(e, -1)
    v, w = lax.linalg.eigh(a, symmetrize_input=False)
    w, v = w[first : last + 1], v[:, first : last + 1]
    return w if eigvals_only else (w, v)


@op(1)
def schur(a, output="real"):
    """(T, Z) with a = Z T Zᵀ, T upper triangular but for blocks of two."""
    if output not in ("real", "complex"):
        raise ValueError(f"Expected 'output' to be either 'real' or 'complex', got output={output!r}.")
    if output == "complex":
        raise NotImplementedError("schur: output='complex' is not available in this version")
    return lax.linalg.schur(inexact(arraylike("schur", a)))


@op(1)
def hessenberg(a, *, calc_q=False, overwrite_a=False, check_finite=True):
    """H, zero below its first subdiagonal; calc_q: (H, Q) with a = Q H Qᵀ."""
    x = inexact(arraylike("hessenberg", a))
    n = x.shape[-1]
    if n == 0:
        return (x, x) if calc_q else x
    packed, taus = lax.linalg.hessenberg(x)
    h = jnp.triu(packed, -1)
    if not calc_q:
        return h
    q = lax.linalg.householder_product(packed[..., 1:, :-1], taus)
    corner = lax.broadcast_to(jnp.asarray((np.arange(n) == 0)).astype(x.dtype), (*x.shape[:-2], n))
    q = jnp.concatenate([jnp.zeros((*x.shape[:-2], n - 1, 1), x.dtype), q], -1)
    return h, jnp.concatenate([corner[..., None, :], q], -2)


@op(1)
def polar(a, side="right", *, method="qdwh", eps=None, max_iterations=None):
    """(U, P): a = U P, or for side "left" P U, U with orthonormal columns (or rows), P positive semidefinite."""
    x = inexact(arraylike("polar", a))
    if x.ndim < 2:
        raise ValueError("The input `a` must be at least a 2-D array.")
    if side not in ("right", "left"):
        raise ValueError("The argument `side` must be either 'right' or 'left'.")
    if method == "svd":
        u, s, vt = lax.linalg.svd(x, full_matrices=False)
        v = jnp.matrix_transpose(vt)
        p = (v * s[..., None, :]) @ vt if side == "right" else (u * s[..., None, :]) @ jnp.matrix_transpose(u)
        return u @ vt, p
    if method != "qdwh":
        raise ValueError(f"Unknown polar decomposition method {method}.")
    if (x.shape[-2] >= x.shape[-1]) != (side == "right"):
        raise NotImplementedError(
            f"method='qdwh' takes tall matrices with side='right' and wide ones with side='left', got {x.shape} with {side=}"
        )
    u, p = lax.linalg.qdwh(x if side == "right" else jnp.matrix_transpose(x), eps=eps, max_iterations=max_iterations)[:2]
    return (u, p) if side == "right" else (jnp.matrix_transpose(u), jnp.matrix_transpose(p))


# ---- functions of matrices ----
# Higham, The scaling and squaring method for the matrix exponential revisited, 2005: the Padé approximant of this degree
# is exact to rounding for matrices of 1-norm up to the bound.
_PADE = {
    "float32": (3.925724783138660, (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0)),
    "float64": (
        5.371920351148152,
        (
            64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
            10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
        ),
    ),
}  # fmt: skip


def _expm(a, upper_triangular, max_squarings):
    bound, b = _PADE[str(a.dtype)]
    size = linalg.norm(a, 1)
    halvings = jnp.maximum(0, jnp.ceil(jnp.log2(jnp.where(size > 0, size, 1) / bound)))
    halvings = lax.stop_gradient(halvings)
    a = a / 2**halvings
    unit, a2 = np.eye(a.shape[0]).astype(a.dtype), a @ a
    odd, even, power = b[1] * unit, b[0] * unit, a2
    for k in range(2, len(b) - 1, 2):
        odd, even, power = odd + b[k + 1] * power, even + b[k] * power, power @ a2 if k + 2 < len(b) - 1 else power
    odd = a @ odd
    solved = solve_triangular if upper_triangular else linalg.solve
    r = solved(even - odd, even + odd)

    def square(r, i):
        return lax.cond(i < halvings, lambda x: x @ x, lambda x: x, r), None

    r, _ = lax.scan(square, r, jnp.arange(max_squarings, dtype=halvings.dtype))
    return jnp.where(halvings > max_squarings, jnp.asarray(np.nan, a.dtype), r)


@op(1)
def expm(A, *, upper_triangular=False, max_squarings=16):
    """The exponential of square matrices; NaN where more squarings would be needed."""
    a = inexact(arraylike("expm", A))
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"Expected A to be a (batched) square matrix, got A.shape={a.shape}.")
    if str(a.dtype) not in _PADE:
        raise TypeError(f"A.dtype={a.dtype} is not supported.")
    if 0 in a.shape:
        return a
    if a.ndim > 2:
        return jnp.vectorize(lambda x: _expm(x, upper_triangular, max_squarings), signature="(n,n)->(n,n)")(a)
    return _expm(a, upper_triangular, max_squarings)


@op(2)
def expm_frechet(A, E, *, method=None, compute_expm=True):
    """(expm(A), its derivative in the direction E), or without compute_expm the derivative alone."""
    a, e = promoted_inexact(*arraylike("expm_frechet", A, E))
    for name, x in (("A", a), ("E", e)):
        if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
            raise ValueError(f"expected {name} to be a (batched) square matrix, got {name}.shape={x.shape}")
    if a.shape != e.shape:
        raise ValueError(f"expected A and E to be the same shape, got A.shape={a.shape} E.shape={e.shape}")
    out = jvp(expm, (a,), (e,))
    return out if compute_expm else out[1]


def _one_sylvester(a, b, c, tol):
    """By the mn equations of the elements of x, row by row."""
    m, n = c.shape
    whole = jnp.kron(a, np.eye(n).astype(a.dtype)) + jnp.kron(np.eye(m).astype(a.dtype), b.T)
    return linalg.solve(whole, c.reshape(m * n)).reshape(m, n)


@op(3)
def solve_sylvester(A, B, C, *, method="schur", tol=1e-8):
    """X with A X + X B = C.  It solves for all elements of X at once: (mn)² numbers, (mn)³ operations."""
    if method not in ("schur", "eigen"):
        raise ValueError(f'Unrecognized method {method}. The two valid methods are either "schur" or "eigen".')
    a, b, c = promoted_inexact(*arraylike("solve_sylvester", A, B, C))
    m, n = c.shape[-2:]
    if a.shape[-2:] != (m, m) or b.shape[-2:] != (n, n):
        raise ValueError(f"Incompatible shapes for Sylvester equation:\nA: {a.shape}\nB: {b.shape}\nC: {c.shape}")
    one = lambda a, b, c: _one_sylvester(a, b, c, tol)  # noqa: E731
    return one(a, b, c) if a.ndim == b.ndim == c.ndim == 2 else jnp.vectorize(one, signature="(m,m),(n,n),(m,n)->(m,n)")(a, b, c)


def block_diag(*arrs):
    """Matrices on the diagonal of one."""
    for i, a in enumerate(arrs):
        if np.ndim(a) > 2:
            raise ValueError(f"Arguments to jax.scipy.linalg.block_diag must have at most 2 dimensions, got {a} at argument {i}.")
    parts = [jnp.atleast_2d(jnp.asarray(a)) for a in arrs] or [jnp.zeros((1, 0))]
    rows, columns = sum(p.shape[0] for p in parts), sum(p.shape[1] for p in parts)
    out = jnp.zeros((rows, columns), jnp.result_type(*parts))
    i = j = 0
    for p in parts:
        out = out.at[i : i + p.shape[0], j : j + p.shape[1]].set(p)
        i, j = i + p.shape[0], j + p.shape[1]
    return out
