"""The von Mises distribution, as jax.scipy.stats.vonmises."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(2)
def logpdf(x, kappa):
    """Logarithm of the density."""
    x, kappa = promoted_inexact(*arraylike("vonmises.logpdf", x, kappa))
    out = kappa * (jnp.cos(x) - 1) - jnp.log(2 * np.pi * special.i0e(kappa))
    return jnp.where(kappa > 0, out, np.nan)


@op(2)
def pdf(x, kappa):
    """The density."""
    return jnp.exp(logpdf(x, kappa))
