"""Functions that map Python functions over arrays, and functions of integers and of the parts of floats."""

import re
from functools import wraps

import numpy as np

from secant import _types, lax
from secant._eager import op
from secant.numpy._common import arraylike, axes_of, convert, inexact, kind, no_target, one_axis, promoted, promoted_inexact
from secant.numpy._creation import asarray
from secant.numpy._logic import isfinite, where
from secant.numpy._reductions import all, sum
from secant.numpy._rounding import trunc
from secant.numpy._shape import broadcast_shapes, expand_dims, moveaxis, pad
from secant.numpy._ufuncs import abs, arctan2, exp2


# ---- mapping ----
def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    """func1d of every vector along an axis; its results stand in place of the axis."""
    from secant._vmap import vmap

    arr = asarray(arr)
    axis = one_axis(axis, arr.ndim)
    mapped = lambda v: asarray(func1d(v, *args, **kwargs))  # noqa: E731
    for i in range(1, arr.ndim - axis):
        mapped = vmap(mapped, in_axes=i, out_axes=-1)
    for _ in range(axis):
        mapped = vmap(mapped, in_axes=0, out_axes=0)
    return mapped(arr)


def apply_over_axes(func, a, axes):
    """func(a, axis) for one axis after the other; an axis that it removes is put back with size one."""
    a = asarray(a)
    for axis in axes_of(axes, a.ndim):
        out = func(a, axis)
        a = out if out.ndim == a.ndim else expand_dims(out, axis)
    return a


def _core(signature):
    """Core dimensions of "(n,m),(m)->(n)": ([(n, m), (m)], [(n)])."""
    name = r"\w+"
    group = rf"\((?:{name}(?:,{name})*)?\)"
    text = signature.replace(" ", "")
    if not re.fullmatch(rf"{group}(?:,{group})*->{group}(?:,{group})*", text):
        raise ValueError(f"not a valid gufunc signature: {signature}")
    return [[tuple(re.findall(name, g)) for g in re.findall(group, side)] for side in text.split("->")]


def vectorize(pyfunc, *, excluded=frozenset(), signature=None):
    """A function with NumPy's broadcasting over the leading axes of its arguments.

    Parameters
    ----------
    excluded : places (and names) of arguments that are handed on as they are.
    signature : core dimensions, as "(m,n),(n)->(m)"; scalars without it.
    """
    core = None if signature is None else _core(signature)

    @wraps(pyfunc)
    def wrapped(*args, **kwargs):
        from secant._vmap import vmap

        places = [i for i in range(len(args)) if i not in excluded]
        arrays = [asarray(args[i]) for i in places]
        if core is not None and len(core[0]) != len(arrays):
            raise TypeError(f"wrong number of positional arguments: expected {len(core[0])}, got {len(arrays)}")
        ranks = [len(dims) for dims in core[0]] if core else [0] * len(arrays)
        for x, rank in zip(arrays, ranks):
            if x.ndim < rank:
                raise ValueError(f"an argument of {x.aval.str_short()} has fewer than its {rank} core dimensions")
        leads = [x.shape[: x.ndim - r] for x, r in zip(arrays, ranks)]
        lead = broadcast_shapes(*leads) if leads else ()

        def inner(*given):
            every = list(args)
            for i, x in zip(places, given):
                every[i] = x
            return pyfunc(*every, **kwargs)

        mapped = inner
        for level in reversed(range(len(lead))):
            axes = tuple(0 if len(s) >= len(lead) - level and s[level - len(lead)] != 1 else None for s in leads)
            mapped = vmap(mapped, in_axes=axes, axis_size=lead[level])
        squeezed = [x.reshape(tuple(d for d in s if d != 1) + x.shape[len(s) :]) for x, s in zip(arrays, leads)]
        return mapped(*squeezed)

    return wrapped


def piecewise(x, condlist, funclist, *args, **kw):
    """For each element the value of the function (or the constant) of the last condition that holds."""
    x = asarray(x)
    conditions = list(condlist) if isinstance(condlist, (list, tuple)) else list(asarray(condlist))
    functions = list(funclist)
    if len(functions) not in (len(conditions), len(conditions) + 1):
        raise ValueError(f"with {len(conditions)} condition(s), either {len(conditions)} or one more functions are expected")
    values = [f(x, *args, **kw) if callable(f) else f for f in functions]
    default = values.pop() if len(values) > len(conditions) else 0
    out = asarray(default).astype(x.dtype)
    for c, v in zip(conditions, values):
        out = where(c, asarray(v).astype(x.dtype), out)
    return lax.broadcast_to(out, x.shape)


# ---- integers ----
@op(2)
def gcd(x1, x2):
    """Greatest common divisor."""
    x, y = promoted(*arraylike("gcd", x1, x2))
    if not _types.is_integer(x.aval.code):
        raise ValueError(f"Arguments to jax.numpy.gcd must be integers, got {x.aval.str_short()}.")
    shape = broadcast_shapes(x.shape, y.shape)
    x, y = (lax.broadcast_to(abs(z), shape) for z in (x, y))

    def step(state):
        a, b = state
        going = b != 0
        return where(going, b, a), where(going, lax.rem(a, where(going, b, lax.full_like(b, 1))), b)

    return lax.while_loop(lambda state: sum(state[1] != 0) > 0, step, (x, y))[0]


@op(2)
def lcm(x1, x2):
    """Least common multiple."""
    x, y = promoted(*arraylike("lcm", x1, x2))
    x, y = abs(x), abs(y)
    d = gcd(x, y)
    return where(d == 0, x * 0, x * (y // where(d == 0, d + 1, d)))


@op(1)
def bitwise_count(x, /):
    """How many bits of the absolute value are set, u8."""
    x = arraylike("bitwise_count", x)
    if x.aval.is_float:
        raise TypeError(f"bitwise_count does not accept dtype {x.dtype.name}. Accepted dtypes are integers and bool.")
    return lax.population_count(abs(x)).astype("uint8")


@op(1)
def packbits(a, axis=None, bitorder="big"):
    """Truths packed into bytes along an axis."""
    x = arraylike("packbits", a)
    if x.aval.is_float:
        raise TypeError("Expected an input array of integer or boolean data type")
    x = (x.reshape(-1) if axis is None else x) != 0
    axis = one_axis(-1 if axis is None else axis, x.ndim)
    x = moveaxis(x, axis, -1)
    x = pad(x, [(0, 0)] * (x.ndim - 1) + [(0, -x.shape[-1] % 8)])
    bits = x.reshape(*x.shape[:-1], x.shape[-1] // 8, 8).astype("uint8")
    order = np.arange(8) if bitorder == "little" else np.arange(7, -1, -1)
    return moveaxis(sum(bits << order.astype("uint8"), -1, "uint8"), -1, axis)


@op(1)
def unpackbits(a, axis=None, count=None, bitorder="big"):
    """The bits of bytes along an axis."""
    x = arraylike("unpackbits", a)
    if x.dtype != np.uint8:
        raise TypeError("Expected an input array of unsigned byte data type")
    x = x.reshape(-1) if axis is None else x
    axis = one_axis(-1 if axis is None else axis, x.ndim)
    x = moveaxis(x, axis, -1)
    order = np.arange(8) if bitorder == "little" else np.arange(7, -1, -1)
    bits = (x[..., None] >> order.astype("uint8")) & np.uint8(1)
    bits = bits.reshape(*x.shape[:-1], 8 * x.shape[-1])
    return moveaxis(bits[..., :count] if count is not None else bits, -1, axis)


# ---- parts of floats ----
@op(1)
def modf(x, /, out=None):
    """(fractional part, whole part) of x."""
    no_target("modf", out)
    x = inexact(arraylike("modf", x))
    whole = trunc(x)
    return x - whole, whole


@op(2)
def ldexp(x1, x2, /):
    """x1 times 2 to the power x2."""
    x, n = arraylike("ldexp", x1, x2)
    if not _types.is_integer(n.aval.code):
        raise ValueError(f"ldexp not supported for input types {(x.dtype.name, n.dtype.name)}")
    x, e = promoted_inexact(x, convert(n, n.aval.code))
    half = trunc(e / 2)
    return x * exp2(half) * exp2(e - half)


@op(1)
def frexp(x, /):
    """(mantissa in [1/2, 1), exponent): x is mantissa times 2 to the power exponent."""
    x = inexact(arraylike("frexp", x))
    mantissa_bits, bias, unsigned = _FLOATS[x.aval.code]
    small = abs(x) < float(np.finfo(_types.numpy_dtype(x.aval.code)).tiny)
    scaled = where(small, x * 2.0 ** (mantissa_bits + 1), x)
    bits = lax.bitcast_convert_type(scaled, unsigned)
    word = np.dtype(unsigned).type
    field = word((2 * bias + 1) << mantissa_bits)
    exponent = ((bits & field) >> word(mantissa_bits)).astype("int32") - (bias - 1)
    exponent = where(small, exponent - (mantissa_bits + 1), exponent)
    mantissa = lax.bitcast_convert_type((bits & ~field) | word((bias - 1) << mantissa_bits), x.dtype)
    plain = isfinite(x) & (x != 0)
    return where(plain, mantissa, x), where(plain, exponent, 0)


_FLOATS = {_types.F16: (10, 15, "uint16"), _types.F32: (23, 127, "uint32"), _types.F64: (52, 1023, "uint64")}


@op(1)
def spacing(x, /):
    """The distance to the next float away from zero."""
    x = inexact(arraylike("spacing", x))
    sign = where(x < 0, -1.0, 1.0).astype(x.dtype)
    nearest = lax.nextafter(x, lax.full_like(x, np.inf) * sign)
    return where(isfinite(x), nearest - x, np.nan)


# ---- real and complex ----
@op(1)
def isreal(x):
    """Whether elements have no imaginary part."""
    x = arraylike("isreal", x)
    return lax.full(x.shape, True) if kind(x) != "COMPLEX" else x.imag == 0


@op(1)
def iscomplex(x):
    """Whether elements have an imaginary part."""
    return ~isreal(x)


def isrealobj(x):
    """Whether the type of `x` is real."""
    from secant.numpy._dtypes import iscomplexobj

    return not iscomplexobj(x)


@op(1)
def angle(z, deg=False):
    """The angle of numbers in the complex plane: 0 or pi for reals."""
    x = inexact(arraylike("angle", z))
    if kind(x) == "COMPLEX":
        out = arctan2(x.imag, x.real)
        return out * (180 / np.pi) if deg else out
    out = where(x != x, x, where(x < 0, np.pi, 0.0).astype(x.dtype))
    return out * (180 / np.pi) if deg else out


def array_equiv(a1, a2):
    """Whether two arrays are equal after broadcasting."""
    a1, a2 = asarray(a1), asarray(a2)
    try:
        broadcast_shapes(a1.shape, a2.shape)
    except ValueError:
        return asarray(False)
    return all(a1 == a2)
