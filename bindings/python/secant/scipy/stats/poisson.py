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
    return jnp.where((x < 0) | (x != jnp.floor(x)), -np.inf, special.xlogy(x, mu) - lax.lgamma(x + 1) - mu)


@op(3)
def pmf(k, mu, loc=0):
    """The probability."""
    return jnp.exp(logpmf(k, mu, loc))
