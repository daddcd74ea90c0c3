"""The gamma distribution, as jax.scipy.stats.gamma."""

import numpy as np

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


def _operands(name, x, a, loc, scale):
    x, a, loc, scale = promoted_inexact(*arraylike("gamma." + name, x, a, loc, scale))
    return x, a, loc, scale, (x - loc) / scale


@op(4)
def logpdf(x, a, loc=0, scale=1):
    """Logarithm of the density."""
    x, a, loc, scale, y = _operands("logpdf", x, a, loc, scale)
    y = jnp.where(x >= loc, y, 1.0)
    return jnp.where(x >= loc, special.xlogy(a - 1, y) - y - (lax.lgamma(a) + jnp.log(scale)), -np.inf)


@op(4)
def pdf(x, a, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, a, loc, scale))


@op(4)
def cdf(x, a, loc=0, scale=1):
    """The distribution function."""
    _, a, _, _, y = _operands("cdf", x, a, loc, scale)
    return special.gammainc(a, jnp.clip(y, 0.0, np.inf))


@op(4)
def logcdf(x, a, loc=0, scale=1):
    """Logarithm of the distribution function."""
    return jnp.log(cdf(x, a, loc, scale))


@op(4)
def sf(x, a, loc=0, scale=1):
    """1 - cdf, accurate where that is small."""
    _, a, _, _, y = _operands("sf", x, a, loc, scale)
    return jnp.where(y < 0, 1.0, special.gammaincc(a, y))


@op(4)
def logsf(x, a, loc=0, scale=1):
    """Logarithm of sf."""
    return jnp.log(sf(x, a, loc, scale))
