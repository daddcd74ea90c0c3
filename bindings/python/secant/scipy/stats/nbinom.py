"""The negative binomial distribution, as jax.scipy.stats.nbinom."""

import numpy as np

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(4)
def logpmf(k, n, p, loc=0):
    """Logarithm of the probability."""
    k, n, p, loc = promoted_inexact(*arraylike("nbinom.logpmf", k, n, p, loc))
    y = k - loc
    ways = lax.lgamma(y + n) - lax.lgamma(n) - lax.lgamma(y + 1)
    return jnp.where(k < loc, -np.inf, ways + special.xlogy(n, p) + special.xlogy(y, 1 - p))


@op(4)
def pmf(k, n, p, loc=0):
    """The probability."""
    return jnp.exp(logpmf(k, n, p, loc))
