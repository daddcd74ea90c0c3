"""The beta distribution, as jax.scipy.stats.beta."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


def _operands(name, x, a, b, loc, scale):
    x, a, b, loc, scale = promoted_inexact(*arraylike("beta." + name, x, a, b, loc, scale))
    return x, a, b, loc, scale, (x - loc) / scale


@op(5)
def logpdf(x, a, b, loc=0, scale=1):
    """Logarithm of the density; NaN where a, b or scale is not positive."""
    x, a, b, loc, scale, y = _operands("logpdf", x, a, b, loc, scale)
    out = special.xlogy(a - 1, y) + special.xlog1py(b - 1, -y) - special.betaln(a, b) - jnp.log(scale)
    out = jnp.where((x > loc + scale) | (x < loc), -np.inf, out)
    return jnp.where((a <= 0) | (b <= 0) | (scale <= 0), np.nan, out)


@op(5)
def pdf(x, a, b, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, a, b, loc, scale))


@op(5)
def cdf(x, a, b, loc=0, scale=1):
    """The distribution function."""
    _, a, b, _, _, y = _operands("cdf", x, a, b, loc, scale)
    return special.betainc(a, b, jnp.clip(y, 0.0, 1.0))


@op(5)
def logcdf(x, a, b, loc=0, scale=1):
    """Logarithm of the distribution function."""
    return jnp.log(cdf(x, a, b, loc, scale))


@op(5)
def sf(x, a, b, loc=0, scale=1):
    """1 - cdf, accurate where that is small."""
    _, a, b, _, _, y = _operands("sf", x, a, b, loc, scale)
    return special.betainc(b, a, 1 - jnp.clip(y, 0.0, 1.0))


@op(5)
def logsf(x, a, b, loc=0, scale=1):
    """Logarithm of sf."""
    return jnp.log(sf(x, a, b, loc, scale))
