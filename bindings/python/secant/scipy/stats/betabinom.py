"""The beta-binomial distribution, as jax.scipy.stats.betabinom."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(5)
def logpmf(k, n, a, b, loc=0):
    """Logarithm of the probability; NaN where n is negative or a or b is not positive."""
    k, n, a, b, loc = promoted_inexact(*arraylike("betabinom.logpmf", k, n, a, b, loc))
    y = jnp.floor(k) - loc
    ways = -(jnp.log1p(n) + special.betaln(n - y + 1, y + 1))
    out = ways + special.betaln(y + a, n - y + b) - special.betaln(a, b)
    out = jnp.where((y == 0) & (n == 0), 0.0, out)
    out = jnp.where((y < -loc) | (y > n) | (y + a <= 0), -np.inf, out)
    return jnp.where((n < 0) | (a <= 0) | (b <= 0), np.nan, out)


@op(5)
def pmf(k, n, a, b, loc=0):
    """The probability."""
    return jnp.exp(logpmf(k, n, a, b, loc))
