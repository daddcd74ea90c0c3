"""Universal functions: jnp.add.reduce, .accumulate, .at, .outer, .reduceat, and frompyfunc."""

import numpy as np

from secant import lax
from secant._eager import staged
from secant.numpy import _reductions as reductions
from secant.numpy import _ufuncs
from secant.numpy._common import one_axis
from secant.numpy._creation import asarray
from secant.numpy._functional import vectorize
from secant.numpy._logic import logical_and, logical_or, logical_xor, where
from secant.numpy._shape import expand_dims, moveaxis

_METHODS = "reduce accumulate at outer reduceat".split()


class _Meta(type):
    def __instancecheck__(cls, x):
        return type.__instancecheck__(cls, x) or hasattr(x, "_ufunc")


def _unsupported(name, out=None, where=None):
    if out is not None:
        raise NotImplementedError(f"out argument of {name}")
    if where is not None:
        raise NotImplementedError(f"where argument of {name}")


class ufunc(metaclass=_Meta):
    """A function of numbers that is mapped over arrays, with the methods of NumPy's ufuncs.

    Parameters
    ----------
    func : the function.  nin, nout : how many operands and results it has.
    identity : what reduce starts from, or None.
    """

    def __init__(self, func, /, nin, nout, *, name=None, nargs=None, identity=None, call=None, natives=()):
        if not callable(func):
            raise TypeError("func must be a callable")
        self._func = func
        self._call = call or vectorize(func)
        self._natives = dict(natives)
        self.nin, self.nout, self.nargs, self.identity = nin, nout, nargs if nargs is not None else nin, identity
        self.__name__ = name or getattr(func, "__name__", "ufunc")
        self.__doc__ = getattr(func, "__doc__", None)

    def __hash__(self):
        return hash((self._func, self.__name__, self.identity, self.nin, self.nout))

    def __eq__(self, other):
        return type(other) is ufunc and (self._func, self.identity, self.nin, self.nout, self.__name__) == (
            other._func,
            other.identity,
            other.nin,
            other.nout,
            other.__name__,
        )

    def __repr__(self):
        return f"<jnp.ufunc '{self.__name__}'>"

    def __call__(self, *args, out=None, where=None):
        _unsupported(self.__name__, out, where)
        return self._call(*args)

    def _binary(self, method):
        if self.nin != 2:
            raise ValueError(f"{method} only supported for functions with two inputs" if method == "outer" else f"{method} only supported for binary ufuncs")
        if self.nout != 1:
            raise ValueError(f"{method} only supported for functions returning a single value")

    def reduce(self, a, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=None):
        """The elements along an axis (a tuple, or None: all) put together."""
        self._binary("reduce")
        _unsupported(f"{self.__name__}.reduce", out)
        if where is not None and self.identity is None and initial is None:
            raise ValueError(f"reduction operation {self.__name__!r} does not have an identity, so to use a where mask one has to specify 'initial'.")
        native = self._natives.get("reduce")
        if native is not None:
            more = {} if initial is None else {"initial": initial}
            more |= {} if where is None else {"where": where}
            more |= {} if dtype is None else {"dtype": dtype}
            return native(asarray(a), axis=axis, keepdims=keepdims, **more)
        return staged(lambda a, initial, mask: self._folded(a, axis, dtype, keepdims, initial, mask), asarray(a), initial, where)

    def _folded(self, a, axis, dtype, keepdims, initial, mask):
        a = a if dtype is None else a.astype(dtype)
        axes = tuple(range(a.ndim)) if axis is None else tuple(one_axis(d, a.ndim) for d in (axis if isinstance(axis, tuple) else (axis,)))
        kept = [d for d in range(a.ndim) if d not in axes]

        def rows(x):
            return x.transpose(*axes, *kept).reshape(-1, *[x.shape[d] for d in kept])

        out, start = rows(a), 0
        mask = None if mask is None else rows(lax.broadcast_to(asarray(mask), a.shape))
        first = initial if initial is not None else self.identity if mask is not None or out.shape[0] == 0 else None
        if first is None and out.shape[0] == 0:
            raise ValueError(f"zero-size array to reduction operation {self.__name__} which has no identity")
        if first is None:
            first, start = out[0], 1
        first = lax.broadcast_to(asarray(first).astype(out.dtype), out.shape[1:])

        def step(carry, row):
            x, keep = row
            new = self._call(carry, x).astype(carry.dtype)
            return (new if keep is None else where(keep, new, carry)), None

        out = lax.scan(step, first, (out[start:], None if mask is None else mask[start:]))[0]
        return expand_dims(out, axes) if keepdims else out

    def accumulate(self, a, axis=0, dtype=None, out=None):
        """What reduce gives up to each place along an axis."""
        self._binary("accumulate")
        _unsupported(f"{self.__name__}.accumulate", out)
        a = asarray(a)
        native = self._natives.get("accumulate")
        if native is not None:
            return native(a, axis=axis, dtype=dtype)
        return staged(lambda a: self._running(a if dtype is None else a.astype(dtype), one_axis(axis, a.ndim)), a)

    def _running(self, a, axis):
        rows = moveaxis(a, axis, 0)
        if rows.shape[0] == 0:
            return a

        def step(carry, x):
            carry = self._call(carry, x).astype(carry.dtype)
            return carry, carry

        rest = lax.scan(step, rows[0], rows[1:])[1]
        return moveaxis(lax.concatenate([rows[:1], rest], 0), 0, axis)

    def at(self, a, indices, b=None, /, *, inplace=True):
        """`a` with the function applied at indices, one after the other; inplace must be False."""
        if inplace:
            raise NotImplementedError(f"inplace=True is not supported, JAX arrays are immutable: use jnp.{self.__name__}.at(..., inplace=False)")
        if self.nin == 2 and b is None or self.nin not in (1, 2):
            raise ValueError(f"{self.__name__}.at needs {self.nin - 1} further operands")
        method = self._natives.get("at")
        if method is not None:
            return getattr(asarray(a).at[indices], method)(b)
        return staged(self._at, asarray(a), indices, b)

    def _at(self, a, indices, b):
        places = asarray(np.arange(a.size, dtype="int32").reshape(a.shape))[indices]
        places, flat = places.reshape(-1), a.reshape(-1)
        operands = None if b is None else lax.broadcast_to(asarray(b), asarray(np.empty(a.shape, bool))[indices].shape).reshape(-1)

        def step(x, row):
            place, operand = row
            new = self._call(x[place]) if operand is None else self._call(x[place], operand)
            return x.at[place].set(new.astype(x.dtype)), None

        return lax.scan(step, flat, (places, operands))[0].reshape(a.shape)

    def reduceat(self, a, indices, axis=0, dtype=None, out=None):
        """reduce over the parts of an axis that start at indices."""
        self._binary("reduceat")
        _unsupported(f"{self.__name__}.reduceat", out)
        return staged(lambda a, indices: self._parts(a, indices, axis, dtype), asarray(a), asarray(indices))

    def _parts(self, a, indices, axis, dtype):
        if indices.ndim != 1:
            raise ValueError(f"reduceat: indices must be one-dimensional, got shape {indices.shape}")
        axis = one_axis(axis, a.ndim)
        rows = moveaxis(a if dtype is None else a.astype(dtype), axis, 0)
        n = rows.shape[0]
        ends = lax.concatenate([indices[1:], asarray(np.full(min(indices.shape[0], 1), n, indices.dtype))], 0)

        def step(carry, row):
            i, x = row
            inside = ((i > indices) & (i < ends)).reshape(-1, *[1] * x.ndim)
            return where(inside, self._call(carry, x[None]).astype(carry.dtype), carry), None

        out = lax.scan(step, rows[indices], (asarray(np.arange(n, dtype=indices.dtype)), rows))[0]
        return moveaxis(out, 0, axis)

    def outer(self, A, B, /):
        """The function of every pair of elements."""
        self._binary("outer")
        a, b = asarray(A), asarray(B)
        return self._call(a.reshape(*a.shape, *[1] * b.ndim), b)


def frompyfunc(func, /, nin, nout, *, identity=None):
    """A ufunc of a Python function of numbers, which is traced."""
    return ufunc(func, nin, nout, identity=identity)


def _with_methods(function, nin, identity, **natives):
    """The function itself with a ufunc's attributes."""
    made = ufunc(function, nin, 1, name=function.__name__, identity=identity, call=function, natives=natives)
    function._ufunc = made
    for name in _METHODS:
        setattr(function, name, getattr(made, name))
    function.nin, function.nout, function.nargs, function.identity = nin, 1, made.nargs, identity


_with_methods(_ufuncs.add, 2, 0, reduce=reductions.sum, accumulate=reductions.cumsum, at="add")
_with_methods(_ufuncs.multiply, 2, 1, reduce=reductions.prod, accumulate=reductions.cumprod, at="mul")
_with_methods(_ufuncs.maximum, 2, None, reduce=reductions.max, at="max")
_with_methods(_ufuncs.minimum, 2, None, reduce=reductions.min, at="min")
_with_methods(_ufuncs.subtract, 2, None, at="subtract")
_with_methods(_ufuncs.negative, 1, None)
_with_methods(_ufuncs.bitwise_and, 2, -1)
_with_methods(_ufuncs.bitwise_or, 2, 0)
_with_methods(_ufuncs.bitwise_xor, 2, 0)
_with_methods(_ufuncs.logaddexp, 2, -np.inf)
_with_methods(_ufuncs.logaddexp2, 2, -np.inf)
_with_methods(logical_and, 2, True, reduce=reductions.all)
_with_methods(logical_or, 2, False, reduce=reductions.any)
_with_methods(logical_xor, 2, False)
