"""Rounding, closeness and conversions of elements."""

from secant import _types, lax
from secant._eager import op
from secant._lib import int64s, lib
from secant._trace import aval_of
from secant._tracer import made
from secant.lax._elementwise import warn_of_parts
from secant.numpy._common import arraylike, inexact, kind, promoted_inexact, scalar_like
from secant.numpy._dtypes import finfo, iscomplexobj
from secant.numpy._logic import _named, isfinite, isnan, isneginf, isposinf, where
from secant.numpy._ufuncs import _strong, abs, maximum, minimum


def _rounding(name, c):
    def f(x, /):
        x = arraylike(name, x)
        return made(c(x.value)) if x.aval.is_float else x

    return op(1)(_named(f, name, f"{name} of each element; integers stay."))


floor, ceil = _rounding("floor", lib.sec_floor), _rounding("ceil", lib.sec_ceil)


@op(1)
def trunc(x):
    """Toward zero."""
    x = arraylike("trunc", x)
    return where(x < 0, ceil(x), floor(x)) if x.aval.is_float else x


fix = trunc


@op(1)
def rint(x, /):
    """To the nearest integer, halves to even."""
    return made(lib.sec_round(inexact(arraylike("rint", x)).value, 1))


@op(1, call="round")
def round(a, decimals=0, out=None):
    """To `decimals` places, halves to even."""
    x = arraylike("round", a)
    if not x.aval.is_float:
        if decimals < 0:
            raise NotImplementedError("round: integers take no negative decimals, as in JAX; convert to a float type first")
        return x
    if kind(x) == "COMPLEX":
        return lax.complex(round(real(x), decimals), round(imag(x), decimals))
    if not decimals:
        return made(lib.sec_round(x.value, 1))
    factor = 10.0**decimals
    return made(lib.sec_round((x * factor).value, 1)) / factor


around = round


@op(3, call="clip")
def clip(arr=None, /, min=None, max=None, *, a=None, a_min=None, a_max=None):
    """minimum(maximum(x, min), max)."""
    x = arraylike("clip", a if arr is None else arr)
    if any(iscomplexobj(z) for z in (x, min, max, a_min, a_max) if z is not None):
        raise ValueError(
            "Clip received a complex value either through the input or the min/max keywords. Complex values have no ordering and cannot be clipped. Please convert to a real value or array by taking the real or imaginary components via jax.numpy.real/imag respectively."
        )
    low, high = a_min if min is None else min, a_max if max is None else max
    if any(v is not None and _types.KINDS[aval_of(v).code] == "COMPLEX" for v in (x, low, high)):
        raise ValueError("Clip received a complex value: complex numbers have no order.\n  hint: clip the real and the imaginary part")
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


@op(2)
def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|a - b| <= atol + rtol |b|; infinities are close to themselves."""
    a, b = promoted_inexact(*arraylike("isclose", a, b))
    close = abs(a - b) <= atol + rtol * abs(b)
    finite = isfinite(a) & isfinite(b)
    out = where(finite, close, a == b)
    return out | (isnan(a) & isnan(b)) if equal_nan else out


@op(1, call="nan_to_num")
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    """NaN and infinities replaced by numbers."""
    x = arraylike("nan_to_num", x)
    if not x.aval.is_float:
        return x
    if kind(x) == "COMPLEX":
        return lax.complex(*(nan_to_num(part, nan=nan, posinf=posinf, neginf=neginf) for part in (real(x), imag(x))))
    info = finfo(x.dtype)
    high = float(info.max) if posinf is None else posinf
    low = float(info.min) if neginf is None else neginf
    out = where(isnan(x), scalar_like(x, nan), x)
    out = where(isposinf(out), scalar_like(x, high), out)
    return _strong(where(isneginf(out), scalar_like(x, low), out))


@op(1)
def _astype(x, code):
    x = arraylike("astype", x)
    return made(lib.sec_convert(x.value, code, False))


def astype(x, dtype, /, *, copy=False, device=None):
    """`x` in another dtype; of a complex number that becomes real the imaginary part is dropped, with NumPy's warning."""
    code = _types.code_of(dtype if dtype is not None else float)
    if code != _types.BOOL:
        warn_of_parts(x, code)
    return _astype(x, code)


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
    return made(lib.sec_conj(arraylike("conj", x).value))


conjugate = conj


@op(1)
def real(x, /):
    """The real part; real numbers stay."""
    return made(lib.sec_real(arraylike("real", x).value))


@op(1)
def imag(x, /):
    """The imaginary part: zeros for real numbers."""
    x = arraylike("imag", x)
    if kind(x) == "COMPLEX":
        return made(lib.sec_imag(x.value))
    return x * 0 if kind(x) != "FLOAT" else made(lib.sec_full(scalar_like(x, 0).value, x.ndim, int64s(x.shape)))
