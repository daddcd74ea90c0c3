"""Elementwise functions with NumPy's broadcasting and JAX's promotion."""
import numpy as np

from secant import _types, lax
from secant._eager import op
from secant._lib import int64s, lib
from secant._tracer import made
from secant.numpy._dtypes import finfo
from secant.numpy._common import arraylike, broadcasted, convert, inexact, kind, promoted, promoted_inexact, scalar_like


def _named(f, name, doc):
    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = doc, "secant.numpy"
    return f


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

    def f(x, y, /):
        x, y = arraylike(name, x, y)
        if x.aval.code == _types.BOOL and y.aval.code == _types.BOOL:
            if b is None:
                raise TypeError(f"{name} does not accept dtype bool. hint: use logical_xor or bitwise_xor")
            return made(b(x.value, y.value))
        return made(c(x.value, y.value))

    return op(2)(_named(f, name, doc))


add = _arithmetic("add", "add", "x + y; bools: or.", "or")
subtract = _arithmetic("subtract", "sub", "x - y.")
multiply = _arithmetic("multiply", "mul", "x * y; bools: and.", "and")
maximum = _arithmetic("maximum", "max", "The larger; NaN if either is.", "max")
minimum = _arithmetic("minimum", "min", "The smaller; NaN if either is.", "min")


def _comparison(name, function, doc):
    c = getattr(lib, "sec_" + function)

    def f(x, y, /):
        x, y = arraylike(name, x, y)
        return made(c(x.value, y.value))

    return op(2)(_named(f, name, doc))


equal = _comparison("equal", "eq", "x == y.")
not_equal = _comparison("not_equal", "ne", "x != y.")
less = _comparison("less", "lt", "x < y.")
less_equal = _comparison("less_equal", "le", "x <= y.")
greater = _comparison("greater", "gt", "x > y.")
greater_equal = _comparison("greater_equal", "ge", "x >= y.")


def _bits(name, function, doc):
    c = getattr(lib, "sec_" + function)

    def f(x, y, /):
        x, y = arraylike(name, x, y)
        for z in (x, y):
            if z.aval.is_float:
                raise TypeError(f"{name} does not accept dtype {z.dtype.name}. Accepted dtypes are bool and integers.")
        return made(c(x.value, y.value))

    return op(2)(_named(f, name, doc))


bitwise_and = _bits("bitwise_and", "and", "Bits set in both.")
bitwise_or = _bits("bitwise_or", "or", "Bits set in either.")
bitwise_xor = _bits("bitwise_xor", "xor", "Bits set in one.")
left_shift = bitwise_left_shift = _bits("left_shift", "shift_left", "x shifted to the left by y bits.")


@op(2)
def right_shift(x, y, /):
    """x shifted to the right by y bits: with its sign when signed, else with 0."""
    x, y = promoted(*arraylike("right_shift", x, y))
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
def negative(x, /):
    """-x."""
    x = arraylike("negative", x)
    if x.aval.code == _types.BOOL:
        raise TypeError("neg does not accept dtype bool. hint: use ~x or logical_not")
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
    return made(lib.sec_square(arraylike("square", x).value))


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
    x, y = broadcasted(*promoted(*arraylike("floor_divide", x, y)))
    if kind(x) == "BOOL":
        x, y = (convert(z, _types.CODES["int8"]) for z in (x, y))
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
    q = made(lib.sec_div((x - r).value, y.value))
    wrong = (sign(y) != sign(r)) & (r != 0)
    r, q = where(wrong, r + y, r), where(wrong, q - 1, q)
    q = made(lib.sec_round(q.value, 1))
    return where(y == 0, x / y, q), r


@op(2)
def remainder(x, y, /):
    """x mod y with the sign of y."""
    x, y = broadcasted(*promoted(*arraylike("remainder", x, y)))
    if kind(x) == "BOOL":
        x, y = (convert(z, _types.CODES["int8"]) for z in (x, y))
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
    x, y = promoted(*arraylike("fmod", x, y))
    return made(lib.sec_rem(x.value, y.value))


@op(2)
def divmod(x, y, /):
    """(floor(x / y), x mod y)."""
    x, y = broadcasted(*promoted(*arraylike("divmod", x, y)))
    if x.aval.is_float:
        return _float_divmod(x, y)
    return floor_divide(x, y), remainder(x, y)


@op(1)
def _integer_pow(x, n):
    x = arraylike("power", x)
    if kind(x) == "BOOL":
        x = convert(x, _types.default_code("INT"))
    if n < 0 and _types.is_integer(x.aval.code):
        raise TypeError(f"Integers cannot be raised to negative powers, got {x.aval.str_short()} ** {n}")
    return made(lib.sec_integer_pow(x.value, n))


def power(x1, x2, /):
    """x1 to the power x2; a Python integer as exponent is exact (integer_pow)."""
    if type(x2) is int:
        if type(x1) is int:
            if x2 < 0:
                raise TypeError("Integers cannot be raised to negative powers")
        return _integer_pow(x1, x2)
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


@op(2)
def logaddexp(x, y, /):
    """log(exp(x) + exp(y))."""
    x, y = promoted_inexact(*arraylike("logaddexp", x, y))
    big, delta = maximum(x, y), x - y
    return where(isnan(delta), x + y, big + log1p(exp(-abs(delta))))


@op(2)
def logaddexp2(x, y, /):
    """log2(2^x + 2^y)."""
    x, y = promoted_inexact(*arraylike("logaddexp2", x, y))
    big, delta = maximum(x, y), x - y
    return where(isnan(delta), x + y, big + log1p(exp2(-abs(delta))) / np.log(2).item())


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
    return arraylike("deg2rad", x) * (np.pi / 180)


@op(1)
def rad2deg(x, /):
    """Radians as degrees."""
    return arraylike("rad2deg", x) * (180 / np.pi)


radians, degrees = deg2rad, rad2deg


# ---- rounding ----
def _rounding(name, c):
    def f(x, /):
        x = arraylike(name, x)
        return made(c(x.value)) if x.aval.is_float else x

    return op(1)(_named(f, name, f"{name} of each element; integers stay."))


floor, ceil = _rounding("floor", lib.sec_floor), _rounding("ceil", lib.sec_ceil)


@op(1)
def trunc(x, /):
    """Toward zero."""
    x = arraylike("trunc", x)
    return where(x < 0, ceil(x), floor(x)) if x.aval.is_float else x


fix = trunc


@op(1)
def rint(x, /):
    """To the nearest integer, halves to even."""
    return made(lib.sec_round(inexact(arraylike("rint", x)).value, 1))


@op(1)
def round(a, decimals=0, out=None):
    """To `decimals` places, halves to even."""
    x = arraylike("round", a)
    if not x.aval.is_float:
        if decimals < 0:
            raise NotImplementedError("integer np.round not implemented for decimals < 0")
        return x
    if not decimals:
        return made(lib.sec_round(x.value, 1))
    factor = 10.0**decimals
    return made(lib.sec_round((x * factor).value, 1)) / factor


around = round


@op(3)
def clip(arr=None, /, min=None, max=None, *, a=None, a_min=None, a_max=None):
    """minimum(maximum(x, min), max)."""
    x = arraylike("clip", a if arr is None else arr)
    low, high = a_min if min is None else min, a_max if max is None else max
    if low is not None:
        x = maximum(low, x)
    if high is not None:
        x = minimum(high, x)
    return x


@op(2)
def nextafter(x, y, /):
    """The next float after x in the direction of y."""
    x, y = promoted_inexact(*arraylike("nextafter", x, y))
    return made(lib.sec_nextafter(x.value, y.value))


@op(2)
def copysign(x, y, /):
    """|x| with the sign of y."""
    x, y = promoted_inexact(*arraylike("copysign", x, y))
    return where(signbit(y), -abs(x), abs(x))


@op(1)
def signbit(x, /):
    """Whether the sign bit is set."""
    x = arraylike("signbit", x)
    if not x.aval.is_float:
        return x < 0 if kind(x) == "INT" else x != x
    code = {2: _types.CODES["int16"], 4: _types.I32, 8: _types.I64}[_types.SIZES[x.aval.code]]
    return made(lib.sec_bitcast_convert_type(x.value, code)) < 0


# ---- tests ----
@op(1)
def isnan(x, /):
    """Whether an element is NaN."""
    x = arraylike("isnan", x)
    return made(lib.sec_ne(x.value, x.value))


@op(1)
def isfinite(x, /):
    """Whether an element is neither infinite nor NaN."""
    x = arraylike("isfinite", x)
    return made(lib.sec_is_finite(x.value)) if x.aval.is_float else x == x


@op(1)
def isinf(x, /):
    """Whether an element is infinite."""
    x = arraylike("isinf", x)
    return abs(x) == np.inf if x.aval.is_float else x != x


@op(1)
def isposinf(x, /):
    """Whether an element is +infinity."""
    return arraylike("isposinf", x) == np.inf


@op(1)
def isneginf(x, /):
    """Whether an element is -infinity."""
    return arraylike("isneginf", x) == -np.inf


@op(2)
def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|a - b| <= atol + rtol |b|; infinities are close to themselves."""
    a, b = promoted_inexact(*arraylike("isclose", a, b))
    close = abs(a - b) <= atol + rtol * abs(b)
    finite = isfinite(a) & isfinite(b)
    out = where(finite, close, a == b)
    return out | (isnan(a) & isnan(b)) if equal_nan else out


@op(1)
def _truth(x):
    x = arraylike("logical", x)
    return x if x.aval.code == _types.BOOL else x != 0


@op(2)
def logical_and(x, y, /):
    """Both are not zero."""
    return _truth(x) & _truth(y)


@op(2)
def logical_or(x, y, /):
    """Either is not zero."""
    return _truth(x) | _truth(y)


@op(2)
def logical_xor(x, y, /):
    """One is not zero."""
    return _truth(x) ^ _truth(y)


@op(1)
def logical_not(x, /):
    """Is zero."""
    return invert(_truth(x))


# ---- choice ----
@op(3)
def _where(condition, x, y):
    condition, x, y = arraylike("where", condition, x, y)
    x, y = promoted(x, y)
    return made(lib.sec_where(_truth(condition).value, x.value, y.value))


def where(condition, x=None, y=None, /, *, size=None, fill_value=None):
    """x where the condition holds, else y; with the condition alone, nonzero(condition)."""
    if x is None and y is None:
        from secant.numpy._shape import nonzero

        return nonzero(condition, size=size, fill_value=fill_value)
    if x is None or y is None:
        raise ValueError("Either both or neither of the x and y arguments should be provided to jax.numpy.where")
    return _where(condition, x, y)


@op(2)
def fmax(x, y, /):
    """The larger; the other if one is NaN."""
    x, y = promoted(*arraylike("fmax", x, y))
    return where((x > y) | isnan(y), x, y)


@op(2)
def fmin(x, y, /):
    """The smaller; the other if one is NaN."""
    x, y = promoted(*arraylike("fmin", x, y))
    return where((x < y) | isnan(y), x, y)


@op(2)
def heaviside(x, y, /):
    """0 below 0, y at 0, 1 above."""
    x, y = promoted_inexact(*arraylike("heaviside", x, y))
    return where(x < 0, 0.0, where(x > 0, 1.0, where(isnan(x), x, y)))


@op(1)
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    """NaN and infinities replaced by numbers."""
    x = arraylike("nan_to_num", x)
    if not x.aval.is_float:
        return x
    info = finfo(x.dtype)
    high = float(info.max) if posinf is None else posinf
    low = float(info.min) if neginf is None else neginf
    out = where(isnan(x), scalar_like(x, nan), x)
    out = where(isposinf(out), scalar_like(x, high), out)
    return _strong(where(isneginf(out), scalar_like(x, low), out))


@op(1)
def astype(x, dtype, /, *, copy=False, device=None):
    """`x` in another dtype."""
    x = arraylike("astype", x)
    return made(lib.sec_convert(x.value, _types.code_of(dtype if dtype is not None else float), False))


@op(1)
def bitcast(x, dtype):
    """The bits of `x` as another dtype; the last axis is split or joined where widths differ."""
    x, code = arraylike("view", x), _types.code_of(dtype)
    old, new = _types.SIZES[x.aval.code], _types.SIZES[code]
    if new > old:
        x = x.reshape(*x.shape[:-1], x.shape[-1] * old // new, new // old)
    out = lax.bitcast_convert_type(x, _types.numpy_dtype(code))
    return out.reshape(*out.shape[:-2], -1) if new < old else out


@op(1)
def conj(x, /):
    """The complex conjugate; real numbers stay."""
    x = arraylike("conj", x)
    if kind(x) == "COMPLEX":
        raise NotImplementedError("complex numbers are not available in this version")
    return x


conjugate = conj


@op(1)
def real(x, /):
    """The real part; real numbers stay."""
    return conj(x)


@op(1)
def imag(x, /):
    """The imaginary part: zeros for real numbers."""
    x = arraylike("imag", x)
    return x * 0 if kind(x) != "FLOAT" else made(lib.sec_full(scalar_like(x, 0).value, x.ndim, int64s(x.shape)))
