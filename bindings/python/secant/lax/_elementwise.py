"""lax's elementwise functions: strict in dtype, scalars and axes of size one are stretched, nothing is promoted."""

import warnings

import numpy as np

from secant import _types
from secant._eager import op
from secant._lib import int64s, lib
from secant._trace import aval_of, local, tracer, values
from secant._tracer import Tracer, made
from secant._tree import tree_map

__all__ = (
    "RoundingMethod",
    "abs",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bessel_i0e",
    "bessel_i1e",
    "bitcast_convert_type",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "clamp",
    "complex",
    "conj",
    "convert_element_type",
    "copy",
    "cos",
    "cosh",
    "div",
    "eq",
    "erf",
    "erf_inv",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "ge",
    "gt",
    "imag",
    "integer_pow",
    "is_finite",
    "le",
    "log",
    "log1p",
    "logistic",
    "lt",
    "max",
    "min",
    "mul",
    "ne",
    "neg",
    "nextafter",
    "pow",
    "real",
    "rem",
    "round",
    "rsqrt",
    "select",
    "select_n",
    "shift_left",
    "shift_right_arithmetic",
    "mulhi",
    "shift_right_logical",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "stop_gradient",
    "sub",
    "tan",
    "tanh",
)

_ComplexWarning = getattr(np, "exceptions", np).ComplexWarning
FLOAT, NUMBER, BITS, ANY = (
    ("FLOAT", "COMPLEX"),
    ("INT", "UINT", "FLOAT", "COMPLEX"),
    ("BOOL", "INT", "UINT"),
    _types.KINDS,
)
SIGNED, INTEGER, ORDERED = ("INT", "FLOAT", "COMPLEX"), ("INT", "UINT"), ("BOOL", "INT", "UINT", "FLOAT")


def _takes(name, x, kinds):
    if _types.KINDS[x.aval.code] not in kinds:
        raise TypeError(
            f"{name} does not accept dtype {x.dtype.name} at operand {x.aval.str_short()}. Accepted are kinds {', '.join(kinds).lower()}\n  hint: convert it with astype, or use the function of secant.numpy, which promotes"
        )


def unary(name, kinds, doc, function=None):
    """A strict function of one operand."""
    c = getattr(lib, function or "sec_" + name)

    def f(x, accuracy=None):
        x = tracer(x)
        _takes(name, x, kinds)
        return made(c(x.value))

    f.__name__, f.__doc__, f.__module__ = name, doc, "secant.lax"
    return op(1)(f)


def pair(name, x, y, kinds):
    """Two operands of one dtype; a weak scalar takes the other's dtype when it is of its kind."""
    x, y = tracer(x), tracer(y)
    a, b = x.aval, y.aval
    if a.code != b.code:
        if b.weak_type and not b.ndim and _like(b, a):
            y = made(lib.sec_convert(y.value, a.code, False))
        elif a.weak_type and not a.ndim and _like(a, b):
            x = made(lib.sec_convert(x.value, b.code, False))
        else:
            raise TypeError(
                f"lax.{name} requires arguments to have the same dtypes, got {x.dtype.name}, {y.dtype.name}. "
                f"(Tip: secant.numpy.{name} is a similar function that does automatic type promotion on inputs).\n  hint: convert one with astype, or use secant.numpy"
            )
    _takes(name, x, kinds)
    if a.ndim and b.ndim and a.ndim != b.ndim:
        raise TypeError(f"{name}: arrays must have same number of dimensions, got {a.shape} and {b.shape}.")
    return x, y


def _like(scalar, array):
    kind = _types.KINDS[array.code]
    return _types.KINDS[scalar.code] == kind or (_types.KINDS[scalar.code] == "INT" and kind == "UINT")


def binary(name, kinds, doc, function=None):
    """A strict function of two operands."""
    c = getattr(lib, function or "sec_" + name)

    def f(x, y):
        x, y = pair(name, x, y, kinds)
        return made(c(x.value, y.value))

    f.__name__, f.__doc__, f.__module__ = name, doc, "secant.lax"
    return op(2)(f)


real = unary("real", ("COMPLEX",), "Real part of a complex number.")
imag = unary("imag", ("COMPLEX",), "Imaginary part of a complex number.")
neg = unary("neg", NUMBER, "Minus x; integers wrap.")
sign = unary("sign", NUMBER, "-1, 0 or 1; keeps NaN and the sign of zero.")
abs = unary("abs", SIGNED, "Absolute value.")
square = unary("square", NUMBER, "x * x.")
exp = unary("exp", FLOAT, "e to the power x.")
exp2 = unary("exp2", FLOAT, "2 to the power x.")
expm1 = unary("expm1", FLOAT, "exp(x) - 1, accurate near 0.")
log = unary("log", FLOAT, "Natural logarithm.")
log1p = unary("log1p", FLOAT, "log(1 + x), accurate near 0.")
sqrt = unary("sqrt", FLOAT, "Square root.")
rsqrt = unary("rsqrt", FLOAT, "1 / sqrt(x).")
cbrt = unary("cbrt", FLOAT, "Cube root.")
logistic = unary("logistic", FLOAT, "1 / (1 + exp(-x)).")
tanh = unary("tanh", FLOAT, "Hyperbolic tangent.")
sinh = unary("sinh", FLOAT, "Hyperbolic sine.")
cosh = unary("cosh", FLOAT, "Hyperbolic cosine.")
asinh = unary("asinh", FLOAT, "Inverse hyperbolic sine.")
acosh = unary("acosh", FLOAT, "Inverse hyperbolic cosine.")
atanh = unary("atanh", FLOAT, "Inverse hyperbolic tangent.")
sin = unary("sin", FLOAT, "Sine of x in radians.")
cos = unary("cos", FLOAT, "Cosine of x in radians.")
tan = unary("tan", FLOAT, "Tangent of x in radians.")
asin = unary("asin", FLOAT, "Inverse sine.")
acos = unary("acos", FLOAT, "Inverse cosine.")
atan = unary("atan", FLOAT, "Inverse tangent.")
erf = unary("erf", FLOAT, "Error function.")
erfc = unary("erfc", FLOAT, "1 - erf(x).")
erf_inv = unary("erf_inv", FLOAT, "Inverse of erf.")
bessel_i0e = unary("bessel_i0e", FLOAT, "exp(-|x|) times the modified Bessel function of order 0.")
bessel_i1e = unary("bessel_i1e", FLOAT, "exp(-|x|) times the modified Bessel function of order 1.")
floor = unary("floor", FLOAT, "Greatest integer not above x.")
ceil = unary("ceil", FLOAT, "Least integer not below x.")
is_finite = unary("is_finite", FLOAT, "Neither infinite nor NaN.")
bitwise_not = unary("bitwise_not", BITS, "Bits inverted; bool: not.", "sec_not")
stop_gradient_array = unary("stop_gradient", ANY, "x, with derivative zero.")
copy = unary("copy", ANY, "x as a new value.")

complex = binary("complex", ("FLOAT",), "x + i y of floats of 32 or 64 bits.")
add = binary("add", NUMBER, "x + y.")
sub = binary("sub", NUMBER, "x - y.")
_mul = binary("mul", NUMBER, "x * y.")
div = binary("div", NUMBER, "x / y; integers truncate toward zero.")
rem = binary("rem", NUMBER, "Remainder of x / y with the sign of x.")
max = binary("max", ANY, "The larger; NaN if either is.")
min = binary("min", ANY, "The smaller; NaN if either is.")
atan2 = binary("atan2", FLOAT, "Angle of the point (y, x): x is the second argument.")
bitwise_and = binary("bitwise_and", BITS, "Bits set in both.", "sec_and")
bitwise_or = binary("bitwise_or", BITS, "Bits set in either.", "sec_or")
bitwise_xor = binary("bitwise_xor", BITS, "Bits set in one.", "sec_xor")
shift_left = binary("shift_left", INTEGER, "x shifted to the left by y; 0 beyond the width.")
shift_right_logical = binary("shift_right_logical", INTEGER, "x shifted to the right, filled with 0.")
shift_right_arithmetic = binary("shift_right_arithmetic", INTEGER, "x shifted to the right, filled with the sign.")
mulhi = binary("mulhi", INTEGER, "The high half of the product.")
eq = binary("eq", ANY, "x == y.")
ne = binary("ne", ANY, "x != y.")
lt = binary("lt", ORDERED, "x < y.")
le = binary("le", ORDERED, "x <= y.")
gt = binary("gt", ORDERED, "x > y.")
ge = binary("ge", ORDERED, "x >= y.")


@op(2)
def pow(x, y):
    """x to the power y: x is a float; y of its dtype or an integer."""
    x, y = tracer(x), tracer(y)
    _takes("pow", x, FLOAT)
    if not _types.is_integer(y.aval.code):
        x, y = pair("pow", x, y, FLOAT)
    return made(lib.sec_pow(x.value, y.value))


@op(1)
def integer_pow(x, y):
    """x to the power of the Python integer y; exact."""
    x = tracer(x)
    _takes("integer_pow", x, NUMBER)
    if y < 0 and _types.is_integer(x.aval.code):
        raise TypeError(
            "Integers cannot be raised to negative powers, got integer_pow({}, {})".format(x.aval.str_short(), y)
        )
    return made(lib.sec_integer_pow(x.value, y))


class RoundingMethod:
    """How round treats halves."""

    AWAY_FROM_ZERO, TO_NEAREST_EVEN = 0, 1

    def __class_getitem__(cls, name):
        return getattr(cls, name)


@op(1)
def round(x, rounding_method=RoundingMethod.AWAY_FROM_ZERO):
    """The nearest integer; halves away from zero, or to even."""
    x = tracer(x)
    _takes("round", x, FLOAT)
    return made(lib.sec_round(x.value, int(rounding_method)))


@op(3)
def clamp(min, x, max):
    """min(max(x, low), high); the bounds are scalars or have x's shape."""
    low, x, high = tracer(min), tracer(x), tracer(max)
    for bound in (low, high):
        if bound.shape != x.shape and bound.ndim:
            raise TypeError(f"clamp: a bound of shape {bound.shape} fits neither {x.shape} nor a scalar")
    low, high = (_as(b, x) for b in (low, high))
    return made(lib.sec_clamp(low.value, x.value, high.value))


def _as(scalar, x):
    if scalar.aval.code == x.aval.code:
        return scalar
    return pair("clamp", scalar, x, ANY)[0]


@op(16)
def select_n(which, *cases):
    """cases[which]: bool or integer `which`, a scalar or of the cases' shape."""
    which, cases = tracer(which), [tracer(c) for c in cases]
    return made(lib.sec_select_n(which.value, values([c.value for c in cases]), len(cases)))


@op(3)
def select(pred, on_true, on_false):
    """on_true where pred holds, else on_false; shapes and dtypes are equal."""
    on_true, on_false = pair("select", on_true, on_false, ANY)
    return select_n(pred, on_false, on_true)


@op(1)
def conj(x):
    """The complex conjugate; of a float a complex number."""
    x = tracer(x)
    _takes("conj", x, FLOAT)
    if _types.KINDS[x.aval.code] == "COMPLEX":
        return made(lib.sec_conj(x.value))
    zero = lib.sec_literal_of(x.aval.code, x.aval.weak_type, -0.0, 0)
    return made(lib.sec_complex(x.value, zero))


@op(1)
def _converted(operand, code):
    return made(lib.sec_convert(tracer(operand).value, code, False))


def convert_element_type(operand, new_dtype):
    """`operand` in another dtype: floats to integers saturate, NaN gives 0; complex to real drops the imaginary part."""
    code = _types.code_of(new_dtype)
    warn_of_parts(operand, code)
    return _converted(operand, code)


def warn_of_parts(x, code):
    """NumPy's warning where a complex number becomes real."""
    if _types.KINDS[code] != "COMPLEX" and _types.KINDS[aval_of(x).code] == "COMPLEX":
        warnings.warn("Casting complex values to real discards the imaginary part", _ComplexWarning, stacklevel=3)


@op(1)
def bitcast_convert_type(operand, new_dtype):
    """The same bits as another dtype; a trailing axis is split or joined (low bits first) where widths differ."""
    x, code = tracer(operand), _types.code_of(new_dtype)
    if "COMPLEX" in (_types.KINDS[x.aval.code], _types.KINDS[code]) and x.aval.code != code:
        raise TypeError(f"bitcast_convert_type: {x.dtype.name} cannot be read as {_types.NAMES[code]}\n  hint: use real, imag and complex")
    if _types.BOOL in (x.aval.code, code) and x.aval.code != code:
        raise TypeError(f"bitcast_convert_type: {x.dtype.name} and {_types.NAMES[code]} have different widths in bits")
    old, new = _types.SIZES[x.aval.code], _types.SIZES[code]
    if old > new:
        x = _split_bits(x, old, new)
    elif old < new:
        x = _join_bits(x, old, new)
    return made(lib.sec_bitcast_convert_type(x.value, code))


def _unsigned(size):
    return _types.CODES[f"uint{8 * size}"]


def _split_bits(x, old, new):
    """u[..., old/new] of the parts of each element."""
    wide = made(lib.sec_bitcast_convert_type(x.value, _unsigned(old)))
    parts = []
    for k in range(old // new):
        shift = lib.sec_literal_of(_unsigned(old), False, 0.0, 8 * new * k)
        part = made(lib.sec_convert(lib.sec_shift_right_logical(wide.value, shift), _unsigned(new), False))
        parts.append(lib.sec_expand_dims(part.value, int64s((x.ndim,)), 1))
    return made(lib.sec_concatenate(values(parts), len(parts), x.ndim))


def _join_bits(x, old, new):
    """u[...] of the elements along the last axis."""
    if not x.ndim or x.shape[-1] != new // old:
        raise TypeError(f"bitcast_convert_type: the last axis of {x.aval.str_short()} must have size {new // old}")
    narrow = made(lib.sec_bitcast_convert_type(x.value, _unsigned(old)))
    wide = made(lib.sec_convert(narrow.value, _unsigned(new), False))
    offsets = made(lib.sec_iota(_unsigned(new), 1, int64s((new // old,)), 0))
    bits = lib.sec_mul(offsets.value, lib.sec_literal_of(_unsigned(new), False, 0.0, 8 * old))
    shifted = made(lib.sec_shift_left(wide.value, lib.sec_broadcast_to(bits, x.ndim, int64s(x.shape))))
    return made(lib.sec_reduce_sum(shifted.value, int64s((x.ndim - 1,)), 1))


def stop_gradient(x):
    """x (a pytree), with derivative zero."""
    if not local.frames:
        return x
    return tree_map(lambda leaf: stop_gradient_array(leaf) if type(leaf) is Tracer else leaf, x)


@op(2)
def mul(x, y, *, out_dtype=None):
    """x * y, in another dtype if one is asked for."""
    out = _mul(x, y)
    return out if out_dtype is None else convert_element_type(out, out_dtype)


_nextafter = binary("nextafter", FLOAT, "")


@op(2)
def nextafter(x1, x2):
    """The next float after x1 in the direction of x2."""
    return _nextafter(x1, x2)
