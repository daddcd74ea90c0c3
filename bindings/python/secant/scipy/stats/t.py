"""The Student's t-distribution, as jax.scipy.stats.t."""

import math

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


@op(4)
def logpdf(x, df, loc=0, scale=1):
    """Logarithm of the density."""
    x, df, loc, scale = promoted_inexact(*arraylike("t.logpdf", x, df, loc, scale))
    y = (x - loc) / scale
    norm = jnp.log(jnp.abs(scale)) + 0.5 * jnp.log(df * math.pi) + lax.lgamma(df / 2) - lax.lgamma(df / 2 + 0.5)
    return -(norm + (df + 1) / 2 * jnp.log1p(y * y / df))


@op(4)
def pdf(x, df, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, df, loc, scale))
