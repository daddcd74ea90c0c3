"""The nearest of given codes, as jax.scipy.cluster.vq."""

from secant import numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike, promoted_inexact


def vq(obs, code_book, check_finite=True):
    """(the index of the code that is nearest to each observation, its distance)."""
    return _vq(obs, code_book)


@op(2)
def _vq(obs, code_book):
    x, codes = promoted_inexact(*arraylike("scipy.cluster.vq.vq", obs, code_book))
    if x.ndim != codes.ndim:
        raise ValueError("Observation and code_book should have the same rank")
    if x.ndim == 1:
        x, codes = x[:, None], codes[:, None]
    if x.ndim != 2:
        raise ValueError("ndim different than 1 or 2 are not supported")
    distance = jnp.linalg.norm(x[:, None] - codes[None], axis=-1)
    code = jnp.argmin(distance, -1)
    return code, jnp.take_along_axis(distance, code[:, None], -1)[:, 0]
