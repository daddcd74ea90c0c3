"""More random distributions: those of the gamma family by Marsaglia and Tsang's rejection, and quotients of simple ones."""

import math

import numpy as np

from secant import _types, lax, numpy as jnp
from secant._custom import custom_jvp
from secant._eager import op
from secant._trace import aval_of, literal, tracer
from secant._vmap import vmap
from secant.random import (
    _dtype,
    _on_key,
    _shape,
    _uniform,
    bernoulli,
    exponential,
    key_data,
    normal,
    split,
    uniform,
)

__all__ = tuple(
    """
    ball beta cauchy chisquare dirichlet double_sided_maxwell f gamma generalized_normal geometric laplace
    loggamma logistic lognormal maxwell multivariate_normal orthogonal pareto poisson rademacher rayleigh t triangular
    truncated_normal wald weibull_min
    """.split()
)


def _full(shape, *parameters):
    """The shape of the numbers to draw: given, or that of the parameters."""
    own = np.broadcast_shapes(*(aval_of(p).shape for p in parameters))
    if shape is None:
        return own
    shape = _shape(shape)
    if np.broadcast_shapes(shape, own) != shape:
        raise ValueError(f"shape {shape} of the numbers does not fit parameters of shape {own}")
    return shape


def _as(x, shape, code):
    return jnp.broadcast_to(jnp.asarray(x).astype(_types.numpy_dtype(code)), shape)


# ---- by one uniform number ----
def truncated_normal(key, lower, upper, shape=None, dtype=None, *, out_sharding=None):
    """Standard normal floats between two bounds."""
    code = _dtype(dtype, "FLOAT", "truncated_normal")
    shape = np.broadcast_shapes(np.shape(lower), np.shape(upper)) if shape is None else _shape(shape)
    return _on_key(_truncated_normal, key, lower, upper, shape, code)


@op(3)
def _truncated_normal(words, lower, upper, shape, code):
    dtype = _types.numpy_dtype(code)
    lower, upper = (jnp.astype(tracer(b), dtype) for b in (lower, upper))
    root = literal(code, math.sqrt(2))
    a, b = (lax.erf(x / root) for x in (lower, upper))
    u = _uniform(tracer(words), shape, code, a, b)
    out = root * lax.erf_inv(u)
    low = jnp.nextafter(lower, literal(code, np.inf))
    high = jnp.nextafter(upper, literal(code, -np.inf))
    return jnp.clip(out, low, high)


def laplace(key, shape=(), dtype=None, *, out_sharding=None):
    """Laplace floats."""
    return _on_key(_laplace, key, _shape(shape), _dtype(dtype, "FLOAT", "laplace"))


@op(1)
def _laplace(words, shape, code):
    dtype = _types.numpy_dtype(code)
    u = _uniform(tracer(words), shape, code, -1.0 + float(np.finfo(dtype).epsneg), 1.0)
    return jnp.sign(u) * jnp.log1p(-jnp.abs(u))


def cauchy(key, shape=(), dtype=None, *, out_sharding=None):
    """Cauchy floats."""
    return _on_key(_cauchy, key, _shape(shape), _dtype(dtype, "FLOAT", "cauchy"))


@op(1)
def _cauchy(words, shape, code):
    u = _uniform(tracer(words), shape, code, float(np.finfo(_types.numpy_dtype(code)).eps), 1.0)
    return jnp.tan(literal(code, math.pi) * (u - literal(code, 0.5)))


def logistic(key, shape=(), dtype=None, *, out_sharding=None):
    """Logistic floats."""
    return _on_key(_logistic, key, _shape(shape), _dtype(dtype, "FLOAT", "logistic"))


@op(1)
def _logistic(words, shape, code):
    u = _uniform(tracer(words), shape, code, float(np.finfo(_types.numpy_dtype(code)).eps), 1.0)
    return jnp.log(u / (1 - u))


def rademacher(key, shape=(), dtype=None, *, out_sharding=None):
    """-1 or 1."""
    code = _types.default_code("INT") if dtype is None else _types.code_of(dtype)
    return (2 * bernoulli(key, 0.5, _shape(shape)).astype(_types.numpy_dtype(code)) - 1).astype(
        _types.numpy_dtype(code)
    )


# ---- gamma ----
def _gamma_one(words, alpha, log_space):
    """One number of a gamma distribution, or its logarithm (Marsaglia, Tsang, ACM TOMS 26, 2000)."""
    dtype = alpha.dtype
    big = alpha >= 1
    original = alpha
    alpha = jnp.where(big, alpha, alpha + 1)
    d = alpha - dtype.type(1 / 3)
    c = dtype.type(1 / 3) / jnp.sqrt(d)

    def rejected(state):
        _, x2, v, u = state
        return (u >= 1 - dtype.type(0.0331) * (x2 * x2)) & (jnp.log(u) >= x2 * 0.5 + d * ((1 - v) + jnp.log(v)))

    def draw(state):
        words, _, _ = state
        words, own = split(words)
        x = normal(own, (), dtype)
        return words, x, 1 + x * c

    def again(state):
        words, x_words, u_words = split(state[0], 3)
        zero, minus = jnp.zeros((), dtype), -jnp.ones((), dtype)
        _, x, v = lax.while_loop(lambda s: s[2] <= 0, draw, (x_words, zero, minus))
        return words, x * x, v * v * v, uniform(u_words, (), dtype)

    words, boost_words = split(words)
    start = (words, jnp.zeros((), dtype), jnp.ones((), dtype), jnp.full((), 2, dtype))
    v = lax.while_loop(rejected, again, start)[2]
    if log_space:
        logs = -exponential(boost_words, (), dtype)
        boost = jnp.where(big | (logs == 0), 0, logs / original)
        return jnp.log(d) + jnp.log(v) + boost
    boost = jnp.where(big, 1, jnp.power(1 - uniform(boost_words, (), dtype), 1 / original))
    return d * v * boost


def _gamma_samples(keys, a, log_space):
    return vmap(lambda words, alpha: _gamma_one(words, alpha, log_space))(keys, a)


def _gamma_rule(log_space, primals, tangents):
    """A sample keeps its rank among all: random_gamma_grad, and that over the sample for its logarithm."""
    keys, a = primals
    out = _gamma_samples(keys, a, log_space)
    sample = jnp.exp(out) if log_space else out
    slope = lax.random_gamma_grad(a, sample)
    return out, tangents[1] * (slope / sample if log_space else slope)


_gamma_samples = custom_jvp(_gamma_samples, nondiff_argnums=(2,))
_gamma_samples.defjvp(_gamma_rule)


def _gammas(key, a, shape, code, log_space):
    a = _as(a, shape, code).reshape(-1)
    keys = split(key_data(key), a.shape[0])
    return _gamma_samples(keys, a, log_space).reshape(shape)


def gamma(key, a, shape=None, dtype=None, *, out_sharding=None):
    """Gamma floats of shape parameter `a`, with derivatives in `a`."""
    return _gammas(key, a, _full(shape, a), _dtype(dtype, "FLOAT", "gamma"), False)


def loggamma(key, a, shape=None, dtype=None, *, out_sharding=None):
    """Logarithms of gamma floats, accurate for small `a`."""
    return _gammas(key, a, _full(shape, a), _dtype(dtype, "FLOAT", "loggamma"), True)


def beta(key, a, b, shape=None, dtype=None, *, out_sharding=None):
    """Beta floats."""
    shape, code = _full(shape, a, b), _dtype(dtype, "FLOAT", "beta")
    first, second = split(key)
    x, y = _gammas(first, a, shape, code, True), _gammas(second, b, shape, code, True)
    top = jnp.maximum(x, y)
    x, y = jnp.exp(x - top), jnp.exp(y - top)
    return x / (x + y)


def dirichlet(key, alpha, shape=None, dtype=None, *, out_sharding=None):
    """Dirichlet vectors with parameters along the last axis of `alpha`."""
    alpha = jnp.asarray(alpha)
    if alpha.ndim < 1:
        raise ValueError(f"dirichlet requires alpha.ndim >= 1, got {alpha.aval.str_short()}")
    shape = alpha.shape[:-1] if shape is None else _shape(shape)
    logs = loggamma(key, alpha, shape + alpha.shape[-1:], dtype)
    e = jnp.exp(logs - jnp.max(logs, -1, keepdims=True))
    return e / jnp.sum(e, -1, keepdims=True)


def chisquare(key, df, shape=None, dtype=None, *, out_sharding=None):
    """Chi-square floats of df degrees of freedom."""
    shape, code = _full(shape, df), _dtype(dtype, "FLOAT", "chisquare")
    return 2 * jnp.exp(_gammas(key, 0.5 * _as(df, shape, code), shape, code, True))


def f(key, dfnum, dfden, shape=None, dtype=None, *, out_sharding=None):
    """F-distributed floats."""
    shape, code = _full(shape, dfnum, dfden), _dtype(dtype, "FLOAT", "f")
    second, first = split(key)
    dfnum, dfden = _as(dfnum, shape, code), _as(dfden, shape, code)
    dtype = _types.numpy_dtype(code)
    return (chisquare(first, dfnum, shape, dtype) / dfnum) / (chisquare(second, dfden, shape, dtype) / dfden)


def t(key, df, shape=None, dtype=None, *, out_sharding=None):
    """Student's t-distributed floats."""
    shape, code = _full(shape, df), _dtype(dtype, "FLOAT", "t")
    first, second = split(key)
    half = _as(df, shape, code) / 2
    return normal(first, shape, _types.numpy_dtype(code)) * jnp.sqrt(half / _gammas(second, half, shape, code, False))


def generalized_normal(key, p, shape=(), dtype=None, *, out_sharding=None):
    """Floats of density proportional to exp(-|x|**p)."""
    code = _dtype(dtype, "FLOAT", "generalized_normal")
    shape = _shape(shape)
    first, second = split(key)
    sign = _signs(second, shape, code)
    return sign * _gammas(first, 1 / p, shape, code, False) ** (1 / p)


def _signs(key, shape, code):
    """-1 or 1 as floats."""
    return (2 * bernoulli(key, 0.5, shape).astype("int32") - 1).astype(_types.numpy_dtype(code))


def ball(key, d, p=2, shape=(), dtype=None, *, out_sharding=None):
    """Vectors spread evenly over the unit ball of the p-norm in d dimensions."""
    shape = _shape(shape)
    first, second = split(key)
    g = generalized_normal(first, p, (*shape, d), dtype)
    e = exponential(second, shape, g.dtype)
    return g / (jnp.power(jnp.sum(jnp.abs(g) ** p, -1) + e, 1 / p))[..., None]


# ---- by transformation ----
def lognormal(key, sigma=1.0, shape=None, dtype=None, *, out_sharding=None):
    """exp of normal floats of standard deviation sigma."""
    shape, code = _full(shape, sigma), _dtype(dtype, "FLOAT", "lognormal")
    return jnp.exp(normal(key, shape, _types.numpy_dtype(code)) * _as(sigma, shape, code))


def rayleigh(key, scale, shape=None, dtype=None, *, out_sharding=None):
    """Rayleigh floats."""
    shape, code = _full(shape, scale), _dtype(dtype, "FLOAT", "rayleigh")
    u = uniform(key, shape, _types.numpy_dtype(code))
    return jnp.sqrt(-2 * jnp.log(u)) * _as(scale, shape, code)


def pareto(key, b, shape=None, dtype=None, *, out_sharding=None):
    """Pareto floats, at least 1."""
    shape, code = _full(shape, b), _dtype(dtype, "FLOAT", "pareto")
    return jnp.exp(exponential(key, shape, _types.numpy_dtype(code)) / _as(b, shape, code))


def weibull_min(key, scale, concentration, shape=(), dtype=None):
    """Weibull floats."""
    code, shape = _dtype(dtype, "FLOAT", "weibull_min"), _shape(shape)
    u = uniform(key, shape, _types.numpy_dtype(code))
    return jnp.power(-jnp.log1p(-u), 1.0 / concentration) * scale


def maxwell(key, shape=(), dtype=None, *, out_sharding=None):
    """Lengths of three-dimensional normal vectors."""
    code = _dtype(dtype, "FLOAT", "maxwell")
    return jnp.linalg.norm(normal(key, (*_shape(shape), 3), _types.numpy_dtype(code)), axis=-1)


def double_sided_maxwell(key, loc, scale, shape=(), dtype=None):
    """Maxwell floats with either sign, shifted and scaled."""
    code, shape = _dtype(dtype, "FLOAT", "double_sided_maxwell"), _shape(shape)
    shape = shape + np.broadcast_shapes(aval_of(loc).shape, aval_of(scale).shape)
    first, second = split(key)
    size = maxwell(first, shape, _types.numpy_dtype(code))
    return size * _signs(second, shape, code) * scale + loc


def triangular(key, left, mode, right, shape=None, dtype=None, *, out_sharding=None):
    """Floats between left and right with the peak of their density at mode."""
    shape, code = _full(shape, left, mode, right), _dtype(dtype, "FLOAT", "triangular")
    left, mode, right = (_as(x, shape, code) for x in (left, mode, right))
    u = uniform(key, shape, _types.numpy_dtype(code))
    width = right - left
    low = left + jnp.sqrt(u * width * (mode - left))
    high = right - jnp.sqrt((1 - u) * width * (right - mode))
    return jnp.where(u < (mode - left) / width, low, high)


def geometric(key, p, shape=None, dtype=None, *, out_sharding=None):
    """How many trials until the first success of probability p."""
    shape = _full(shape, p)
    code = _types.default_code("INT") if dtype is None else _types.code_of(dtype)
    u = uniform(key, shape, _types.numpy_dtype(_types.default_code("FLOAT")))
    p = jnp.broadcast_to(p, shape)
    return (jnp.floor(jnp.log(u) / jnp.log1p(-p)) + 1).astype(_types.numpy_dtype(code))


def wald(key, mean, shape=None, dtype=None, *, out_sharding=None):
    """Wald (inverse Gaussian) floats of scale 1."""
    shape, code = _full(shape, mean), _dtype(dtype, "FLOAT", "wald")
    dtype = _types.numpy_dtype(code)
    mean = _as(mean, shape, code)
    first, second = split(key)
    v, u = normal(first, shape, dtype), uniform(second, shape, dtype)
    y, m2 = v * v, mean * mean
    x = mean + m2 * y / 2 - mean / 2 * jnp.sqrt(4 * mean * y + m2 * y * y)
    return jnp.where(u <= mean / (mean + x), x, m2 / x)


def multivariate_normal(key, mean, cov, shape=None, dtype=None, method="cholesky", *, out_sharding=None):
    """Normal vectors with a mean and a covariance matrix."""
    if method not in ("cholesky", "eigh", "svd"):
        raise ValueError("method must be one of {'svd', 'eigh', 'cholesky'}")
    code = _dtype(dtype, "FLOAT", "multivariate_normal")
    dtype = _types.numpy_dtype(code)
    mean, cov = jnp.asarray(mean).astype(dtype), jnp.asarray(cov).astype(dtype)
    if mean.ndim < 1 or cov.ndim < 2 or cov.shape[-2:] != mean.shape[-1:] * 2:
        raise ValueError(
            f"multivariate_normal needs a mean [..., n] and a cov [..., n, n], got {mean.aval.str_short()} and {cov.aval.str_short()}"
        )
    shape = np.broadcast_shapes(mean.shape[:-1], cov.shape[:-2]) if shape is None else _shape(shape)
    n = mean.shape[-1]
    draws = normal(key, (*shape, n), dtype)
    return mean + jnp.einsum("...ij,...j->...i", _root(cov, method), draws)


def _root(cov, method):
    """A matrix that times its transpose is `cov`."""
    if method == "cholesky":
        return jnp.linalg.cholesky(cov)
    if method == "eigh":
        w, u = jnp.linalg.eigh(cov)
    else:
        u, w, _ = jnp.linalg.svd(cov)
    return u * jnp.sqrt(w[..., None, :])


def orthogonal(key, n, shape=(), dtype=None, m=None, *, out_sharding=None):
    """Uniform orthogonal matrices of n rows and m (without it: n) columns; with orthonormal rows or columns if they differ."""
    m = n if m is None else m
    dtype = _types.numpy_dtype(_dtype(dtype, "FLOAT", "orthogonal"))
    q, r = jnp.linalg.qr(normal(key, (*_shape(shape), max(n, m), min(n, m)), dtype))
    q = q * jnp.sign(jnp.linalg.diagonal(r))[..., None, :]
    return jnp.matrix_transpose(q) if n < m else q


# ---- Poisson ----
def _knuth(words, rate, limit):
    """Counts of uniform factors until their product is below exp(-rate)."""

    def going(state):
        k, _, log_product = state
        return jnp.any(log_product > -rate) & jnp.any(k < limit)

    def step(state):
        k, words, log_product = state
        words, own = split(words)
        k = jnp.where(log_product > -rate, k + 1, k)
        return k, words, log_product + jnp.log(uniform(own, rate.shape, rate.dtype))

    start = (jnp.full(rate.shape, -1, "int32"), words, jnp.zeros(rate.shape, rate.dtype))
    return lax.while_loop(going, step, start)[0]


def _hoermann(words, rate, limit):
    """Transformed rejection with squeeze (Hörmann, Insurance: Mathematics and Economics 12, 1993)."""
    log_rate = jnp.log(rate)
    b = 0.931 + 2.53 * jnp.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)

    def step(state):
        i, k_out, accepted, words = state
        words, first, second = split(words, 3)
        u = uniform(first, rate.shape, rate.dtype) - 0.5
        v = uniform(second, rate.shape, rate.dtype)
        us = 0.5 - jnp.abs(u)
        k = jnp.floor((2 * a / us + b) * u + rate + 0.43)
        s = jnp.log(v * inverse / (a / (us * us) + b))
        squeezed = (us >= 0.07) & (v <= v_r)
        out = (k < 0) | ((us < 0.013) & (v > us))
        accept = squeezed | (~out & (s <= -rate + k * log_rate - lax.lgamma(k + 1)))
        return i + 1, jnp.where(accept, k, k_out), accepted | accept, words

    start = (0, jnp.full(rate.shape, -1, rate.dtype), jnp.full(rate.shape, False), words)
    return lax.while_loop(lambda s: jnp.any(~s[2]) & (s[0] < limit), step, start)[1].astype("int32")


def poisson(key, lam, shape=None, dtype=None, *, out_sharding=None):
    """Poisson integers of rate `lam`."""
    shape = _full(shape, lam)
    code = _types.default_code("INT") if dtype is None else _types.code_of(dtype)
    lam = _as(lam, shape, _types.F32)
    words, limit = key_data(key), min(int(np.iinfo(_types.numpy_dtype(code)).max), 2**31 - 1)
    small = jnp.isnan(lam) | (lam < 10)
    few = _knuth(words, jnp.where(small, jnp.where(jnp.isnan(lam), 0, lam), 0.0), limit)
    many = _hoermann(words, jnp.where(small, 1e5, lam), limit)
    return jnp.where(lam == 0, 0, jnp.where(small, few, many)).astype(_types.numpy_dtype(code))
