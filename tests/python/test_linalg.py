"""numpy.linalg, lax.linalg and scipy.linalg: against JAX (signs, types, derivatives), and against what defines each result."""

import numpy as np
import pytest

import secant
import secant.numpy as jnp
import secant.scipy.linalg as sl
from peer import agree, needs_jax

LAX = secant.lax.linalg
SHAPES = ((0, 3), (3, 0), (0, 0), (1, 1), (1, 4), (5, 3), (3, 5), (4, 4), (2, 3, 4, 2), (2, 0, 3, 3), (40, 30))
TYPES = ("float32", "float64")

PROGRAMS = """
jnp.linalg.qr(M), jnp.linalg.qr(M.T), jnp.linalg.qr(M.T, 'complete'), jnp.linalg.qr(S, 'r'), jnp.linalg.qr(M, 'raw'), jnp.linalg.qr(jnp.stack([S, -S]))
jnp.linalg.svd(M), jnp.linalg.svd(M.T, full_matrices=False), jnp.linalg.svdvals(S), jnp.linalg.svd(S, hermitian=True), jnp.linalg.svd(-jnp.eye(2))
jnp.linalg.eigh(S), jnp.linalg.eigvalsh(S, 'U'), jnp.linalg.eigh(S + jnp.triu(S, 1), UPLO='U', symmetrize_input=False), jnp.linalg.eigh(jnp.arange(4).reshape(2, 2))
jnp.linalg.pinv(M), jnp.linalg.pinv(M.T, rtol=0.3), jnp.linalg.pinv(S, hermitian=True), jnp.linalg.matrix_rank(jnp.ones((3, 2))), jnp.linalg.matrix_rank(x)
jnp.linalg.lstsq(M.T, f(1, 2, 4)), jnp.linalg.lstsq(M, M)[0], jnp.linalg.lstsq(jnp.ones((3, 2)), f(1, 2, 4))[:3]
[jnp.linalg.norm(S, o) for o in (None, 2, -2, 1, -1, jnp.inf, 'nuc', 'fro')], jnp.linalg.norm(jnp.stack([S, S]), 2, (0, 2), True), jnp.linalg.matrix_norm(M, ord='nuc'), [jnp.linalg.cond(S, p) for p in (None, -2, 1, 'fro')]
jnp.linalg.slogdet(S, method='qr'), grad(lambda a: jnp.linalg.slogdet(a, method='qr')[1])(S), jnp.linalg.multi_dot([M, S, M.T, f(1, 2)]), jnp.linalg.diagonal(M[None]), jnp.linalg.trace(S[None])
lax.linalg.qr(M.T), lax.linalg.qr(M, pivoting=True), lax.linalg.svd(M), lax.linalg.eigh(S), lax.linalg.hessenberg(S[::-1]), lax.linalg.tridiagonal(S), lax.linalg.tridiagonal(S, lower=False), lax.linalg.schur(S[::-1])
lax.linalg.tridiagonal_solve(f(0, 1, 2), f(4, 5, 6), f(1, 2, 0), M.T), lax.linalg.tridiagonal_solve(f(0, 0), f(0, 1), f(0, 0), M), lax.linalg.cholesky_update(jnp.triu(S), f(1, 2, 3)), lax.linalg.symmetric_product(M, jnp.eye(2), alpha=2.0, beta=3.0, symmetrize_output=True)
(lambda h, t: (lax.linalg.householder_product(h.T, t), lax.linalg.ormqr(h.T, t, S), lax.linalg.ormqr(h.T, t, S, left=False, transpose=True)))(*jnp.linalg.qr(M.T, 'raw'))
lax.linalg.lu_pivots_to_permutation(i(1, 2, 2), 4), lax.linalg.lu_pivots_to_permutation(i(1, 1, 1, 1).reshape(2, 2), 3)
grad(lambda a: jnp.linalg.qr(a)[1].sum())(S), grad(lambda a: (jnp.linalg.qr(a, 'complete')[0] * S).sum())(S[:, :2]), grad(lambda a: (jnp.linalg.qr(a)[1] ** 2 * M).sum())(M)
grad(lambda a: jnp.linalg.eigh(a)[0][0])(jnp.eye(2)), grad(lambda a: jnp.linalg.eigh(a)[1].sum())(jnp.eye(2)), grad(lambda a: (jnp.linalg.eigh(a)[1] ** 2 * S).sum())(S), jvp(jnp.linalg.eigh, (S,), (S[::-1],))
grad(lambda a: jnp.linalg.svd(a, compute_uv=False).sum())(jnp.zeros((2, 2))), grad(lambda a: jnp.linalg.svd(a, full_matrices=False)[0].sum())(jnp.eye(2)), grad(lambda a: (jnp.linalg.svd(a, full_matrices=False)[2] ** 2 * M).sum())(M), grad(lambda a: jnp.linalg.norm(a, 2) + jnp.linalg.cond(a))(S)
grad(lambda a: (jnp.linalg.pinv(a) ** 2).sum())(M), grad(grad(lambda t: jnp.linalg.pinv(M * t + S[:2]).sum()))(1.0), grad(lambda a: (jnp.linalg.lstsq(a, f(1, 2, 4))[0] ** 2).sum())(M.T)
vmap(jnp.linalg.qr)(jnp.stack([S, 2 * S])), vmap(grad(lambda a: jnp.linalg.svdvals(a)[0]))(jnp.stack([S, 2 * S])), jit(jnp.linalg.eigh)(S), vmap(lambda b: lax.linalg.tridiagonal_solve(f(0, 1, 2), f(4, 5, 6), f(1, 2, 0), b))(jnp.stack([M.T, M.T]))
linalg.toeplitz(x, y), linalg.toeplitz(M), linalg.hankel(x, y), linalg.hankel(x), linalg.circulant(x), [linalg.convolution_matrix(x, 3, m) for m in ('full', 'same', 'valid')], linalg.leslie(x, y[:4]), linalg.companion(x), linalg.fiedler(x), linalg.fiedler_companion(x)
linalg.hilbert(4), linalg.invhilbert(3), linalg.pascal(4), linalg.pascal(4, 'lower'), linalg.invpascal(3, 'upper'), linalg.helmert(3, full=True), linalg.hadamard(4), linalg.hadamard(2, 'float32')
linalg.lu(S), linalg.lu(M.T, permute_l=True), linalg.qr(M), linalg.qr(M, mode='economic', pivoting=True), linalg.qr_multiply(M.T, S[:2, :2], 'left'), linalg.qr_multiply(M.T, S, pivoting=True), linalg.svd(M), linalg.eigh(S), linalg.schur(S), linalg.hessenberg(S[::-1], calc_q=True)
linalg.polar(S), linalg.polar(M.T, method='svd'), linalg.polar(M, 'left'), linalg.expm(S), linalg.expm(jnp.stack([S, -S]) / 8), linalg.expm_frechet(S / 4, S[::-1]), grad(lambda a: linalg.expm(a).sum())(S / 4), linalg.solve_sylvester(S, S[:2, :2], M.T)
linalg.cho_solve((jnp.stack([S, S]), True), jnp.stack([S, S])), linalg.lu_solve(linalg.lu_factor(jnp.stack([S, S[::-1]])), jnp.stack([S, S])), linalg.solve_triangular(jnp.stack([S, S]), S[0]), linalg.eigh_tridiagonal(x, y[:4], eigvals_only=True)
random.orthogonal(random.key(0), 3), random.orthogonal(random.key(0), 2, (2,), m=3), random.multivariate_normal(random.key(0), f(1, 2, 3), S, method='svd'), random.multivariate_normal(random.key(0), f(1, 2, 3), S, (2,), method='eigh')
nn.initializers.orthogonal(2.0)(random.key(0), (2, 3, 4)), nn.initializers.orthogonal(column_axis=0)(random.key(0), (2, 3)), nn.initializers.delta_orthogonal()(random.key(0), (3, 3, 2, 4))
jnp.linalg.eigvals(S[::-1]), jnp.linalg.eigvals(jnp.stack([S, S[:, ::-1]])), jnp.abs(jnp.linalg.eig(f(1, 2, -3, 4).reshape(2, 2))[1]), [jnp.abs(v) for v in lax.linalg.eig(f(1, 2, -3, 4).reshape(2, 2))]
grad(lambda a: (jnp.abs(jnp.linalg.eigvals(a)) ** 3).sum())(S[::-1]), grad(lambda a: jnp.abs(lax.linalg.eig(a, enable_eigvec_derivs=True)[2])[0, 0])(S[:2, 1::-1]), vmap(jnp.linalg.eigvals)(jnp.stack([S, S[::-1]]))
jnp.roots(f(0, 1, 2, 3)), jnp.roots(i(1, -3, 2)), jnp.roots(f(2)), jit(lambda p: jnp.roots(p, strip_zeros=False))(f(0, 1, 2, 3))
jnp.polyfit(x, y, 2, full=True), jnp.polyfit(x, y, 1, cov=True), jnp.polyfit(x, y, 1, w=x, cov='unscaled')
""".strip().splitlines()


@needs_jax
@pytest.mark.parametrize("program", PROGRAMS)
def test_as_jax(program):
    agree(program, weak=False)


def _matrix(shape, dtype):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


def _near(got, want, dtype):
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape and got.dtype == dtype
    np.testing.assert_allclose(got, want, atol=2e-5 if dtype == "float32" else 1e-12)


def _unit(n, like):
    return np.broadcast_to(np.eye(n), (*like.shape[:-2], n, n))


def _t(x):
    return np.swapaxes(np.asarray(x), -1, -2)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("transform", (lambda f: f, secant.jit), ids=("eager", "jit"))
def test_factors(shape, dtype, transform):
    a = _matrix(shape, dtype)
    m, n = shape[-2:]
    for full in (False, True):
        q, r = transform(lambda a: LAX.qr(a, full_matrices=full))(a)
        _near(q @ r, a, dtype)
        _near(_t(q) @ q, _unit(q.shape[-1], a), dtype)
        assert not np.tril(r, -1).any()
        u, s, vt = transform(lambda a: LAX.svd(a, full_matrices=full))(a)
        k = min(m, n)
        _near((u[..., :k] * s[..., None, :]) @ vt[..., :k, :], a, dtype)
        _near(_t(u) @ u, _unit(u.shape[-1], a), dtype)
        _near(vt @ _t(vt), _unit(vt.shape[-2], a), dtype)
    _near(jnp.linalg.svdvals(a), np.linalg.svd(a, compute_uv=False), dtype)
    _near(jnp.linalg.pinv(a), np.linalg.pinv(a), dtype)
    if a.size:
        q, r, p = LAX.qr(a, pivoting=True, full_matrices=False)
        _near(q @ r, np.take_along_axis(a, np.asarray(p)[..., None, :], -1), dtype)
        assert (np.diff(np.abs(np.diagonal(r, axis1=-2, axis2=-1))) <= 1e-5).all()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n, batch", ((0, ()), (1, ()), (2, (3,)), (5, (2, 2)), (40, ())))
def test_square_factors(n, batch, dtype):
    a = _matrix((*batch, n, n), dtype)
    scale = max(n, 1)
    w, v = jnp.linalg.eigh(a)
    symmetric = (a + _t(a)) / 2
    _near((v * w[..., None, :]) @ _t(v) / scale, symmetric / scale, dtype)
    _near(_t(v) @ v, _unit(n, a), dtype)
    _near(w, np.linalg.eigvalsh(symmetric), dtype)
    t, q = LAX.schur(a)
    _near(q @ t @ _t(q) / scale, a / scale, dtype)
    assert not np.tril(t, -2).any()
    h, q = sl.hessenberg(a, calc_q=True)
    _near(q @ h @ _t(q) / scale, a / scale, dtype)


def test_tridiagonal_solve_and_its_derivatives():
    rng = np.random.default_rng(0)
    dl, d, du, b = rng.standard_normal((2, 6)), rng.standard_normal((2, 6)), rng.standard_normal((2, 6)), rng.standard_normal((2, 6, 3))

    def dense(dl, d, du, b):
        whole = jnp.stack([jnp.diag(d[i]) + jnp.diag(dl[i, 1:], -1) + jnp.diag(du[i, :-1], 1) for i in range(2)])
        return jnp.linalg.solve(whole, b)

    _near(LAX.tridiagonal_solve(dl, d, du, b), dense(dl, d, du, b), "float64")
    for f, other in ((LAX.tridiagonal_solve, dense),):
        got = secant.grad(lambda *a: jnp.sum(f(*a) ** 3), (0, 1, 2, 3))(dl, d, du, b)
        want = secant.grad(lambda *a: jnp.sum(other(*a) ** 3), (0, 1, 2, 3))(dl, d, du, b)
        for x, y in zip(got, want):
            np.testing.assert_allclose(x, y, rtol=1e-8)
    singular = (np.zeros(3), np.arange(3.0), np.zeros(3), np.ones((3, 1)))
    assert np.isnan(LAX.tridiagonal_solve(*singular)).all()
    assert np.isfinite(LAX.tridiagonal_solve(*singular, perturb_singular=True)).all()


def test_complex_solve():
    a = _matrix((2, 3, 3), "float64") + 1j * _matrix((3, 3), "float64")
    b = a[::-1] * 1j
    x = jnp.linalg.solve(a, b)
    assert x.dtype == np.complex128
    np.testing.assert_allclose(x, np.linalg.solve(a, b), atol=1e-12)
    np.testing.assert_allclose(jnp.linalg.inv(a) @ a, np.broadcast_to(np.eye(3), (2, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(jnp.linalg.solve(a[0], b[0, 0]), np.linalg.solve(a[0], b[0, 0]), atol=1e-12)


def test_not_finite():
    bad = np.full((3, 3), np.nan)
    assert np.isnan(jnp.linalg.svdvals(bad)).all() and np.isnan(jnp.linalg.eigh(bad)[1]).all()
    assert np.isnan(LAX.schur(np.array([[np.inf, 1], [1, 2]]))[0]).all()


def test_subsets():
    a = _matrix((5, 5), "float64")
    v, w = LAX.eigh(a, subset_by_index=(1, 3))
    whole = LAX.eigh(a)
    _near(v, whole[0][:, 1:3], "float64")
    _near(w, whole[1][1:3], "float64")
    _near(LAX.svd(a, full_matrices=False, subset_by_index=(0, 2))[1], jnp.linalg.svdvals(a)[:2], "float64")


ERRORS = [
    (lambda: LAX.qr(jnp.ones((2, 2), "float16")), TypeError, "f32 or f64"),
    (lambda: jnp.linalg.qr(jnp.ones(3)), (TypeError, ValueError), "matrix"),
    (lambda: jnp.linalg.qr(jnp.eye(2), "thin"), ValueError, "mode"),
    (lambda: jnp.linalg.eigh(jnp.ones((2, 3))), ValueError, "n, n"),
    (lambda: jnp.linalg.eigh(jnp.eye(2), "X"), ValueError, "UPLO"),
    (lambda: jnp.linalg.norm(jnp.eye(2), "nucl"), ValueError, "order"),
    (lambda: jnp.linalg.lstsq(jnp.eye(2), jnp.ones(3)), ValueError, "match"),
    (lambda: jnp.linalg.svd(jnp.ones((3, 2)), subset_by_index=(0, 1)), ValueError, "full_matrices"),
    (lambda: LAX.tridiagonal_solve(jnp.ones(2), jnp.ones(3), jnp.ones(3), jnp.ones((3, 1))), TypeError, "one shape"),
    (lambda: LAX.householder_product(jnp.ones((2, 3)), jnp.ones(2)), (TypeError, ValueError), "rows"),
    (lambda: secant.grad(lambda a: jnp.linalg.svd(a)[1].sum())(jnp.ones((3, 2))), NotImplementedError, "full"),
    (lambda: secant.grad(lambda a: LAX.schur(a)[0].sum())(jnp.eye(2)), NotImplementedError, "schur"),
    (lambda: secant.grad(lambda a: jnp.linalg.eig(a)[1].real.sum())(jnp.eye(2)), NotImplementedError, "distinct"),
    (lambda: secant.jit(jnp.roots)(jnp.ones(3)), secant.errors.ConcretizationTypeError, "strip_zeros"),
    (lambda: sl.polar(jnp.ones((2, 3))), NotImplementedError, "tall"),
]


@pytest.mark.parametrize("call, kind, text", ERRORS)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
