"""The logistic distribution, as jax.scipy.stats.logistic."""

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


@op(3)
def logpdf(x, loc=0, scale=1):
    """Logarithm of the density."""
    x, loc, scale = promoted_inexact(*arraylike("logistic.logpdf", x, loc, scale))
    half = (x - loc) / scale / 2
    return -2 * jnp.logaddexp(half, -half) - jnp.log(scale)


@op(3)
def pdf(x, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, loc, scale))
