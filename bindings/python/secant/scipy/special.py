"""Special functions, as jax.scipy.special."""

import math

import numpy as np

from secant import lax, numpy as jnp
from secant._custom import custom_jvp
from secant._eager import op
from secant.nn import log_softmax, logsumexp, softmax  # noqa: F401
from secant.numpy._common import arraylike, inexact, promoted_inexact


def _unary(name, function, doc):
    def f(x):
        return function(inexact(arraylike(name, x)))

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = doc, __name__
    return op(1)(f)


expit = _unary("expit", lax.logistic, "1 / (1 + exp(-x)).")
erf = _unary("erf", lax.erf, "Error function.")
erfc = _unary("erfc", lax.erfc, "1 - erf(x).")
erfinv = _unary("erfinv", lax.erf_inv, "Inverse of erf.")
gammaln = _unary("gammaln", lax.lgamma, "Logarithm of the absolute value of the gamma function.")
digamma = _unary("digamma", lax.digamma, "Derivative of gammaln.")
i0e = _unary("i0e", lax.bessel_i0e, "exp(-|x|) i0(x).")
i0 = _unary("i0", lambda x: lax.exp(lax.abs(x)) * lax.bessel_i0e(x), "Modified Bessel function of order 0.")
i1e = _unary("i1e", lax.bessel_i1e, "exp(-|x|) i1(x).")
i1 = _unary("i1", lambda x: lax.exp(lax.abs(x)) * lax.bessel_i1e(x), "Modified Bessel function of order 1.")


@op(1)
def logit(x):
    """log(x / (1 - x))."""
    x = inexact(arraylike("logit", x))
    return jnp.log(x) - jnp.log1p(-x)


@op(1)
def gammasgn(x):
    """The sign of the gamma function; NaN at its poles."""
    x = inexact(arraylike("gammasgn", x))
    down = jnp.floor(x)
    sign = jnp.where(down % 2 != 0, -1.0, 1.0)
    at_zero = jnp.where(jnp.signbit(x), -1.0, 1.0)
    return jnp.where(x == 0, at_zero, jnp.where((x < 0) & (x == down), np.nan, jnp.where(x < 0, sign, 1.0))).astype(x.dtype)


@op(1)
def gamma(x):
    """The gamma function."""
    x = inexact(arraylike("gamma", x))
    return gammasgn(x) * jnp.exp(lax.lgamma(x))


@op(1)
def factorial(n, exact=False):
    """n!, 0 for negative n."""
    if exact:
        raise NotImplementedError("factorial with exact=True")
    n = inexact(arraylike("factorial", n))
    return jnp.where(n < 0, 0.0, jnp.exp(lax.lgamma(n + 1)))


@op(2)
def betaln(a, b):
    """Logarithm of the absolute value of the beta function."""
    a, b = promoted_inexact(*arraylike("betaln", a, b))
    return lax.lgamma(a) + lax.lgamma(b) - lax.lgamma(a + b)


@op(2)
def beta(a, b):
    """The beta function."""
    a, b = promoted_inexact(*arraylike("beta", a, b))
    return gammasgn(a) * gammasgn(b) * gammasgn(a + b) * jnp.exp(betaln(a, b))


@op(1)
def multigammaln(a, d):
    """Logarithm of the multivariate gamma function of dimension d."""
    a = inexact(arraylike("multigammaln", a))
    steps = np.arange(d) / 2
    constant = 0.25 * d * (d - 1) * math.log(math.pi)
    return jnp.sum(lax.lgamma(a[..., None] - steps.astype(a.dtype)), -1) + constant


# ---- x log y, safe at 0 ----
def _xlogy_rule(primals, tangents):
    (x, y), (tx, ty) = primals, tangents
    return _xlogy(x, y), tx * jnp.log(y) + ty * x / y


_xlogy = custom_jvp(lambda x, y: jnp.where(x == 0, 0.0, x * jnp.log(jnp.where(x == 0, 1.0, y))))
_xlogy.defjvp(_xlogy_rule)


@op(2)
def xlogy(x, y):
    """x log(y), 0 where x is 0."""
    x, y = promoted_inexact(*arraylike("xlogy", x, y))
    return _xlogy(x, y)


def _xlog1py_rule(primals, tangents):
    (x, y), (tx, ty) = primals, tangents
    return _xlog1py(x, y), tx * jnp.log1p(y) + ty * x / (1 + y)


_xlog1py = custom_jvp(lambda x, y: jnp.where(x == 0, 0.0, x * jnp.log1p(jnp.where(x == 0, 0.0, y))))
_xlog1py.defjvp(_xlog1py_rule)


@op(2)
def xlog1py(x, y):
    """x log(1 + y), 0 where x is 0."""
    x, y = promoted_inexact(*arraylike("xlog1py", x, y))
    return _xlog1py(x, y)


@op(1)
def entr(x):
    """-x log(x), 0 at 0 and -inf below."""
    x = inexact(arraylike("entr", x))
    return jnp.where(x < 0, -np.inf, -xlogy(jnp.maximum(x, 0), jnp.maximum(x, 0)))


@op(2)
def rel_entr(p, q):
    """p log(p / q), 0 where p is 0 and q is not negative, else inf outside the quadrant."""
    p, q = promoted_inexact(*arraylike("rel_entr", p, q))
    both, first = (p > 0) & (q > 0), (p == 0) & (q >= 0)
    safe_p, safe_q = jnp.where(both, p, 1.0), jnp.where(both, q, 1.0)
    return jnp.where(both, safe_p * (jnp.log(safe_p) - jnp.log(safe_q)), jnp.where(first, 0.0, np.inf))


@op(2)
def kl_div(p, q):
    """rel_entr(p, q) - p + q."""
    p, q = promoted_inexact(*arraylike("kl_div", p, q))
    return rel_entr(p, q) - p + q


# ---- the normal distribution ----
@op(1)
def ndtr(x):
    """The normal distribution function."""
    x = inexact(arraylike("ndtr", x))
    half = math.sqrt(0.5)
    w = x * half
    z = jnp.abs(w)
    tail = lax.erfc(z)
    return 0.5 * jnp.where(z < half, 1 + lax.erf(w), jnp.where(w > 0, 2 - tail, tail))


@op(1)
def ndtri(p):
    """Inverse of ndtr."""
    p = inexact(arraylike("ndtri", p))
    return math.sqrt(2) * lax.erf_inv(2 * p - 1)


def _log_ndtr_rule(primals, tangents):
    (x,), (t,) = primals, tangents
    out = _log_ndtr(x)
    return out, t * jnp.exp(-0.5 * x * x - 0.5 * math.log(2 * math.pi) - out)


def _log_ndtr(x):
    """Far above: -ndtr(-x); between: log(ndtr(x)); far below: the asymptotic series of three terms."""
    far = -20.0 if x.dtype == np.float64 else -10.0
    near = 8.0 if x.dtype == np.float64 else 5.0
    low = jnp.minimum(x, far)
    square, total, sign, odd = low * low, 1.0, 1.0, 1.0
    power = jnp.ones_like(low)
    for n in range(1, 4):
        sign, odd = -sign, odd * (2 * n - 1)
        power = power * square
        total = total + sign * odd / power
    series = -0.5 * square - jnp.log(-low) - 0.5 * math.log(2 * math.pi) + jnp.log(total)
    middle = jnp.log(ndtr(jnp.maximum(x, far)))
    return jnp.where(x > near, -ndtr(-x), jnp.where(x > far, middle, series))


_log_ndtr = custom_jvp(_log_ndtr)
_log_ndtr.defjvp(_log_ndtr_rule)


@op(1)
def log_ndtr(x):
    """log(ndtr(x)), accurate far below 0."""
    return _log_ndtr(inexact(arraylike("log_ndtr", x)))
