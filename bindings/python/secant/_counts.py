"""Binomial and multinomial numbers of secant.random."""

import math

import numpy as np

from secant import _types, lax, numpy as jnp
from secant._distributions import _as, _full
from secant.random import _dtype, _shape, key_data, split, uniform

# ln k! less Stirling's (k + 1/2) ln(k + 1) - (k + 1) + ln(2 pi) / 2
_TAILS = [
    math.lgamma(k + 1) - ((k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi)) for k in range(10)
]


def _tail(k):
    """The error of Stirling's formula: a table for small k, else the first terms of its series in 1 / (k + 1)."""
    small = k <= 9
    k = jnp.clip(k, 0.0, 9.0)
    square = (k + 1) * (k + 1)
    series = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)
    table = jnp.array(np.array(_TAILS, k.dtype))
    return jnp.where(small, table[jnp.floor(k).astype("int32")], series)


def _by_waiting(words, n, p, shape, limit):
    """How many geometric waiting times fit into n."""
    log_q = jnp.log1p(-p)

    def step(state):
        i, count, total, words = state
        own, words = split(words)
        count = jnp.where(total <= n, count + 1, count)
        total = total + jnp.ceil(jnp.log(uniform(own, shape, p.dtype)) / log_q)
        return i + 1, count, total, words

    start = (0, jnp.zeros(shape, p.dtype), jnp.zeros(shape, p.dtype), words)
    return lax.while_loop(lambda s: jnp.any(s[2] <= n) & (s[0] < limit), step, start)[1] - 1


def _by_rejection(words, n, p, shape, limit):
    """Transformed rejection with squeeze (Hörmann, Journal of Statistical Computation and Simulation 46, 1993)."""
    deviation = jnp.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    r = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    m = jnp.floor((n + 1) * p)

    def step(state):
        i, out, accepted, words = state
        words, first, second = split(words, 3)
        u = uniform(first, shape, p.dtype) - 0.5
        v = uniform(second, shape, p.dtype)
        us = 0.5 - jnp.abs(u)
        inside = (us >= 0.07) & (v <= v_r)
        k = jnp.floor((2 * a / us + b) * u + c)
        v = jnp.log(v * alpha / (a / (us * us) + b))
        bound = (
            (m + 0.5) * jnp.log((m + 1) / (r * (n - m + 1)))
            + (n + 1) * jnp.log((n - m + 1) / (n - k + 1))
            + (k + 0.5) * jnp.log(r * (n - k + 1) / (k + 1))
            + _tail(m)
            + _tail(n - m)
            - _tail(k)
            - _tail(n - k)
        )
        accept = inside | (~((k < 0) | (k > n)) & (v <= bound))
        return i + 1, jnp.where(accept, k, out), accepted | accept, words

    start = (0, jnp.full(shape, -1, p.dtype), jnp.full(shape, False), words)
    return lax.while_loop(lambda s: jnp.any(~s[2]) & (s[0] < limit), step, start)[1]


def binomial(key, n, p, shape=None, dtype=None):
    """How many of n trials of probability p succeed, as floats."""
    shape = _full(shape, n, p)
    code = _dtype(dtype, "FLOAT", "binomial")
    p = jnp.asarray(p)
    p = p if p.aval.is_float else p.astype(_types.numpy_dtype(_types.default_code("FLOAT")))
    n, p = (_as(x, shape, p.aval.code) for x in (n, p))
    low = p < 0.5
    q = jnp.where(low, p, 1.0 - p)
    bad_n, infinite = jnp.isnan(n) | (n < 0), jnp.isinf(n)
    missing, negative = jnp.isnan(q), q < 0
    q = jnp.where(missing | negative, 0.01, q)
    few = bad_n | (n * q <= 10.0)
    n, words, limit = jnp.floor(n), key_data(key), float(np.finfo(np.float32).max)
    waited = _by_waiting(words, jnp.where(few, n, 0.0), q, shape, limit)
    drawn = _by_rejection(words, jnp.where(few, 1e4, n), jnp.where(few, 0.5, q), shape, limit)
    dtype = _types.numpy_dtype(code)
    out = jnp.where(few, waited, drawn).astype(dtype)
    invalid = negative | missing | bad_n
    out = jnp.where(invalid, np.nan, out)
    out = jnp.where(infinite & ~invalid, np.inf, out)
    return jnp.where(low | bad_n | missing | infinite, out, n.astype(dtype) - out)


def multinomial(key, n, p, *, shape=None, dtype=None, unroll=1):
    """How often n trials have each outcome; probabilities along the last axis of p, counts as floats."""
    code = _dtype(dtype, "FLOAT", "multinomial")
    p = jnp.asarray(p)
    p = p if p.aval.is_float else p.astype(_types.numpy_dtype(_types.default_code("FLOAT")))
    shape = p.shape if shape is None else _shape(shape)
    n, p = _as(n, shape[:-1], p.aval.code), jnp.moveaxis(jnp.broadcast_to(p, shape), -1, 0)
    left = lax.cumsum(p, 0, reverse=True)
    ratios = p / jnp.where(left == 0, 1, left)

    def step(rest, outcome):
        ratio, words = outcome
        count = binomial(words, rest, jnp.clip(ratio, 0, 1), dtype=rest.dtype)
        return rest - count, count

    counts = lax.scan(step, n, (ratios, split(key_data(key), ratios.shape[0])))[1]
    return jnp.moveaxis(counts, 0, -1).astype(_types.numpy_dtype(code))
