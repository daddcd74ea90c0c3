"""The multinomial distribution, as jax.scipy.stats.multinomial."""

import numpy as np

from secant import _types, lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, inexact, promoted
from secant.scipy import special


@op(3)
def logpmf(x, n, p):
    """Logarithm of the probability of the counts x (integers) out of n."""
    x, n = promoted(*arraylike("multinomial.logpmf", x, n))
    p = inexact(arraylike("multinomial.logpmf", p))
    if not _types.is_integer(x.aval.code):
        raise ValueError(f"x and n must be of integer type; got x.dtype={x.dtype}, n.dtype={n.dtype}")
    x, n = x.astype(p.dtype), n.astype(p.dtype)
    out = lax.lgamma(n + 1) + jnp.sum(special.xlogy(x, p) - lax.lgamma(x + 1), axis=-1)
    return jnp.where(jnp.sum(x) == n, out, -np.inf)


@op(3)
def pmf(x, n, p):
    """The probability."""
    return jnp.exp(logpmf(x, n, p))
