"""The uniform distribution, as jax.scipy.stats.uniform."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


@op(3)
def logpdf(x, loc=0, scale=1):
    """Logarithm of the density."""
    x, loc, scale = promoted_inexact(*arraylike("uniform.logpdf", x, loc, scale))
    return jnp.where((x < loc) | (x > loc + scale), -np.inf, -jnp.log(scale))


@op(3)
def pdf(x, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, loc, scale))
