"""Comparisons, tests and choices, with NumPy's broadcasting."""

import numpy as np

from secant import _types
from secant._eager import op
from secant._lib import lib
from secant._trace import local, values
from secant._tracer import made
from secant.numpy._common import arraylike, broadcast, no_target, promoted


def _named(f, name, doc):
    f.__name__ = f.__qualname__ = name
    f.__doc__, f.__module__ = doc, "secant.numpy"
    return f


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
    return made(lib.sec_abs(x.value)) == np.inf if x.aval.is_float else x != x


@op(1)
def isposinf(x, /, out=None):
    """Whether an element is +infinity."""
    no_target("isposinf", out)
    return arraylike("isposinf", x) == np.inf


@op(1)
def isneginf(x, /, out=None):
    """Whether an element is -infinity."""
    no_target("isneginf", out)
    return arraylike("isneginf", x) == -np.inf


@op(1)
def _truth(x):
    x = arraylike("logical", x)
    return x if x.aval.code == _types.BOOL else x != 0


@op(2)
def logical_and(x, y, /, out=None, where=None):
    """Both are not zero."""
    no_target("logical_and", out, where)
    return _truth(x) & _truth(y)


@op(2)
def logical_or(x, y, /, out=None, where=None):
    """Either is not zero."""
    no_target("logical_or", out, where)
    return _truth(x) | _truth(y)


@op(2)
def logical_xor(x, y, /, out=None, where=None):
    """One is not zero."""
    no_target("logical_xor", out, where)
    return _truth(x) ^ _truth(y)


@op(1)
def logical_not(x, /):
    """Is zero."""
    return made(lib.sec_not(_truth(x).value))


# ---- choice ----
def _where_shown(condition, x, y):
    """As JAX writes it: one type, one shape."""
    weak = x.aval.weak_type and y.aval.weak_type
    x, y = (made(lib.sec_convert(v.value, v.aval.code, weak)) for v in (x, y))
    shape = np.broadcast_shapes(condition.shape, x.shape, y.shape)
    condition, x, y = (
        v if v.shape == shape or v is condition and not v.ndim else broadcast(v, shape) for v in (condition, x, y)
    )
    return made(lib.sec_select_n(condition.value, values([y.value, x.value]), 2))


@op(3, call="_where")
def _where(condition, x, y):
    condition, x, y = arraylike("where", condition, x, y)
    x, y = promoted(x, y)
    if local.shown:
        return _where_shown(_truth(condition), x, y)
    return made(lib.sec_where(_truth(condition).value, x.value, y.value))


def where(condition, x=None, y=None, /, *, size=None, fill_value=None):
    """x where the condition holds, else y; with the condition alone, nonzero(condition)."""
    if x is None and y is None:
        from secant.numpy._picking import nonzero

        return nonzero(condition, size=size, fill_value=fill_value)
    if x is None or y is None:
        raise ValueError("Either both or neither of the x and y arguments should be provided to jax.numpy.where")
    return _where(condition, x, y)
