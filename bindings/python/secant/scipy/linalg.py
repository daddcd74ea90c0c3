"""Linear algebra, as jax.scipy.linalg."""

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, inexact, promoted_inexact
from secant.numpy.linalg import det, inv  # noqa: F401


@op(1)
def cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    """The triangular factor of a positive definite matrix: upper, or lower."""
    factor = lax.linalg.cholesky(inexact(arraylike("cholesky", a)))
    return factor if lower else jnp.matrix_transpose(factor)


def _columns(b):
    return b[:, None] if b.ndim == 1 else b


def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """(Cholesky factor, lower), as cho_solve takes it."""
    return cholesky(a, lower=lower), lower


def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    """x with a x = b from the factor of cho_factor."""
    c, lower = c_and_lower
    return _cho_solve(c, b, bool(lower))


@op(2)
def _cho_solve(c, b, lower):
    c, b = promoted_inexact(*arraylike("cho_solve", c, b))
    x = _columns(b)
    for transposed in ((False, True) if lower else (True, False)):
        x = lax.linalg.triangular_solve(c, x, left_side=True, lower=lower, transpose_a=transposed)
    return x.reshape(b.shape)


@op(2)
def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, debug=None, check_finite=True):
    """x with a x = b (trans 1 or "T": aᵀ x = b) for a triangular matrix."""
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ValueError(f"Invalid 'trans' value {trans}")
    a, b = promoted_inexact(*arraylike("solve_triangular", a, b))
    x = lax.linalg.triangular_solve(
        a, _columns(b), left_side=True, lower=bool(lower), transpose_a=trans not in (0, "N"), unit_diagonal=unit_diagonal
    )
    return x.reshape(b.shape)


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
    order = lax.linalg.lu_pivots_to_permutation(arraylike("lu_solve", pivots), packed.shape[0])
    x = _columns(b)
    if trans == 0:
        x = lax.linalg.triangular_solve(packed, x[order], left_side=True, lower=True, unit_diagonal=True)
        x = lax.linalg.triangular_solve(packed, x, left_side=True, lower=False)
    else:
        x = lax.linalg.triangular_solve(packed, x, left_side=True, lower=False, transpose_a=True)
        x = lax.linalg.triangular_solve(packed, x, left_side=True, lower=True, transpose_a=True, unit_diagonal=True)
        x = jnp.zeros_like(x).at[order].set(x)
    return x.reshape(b.shape)


def block_diag(*arrs):
    """Matrices on the diagonal of one."""
    parts = [jnp.atleast_2d(jnp.asarray(a)) for a in arrs] or [jnp.zeros((1, 0))]
    rows, columns = sum(p.shape[0] for p in parts), sum(p.shape[1] for p in parts)
    out = jnp.zeros((rows, columns), jnp.result_type(*parts))
    i = j = 0
    for p in parts:
        out = out.at[i : i + p.shape[0], j : j + p.shape[1]].set(p)
        i, j = i + p.shape[0], j + p.shape[1]
    return out
