"""The beta distribution, as jax.scipy.stats.beta."""

import numpy as np

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact
from secant.scipy import special


@op(5)
def logpdf(x, a, b, loc=0, scale=1):
    """Logarithm of the density."""
    x, a, b, loc, scale = promoted_inexact(*arraylike("beta.logpdf", x, a, b, loc, scale))
    y = (x - loc) / scale
    out = special.xlogy(a - 1, y) + special.xlog1py(b - 1, -y) - special.betaln(a, b) - jnp.log(scale)
    return jnp.where((y < 0) | (y > 1), -np.inf, out)


@op(5)
def pdf(x, a, b, loc=0, scale=1):
    """The density."""
    return jnp.exp(logpdf(x, a, b, loc, scale))
