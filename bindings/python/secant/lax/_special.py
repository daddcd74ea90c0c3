"""Functions of lax that are built on primitives: gamma functions, bits of numbers, running log-sum-exp."""

import numpy as np

from secant import _types
from secant._custom import custom_jvp
from secant._eager import op
from secant._lib import lib
from secant._trace import tracer
from secant._tracer import made
from secant.lax import _elementwise as e
from secant.lax._control import associative_scan
from secant.lax._elementwise import FLOAT, INTEGER, _takes, binary, pair, unary
from secant.lax._shape import full_like


def _where(condition, x, y):
    import secant.numpy as jnp

    return jnp.where(condition, x, y)


def _float(name, x):
    x = tracer(x)
    _takes(name, x, FLOAT)
    return x


lgamma = unary("lgamma", FLOAT, "Logarithm of the absolute value of the gamma function.")
digamma = unary("digamma", FLOAT, "Derivative of lgamma.")
random_gamma_grad = binary("random_gamma_grad", FLOAT, "Derivative of a sample x of the gamma distribution by a.")


@op(3)
def betainc(a, b, x):
    """Regularized incomplete beta function."""
    a, b = pair("betainc", a, b, FLOAT)
    a, x = pair("betainc", a, x, FLOAT)
    b, x = pair("betainc", b, x, FLOAT)
    return made(lib.sec_betainc(a.value, b.value, x.value))


@op(1)
def cumlogsumexp(operand, axis=0, reverse=False):
    """Running log-sum-exp along an axis."""
    import secant.numpy as jnp

    x = _float("cumlogsumexp", operand)
    if not 0 <= axis < x.ndim:
        raise ValueError(f"axis {axis} is out of bounds for array of shape {x.shape}")
    return associative_scan(jnp.logaddexp, x, reverse, axis)


# ---- bits ----
_LAYOUT = {_types.F16: (5, 10), _types.BF16: (8, 7), _types.F32: (8, 23), _types.F64: (11, 52)}


def _reduce_precision(x, exponent_bits, mantissa_bits):
    own_exponent, own_mantissa = _LAYOUT[x.aval.code]
    unsigned = np.dtype(f"uint{8 * _types.SIZES[x.aval.code]}")
    word = unsigned.type
    bits = e.bitcast_convert_type(x, unsigned)
    sign = bits & word(1 << (own_exponent + own_mantissa))
    if mantissa_bits < own_mantissa:
        drop = own_mantissa - mantissa_bits
        odd = (bits >> word(drop)) & word(1)
        bits = (bits + odd + word((1 << (drop - 1)) - 1)) & ~word((1 << drop) - 1)
    if exponent_bits < own_exponent:
        bias, reduced = (1 << (own_exponent - 1)) - 1, (1 << (exponent_bits - 1)) - 1
        exponent = bits & word(((1 << own_exponent) - 1) << own_mantissa)
        infinite = sign | word(((1 << own_exponent) - 1) << own_mantissa)
        bits = _where(exponent > word((bias + reduced) << own_mantissa), infinite, bits)
        bits = _where(exponent <= word((bias - reduced) << own_mantissa), sign, bits)
    return _where(x != x, x, e.bitcast_convert_type(bits, x.dtype))


_reduce_precision = custom_jvp(_reduce_precision, nondiff_argnums=(1, 2))
_reduce_precision.__name__ = "reduce_precision"
_reduce_precision.defjvp(
    lambda exponent, mantissa, primals, tangents: (
        _reduce_precision(*primals, exponent, mantissa),
        tangents[0],
    )
)


@op(1)
def reduce_precision(operand, exponent_bits, mantissa_bits):
    """`operand` rounded to a float of fewer bits; too large gives infinity, too small zero."""
    return _reduce_precision(_float("reduce_precision", operand), exponent_bits, mantissa_bits)


def _unsigned(name, x):
    x = tracer(x)
    _takes(name, x, INTEGER)
    return x, e.convert_element_type(x, f"uint{8 * _types.SIZES[x.aval.code]}")


@op(1)
def population_count(x):
    """How many bits are set."""
    x = tracer(x)
    if x.aval.code == _types.BOOL:
        return e.convert_element_type(x, "uint8")
    x, u = _unsigned("population_count", x)
    word, width = u.dtype.type, 8 * u.dtype.itemsize
    for k in (1, 2, 4, 8, 16, 32):
        if k < width:
            mask = word(sum(((1 << k) - 1) << i for i in range(0, width, 2 * k)))
            u = (u & mask) + ((u >> word(k)) & mask)
    return e.convert_element_type(u, x.dtype)


@op(1)
def clz(x):
    """How many zero bits are in front."""
    x, u = _unsigned("clz", x)
    word, width = u.dtype.type, 8 * u.dtype.itemsize
    for k in (1, 2, 4, 8, 16, 32):
        if k < width:
            u = u | (u >> word(k))
    return e.convert_element_type(population_count(~u), x.dtype)


@op(1)
def reciprocal(x):
    """1 / x."""
    x = _float("reciprocal", x)
    return e.div(full_like(x, 1), x)


_polygamma = binary("polygamma", FLOAT, "")


@op(2)
def polygamma(m, x):
    """Derivative of digamma of order m, the first operand, at the second."""
    return _polygamma(m, x)


_zeta = binary("zeta", FLOAT, "")


@op(2)
def zeta(x, q):
    """Hurwitz's zeta function: the sum of (q + k)^-x over k = 0, 1, ..."""
    return _zeta(x, q)


_igamma = binary("igamma", FLOAT, "")


@op(2)
def igamma(a, x):
    """Regularized lower incomplete gamma function of a and x."""
    return _igamma(a, x)


_igammac = binary("igammac", FLOAT, "")


@op(2)
def igammac(a, x):
    """Regularized upper incomplete gamma function of a and x."""
    return _igammac(a, x)


_igamma_grad_a = binary("igamma_grad_a", FLOAT, "")


@op(2)
def igamma_grad_a(a, x):
    """Derivative of igamma by a."""
    return _igamma_grad_a(a, x)
