"""The normal distribution of vectors, as jax.scipy.stats.multivariate_normal."""

import numpy as np

from secant import lax, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


def logpdf(x, mean, cov, allow_singular=None):
    """Logarithm of the density of vectors along the last axis."""
    if allow_singular is not None:
        raise NotImplementedError("allow_singular argument of multivariate_normal.logpdf")
    return _logpdf(x, mean, cov)


@op(3)
def _logpdf(x, mean, cov):
    x, mean, cov = promoted_inexact(*arraylike("multivariate_normal.logpdf", x, mean, cov))
    if not mean.ndim:
        return -0.5 * jnp.square(x - mean) / cov - 0.5 * (np.log(2 * np.pi).item() + jnp.log(cov))
    n = mean.shape[-1]
    if not cov.ndim:
        y = x - mean
        return -0.5 * jnp.sum(y * y, -1) / cov - 0.5 * n * (np.log(2 * np.pi).item() + jnp.log(cov))
    if cov.ndim < 2 or cov.shape[-2:] != (n, n):
        raise ValueError(f"multivariate_normal.logpdf got incompatible shapes: mean {mean.shape}, cov {cov.shape}")
    root = jnp.linalg.cholesky(cov)
    y = x - mean
    shape = jnp.broadcast_shapes(y.shape[:-1], root.shape[:-2])
    y = jnp.broadcast_to(y, (*shape, n))[..., None]
    half = lax.linalg.triangular_solve(jnp.broadcast_to(root, (*shape, n, n)), y, left_side=True, lower=True)[..., 0]
    log_root = jnp.sum(jnp.log(jnp.diagonal(root, axis1=-2, axis2=-1)), -1)
    return -0.5 * jnp.sum(half * half, -1) - 0.5 * n * np.log(2 * np.pi).item() - log_root


def pdf(x, mean, cov):
    """The density."""
    return jnp.exp(logpdf(x, mean, cov))
