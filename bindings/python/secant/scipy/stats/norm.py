"""The normal distribution, as jax.scipy.stats.norm."""

import math

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(3)
def logpdf(x, loc=0, scale=1):
    """Logarithm of the density."""
    x, loc, scale = promoted_inexact(*arraylike("norm.logpdf", x, loc, scale))
    variance = jnp.square(scale)
    return -(jnp.log(2 * math.pi * variance) + jnp.square(x - loc) / variance) / 2


@op(3)
def pdf(x, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, loc, scale))


def _standard(x, loc, scale):
    x, loc, scale = promoted_inexact(*arraylike("norm", x, loc, scale))
    return (x - loc) / scale


@op(3)
def cdf(x, loc=0, scale=1):
    """The distribution function."""
    return special.ndtr(_standard(x, loc, scale))


@op(3)
def logcdf(x, loc=0, scale=1):
    """Logarithm of the distribution function."""
    return special.log_ndtr(_standard(x, loc, scale))


@op(3)
def sf(x, loc=0, scale=1):
    """1 - cdf."""
    return special.ndtr(-_standard(x, loc, scale))


@op(3)
def logsf(x, loc=0, scale=1):
    """Logarithm of 1 - cdf."""
    return special.log_ndtr(-_standard(x, loc, scale))


@op(3)
def ppf(q, loc=0, scale=1):
    """Inverse of cdf."""
    q, loc, scale = promoted_inexact(*arraylike("norm.ppf", q, loc, scale))
    return special.ndtri(q) * scale + loc
