"""Distributions against JAX: values in f64, derivatives by every float parameter."""

import numpy as np
import pytest

import secant
from peer import jax, needs_jax
from secant.scipy import stats

X = np.array([-0.5, 0.0, 0.25, 0.5, 0.9, 1.0, 3.0])
K = np.array([-1, 0, 1, 3, 5, 6])
ROWS = [
    ("gamma", "logpdf pdf cdf logcdf sf logsf", (X, 2.5, 0.1, 1.5)),
    ("beta", "logpdf pdf cdf logcdf sf logsf", (X, 2.5, 1.25, 0.1, 1.5)),
    ("chi2", "logpdf pdf cdf logcdf sf logsf", (X, 3.5, 0.1, 1.5)),
    ("poisson", "logpmf pmf cdf", (K, 2.5)),
    ("poisson", "entropy", (np.array([0.0, 2.5, 40.0, 300.0]),)),
    ("nbinom", "logpmf pmf", (K, 2.5, 0.375)),
    ("betabinom", "logpmf pmf", (K, 5, 1.5, 2.5)),
    ("binom", "logpmf pmf", (K, 5, 0.375)),
    ("geom", "logpmf pmf", (K, 0.375)),
    ("dirichlet", "logpdf pdf", (np.array([[0.25, 0.5], [0.25, 0.125]]), np.array([1.5, 2.5, 0.75]))),
    ("multinomial", "logpmf pmf", (np.array([1, 2, 3]), 6, np.array([0.25, 0.25, 0.5]))),
]
# (distribution, function, operands, the one with a derivative)
SLOPES = [
    ("gamma", "cdf", (0.75, 2.5, 0.1, 1.5), 1),
    ("gamma", "logsf", (0.75, 2.5, 0.1, 1.5), 3),
    ("beta", "cdf", (0.75, 2.5, 1.5, 0.1, 1.5), 0),
    ("beta", "logpdf", (0.75, 2.5, 1.5, 0.1, 1.5), 2),
    ("chi2", "sf", (0.75, 2.5, 0.1, 1.5), 1),
    ("poisson", "cdf", (3.0, 2.5), 1),
    ("nbinom", "logpmf", (3.0, 2.5, 0.375), 1),
    ("betabinom", "logpmf", (3.0, 5.0, 1.5, 2.5), 2),
    ("binom", "logpmf", (3.0, 5.0, 0.375), 2),
    ("geom", "pmf", (3.0, 0.375), 1),
]


@pytest.fixture
def wide():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    with secant.enable_x64(True):
        yield
    jax.config.update("jax_enable_x64", before)


def both(distribution, name):
    return getattr(getattr(stats, distribution), name), getattr(getattr(jax.scipy.stats, distribution), name)


@needs_jax
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_values(row, wide):
    distribution, names, operands = row
    for name in names.split():
        ours, theirs = both(distribution, name)
        np.testing.assert_allclose(ours(*operands), theirs(*operands), rtol=1e-10, atol=1e-13)


@needs_jax
@pytest.mark.parametrize("row", SLOPES, ids=lambda row: row[0])
def test_slopes(row, wide):
    distribution, name, operands, wrt = row
    ours, theirs = both(distribution, name)
    got, want = secant.jit(secant.grad(ours, wrt))(*operands), jax.grad(theirs, wrt)(*operands)
    np.testing.assert_allclose(got, want, rtol=1e-9)


@needs_jax
def test_gamma_samples_move_with_their_parameter(wide):
    a = np.array([0.25, 1.0, 3.5])
    for name in ("gamma", "loggamma"):
        got, want = (
            m.vmap(m.grad(lambda t: getattr(m.random, name)(m.random.PRNGKey(3), t)))(a) for m in (secant, jax)
        )
        np.testing.assert_allclose(got, want, rtol=1e-9)


def test_errors():
    with pytest.raises(ValueError, match="must be one-dimensional"):
        stats.dirichlet.logpdf(np.ones(3) / 3, np.ones((3, 3)))
    with pytest.raises(ValueError, match="one entry fewer"):
        stats.dirichlet.logpdf(np.ones(5) / 5, np.ones(3))
    with pytest.raises(ValueError, match="integer type"):
        stats.multinomial.logpmf(np.ones(3), 3.0, np.ones(3) / 3)
