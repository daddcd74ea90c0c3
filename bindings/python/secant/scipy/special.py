"""Special functions, as jax.scipy.special."""

import math
import operator

import numpy as np

from secant import _types, lax, numpy as jnp
from secant._custom import custom_jvp
from secant._eager import op
from secant._lib import lib
from secant._trace import tracer
from secant._tracer import made
from secant.nn import log_softmax, logsumexp, softmax  # noqa: F401
from secant.numpy._common import arraylike, broadcasted, inexact, promoted_inexact


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
erfcx = _unary("erfcx", lambda x: made(lib.sec_erfcx(x.value)), "exp(x^2) erfc(x).")
dawsn = _unary("dawsn", lambda x: made(lib.sec_dawsn(x.value)), "Dawson's integral.")
expi = _unary("expi", lambda x: made(lib.sec_expi(x.value)), "Exponential integral Ei.")
ndtri = _unary("ndtri", lambda p: made(lib.sec_ndtri(p.value)), "Inverse of ndtr.")
spence = _unary("spence", lambda x: made(lib.sec_spence(x.value)), "Spence's function, the dilogarithm of 1 - x.")
gammaln = _unary("gammaln", lax.lgamma, "Logarithm of the absolute value of the gamma function.")
digamma = _unary("digamma", lax.digamma, "Derivative of gammaln.")
i0e = _unary("i0e", lax.bessel_i0e, "exp(-|x|) i0(x).")
i0 = _unary("i0", lambda x: lax.exp(lax.abs(x)) * lax.bessel_i0e(x), "Modified Bessel function of order 0.")
i1e = _unary("i1e", lax.bessel_i1e, "exp(-|x|) i1(x).")
i1 = _unary("i1", lambda x: lax.exp(lax.abs(x)) * lax.bessel_i1e(x), "Modified Bessel function of order 1.")


def _several(name, n, function, doc):
    """A function of n operands of one float type, which are broadcast."""

    def f(*xs):
        if len(xs) != n:
            raise TypeError(f"{name}() takes {n} positional arguments, got {len(xs)}")
        return function(*promoted_inexact(*arraylike(name, *xs)))

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = doc, __name__
    return op(n)(f)


def _bound(name):
    c = getattr(lib, name)
    return lambda *xs: made(c(*(x.value for x in xs)))


gammainc = _several("gammainc", 2, _bound("sec_igamma"), "Regularized lower incomplete gamma function of a, x.")
gammaincc = _several("gammaincc", 2, _bound("sec_igammac"), "Regularized upper incomplete gamma function of a, x.")
betainc = _several("betainc", 3, _bound("sec_betainc"), "Regularized incomplete beta function of a, b, x.")
betaln = _several("betaln", 2, _bound("sec_betaln"), "Logarithm of the absolute value of the beta function.")
owens_t = _several("owens_t", 2, _bound("sec_owens_t"), "Owen's T function of h, a.")
hyp1f1 = _several("hyp1f1", 3, _bound("sec_hyp1f1"), "Confluent hypergeometric function of a, b, x.")
hyp2f1 = _several("hyp2f1", 4, _bound("sec_hyp2f1"), "Gauss's hypergeometric function of a, b, c, x.")


@op(1)
def sici(x):
    """The sine and the cosine integral."""
    x = inexact(arraylike("sici", x))
    return made(lib.sec_sine_integral(x.value)), made(lib.sec_cosine_integral(x.value))


@op(1)
def fresnel(x):
    """Fresnel's integrals S and C."""
    x = inexact(arraylike("fresnel", x))
    return made(lib.sec_fresnel_s(x.value)), made(lib.sec_fresnel_c(x.value))


@op(2)
def expn(n, x):
    """Exponential integral of whole order n >= 0."""
    n, x = promoted_inexact(*arraylike("expn", n, x))
    return jnp.where(n < 0, np.nan, made(lib.sec_expn(n.value, x.value)))


@op(1)
def exp1(x):
    """Exponential integral of order 1."""
    x = inexact(arraylike("exp1", x))
    return made(lib.sec_expn(_scalar(1, x).value, x.value))


def _scalar(value, like):
    return tracer(np.asarray(value, like.dtype))


@op(2)
def polygamma(n, x):
    """Derivative of digamma of whole order n."""
    n, x = arraylike("polygamma", n, x)
    if not _types.is_integer(n.aval.code):
        raise ValueError(
            f"Argument `n` to polygamma must be of integer type. Got dtype {n.dtype}.\n  hint: convert it with astype(int)"
        )
    return lax.polygamma(*broadcasted(*promoted_inexact(n, x)))


@op(2)
def zeta(x, q=None):
    """Hurwitz's zeta function: the sum of (q + k)^-x over k = 0, 1, ..."""
    if q is None:
        raise NotImplementedError(
            "Riemann zeta function not implemented; pass q != None to compute the Hurwitz Zeta function.\n  hint: q=1 gives Riemann's"
        )
    return lax.zeta(*broadcasted(*promoted_inexact(*arraylike("zeta", x, q))))


@op(1)
def bessel_jn(z, *, v, n_iter=50):
    """Bessel functions of the first kind of orders 0 to v, stacked in front; n_iter is not needed."""
    z = inexact(arraylike("bessel_jn", z))
    orders = np.arange(operator.index(v) + 1).reshape((-1,) + (1,) * z.ndim).astype(z.dtype)
    return made(lib.sec_bessel_jn(tracer(orders).value, z.value))


def bernoulli(n):
    """The Bernoulli numbers B_0 to B_n."""
    n = operator.index(n)
    if n < 0:
        raise ValueError("n must be a non-negative integer.")
    out = np.zeros(n + 1)
    out[: min(n + 1, 3)] = (1, -1 / 2, 1 / 6)[: n + 1]
    k, size = np.arange(2.0, 50), 1 / math.pi**2
    for m in range(4, n + 1, 2):
        size *= -(m - 1) * m / 4 / math.pi**2
        out[m] = size * (1 + np.sum(k**-m))
    return jnp.asarray(out, dtype=_types.numpy_dtype(_types.default_code("FLOAT")))


@op(2)
def comb(N, k, *, repetition=False):
    """How many ways there are to choose k of N."""
    N, k = promoted_inexact(*arraylike("comb", N, k))
    none_of = (k == 0) & (N >= 0)
    if repetition:
        N = N + k - 1
    possible = (k <= N) & (N >= 0) & (k >= 0)
    N, k = jnp.where(possible, N, 0.0), jnp.where(possible, k, 0.0)
    ways = jnp.where(possible, jnp.exp(lax.lgamma(N + 1) - lax.lgamma(k + 1) - lax.lgamma(N + 1 - k)), 0.0)
    return jnp.where(none_of, 1.0, ways) if repetition else ways


def _box_cox(name, logarithm, doc):
    def f(x, lmbda):
        x, lmbda = promoted_inexact(*arraylike(name, x, lmbda))
        zero = lmbda == 0
        safe, log_x = jnp.where(zero, 1.0, lmbda), logarithm(x)
        return jnp.where(zero, log_x, jnp.expm1(safe * log_x) / safe)

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = doc, __name__
    return op(2)(f)


boxcox = _box_cox("boxcox", jnp.log, "(x^lmbda - 1) / lmbda, log(x) where lmbda is 0.")
boxcox1p = _box_cox("boxcox1p", jnp.log1p, "boxcox(1 + x, lmbda).")


@op(1)
def loggamma(x):
    """Logarithm of the gamma function of x > 0; NaN elsewhere."""
    x = inexact(arraylike("loggamma", x))
    return jnp.where(x > 0, lax.lgamma(x), np.nan)


# ---- Pochhammer's symbol ----
def _poch_rule(primals, tangents):
    (z, m), (tz, tm) = primals, tangents
    out, above = _poch(z, m), lax.digamma(z + m)
    return out, out * ((above - lax.digamma(z)) * tz + above * tm)


def _poch(z, m):
    return jnp.where(m == 0, 1.0, gamma(z + m) / gamma(z))


_poch = custom_jvp(_poch)
_poch.defjvp(_poch_rule)


@op(2)
def poch(z, m):
    """gamma(z + m) / gamma(z)."""
    return _poch(*broadcasted(*promoted_inexact(*arraylike("poch", z, m))))


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
    return jnp.where(x == 0, at_zero, jnp.where(((x < 0) & (x == down)) | (x != x), np.nan, jnp.where(x < 0, sign, 1.0))).astype(x.dtype)


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
