"""The geometric distribution, as jax.scipy.stats.geom."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(3)
def logpmf(k, p, loc=0):
    """Logarithm of the probability."""
    k, p, loc = promoted_inexact(*arraylike("geom.logpmf", k, p, loc))
    x = k - loc
    return jnp.where(x <= 0, -np.inf, special.xlog1py(x - 1, -p) + jnp.log(p))


@op(3)
def pmf(k, p, loc=0):
    """The probability."""
    return jnp.exp(logpmf(k, p, loc))
