"""secant.scipy, nn, random, ops and flatten_util against JAX; secant.optim against the formulas."""

import numpy as np
import pytest

import secant
import secant.flatten_util
import secant.numpy as jnp
from peer import agree, needs_jax

ROWS = """
special.expit(x), special.logit(f(0.2, 0.9)), special.erf(x), special.erfc(x), special.erfinv(f(0.1, -0.9)), special.logsumexp(x), special.log_softmax(x), special.softmax(x)
special.xlogy(f(0, 2, 3), f(0, 2, 5)), special.xlog1py(f(0, 2), f(-1, 2)), special.entr(f(0, 0.5, -1, 2)), special.rel_entr(f(0, 1, 2), f(1, 2, 0)), special.kl_div(f(1, 2), f(2, 1))
grad(special.xlogy)(0.0, 2.0), grad(special.xlogy, 1)(2.0, 4.0), grad(special.xlog1py, (0, 1))(2.0, 0.5), grad(special.entr)(0.5)
special.ndtr(f(-3, 0, 0.5, 3)), special.ndtri(f(0.1, 0.5, 0.9)), grad(special.ndtr)(0.3)
special.log_ndtr(f(-50, -10, -9, -1, 0, 5, 6)), vmap(grad(special.log_ndtr))(f(-20, -3, 0, 2))
special.gammaln(f(0.5, 3, 10)), special.digamma(f(0.5, 3)), special.gammasgn(f(-0.5, 2, -1.5, 3)), special.betaln(2.0, 3.0), special.multigammaln(4.0, 2)
special.i0e(f(0, 1, -2)), special.i0(f(0, 1, 2))
stats.norm.logpdf(x), stats.norm.pdf(x, 1.0, 2.0), stats.norm.cdf(x), stats.norm.logcdf(-x), stats.norm.sf(x), stats.norm.logsf(x), stats.norm.ppf(f(0.1, 0.7), 1, 2)
stats.cauchy.logpdf(x, 1), stats.laplace.pdf(x), stats.logistic.logpdf(x), stats.expon.logpdf(y), stats.uniform.pdf(f(-1, 0.5, 2))
stats.beta.logpdf(f(0.2, 0.7), 2.0, 3.0), stats.gamma.logpdf(x, 2.0), stats.t.logpdf(x, 3.0), stats.bernoulli.logpmf(i(0, 1), 0.3), stats.poisson.logpmf(i(0, 3), 2.0), stats.poisson.pmf(i(2), 1.5)
linalg.cholesky(S), linalg.cholesky(S, lower=True), linalg.cho_solve(linalg.cho_factor(S), f(1, 2, 3)), linalg.cho_solve(linalg.cho_factor(S, lower=True), S), linalg.solve(S, f(1, 2, 3)), linalg.solve(S, S, assume_a='pos'), linalg.inv(S), linalg.det(S)
linalg.solve_triangular(S, f(1, 2, 3)), linalg.solve_triangular(S, f(1, 2, 3), lower=True), linalg.solve_triangular(S, S, trans=1), linalg.solve_triangular(S, f(1, 2, 3), unit_diagonal=True)
linalg.lu_solve(linalg.lu_factor(S[::-1]), f(1, 2, 3)), linalg.lu_solve(linalg.lu_factor(S[::-1]), f(1, 2, 3), trans=1), linalg.block_diag(M, f(1, 2), S)
nn.identity(x), nn.tanh(x), nn.squareplus(x), nn.sparse_plus(f(-2, -0.5, 0, 0.5, 2)), nn.sparse_sigmoid(f(-2, 0, 2)), nn.log1mexp(f(0.1, 2)), nn.logmeanexp(M, 1), nn.logmeanexp(x)
nn.dot_product_attention(M.reshape(2, 1, 3), M.reshape(2, 1, 3), M.reshape(2, 1, 3)), nn.dot_product_attention(*[jnp.arange(48.0).reshape(1, 4, 2, 6) / 48] * 3, is_causal=True), nn.dot_product_attention(jnp.arange(48.0).reshape(1, 4, 2, 6) / 48, *[jnp.arange(24.0).reshape(1, 4, 1, 6) / 24] * 2, scale=0.5)
nn.initializers.zeros(random.key(0), (2,)), nn.initializers.ones(random.key(0), (2,)), nn.initializers.constant(3.0)(random.key(0), (2,)), nn.initializers.uniform()(random.key(0), (2, 2)), nn.initializers.normal()(random.key(0), (2, 2)), nn.initializers.truncated_normal()(random.key(0), (3,))
nn.initializers.glorot_uniform()(random.key(0), (3, 4)), nn.initializers.glorot_normal()(random.key(0), (3, 4)), nn.initializers.he_normal()(random.key(0), (3, 4)), nn.initializers.he_uniform()(random.key(0), (3, 4)), nn.initializers.lecun_normal()(random.key(0), (2, 3, 4)), nn.initializers.lecun_uniform()(random.key(0), (3, 4)), nn.initializers.variance_scaling(1.0, 'fan_out', 'normal')(random.key(0), (3, 4))
random.gamma(random.key(0), 2.0, (2,)), random.gamma(random.key(1), f(0.3, 1, 5)), random.loggamma(random.key(0), 0.01, (3,)), random.beta(random.key(0), 2.0, 3.0, (3,)), random.dirichlet(random.key(0), f(1, 2, 3)), random.chisquare(random.key(0), 3.0, (2,)), random.t(random.key(0), 3.0, (2,))
random.f(random.key(0), 3.0, 4.0, (2,)), random.generalized_normal(random.key(0), 1.5, (3,)), random.ball(random.key(0), 3, shape=(2,)), random.lognormal(random.key(0), 0.5, (3,)), random.rayleigh(random.key(0), 2.0, (3,)), random.pareto(random.key(0), 2.0, (3,)), random.weibull_min(random.key(0), 2.0, 1.5, (3,))
random.maxwell(random.key(0), (3,)), random.double_sided_maxwell(random.key(0), 0.0, 1.0, (3,)), random.triangular(random.key(0), 0.0, 0.3, 1.0, (4,)), random.geometric(random.key(0), 0.3, (5,)), random.wald(random.key(0), 2.0, (3,)), random.multivariate_normal(random.key(0), f(1, 2), f(2, 1, 1, 3).reshape(2, 2), (3,))
random.poisson(random.key(0), 3.0, (4,)), random.poisson(random.key(0), f(0, 2, 30, 1000))
random.laplace(random.key(0), (3,)), random.cauchy(random.key(0), (3,)), random.logistic(random.key(0), (3,)), random.rademacher(random.key(0), (5,)), random.truncated_normal(random.key(0), -1, 1, (3,))
ops.segment_sum(x, i(0, 0, 2, 2, 1)), ops.segment_sum(M, i(1, 0), 3), ops.segment_max(x, i(0, 0, 2, 2, 0)), ops.segment_min(i(3, 1, 2), i(0, 0, 1), 3), ops.segment_prod(x, i(0, 0, 1, 1, 9), 2)
flatten_util.ravel_pytree({'a': M, 'b': 2.0})[0], flatten_util.ravel_pytree({'a': M, 'b': 2.0})[1](jnp.arange(7.0))
"""


@needs_jax
@pytest.mark.parametrize("row", ROWS.strip().split("\n"))
def test_row(row):
    agree(row, weak=False)


# ---- optimizers ----
def _steps(optimizer, n=3):
    params = {"w": jnp.array([1.0, -2.0]), "b": jnp.array(0.5)}
    state = optimizer.init(params)
    for _ in range(n):
        gradients = secant.grad(lambda p: jnp.sum(p["w"] ** 2) + p["b"] ** 2)(params)
        updates, state = optimizer.update(gradients, state, params)
        params = secant.optim.apply_updates(params, updates)
    return np.append(np.asarray(params["w"]), params["b"])


def _adam(x, n, rate, decay=0.0):
    m = v = np.zeros_like(x)
    for k in range(1, n + 1):
        g = 2 * x
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x = x - rate * (m / (1 - 0.9**k) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8) + decay * x)
    return x


def test_optimizers():
    start = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(_steps(secant.optim.sgd(0.1)), start * 0.8**3, rtol=1e-5)
    np.testing.assert_allclose(_steps(secant.optim.adam(0.1)), _adam(start, 3, 0.1), rtol=5e-5)
    np.testing.assert_allclose(_steps(secant.optim.adamw(0.1, weight_decay=0.2)), _adam(start, 3, 0.1, 0.2), rtol=5e-5)
    x, t = start, np.zeros(3)
    for _ in range(3):
        t = 2 * x + 0.9 * t
        x = x - 0.1 * t
    np.testing.assert_allclose(_steps(secant.optim.momentum(0.1)), x, rtol=1e-5)
    halves = secant.optim.sgd(lambda count: 0.1 * 0.5**count)
    np.testing.assert_allclose(_steps(halves, 2), start * 0.8 * 0.9, rtol=1e-5)
    norm = np.sqrt(np.sum((2 * start) ** 2))
    clipped = secant.optim.chain(secant.optim.clip_by_global_norm(1.0), secant.optim.sgd(0.1))
    np.testing.assert_allclose(_steps(clipped, 1), start - 0.1 * 2 * start / norm, rtol=1e-5)
    assert _steps(secant.optim.rmsprop(0.1)).shape == (3,)


def test_optimizer_in_jit():
    optimizer = secant.optim.adam(1e-1)

    @secant.jit
    def step(x, state):
        updates, state = optimizer.update(secant.grad(lambda a: jnp.sum(a**2))(x), state, x)
        return secant.optim.apply_updates(x, updates), state

    x = jnp.array([1.0, -2.0])
    state = optimizer.init(x)
    for _ in range(200):
        x, state = step(x, state)
    assert float(jnp.max(jnp.abs(x))) < 1e-2


def test_schedules():
    assert secant.optim.constant_schedule(3)(9) == 3
    assert secant.optim.exponential_decay(1.0, 10, 0.5)(20) == 0.25
    assert float(secant.optim.cosine_decay_schedule(2.0, 10)(5)) == pytest.approx(1.0)
