"""Random orders, as jax.random: repeated stable sorts by fresh random bits."""

import math

import numpy as np

from secant import _types, lax
from secant import numpy as jnp
from secant._eager import op
from secant._operators import Array
from secant._trace import tracer
from secant.lax._sort import sort_key_val, top_k
from secant.numpy._common import one_axis
from secant.random import _bits, _gumbel, _on_key, _split


def _shuffled(words, x, axis):
    """Three times as many bits as n! different orders would need, 32 an element and round."""
    rounds = math.ceil(3 * math.log(max(1, x.size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        keys = _split(words, (2,))
        words = keys[0]
        x = sort_key_val(_bits(keys[1], x.shape, 32), x, axis)[1]
    return x


@op(1)
def _permuted_range(words, n):
    return _shuffled(tracer(words), jnp.arange(n), 0)


@op(2)
def _permuted(words, x, axis, independent):
    words, x = tracer(words), tracer(x)
    axis = one_axis(axis, x.ndim)
    if independent or x.ndim == 1:
        return _shuffled(words, x, axis)
    return jnp.take(x, _shuffled(words, jnp.arange(x.shape[axis]), 0), axis, mode="clip")


def permutation(key, x, axis=0, independent=False, *, out_sharding=None):
    """An array with its parts along an axis in random order, or range(x); `independent`: each row in its own."""
    if np.ndim(x):
        return _on_key(_permuted, key, x, axis, bool(independent))
    if not isinstance(x, (int, np.integer)) and not _types.is_integer(_types.code_of(x.dtype)):
        raise TypeError("x must be an integer or at least 1-dimensional")
    return _on_key(_permuted_range, key, int(x))


@op(2)
def _weighted(words, p, count):
    p = tracer(p)
    return top_k(_gumbel(tracer(words), p.shape, p.aval.code) + jnp.log(p), count)[1]


def choice_without_replacement(key, a, shape, p, axis):
    """Different elements of `a` (or of arange(a)): choice with replace=False."""
    is_range = np.ndim(a) == 0 and not isinstance(a, Array)
    n, count = int(a) if is_range else a.shape[axis], math.prod(shape)
    if count > n:
        raise ValueError(f"Cannot take a larger sample (size {count}) than population (size {n}) when 'replace=False'")
    if p is None:
        out = permutation(key, a, axis)
        out = lax.slice_in_dim(out, 0, count, 1, 0 if is_range else axis)
    else:
        at = _on_key(_weighted, key, jnp.asarray(p), count)
        out = at if is_range else jnp.take(a, at, axis, mode="clip")
    return out.reshape(shape) if is_range else out.reshape(*a.shape[:axis], *shape, *a.shape[axis + 1 :])
