"""The Laplace distribution, as jax.scipy.stats.laplace."""

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


@op(3)
def logpdf(x, loc=0, scale=1):
    """Logarithm of the density."""
    x, loc, scale = promoted_inexact(*arraylike("laplace.logpdf", x, loc, scale))
    return -(jnp.abs(x - loc) / scale) - jnp.log(2 * scale)


@op(3)
def pdf(x, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, loc, scale))
