"""The wrapped Cauchy distribution, as jax.scipy.stats.wrapcauchy."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


@op(2)
def logpdf(x, c):
    """Logarithm of the density."""
    x, c = promoted_inexact(*arraylike("wrapcauchy.logpdf", x, c))
    out = jnp.log(1 - c * c) - np.log(2 * np.pi).item() - jnp.log(1 + c * c - 2 * c * jnp.cos(x))
    out = jnp.where((x >= 0) & (x <= 2 * np.pi), out, -np.inf)
    return jnp.where((c > 0) & (c < 1), out, np.nan)


@op(2)
def pdf(x, c):
    """The density."""
    return jnp.exp(logpdf(x, c))
