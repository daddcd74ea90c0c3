"""Functions of lax that are built on primitives: gamma functions, bits of numbers, running log-sum-exp."""

import math

import numpy as np

from secant import _types
from secant._custom import custom_jvp
from secant._eager import op
from secant._trace import tracer
from secant.lax import _elementwise as e
from secant.lax._control import associative_scan
from secant.lax._elementwise import FLOAT, INTEGER, _takes
from secant.lax._shape import full_like

# Lanczos' approximation with g = 7 and nine coefficients (Numerical Recipes, 6.1)
_BASE = 0.99999999999980993227684700473478
_LANCZOS = (
    676.520368121885098567009190444019,
    -1259.13921672240287047156078755283,
    771.3234287776530788486528258894,
    -176.61502916214059906584551354,
    12.507343278686904814458936853,
    -0.13857109526572011689554707,
    9.984369578019570859563e-6,
    1.50563273514931155834e-7,
)
_G = 7.0


def _where(condition, x, y):
    import secant.numpy as jnp

    return jnp.where(condition, x, y)


def _series(x):
    """(the argument reflected into z >= -1/2, log(z + g + 1/2), the series of Lanczos, minus its derivative)."""
    z = _where(x < 0.5, -x, x - 1.0)
    total, slope = full_like(z, _BASE), full_like(z, 0.0)
    for i, c in enumerate(_LANCZOS, 1):
        term = c / (z + float(i))
        total, slope = total + term, slope - term / (z + float(i))
    return z, math.log(_G + 0.5) + e.log1p(z / (_G + 0.5)), total, slope


def _lgamma(x):
    z, log_t, total, _ = _series(x)
    t = z + (_G + 0.5)
    log_y = (z + 0.5 - t / log_t) * log_t + 0.5 * math.log(2 * math.pi) + e.log(total)
    part = e.abs(x) - e.floor(e.abs(x))
    sine = e.log(e.sin(math.pi * _where(part > 0.5, 1.0 - part, part)))
    reflected = _where(e.is_finite(sine), math.log(math.pi) - sine - log_y, -sine)
    return _where(e.abs(x) == np.inf, np.inf, _where(x < 0.5, reflected, log_y))


_lgamma = custom_jvp(_lgamma)
_lgamma.__name__ = "lgamma"
_lgamma.defjvp(lambda primals, tangents: (_lgamma(primals[0]), tangents[0] * digamma(primals[0])))


def _float(name, x):
    x = tracer(x)
    _takes(name, x, FLOAT)
    return x


@op(1)
def lgamma(x):
    """Logarithm of the absolute value of the gamma function."""
    return _lgamma(_float("lgamma", x))


@op(1)
def digamma(x):
    """Derivative of lgamma."""
    x = _float("digamma", x)
    z, log_t, total, slope = _series(x)
    y = log_t + slope / total - _G / (z + (_G + 0.5))
    pole = (x <= 0) & (x == e.floor(x))
    turned = math.pi * (x + e.abs(e.floor(x + 0.5)))
    safe = _where(pole | (x >= 0.5), 1.0, turned)
    reflected = y - math.pi * e.cos(safe) / e.sin(safe)
    return _where(pole, np.nan, _where(x < 0.5, reflected, y))


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
