"""Arithmetic and elementary functions with NumPy's broadcasting and JAX's promotion."""

import numpy as np

from secant import _types
from secant._array import ArrayImpl
from secant._custom import custom_jvp
from secant._eager import op
from secant._lib import lib
from secant._trace import local
from secant._tracer import made
from secant.numpy._common import arraylike, broadcasted, convert, inexact, kind, no_target, promoted, promoted_inexact, scalar_like
from secant.numpy._logic import _named, isinf, isnan, where


def _float_function(name, function, doc):
    """A function of floats; integers become the default float."""
    c = getattr(lib, "sec_" + function)

    def f(x, /):
        return made(c(inexact(arraylike(name, x)).value))

    return op(1)(_named(f, name, doc))


exp = _float_function("exp", "exp", "e to the power x.")
exp2 = _float_function("exp2", "exp2", "2 to the power x.")
expm1 = _float_function("expm1", "expm1", "exp(x) - 1, accurate near 0.")
log = _float_function("log", "log", "Natural logarithm.")
log1p = _float_function("log1p", "log1p", "log(1 + x), accurate near 0.")
sqrt = _float_function("sqrt", "sqrt", "Square root.")
cbrt = _float_function("cbrt", "cbrt", "Cube root.")
sin = _float_function("sin", "sin", "Sine of x in radians.")
cos = _float_function("cos", "cos", "Cosine of x in radians.")
tan = _float_function("tan", "tan", "Tangent of x in radians.")
arcsin = asin = _float_function("arcsin", "asin", "Inverse sine.")
arccos = acos = _float_function("arccos", "acos", "Inverse cosine.")
arctan = atan = _float_function("arctan", "atan", "Inverse tangent.")
sinh = _float_function("sinh", "sinh", "Hyperbolic sine.")
cosh = _float_function("cosh", "cosh", "Hyperbolic cosine.")
tanh = _float_function("tanh", "tanh", "Hyperbolic tangent.")
arcsinh = asinh = _float_function("arcsinh", "asinh", "Inverse hyperbolic sine.")
arccosh = acosh = _float_function("arccosh", "acosh", "Inverse hyperbolic cosine.")
arctanh = atanh = _float_function("arctanh", "atanh", "Inverse hyperbolic tangent.")


def _arithmetic(name, function, doc, boolean=None):
    """A promoting function of two operands; `boolean` is what it means for two bools (None: refused)."""
    c = getattr(lib, "sec_" + function)
    b = getattr(lib, "sec_" + boolean) if boolean else None

    def f(x, y, /, out=None, where=None):
        no_target(name, out, where)
        x, y = arraylike(name, x, y)
        if x.aval.code == _types.BOOL and y.aval.code == _types.BOOL:
            if b is None:
                raise TypeError(f"{name} does not accept dtype bool.\n  hint: use logical_xor or bitwise_xor")
            return made(b(x.value, y.value))
        return made(c(x.value, y.value))

    return op(2)(_named(f, name, doc))


add = _arithmetic("add", "add", "x + y; bools: or.", "or")
subtract = _arithmetic("subtract", "sub", "x - y.")
multiply = _arithmetic("multiply", "mul", "x * y; bools: and.", "and")
maximum = _arithmetic("maximum", "max", "The larger; NaN if either is.", "max")
minimum = _arithmetic("minimum", "min", "The smaller; NaN if either is.", "min")


def _bits(name, function, doc):
    c = getattr(lib, "sec_" + function)

    def f(x, y, /, out=None, where=None):
        no_target(name, out, where)
        x, y = arraylike(name, x, y)
        for z in (x, y):
            if z.aval.is_float:
                raise TypeError(f"{name} does not accept dtype {z.dtype.name}. Accepted dtypes are bool and integers.\n  hint: convert with astype, or use logical_and, logical_or, logical_xor")
        return made(c(x.value, y.value))

    return op(2)(_named(f, name, doc))


bitwise_and = _bits("bitwise_and", "and", "Bits set in both.")
bitwise_or = _bits("bitwise_or", "or", "Bits set in either.")
bitwise_xor = _bits("bitwise_xor", "xor", "Bits set in one.")


def _numbers(name, *xs):
    """Operands of one type that counts: two bools are integers."""
    xs = promoted(*arraylike(name, *xs))
    return [convert(x, _types.default_code("INT")) if kind(x) == "BOOL" else x for x in xs]


@op(2)
def left_shift(x, y, /):
    """x shifted to the left by y bits."""
    x, y = _numbers("left_shift", x, y)
    return made(lib.sec_shift_left(x.value, y.value))


bitwise_left_shift = left_shift


@op(2)
def right_shift(x, y, /):
    """x shifted to the right by y bits: with its sign when signed, else with 0."""
    x, y = _numbers("right_shift", x, y)
    c = lib.sec_shift_right_logical if kind(x) == "UINT" else lib.sec_shift_right_arithmetic
    return made(c(x.value, y.value))


bitwise_right_shift = right_shift


@op(1)
def invert(x, /):
    """Bits inverted; bool: not."""
    x = arraylike("invert", x)
    if x.aval.is_float:
        raise TypeError(f"not does not accept dtype {x.dtype.name}. Accepted dtypes are subtypes of integer, bool.")
    return made(lib.sec_not(x.value))


bitwise_not = bitwise_invert = invert


@op(1)
def negative(x, /, out=None, where=None):
    """-x."""
    no_target("negative", out, where)
    x = arraylike("negative", x)
    if x.aval.code == _types.BOOL:
        raise TypeError("neg does not accept dtype bool.\n  hint: use ~x or logical_not")
    return made(lib.sec_neg(x.value))


@op(1)
def positive(x, /):
    """+x."""
    return arraylike("positive", x)


@op(1)
def abs(x, /):
    """Absolute value."""
    x = arraylike("abs", x)
    return x if kind(x) in ("UINT", "BOOL") else made(lib.sec_abs(x.value))


absolute = abs


@op(1)
def fabs(x, /):
    """Absolute value as a float."""
    return made(lib.sec_abs(inexact(arraylike("fabs", x)).value))


@op(1)
def sign(x, /):
    """-1, 0 or 1; NaN stays."""
    return made(lib.sec_sign(arraylike("sign", x).value))


@op(1)
def square(x, /):
    """x * x."""
    x = arraylike("square", x)
    x = convert(x, _types.default_code("INT")) if kind(x) == "BOOL" else x
    return made(lib.sec_square(x.value))


@op(1)
def reciprocal(x, /):
    """1 / x."""
    x = inexact(arraylike("reciprocal", x))
    return made(lib.sec_div(scalar_like(x, 1).value, x.value))


@op(2)
def true_divide(x, y, /):
    """x / y as floats."""
    x, y = arraylike("true_divide", x, y)
    if not (x.aval.is_float and y.aval.is_float):
        x, y = promoted_inexact(x, y)
    return made(lib.sec_div(x.value, y.value))


divide = true_divide


@op(2)
def floor_divide(x, y, /):
    """floor(x / y)."""
    x, y = broadcasted(*_numbers("floor_divide", x, y))
    if kind(x) == "UINT":
        return made(lib.sec_div(x.value, y.value))
    if kind(x) == "INT":
        q, r = made(lib.sec_div(x.value, y.value)), made(lib.sec_rem(x.value, y.value))
        wrong = (sign(x) != sign(y)) & (r != 0)
        return where(wrong, q - 1, q)
    return _float_divmod(x, y)[0]


def _float_divmod(x, y):
    """As NumPy's divmod of floats: the remainder has the divisor's sign."""
    r = made(lib.sec_rem(x.value, y.value))
    q = made(lib.sec_div(where(y == 0, x, x - r).value, y.value))
    wrong = (sign(y) != sign(r)) & (r != 0)
    r, q = where(wrong, r + y, r), where(wrong, q - 1, q)
    return made(lib.sec_round(q.value, 1)), r  # the last step: the derivative is 0 everywhere


@op(2)
def remainder(x, y, /):
    """x mod y with the sign of y."""
    x, y = broadcasted(*_numbers("remainder", x, y))
    zero = scalar_like(x, 0)
    if not x.aval.is_float:
        y = where(y == zero, scalar_like(y, 1), y)  # the remainder by 0 is 0
    r = made(lib.sec_rem(x.value, y.value))
    if kind(x) == "UINT":
        return r
    wrong = ((r < zero) != (y < zero)) & (r != zero)
    return where(wrong, r + y, r)


mod = remainder


@op(2)
def fmod(x, y, /):
    """x mod y with the sign of x."""
    x, y = _numbers("fmod", x, y)
    return made(lib.sec_rem(x.value, y.value))


@op(2)
def divmod(x, y, /):
    """(floor(x / y), x mod y)."""
    x, y = broadcasted(*_numbers("divmod", x, y))
    if x.aval.is_float:
        return _float_divmod(x, y)
    return floor_divide(x, y), remainder(x, y)


@op(1)
def _integer_pow(x, n):
    x = arraylike("power", x)
    if kind(x) == "BOOL":
        x = convert(x, _types.default_code("INT"))
    if n < 0 and _types.is_integer(x.aval.code):
        raise TypeError(f"Integers cannot be raised to negative powers, got {x.aval.str_short()} ** {n}\n  hint: convert the base to a float with astype")
    return made(lib.sec_integer_pow(x.value, n))


def power(x1, x2, /):
    """x1 to the power x2; a Python integer as exponent is exact (integer_pow)."""
    if type(x2) is int:
        if type(x1) is int:
            if x2 < 0:
                raise TypeError("Integers cannot be raised to negative powers")
        return _integer_pow(x1, x2)
    if type(x2) is ArrayImpl and not x2.ndim and _types.is_integer(x2.aval.code) and not local.frames:
        return _integer_pow(x1, int(x2))
    return _power(x1, x2)


@op(2)
def _power(x, y):
    x, y = arraylike("power", x, y)
    if x.aval.is_float or y.aval.is_float:
        return made(lib.sec_pow(x.value, y.value))
    return _integer_power(*broadcasted(*promoted(x, y)))


def _integer_power(x, y):
    """By squaring over the bits of y; negative exponents give 0."""
    if kind(x) == "BOOL":
        x, y = (convert(z, _types.default_code("INT")) for z in (x, y))
    out = scalar_like(x, 1)
    base, rest = x, y
    for _ in range(6):
        out = where((rest & 1) != 0, out * base, out)
        base, rest = base * base, right_shift(rest, 1)
    return where(y < 0, scalar_like(x, 0), out) if kind(x) == "INT" else out


pow = power


def float_power(x, y, /):
    """Power as floats."""
    return _power(true_divide(x, 1), true_divide(y, 1))


@op(2)
def arctan2(y, x, /):
    """Angle of the point (x, y)."""
    y, x = promoted_inexact(*arraylike("arctan2", y, x))
    return made(lib.sec_atan2(y.value, x.value))


atan2 = arctan2


@op(2)
def hypot(x, y, /):
    """sqrt(x² + y²) without overflow."""
    x, y = promoted_inexact(*arraylike("hypot", x, y))
    x, y = abs(x), abs(y)
    big, small = maximum(x, y), minimum(x, y)
    zero = big == 0
    ratio = small / where(zero, 1, big)
    return where(isinf(x) | isinf(y), np.inf, where(zero, big, big * sqrt(1 + square(ratio))))


def _log_add(name, exponential, factor):
    """log(b^x + b^y) with the derivative in terms of the result, which is right where x and y are equal."""

    def value(x, y):
        big, delta = maximum(x, y), x - y
        return where(isnan(delta), x + y, big + log1p(exponential(-abs(delta))) * factor)

    def rule(primals, tangents):
        (x, y), (tx, ty) = primals, tangents
        out = f(x, y)
        end = where(out == np.inf, 0.0, out)
        share = lambda z: exponential(where(z == np.inf, 0.0, z) - end)  # noqa: E731
        return out, tx * share(x) + ty * share(y)

    f = custom_jvp(value)
    f.__name__ = name
    f.defjvp(rule)
    return f


_logaddexp = _log_add("logaddexp", exp, 1.0)
_logaddexp2 = _log_add("logaddexp2", exp2, 1 / np.log(2).item())


@op(2)
def logaddexp(x, y, /, out=None, where=None):
    """log(exp(x) + exp(y))."""
    no_target("logaddexp", out, where)
    return _logaddexp(*promoted_inexact(*arraylike("logaddexp", x, y)))


@op(2)
def logaddexp2(x, y, /, out=None, where=None):
    """log2(2^x + 2^y)."""
    no_target("logaddexp2", out, where)
    return _logaddexp2(*promoted_inexact(*arraylike("logaddexp2", x, y)))


@op(1)
def log2(x, /):
    """Logarithm to base 2."""
    return _strong(log(x) / np.log(2).item())


@op(1)
def log10(x, /):
    """Logarithm to base 10."""
    return _strong(log(x) / np.log(10).item())


def _strong(x):
    return convert(x, x.aval.code)


@op(1)
def sinc(x, /):
    """sin(πx) / (πx); 1 at 0."""
    x = inexact(arraylike("sinc", x))
    zero = x == 0
    y = np.pi * where(zero, 1, x)
    return where(zero, 1 - square(np.pi * where(zero, x, 0)) / 6, sin(y) / y)


@op(1)
def deg2rad(x, /):
    """Degrees as radians."""
    return inexact(arraylike("deg2rad", x)) * (np.pi / 180)


@op(1)
def rad2deg(x, /):
    """Radians as degrees."""
    return inexact(arraylike("rad2deg", x)) * (180 / np.pi)


radians, degrees = deg2rad, rad2deg


@op(2)
def fmax(x1, x2):
    """The larger; the other if one is NaN."""
    x, y = promoted(*arraylike("fmax", x1, x2))
    return where((x > y) | isnan(y), x, y)


@op(2)
def fmin(x1, x2):
    """The smaller; the other if one is NaN."""
    x, y = promoted(*arraylike("fmin", x1, x2))
    return where((x < y) | isnan(y), x, y)


@op(2)
def heaviside(x, y, /):
    """0 below 0, y at 0, 1 above."""
    x, y = promoted_inexact(*arraylike("heaviside", x, y))
    return where(x < 0, 0.0, where(x > 0, 1.0, where(isnan(x), x, y)))


@op(1)
def i0(x):
    """Modified Bessel function of order 0."""
    from secant import lax

    x = inexact(arraylike("i0", x))
    if kind(x) != "FLOAT":
        raise ValueError(f"Unsupported input type to jax.numpy.i0: {x.dtype.name}")
    return lax.bessel_i0e(x) * exp(abs(x))
