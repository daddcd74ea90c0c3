"""Operators of tracers, straight to the library: what tracing costs is decided here."""

import numpy as np

from secant import _eager, _errors, _fast, _jit, _running, _tracer, _tree, _types
from secant._array import ArrayImpl
from secant._lib import lib
from secant._operators import Array, beside, jnp, operand
from secant._trace import lift
from secant._tracer import Tracer, made

_methods = {}  # name -> method; with the fast path what is left to Python


def _beside(self, other):
    """The value of the other operand, or None where Python shall try something else."""
    return lift(beside(self, other)) if operand(other) else None


def _binary(function):
    def method(self, other):
        if type(other) is Tracer:
            return made(function(self.value, other.value))
        v = _beside(self, other)
        return NotImplemented if v is None else made(function(self.value, v))

    return method


def _reflected(function):
    def method(self, other):
        v = _beside(self, other)
        return NotImplemented if v is None else made(function(v, self.value))

    return method


def _unary(function):
    def method(self):
        return made(function(self.value))

    return method


for _name, _function in (
    ("add", lib.sec_add),
    ("sub", lib.sec_sub),
    ("mul", lib.sec_mul),
    ("and", lib.sec_and),
    ("or", lib.sec_or),
    ("xor", lib.sec_xor),
    ("matmul", lib.sec_matmul),
):
    _methods[f"__{_name}__"] = _binary(_function)
    _methods[f"__r{_name}__"] = _reflected(_function)
for _name, _function in (
    ("eq", lib.sec_eq),
    ("ne", lib.sec_ne),
    ("lt", lib.sec_lt),
    ("le", lib.sec_le),
    ("gt", lib.sec_gt),
    ("ge", lib.sec_ge),
):
    _methods[f"__{_name}__"] = _binary(_function)
Tracer.__invert__ = _unary(lib.sec_not)
Tracer.__hash__ = None

_div, _div_reflected = _binary(lib.sec_div), _reflected(lib.sec_div)


def _truediv(self, other):
    if self.aval.is_float and (
        type(other) is float or type(other) is int or (type(other) is Tracer and other.aval.is_float)
    ):
        return _div(self, other)
    return jnp.true_divide(self, other) if operand(other) else NotImplemented


def _rtruediv(self, other):
    if self.aval.is_float and type(other) in (float, int):
        return _div_reflected(self, other)
    return jnp.true_divide(other, self) if operand(other) else NotImplemented


_methods["__truediv__"], _methods["__rtruediv__"] = _truediv, _rtruediv

if _fast.enabled:
    _hooks = (ArrayImpl, Tracer, _types.aval_at, _errors.error, _tracer.place)
    _hooks += (_jit.miss, _eager.miss, _tree.LEAF, _tree.NONE, _tracer.HERE.encode(), _running.flying, _running.ended, np.ndarray, _types.kept)
    _fast.setup(_hooks, Array, Tracer, _methods)
else:
    for _name, _method in _methods.items():
        setattr(Tracer, _name, _method)
