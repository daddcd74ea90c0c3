"""The chi-squared distribution, as jax.scipy.stats.chi2."""

import numpy as np

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


def _operands(name, x, df, loc, scale):
    x, df, loc, scale = promoted_inexact(*arraylike("chi2." + name, x, df, loc, scale))
    return x, df, loc, scale, (x - loc) / scale


@op(4)
def logpdf(x, df, loc=0, scale=1):
    """Logarithm of the density."""
    x, df, loc, scale, y = _operands("logpdf", x, df, loc, scale)
    kernel = (df / 2 - 1) * jnp.log(y) - y / 2
    return jnp.where(x < loc, -np.inf, kernel - lax.lgamma(df / 2) - np.log(2) * df / 2 - jnp.log(scale))


@op(4)
def pdf(x, df, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, df, loc, scale))


@op(4)
def cdf(x, df, loc=0, scale=1):
    """The distribution function."""
    _, df, _, _, y = _operands("cdf", x, df, loc, scale)
    return special.gammainc(df / 2, jnp.clip(y / 2, 0.0, np.inf))


@op(4)
def logcdf(x, df, loc=0, scale=1):
    """Logarithm of the distribution function."""
    return jnp.log(cdf(x, df, loc, scale))


@op(4)
def sf(x, df, loc=0, scale=1):
    """1 - cdf, accurate where that is small."""
    _, df, _, _, y = _operands("sf", x, df, loc, scale)
    return special.gammaincc(df / 2, jnp.clip(y / 2, 0.0, np.inf))


@op(4)
def logsf(x, df, loc=0, scale=1):
    """Logarithm of sf."""
    return jnp.log(sf(x, df, loc, scale))
