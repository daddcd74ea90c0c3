"""Iterative solvers of A x = b for matrices or functions A and pytrees b: cg, bicgstab, gmres.

References: Hestenes, Stiefel, J. Res. NBS 49 (1952); van der Vorst, SIAM J. Sci. Stat. Comput. 13 (1992); Saad, Schultz,
SIAM J. Sci. Stat. Comput. 7 (1986).  Derivatives are those of the solution (lax.custom_linear_solve).
"""

from functools import partial

from secant import _tree, lax, numpy as jnp
from secant._trace import aval_of

_map = _tree.tree_map


def _dot(x, y):
    return sum(jnp.vdot(a, b) for a, b in zip(_tree.tree_leaves(x), _tree.tree_leaves(y)))


def _plus(x, a, y):
    """x + a y."""
    return _map(lambda u, v: u + (a * v).astype(u.dtype), x, y)


def _minus(x, y):
    return _map(lambda u, v: u - v, x, y)


def _operator(A, what):
    if callable(A):
        return A
    shape = aval_of(A).shape
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"linear operator must be a square matrix, but has shape: {shape}")
    return lambda v: jnp.matmul(A, v)


def _solved(method, A, b, x0, tol, atol, maxiter, M, symmetric):
    x0 = _map(jnp.zeros_like, b) if x0 is None else x0
    b, x0 = _map(jnp.asarray, b), _map(jnp.asarray, x0)
    if _tree.tree_structure(b) != _tree.tree_structure(x0):
        raise ValueError(f"x0 and b must have matching tree structure: {_tree.tree_structure(x0)} vs {_tree.tree_structure(b)}")
    shapes = [[x.shape for x in _tree.tree_leaves(t)] for t in (x0, b)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"arrays in x0 and b must have matching shapes: {shapes[0]} vs {shapes[1]}")
    maxiter = 10 * sum(x.size for x in _tree.tree_leaves(b)) if maxiter is None else maxiter
    M = (lambda v: v) if M is None else _operator(M, "M")
    solve = partial(method, x0=x0, tol=tol, atol=atol, maxiter=maxiter, M=M)
    x = lax.custom_linear_solve(_operator(A, "A"), b, solve=solve, transpose_solve=solve, symmetric=symmetric)
    return x, None


def _limit(b, tol, atol):
    """The squared norm of a residual that is small enough."""
    return jnp.maximum(jnp.square(tol) * _dot(b, b), jnp.square(atol))


# ---- conjugate gradients ----
def _cg(A, b, x0, *, maxiter, tol, atol, M):
    limit = _limit(b, tol, atol)

    def going(state):
        _, r, _, _, k = state
        return (_dot(r, r) > limit) & (k < maxiter)

    def step(state):
        x, r, gamma, p, k = state
        q = A(p)
        alpha = gamma / _dot(p, q)
        x, r = _plus(x, alpha, p), _plus(r, -alpha, q)
        z = M(r)
        new = _dot(r, z)
        return x, r, new, _plus(z, new / gamma, p), k + 1

    r = _minus(b, A(x0))
    z = M(r)
    return lax.while_loop(going, step, (x0, r, _dot(r, z), z, 0))[0]


def cg(A, b, x0=None, *, tol=1e-5, atol=0.0, maxiter=None, M=None):
    """(x, None) with A x = b for symmetric positive definite A, by conjugate gradients.

    A, M : matrices or linear functions; M is a preconditioner, about A's inverse.
    It stops where |r| <= max(tol |b|, atol), or after maxiter steps.
    """
    return _solved(_cg, A, b, x0, tol, atol, maxiter, M, True)


# ---- stabilized bi-conjugate gradients ----
def _bicgstab(A, b, x0, *, maxiter, tol, atol, M):
    limit = _limit(b, tol, atol)

    def going(state):
        _, r, *_, k = state
        return (_dot(r, r) > limit) & (k < maxiter) & (k >= 0)

    def step(state):
        x, r, shadow, alpha, omega, rho, p, q, k = state
        new_rho = _dot(shadow, r)
        beta = new_rho / rho * alpha / omega
        p = _plus(r, beta, _plus(p, -omega, q))
        direction = M(p)
        q = A(direction)
        alpha = new_rho / _dot(shadow, q)
        s = _plus(r, -alpha, q)
        done = _dot(s, s) < limit
        half = M(s)
        t = A(half)
        omega = _dot(t, s) / _dot(t, t)
        near = _plus(x, alpha, direction)
        x = _map(lambda u, v: jnp.where(done, u, v), near, _plus(near, omega, half))
        r = _map(lambda u, v: jnp.where(done, u, v), s, _plus(s, -omega, t))
        k = jnp.where((omega == 0) | (alpha == 0), -11, k + 1)  # a breakdown ends the loop
        return x, r, shadow, alpha, omega, new_rho, p, q, jnp.where(new_rho == 0, -10, k)

    r = _minus(b, A(x0))
    one = jnp.ones((), _dot(r, r).dtype)
    return lax.while_loop(going, step, (x0, r, r, one, one, one, r, r, jnp.int32(0)))[0]


def bicgstab(A, b, x0=None, *, tol=1e-5, atol=0.0, maxiter=None, M=None):
    """(x, None) with A x = b, by stabilized bi-conjugate gradients; arguments as cg."""
    return _solved(_bicgstab, A, b, x0, tol, atol, maxiter, M, False)


# ---- generalized minimal residuals ----
def _gmres(A, b, x0, *, maxiter, tol, atol, M, restart):
    from secant.flatten_util import ravel_pytree

    flat_b, unravel = ravel_pytree(b)
    start = ravel_pytree(x0)[0].astype(flat_b.dtype)
    limit = jnp.maximum(tol * jnp.linalg.norm(flat_b), atol)

    def product(v):
        return ravel_pytree(A(unravel(v)))[0].astype(v.dtype)

    def residual(x):
        return ravel_pytree(M(unravel(flat_b - product(x))))[0].astype(flat_b.dtype)

    def cycle(x, r):
        """The x with the least residual over the Krylov space of `restart` vectors, by Arnoldi's process."""
        size = jnp.linalg.norm(r)
        basis = jnp.zeros((restart + 1, r.size), r.dtype).at[0].set(r / jnp.where(size > 0, size, 1))

        def arnoldi(k, state):
            basis, h = state
            w = ravel_pytree(M(unravel(product(basis[k]))))[0].astype(r.dtype)
            column = jnp.zeros(restart + 1, r.dtype)
            for _ in range(2):  # twice is enough for orthogonality
                part = basis @ w
                w, column = w - part @ basis, column + part
            norm = jnp.linalg.norm(w)
            fresh = norm > jnp.finfo(r.dtype).eps * size
            basis = basis.at[k + 1].set(jnp.where(fresh, w / jnp.where(fresh, norm, 1), 0))
            return basis, h.at[:, k].set(column.at[k + 1].set(jnp.where(fresh, norm, 0)))

        basis, h = lax.fori_loop(0, restart, arnoldi, (basis, jnp.zeros((restart + 1, restart), r.dtype)))
        normal = h.T @ h
        idle = jnp.diag(normal) == 0
        y = jnp.linalg.solve(normal + jnp.diag(idle.astype(r.dtype)), size * h[0])
        return x + jnp.where(idle, 0, y) @ basis[:restart]

    def going(state):
        _, r, k = state
        return (jnp.linalg.norm(r) > limit) & (k < maxiter)

    def step(state):
        x, r, k = state
        x = cycle(x, r)
        return x, residual(x), k + 1

    return unravel(lax.while_loop(going, step, (start, residual(start), 0))[0])


def gmres(A, b, x0=None, *, tol=1e-5, atol=0.0, restart=20, maxiter=None, M=None, solve_method="batched"):
    """(x, None) with A x = b, by generalized minimal residuals over Krylov spaces of `restart` vectors; as cg."""
    if solve_method not in ("incremental", "batched"):
        raise ValueError(f"invalid solve_method {solve_method}, must be either 'incremental' or 'batched'")
    size = sum(aval_of(x).size for x in _tree.tree_leaves(b))
    return _solved(partial(_gmres, restart=min(restart, size)), A, b, x0, tol, atol, maxiter, M, False)
