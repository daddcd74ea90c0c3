"""What the functions of secant.numpy share: operands, types, axes.  All of it runs in an open trace."""

import numpy as np

from secant import _types
from secant._errors import ConcretizationTypeError
from secant._lib import lib
from secant._operators import Array
from secant._trace import literal, tracer
from secant._tracer import Tracer, made


def arraylike(name, *xs):
    """The operands as Tracers; lists and tuples are refused as in jax.numpy."""
    out = []
    for x in xs:
        if type(x) is Tracer:
            out.append(x)
        elif (
            isinstance(x, (Array, np.ndarray, np.generic, bool, int, float, complex))
            or hasattr(x, "__jax_array__")
            or hasattr(x, "__array__")
        ):
            out.append(tracer(x))
        else:
            raise TypeError(f"{name} requires ndarray or scalar arguments, got {type(x)} at position {len(out)}.\n  hint: make an array of it with secant.numpy.array")
    return out if len(out) > 1 else out[0]


def kind(x):
    return _types.KINDS[x.aval.code]


def convert(x, code, weak=False):
    """`x` in another dtype."""
    a = x.aval
    if a.code == code and a.weak_type == weak:
        return x
    return made(lib.sec_convert(x.value, code, weak))


def inexact(x):
    """Integers and bools become the default float; weak stays weak."""
    a = x.aval
    return x if a.is_float else convert(x, _types.default_code("FLOAT"), a.weak_type)


def promoted(*xs):
    """Operands of one type."""
    code, weak = xs[0].aval.code, xs[0].aval.weak_type
    for x in xs[1:]:
        code, weak = _types.promote(_types.aval(code, (), weak), x.aval)
    return [convert(x, code, weak) for x in xs]


def promoted_inexact(*xs):
    """Operands of one float type."""
    xs = promoted(*xs)
    return [inexact(x) for x in xs]


def broadcasted(*xs):
    """Operands of one shape."""
    shape = np.broadcast_shapes(*(x.shape for x in xs))
    return [x if x.shape == shape else broadcast(x, shape) for x in xs]


def broadcast(x, shape):
    from secant.lax._shape import broadcast_to

    return broadcast_to(x, shape)


def axes_of(axis, ndim):
    """`axis` (None: all) as a tuple of axes >= 0."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, Tracer):
        raise ConcretizationTypeError("an axis must be a Python integer, not a traced value")
    axes = tuple(int(a) for a in axis) if isinstance(axis, (tuple, list)) else (int(axis),)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"axis {a} is out of bounds for array of dimension {ndim}\n  hint: axes count from 0; negative ones from the end")
    axes = tuple(a % ndim for a in axes)
    if len(set(axes)) != len(axes):
        raise ValueError(f"duplicate value in 'axis': {axis}")
    return axes


def one_axis(axis, ndim):
    return axes_of(axis, ndim)[0]


def scalar_like(x, value):
    """A literal of the type of `x`."""
    return literal(x.aval.code, value, x.aval.weak_type)


def no_out(name, out):
    if out is not None:
        raise NotImplementedError(f"The 'out' argument to {name} is not supported.")


def no_target(name, out, where=None):
    """The arguments of NumPy's ufuncs that write into an array are refused."""
    if out is not None or where is not None:
        raise NotImplementedError(f"{'out' if out is not None else 'where'} argument of {name}\n  hint: use jnp.where on the result")
