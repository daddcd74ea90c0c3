"""The binomial distribution, as jax.scipy.stats.binom."""

import numpy as np

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(4)
def logpmf(k, n, p, loc=0):
    """Logarithm of the probability."""
    k, n, p, loc = promoted_inexact(*arraylike("binom.logpmf", k, n, p, loc))
    y = k - loc
    ways = lax.lgamma(n + 1) - (lax.lgamma(y + 1) + lax.lgamma(n - y + 1))
    linear = special.xlogy(y, p) + special.xlog1py(n - y, -p)
    out = jnp.where(((y == 0) & (n == 0)) | (linear == 0), 0.0, ways + linear)
    return jnp.where((k >= loc) & (k < loc + n + 1), out, -np.inf)


@op(4)
def pmf(k, n, p, loc=0):
    """The probability."""
    return jnp.exp(logpmf(k, n, p, loc))
