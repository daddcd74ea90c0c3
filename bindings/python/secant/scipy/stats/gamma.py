"""The gamma distribution, as jax.scipy.stats.gamma."""

import numpy as np

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(4)
def logpdf(x, a, loc=0, scale=1):
    """Logarithm of the density."""
    x, a, loc, scale = promoted_inexact(*arraylike("gamma.logpdf", x, a, loc, scale))
    y = (x - loc) / scale
    out = special.xlogy(a - 1, y) - y - lax.lgamma(a) - jnp.log(scale)
    return jnp.where(x >= loc, out, -np.inf)


@op(4)
def pdf(x, a, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, a, loc, scale))
