"""What arrays and tracers have in common: attributes, operators and methods, as functions of secant.numpy."""

import numpy as np

from secant._errors import placed


class _Functions:
    """A module's functions as attributes, imported on first use: operators need them, `import secant` does not."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        from importlib import import_module

        function = getattr(import_module(self._module), name)
        setattr(self, name, function)
        return function


jnp = _Functions("secant.numpy")
lax = _Functions("secant.lax")
indexing = _Functions("secant._indexing")
updates = _Functions("secant._updates")


def operand(x):
    """Whether `x` may stand beside an array in an operator: an array or a number, not a list."""
    return isinstance(x, (Array, bool, int, float, complex)) or hasattr(x, "__array__")


def beside(array, other):
    """The other operand: what needs 64 bits gets them from a 64-bit array beside it."""
    if isinstance(other, np.generic) and array.aval.dtype.itemsize == 8:
        return np.asarray(other)
    if (
        type(other) is int
        and not -(2**31) <= other < 2**31
        and array.aval.dtype.itemsize == 8
        and array.aval.dtype.kind in "iu"
    ):
        return np.asarray(other, array.aval.dtype)
    return other


def _binary(name):
    def method(self, other):
        return getattr(jnp, name)(self, beside(self, other)) if operand(other) else NotImplemented

    return method


def _reflected(name):
    def method(self, other):
        return getattr(jnp, name)(beside(self, other), self) if operand(other) else NotImplemented

    return method


class Array:
    """An array of numbers: concrete (ArrayImpl) or traced (Tracer).  Immutable."""

    __slots__ = ()
    __array_priority__ = 100
    __hash__ = None

    # ---- attributes ----
    shape = property(lambda self: self.aval.shape)
    dtype = property(lambda self: self.aval.dtype)
    ndim = property(lambda self: self.aval.ndim)
    size = property(lambda self: self.aval.size)
    weak_type = property(lambda self: self.aval.weak_type)
    itemsize = property(lambda self: self.aval.dtype.itemsize)
    nbytes = property(lambda self: self.aval.size * self.aval.dtype.itemsize)
    T = property(lambda self: jnp.transpose(self))
    mT = property(lambda self: jnp.matrix_transpose(self))
    real = property(lambda self: jnp.real(self))
    imag = property(lambda self: jnp.imag(self))
    at = property(lambda self: updates.At(self))

    # ---- operators ----
    __add__, __radd__ = _binary("add"), _reflected("add")
    __sub__, __rsub__ = _binary("subtract"), _reflected("subtract")
    __mul__, __rmul__ = _binary("multiply"), _reflected("multiply")
    __truediv__, __rtruediv__ = _binary("true_divide"), _reflected("true_divide")
    __floordiv__, __rfloordiv__ = _binary("floor_divide"), _reflected("floor_divide")
    __mod__, __rmod__ = _binary("remainder"), _reflected("remainder")
    __divmod__, __rdivmod__ = _binary("divmod"), _reflected("divmod")
    __pow__, __rpow__ = _binary("power"), _reflected("power")
    __matmul__, __rmatmul__ = _binary("matmul"), _reflected("matmul")
    __and__, __rand__ = _binary("bitwise_and"), _reflected("bitwise_and")
    __or__, __ror__ = _binary("bitwise_or"), _reflected("bitwise_or")
    __xor__, __rxor__ = _binary("bitwise_xor"), _reflected("bitwise_xor")
    __lshift__, __rlshift__ = _binary("left_shift"), _reflected("left_shift")
    __rshift__, __rrshift__ = _binary("right_shift"), _reflected("right_shift")
    __eq__, __ne__ = _binary("equal"), _binary("not_equal")
    __lt__, __le__ = _binary("less"), _binary("less_equal")
    __gt__, __ge__ = _binary("greater"), _binary("greater_equal")

    def __neg__(self):
        return jnp.negative(self)

    def __pos__(self):
        return self

    def __abs__(self):
        return jnp.abs(self)

    def __invert__(self):
        return jnp.invert(self)

    def __round__(self, ndigits=None):
        return jnp.round(self, ndigits or 0)

    def __getitem__(self, index):
        return indexing.getitem(self, index)

    @placed
    def __setitem__(self, index, value):
        raise TypeError(
            f"an array of type {self.aval.str_short()} does not support item assignment: arrays are immutable.\n"
            "  hint: instead of ``x[idx] = y``, use ``x = x.at[idx].set(y)``"
        )

    def __len__(self):
        if not self.aval.ndim:
            raise TypeError("len() of unsized object")
        return self.aval.shape[0]

    def __iter__(self):
        if not self.aval.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(self.aval.shape[0]))

    def __format__(self, spec):
        return format(self.item(), spec) if spec and not self.aval.ndim else str(self)

    # ---- methods, as NumPy's ----
    def astype(self, dtype, copy=False, device=None):
        return jnp.astype(self, dtype)

    def reshape(self, *shape, order="C"):
        return jnp.reshape(self, shape[0] if len(shape) == 1 else shape, order)

    def transpose(self, *axes):
        return jnp.transpose(
            self, None if not axes else axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        )

    def sum(self, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
        return jnp.sum(self, axis, dtype, out, keepdims, initial, where)

    def prod(self, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None):
        return jnp.prod(self, axis, dtype, out, keepdims, initial, where)

    def mean(self, axis=None, dtype=None, out=None, keepdims=False, *, where=None):
        return jnp.mean(self, axis, dtype, out, keepdims, where=where)

    def var(self, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None):
        return jnp.var(self, axis, dtype, out, ddof, keepdims, where=where)

    def std(self, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None):
        return jnp.std(self, axis, dtype, out, ddof, keepdims, where=where)

    def max(self, axis=None, out=None, keepdims=False, initial=None, where=None):
        return jnp.max(self, axis, out, keepdims, initial, where)

    def min(self, axis=None, out=None, keepdims=False, initial=None, where=None):
        return jnp.min(self, axis, out, keepdims, initial, where)

    def all(self, axis=None, out=None, keepdims=False, *, where=None):
        return jnp.all(self, axis, out, keepdims, where=where)

    def any(self, axis=None, out=None, keepdims=False, *, where=None):
        return jnp.any(self, axis, out, keepdims, where=where)

    def argmax(self, axis=None, out=None, keepdims=None):
        return jnp.argmax(self, axis, out, keepdims)

    def argmin(self, axis=None, out=None, keepdims=None):
        return jnp.argmin(self, axis, out, keepdims)

    def cumsum(self, axis=None, dtype=None, out=None):
        return jnp.cumsum(self, axis, dtype, out)

    def cumprod(self, axis=None, dtype=None, out=None):
        return jnp.cumprod(self, axis, dtype, out)

    def clip(self, min=None, max=None):
        return jnp.clip(self, min, max)

    def round(self, decimals=0, out=None):
        return jnp.round(self, decimals)

    def dot(self, b):
        return jnp.dot(self, b)

    def ravel(self, order="C"):
        return jnp.ravel(self, order)

    def flatten(self, order="C"):
        return jnp.ravel(self, order)

    def squeeze(self, axis=None):
        return jnp.squeeze(self, axis)

    def swapaxes(self, axis1, axis2):
        return jnp.swapaxes(self, axis1, axis2)

    def take(self, indices, axis=None, out=None, mode=None, fill_value=None):
        return jnp.take(self, indices, axis, out, mode, fill_value=fill_value)

    def repeat(self, repeats, axis=None):
        return jnp.repeat(self, repeats, axis)

    def diagonal(self, offset=0, axis1=0, axis2=1):
        return jnp.diagonal(self, offset, axis1, axis2)

    def trace(self, offset=0, axis1=0, axis2=1):
        return jnp.trace(self, offset, axis1, axis2)

    def conj(self):
        return jnp.conj(self)

    def conjugate(self):
        return jnp.conj(self)

    def copy(self):
        return jnp.copy(self)

    def sort(self, axis=-1, *, kind=None, order=None, stable=True, descending=False):
        return jnp.sort(self, axis, kind=kind, order=order, stable=stable, descending=descending)

    def argsort(self, axis=-1, *, kind=None, order=None, stable=True, descending=False):
        return jnp.argsort(self, axis, kind=kind, order=order, stable=stable, descending=descending)

    def argpartition(self, kth, axis=-1):
        return jnp.argpartition(self, kth, axis)

    def searchsorted(self, v, side="left", sorter=None, *, method="scan"):
        return jnp.searchsorted(self, v, side, sorter)

    def nonzero(self, *, fill_value=None, size=None):
        return jnp.nonzero(self, size=size, fill_value=fill_value)

    def ptp(self, axis=None, out=None, keepdims=False):
        return jnp.ptp(self, axis, keepdims=keepdims)

    def choose(self, choices, out=None, mode="raise"):
        return jnp.choose(self, choices, mode=mode)

    def compress(self, condition, axis=None, *, out=None, size=None, fill_value=0):
        return jnp.compress(condition, self, axis, size=size, fill_value=fill_value)

    @property
    def flat(self):
        raise NotImplementedError("Arrays do not implement the arr.flat property: consider arr.flatten() instead.")

    def view(self, dtype=None):
        return jnp.bitcast(self, dtype)
