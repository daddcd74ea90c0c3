"""The Poisson distribution, as jax.scipy.stats.poisson."""

import numpy as np

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(3)
def logpmf(k, mu, loc=0):
    """Logarithm of the probability."""
    k, mu, loc = promoted_inexact(*arraylike("poisson.logpmf", k, mu, loc))
    x = k - loc
    return jnp.where((x < 0) | (jnp.round(k) != k), -np.inf, special.xlogy(x, mu) - lax.lgamma(x + 1) - mu)


@op(3)
def pmf(k, mu, loc=0):
    """The probability."""
    return jnp.exp(logpmf(k, mu, loc))


@op(3)
def cdf(k, mu, loc=0):
    """The distribution function."""
    k, mu, loc = promoted_inexact(*arraylike("poisson.cdf", k, mu, loc))
    x = k - loc
    return jnp.where(x < 0, 0.0, special.gammaincc(jnp.floor(1 + x), mu))


def _sum(mu, reach, last):
    """The entropy as a sum over k below ceil(last), at most `reach`; mu has one axis."""
    k = jnp.arange(reach, dtype=mu.dtype)[:, None]
    return jnp.sum(special.entr(jnp.where(k < jnp.ceil(last), pmf(k, mu), 0.0)), axis=0)


@op(2)
def entropy(mu, loc=0):
    """The entropy: by its sum, from mu = 100 on by its asymptotic series."""
    mu, loc = promoted_inexact(*arraylike("poisson.entropy", mu, loc))
    shape = np.broadcast_shapes(mu.shape, loc.shape)
    m = mu.reshape(-1)
    large = 0.5 * jnp.log(2 * np.pi * np.e * m) - 1 / (12 * m)
    medium = _sum(m, 250, m + 10 * jnp.sqrt(m) + 20)
    out = jnp.where(m < 10, _sum(m, 35, m + 20), jnp.where(m < 100, medium, large))
    return jnp.broadcast_to(jnp.where(m == 0, 0.0, out).reshape(mu.shape), shape)
