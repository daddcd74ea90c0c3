"""The Pareto distribution, as jax.scipy.stats.pareto."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


def _tail(name, x, b, loc, scale):
    """(whether x is in the support, the logarithm of the probability of more)."""
    x, b, loc, scale = promoted_inexact(*arraylike(name, x, b, loc, scale))
    y = (x - loc) / scale
    inside = y >= 1
    return inside, -b * jnp.log(jnp.where(inside, y, 1))


@op(4)
def logpdf(x, b, loc=0, scale=1):
    """Logarithm of the density."""
    x, b, loc, scale = promoted_inexact(*arraylike("pareto.logpdf", x, b, loc, scale))
    y = (x - loc) / scale
    return jnp.where(x < loc + scale, -np.inf, jnp.log(b / scale) - (b + 1) * jnp.log(y))


@op(4)
def pdf(x, b, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, b, loc, scale))


@op(4)
def cdf(x, b, loc=0, scale=1):
    """The probability of at most x."""
    inside, tail = _tail("pareto.cdf", x, b, loc, scale)
    return jnp.where(inside, -jnp.expm1(tail), 0)


@op(4)
def logcdf(x, b, loc=0, scale=1):
    """Its logarithm."""
    inside, tail = _tail("pareto.logcdf", x, b, loc, scale)
    return jnp.where(inside, jnp.log1p(-jnp.exp(tail)), -np.inf)


@op(4)
def logsf(x, b, loc=0, scale=1):
    """Logarithm of the probability of more than x."""
    inside, tail = _tail("pareto.logsf", x, b, loc, scale)
    return jnp.where(inside, tail, 0)


@op(4)
def sf(x, b, loc=0, scale=1):
    """The probability of more than x."""
    return jnp.exp(logsf(x, b, loc, scale))


@op(4)
def ppf(q, b, loc=0, scale=1):
    """The x with probability q of at most x."""
    q, b, loc, scale = promoted_inexact(*arraylike("pareto.ppf", q, b, loc, scale))
    return jnp.where((q < 0) | (q > 1), np.nan, loc + scale * jnp.power(1 - q, -1 / b))
