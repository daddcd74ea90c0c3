"""The Gumbel distribution of the least, as jax.scipy.stats.gumbel_l."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


def _standard(name, x, loc, scale):
    x, loc, scale = promoted_inexact(*arraylike("gumbel_l." + name, x, loc, scale))
    return (x - loc) / scale, scale


@op(3)
def logpdf(x, loc=0, scale=1):
    """Logarithm of the density."""
    z, scale = _standard("logpdf", x, loc, scale)
    return jnp.where(scale > 0, z - jnp.exp(z) - jnp.log(scale), np.nan)


@op(3)
def pdf(x, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, loc, scale))


@op(3)
def cdf(x, loc=0, scale=1):
    """The probability of at most x."""
    z, scale = _standard("cdf", x, loc, scale)
    return jnp.where(scale > 0, -jnp.expm1(-jnp.exp(z)), np.nan)


@op(3)
def logcdf(x, loc=0, scale=1):
    """Its logarithm."""
    z, scale = _standard("logcdf", x, loc, scale)
    return jnp.where(scale > 0, jnp.log(-jnp.expm1(-jnp.exp(z))), np.nan)


@op(3)
def sf(x, loc=0, scale=1):
    """The probability of more than x."""
    z, scale = _standard("sf", x, loc, scale)
    return jnp.where(scale > 0, jnp.exp(-jnp.exp(z)), np.nan)


@op(3)
def logsf(x, loc=0, scale=1):
    """Its logarithm."""
    z, scale = _standard("logsf", x, loc, scale)
    return jnp.where(scale > 0, -jnp.exp(z), np.nan)


@op(3)
def ppf(p, loc=0, scale=1):
    """The x with probability p of at most x."""
    p, loc, scale = promoted_inexact(*arraylike("gumbel_l.ppf", p, loc, scale))
    return jnp.where((p > 0) & (p < 1) & (scale > 0), loc + scale * jnp.log(-jnp.log1p(-p)), np.nan)
