"""The normal distribution between bounds, as jax.scipy.stats.truncnorm."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


def _log_mass(a, b):
    """Logarithm of the normal probability of a .. b, by the side where it does not cancel."""
    left, right = b <= 0, a > 0
    low, high = jnp.where(right, -b, a), jnp.where(right, -a, b)
    tails = left | right
    high_log, low_log = special.log_ndtr(high), special.log_ndtr(low)
    # log(F(high) - F(low)) on one side, log(1 - F(a) - F(-b)) across the middle
    one_side = high_log + jnp.log1p(-jnp.exp(jnp.where(tails, low_log - high_log, -1.0)))
    middle = jnp.log1p(-special.ndtr(a) - special.ndtr(-b))
    return jnp.where(tails, one_side, middle)


def _standard(name, x, a, b, loc, scale):
    x, a, b, loc, scale = promoted_inexact(*arraylike("truncnorm." + name, x, a, b, loc, scale))
    x, a, b = jnp.broadcast_arrays((x - loc) / scale, a, b)
    return x, a, b, scale


@op(5)
def logpdf(x, a, b, loc=0, scale=1):
    """Logarithm of the density."""
    x, a, b, scale = _standard("logpdf", x, a, b, loc, scale)
    out = -0.5 * x * x - 0.5 * np.log(2 * np.pi).item() - jnp.log(scale) - _log_mass(a, b)
    out = jnp.where((x < a) | (x > b), -np.inf, out)
    return jnp.where(a >= b, np.nan, out)


@op(5)
def pdf(x, a, b, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, a, b, loc, scale))


@op(5)
def logcdf(x, a, b, loc=0, scale=1):
    """Logarithm of the probability of at most x."""
    x, a, b, scale = _standard("logcdf", x, a, b, loc, scale)
    inside = (x > a) & (x < b)
    out = _log_mass(a, jnp.where(inside, x, b)) - _log_mass(a, b)
    out = jnp.where(x <= a, -np.inf, jnp.where(x >= b, 0, out))
    return jnp.where(a >= b, np.nan, out)


@op(5)
def cdf(x, a, b, loc=0, scale=1):
    """The probability of at most x."""
    return jnp.exp(logcdf(x, a, b, loc, scale))


@op(5)
def logsf(x, a, b, loc=0, scale=1):
    """Logarithm of the probability of more than x."""
    x, a, b, loc, scale = arraylike("truncnorm.logsf", x, a, b, loc, scale)
    return logcdf(-x, -b, -a, -loc, scale)


@op(5)
def sf(x, a, b, loc=0, scale=1):
    """The probability of more than x."""
    return jnp.exp(logsf(x, a, b, loc, scale))
