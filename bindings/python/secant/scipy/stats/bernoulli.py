"""The Bernoulli distribution, as jax.scipy.stats.bernoulli."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(3)
def logpmf(k, p, loc=0):
    """Logarithm of the probability."""
    k, p, loc = promoted_inexact(*arraylike("bernoulli.logpmf", k, p, loc))
    x = k - loc
    out = special.xlogy(x, p) + special.xlog1py(1 - x, -p)
    return jnp.where((x == 0) | (x == 1), out, -np.inf)


@op(3)
def pmf(k, p, loc=0):
    """The probability."""
    return jnp.exp(logpmf(k, p, loc))
