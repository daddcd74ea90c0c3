"""The generalized normal distribution, as jax.scipy.stats.gennorm."""

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(2)
def logpdf(x, beta):
    """Logarithm of the density."""
    x, beta = promoted_inexact(*arraylike("gennorm.logpdf", x, beta))
    return jnp.log(0.5 * beta) - special.gammaln(1 / beta) - jnp.abs(x) ** beta


@op(2)
def pdf(x, beta):
    """The density."""
    return jnp.exp(logpdf(x, beta))
