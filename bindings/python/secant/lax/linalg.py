"""Linear algebra primitives, as jax.lax.linalg."""

import ctypes

from secant._eager import op
from secant._lib import lib
from secant._trace import results, tracer, values
from secant._tracer import made
from secant.lax._elementwise import FLOAT, _takes
from secant.lax._shape import broadcasted_iota, expand_dims, squeeze


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
    pivots = tracer(pivots)
    if pivots.ndim != 1:
        raise NotImplementedError(f"lu_pivots_to_permutation of stacks, got pivots of shape {pivots.shape}\n  hint: use vmap")
    order = broadcasted_iota("int32", (permutation_size,), 0)
    for i in range(pivots.shape[0]):
        j = pivots[i]
        at_i, at_j = order[i], order[j]
        order = order.at[i].set(at_j).at[j].set(at_i)
    return order
