"""Sums, extremes, means and running sums."""

import builtins

import numpy as np

from secant import _types
from secant._eager import op
from secant._lib import int64s, lib
from secant._tracer import made
from secant.numpy._common import arraylike, axes_of, broadcast, convert, inexact, kind, no_out, one_axis, scalar_like
from secant.numpy._logic import _truth, isnan, where as _where
from secant.numpy._ufuncs import sqrt, square


def _keep(out, x, axes, keepdims):
    """`out` with the reduced axes as axes of size one."""
    return made(lib.sec_expand_dims(out.value, int64s(sorted(axes)), len(axes))) if keepdims and axes else out


def _reduced(c, x, axes):
    return made(c(x.value, int64s(axes), len(axes)))


def _widened(x):
    """Small integers and bools in the default integer of their kind, as sums accumulate them."""
    a = x.aval
    if a.is_float:
        return convert(x, a.code) if a.weak_type else x
    default = _types.default_code("UINT" if kind(x) == "UINT" else "INT")
    wide = a.code if _types.SIZES[a.code] > _types.SIZES[default] else default
    return convert(x, wide)


def _accumulate(name, c, identity, combine):
    def f(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None, promote_integers=True):
        no_out(name, out)
        x = arraylike(name, a)
        x = convert(x, _types.code_of(dtype)) if dtype is not None else _widened(x)
        axes = axes_of(axis, x.ndim)
        if where is not None:
            x = _where(where, x, scalar_like(x, identity))
        half = x.aval.code in (_types.F16, _types.BF16)
        r = _reduced(c, convert(x, _types.F32) if half else x, axes)
        if half:
            r = convert(r, x.aval.code)
        if initial is not None:
            r = combine(r, convert(arraylike(name, initial), r.aval.code))
        return _keep(r, x, axes, keepdims)

    f.__name__ = f.__qualname__ = name
    f.__module__ = "secant.numpy"
    return f


sum = op(1)(_accumulate("sum", lib.sec_reduce_sum, 0, lambda x, y: x + y))
sum.__doc__ = "Sum over axes (None: all); small integers are summed in the default integer."
prod = op(1)(_accumulate("prod", lib.sec_reduce_prod, 1, lambda x, y: x * y))
prod.__doc__ = "Product over axes (None: all)."


def _extreme(name, c, lowest, pick):
    def f(a, axis=None, out=None, keepdims=False, initial=None, where=None):
        no_out(name, out)
        x = arraylike(name, a)
        axes = axes_of(axis, x.ndim)
        if initial is None and builtins.any(x.shape[d] == 0 for d in axes):
            raise ValueError(f"zero-size array to reduction operation {name} which has no identity\n  hint: give `initial`")
        if where is not None:
            if initial is None:
                raise ValueError(
                    f"reduction operation {name} does not have an identity, so to use a where mask one has to specify 'initial'"
                )
            x = _where(where, x, scalar_like(x, lowest(x)))
        r = _reduced(c, convert(x, x.aval.code), axes)
        if initial is not None:
            r = pick(r, convert(arraylike(name, initial), r.aval.code))
        return _keep(r, x, axes, keepdims)

    f.__name__ = f.__qualname__ = name
    f.__module__ = "secant.numpy"
    return f


def _bound(sign):
    def bound(x):
        if x.aval.is_float:
            return sign * np.inf
        if kind(x) == "BOOL":
            return sign > 0
        info = np.iinfo(x.dtype)
        return info.max if sign > 0 else info.min

    return bound


max = op(1)(_extreme("max", lib.sec_reduce_max, _bound(-1), lambda x, y: made(lib.sec_max(x.value, y.value))))
max.__doc__ = "Largest over axes (None: all); NaN sticks."
min = op(1)(_extreme("min", lib.sec_reduce_min, _bound(1), lambda x, y: made(lib.sec_min(x.value, y.value))))
min.__doc__ = "Smallest over axes (None: all); NaN sticks."
amax, amin = max, min


def _logical(name, c, identity):
    def f(a, axis=None, out=None, keepdims=False, *, where=None):
        no_out(name, out)
        x = _truth(arraylike(name, a))
        axes = axes_of(axis, x.ndim)
        if where is not None:
            x = _where(where, x, identity)
        return _keep(_reduced(c, x, axes), x, axes, keepdims)

    f.__name__ = f.__qualname__ = name
    f.__module__ = "secant.numpy"
    return f


all = op(1)(_logical("all", lib.sec_reduce_and, True))
all.__doc__ = "Whether all elements over axes are not zero."
any = op(1)(_logical("any", lib.sec_reduce_or, False))
any.__doc__ = "Whether any element over axes is not zero."


def _arg(name, c):
    def f(a, axis=None, out=None, keepdims=None):
        no_out(name, out)
        x = arraylike(name, a)
        if axis is None:
            ndim, x, axis = x.ndim, x.reshape(-1), 0
        else:
            ndim, axis = None, one_axis(axis, x.ndim)
        if not x.shape[axis]:
            raise ValueError(f"attempt to get {name} of an empty sequence")
        r = made(c(x.value, axis, _types.default_code("INT")))
        if not keepdims:
            return r
        return _keep(r, x, (axis,), True) if ndim is None else r.reshape((1,) * ndim)

    f.__name__ = f.__qualname__ = name
    f.__module__ = "secant.numpy"
    return f


argmax = op(1)(_arg("argmax", lib.sec_argmax))
argmax.__doc__ = "Index of the first largest (or first NaN) along an axis; of the flat array without."
argmin = op(1)(_arg("argmin", lib.sec_argmin))
argmin.__doc__ = "Index of the first smallest (or first NaN) along an axis; of the flat array without."


def _count(x, axes, where):
    """How many elements a mean has: a number, or an array where a mask counts."""
    if where is None:
        n = 1
        for d in axes:
            n *= x.shape[d]
        return n
    mask = broadcast(_truth(arraylike("where", where)), x.shape)
    return sum(mask, axes, x.dtype, keepdims=True)


@op(1)
def mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=None):
    """Mean over axes; integers as floats, half precision accumulates in f32."""
    no_out("mean", out)
    x = arraylike("mean", a)
    x = convert(x, _types.code_of(dtype)) if dtype is not None else inexact(x)
    code, axes = x.aval.code, axes_of(axis, x.ndim)
    if code in (_types.F16, _types.BF16):
        x = convert(x, _types.F32)
    n = _count(x, axes, where)
    total = sum(x, axes, keepdims=keepdims or where is not None, where=where)
    r = total // n if kind(x) in ("INT", "UINT") else total / n
    if where is not None and not keepdims:
        r = r.reshape([d for i, d in enumerate(x.shape) if i not in axes])
    return convert(r, code)


_mean = mean


@op(1)
def var(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None, correction=None):
    """Mean square distance from the mean; divided by n - ddof."""
    no_out("var", out)
    x = inexact(arraylike("var", a))
    x = convert(x, _types.code_of(dtype)) if dtype is not None else convert(x, x.aval.code)
    code, axes = x.aval.code, axes_of(axis, x.ndim)
    if code in (_types.F16, _types.BF16):
        x = convert(x, _types.F32)
    center = _mean(x, axes, keepdims=True, where=where) if mean is None else convert(arraylike("var", mean), x.aval.code)
    centered = x - center
    if kind(x) == "COMPLEX":
        centered, code = square(centered.real) + square(centered.imag), code - _types.CODES["complex64"] + _types.F32
    else:
        centered = square(centered)
    n = _count(x, axes, where) - (ddof if correction is None else correction)
    total = sum(centered, axes, keepdims=keepdims or where is not None, where=where)
    r = total / n if where is not None or n > 0 else total * np.nan
    if where is not None and not keepdims:
        r = r.reshape([d for i, d in enumerate(x.shape) if i not in axes])
    return convert(r, code)


@op(1)
def std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None, correction=None):
    """Square root of var."""
    return sqrt(var(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))


@op(1)
def average(a, axis=None, weights=None, returned=False, keepdims=False):
    """Weighted mean."""
    if weights is None:
        return mean(a, axis, keepdims=keepdims)
    x, w = inexact(arraylike("average", a)), arraylike("average", weights)
    if w.shape != x.shape:
        shape = [1] * x.ndim
        shape[one_axis(axis, x.ndim)] = w.shape[0]
        w = broadcast(w.reshape(shape), x.shape)
    total = sum(w, axis, keepdims=keepdims)
    r = sum(x * w, axis, keepdims=keepdims) / total
    return (r, total) if returned else r


@op(1)
def ptp(a, axis=None, out=None, keepdims=False):
    """max - min."""
    return max(a, axis, None, keepdims) - min(a, axis, None, keepdims)


@op(1)
def count_nonzero(a, axis=None, keepdims=False):
    """How many elements are not zero."""
    return sum(_truth(arraylike("count_nonzero", a)), axis, keepdims=keepdims)


def _cumulative(name, c):
    def f(a, axis=None, dtype=None, out=None):
        no_out(name, out)
        x = arraylike(name, a)
        if axis is None:
            x, axis = x.reshape(-1), 0
        if dtype is not None:
            x = convert(x, _types.code_of(dtype))
        elif kind(x) == "BOOL":
            x = convert(x, _types.default_code("INT"))
        return made(c(x.value, one_axis(axis, x.ndim), False))

    f.__name__ = f.__qualname__ = name
    f.__module__ = "secant.numpy"
    return f


cumsum = op(1, call="cumsum")(_cumulative("cumsum", lib.sec_cumsum))
cumsum.__doc__ = "Running sum along an axis; of the flat array without."
cumprod = op(1, call="cumprod")(_cumulative("cumprod", lib.sec_cumprod))
cumprod.__doc__ = "Running product along an axis; of the flat array without."


def _nan(name, function, fill):
    def f(a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
        no_out(name, out)
        x = arraylike(name, a)
        x = _where(isnan(x), scalar_like(x, fill), x) if x.aval.is_float else x
        return function(x, axis, dtype, keepdims=keepdims, initial=initial, where=where)

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = f"{name[3:]} that passes over NaN.", "secant.numpy"
    return op(1)(f)


nansum, nanprod = _nan("nansum", sum, 0), _nan("nanprod", prod, 1)


@op(1)
def nanmean(a, axis=None, dtype=None, out=None, keepdims=False, where=None):
    """Mean that passes over NaN."""
    no_out("nanmean", out)
    x = inexact(arraylike("nanmean", a))
    x = x if dtype is None else convert(x, _types.code_of(dtype))
    total = nansum(x, axis, keepdims=keepdims, where=where)
    return total / sum(~isnan(x), axis, x.dtype, keepdims=keepdims, where=where)


def _nan_extreme(name, function, fill):
    def f(a, axis=None, out=None, keepdims=False, initial=None, where=None):
        no_out(name, out)
        x = arraylike(name, a)
        if not x.aval.is_float:
            return function(x, axis, None, keepdims, initial, where)
        missing = isnan(x)
        r = function(_where(missing, scalar_like(x, fill), x), axis, None, keepdims, initial, where)
        return r if initial is not None else _where(all(missing, axis, None, keepdims), np.nan, r)

    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = f"{name[3:]} that passes over NaN.", "secant.numpy"
    return op(1)(f)


nanmax, nanmin = _nan_extreme("nanmax", max, -np.inf), _nan_extreme("nanmin", min, np.inf)


@op(2)
def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all elements are close."""
    from secant.numpy._rounding import isclose

    return all(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1, a2, equal_nan=False):
    """Whether shapes and all elements are equal."""
    from secant.numpy._creation import asarray

    a1, a2 = asarray(a1), asarray(a2)
    return _array_equal(a1, a2, equal_nan) if a1.shape == a2.shape else asarray(False)


@op(2)
def _array_equal(x, y, equal_nan):
    same = arraylike("array_equal", x) == y
    if equal_nan:
        same = same | (isnan(x) & isnan(y))
    return all(same)
