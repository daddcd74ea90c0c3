"""Values while tracing: eight bytes that name a variable of an open trace, with an array's operators."""

import os
from sys import _getframe

from secant import _errors, _fast, _types
from secant._lib import lib
from secant._operators import Array

HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_files = {}  # file name -> its bytes, b"" for Secant's own files
_at = lib.sec_at
_set = object.__setattr__


def place():
    """(file, line) of the user's code that called into Secant."""
    frame = _getframe(2)
    while True:
        name = frame.f_code.co_filename
        file = _files.get(name)
        if file is None:
            own = name.startswith(HERE) or name.startswith("<frozen")
            file = _files[name] = b"" if own else os.fsencode(name)
        if file:
            return file, frame.f_lineno
        frame = frame.f_back
        if frame is None:
            return b"<unknown>", 0


def made(v):
    """The Tracer of a value that the library returned; the user's place is noted; poison raises."""
    file, line = place()
    _at(v, file, line)
    if not v:
        raise _errors.error()
    return Tracer(v)


class _Plain:
    """What TracerBase of the fast path holds: the bits of a value, and its Aval once it was asked for."""

    __slots__ = ("value", "_aval")

    def __init__(self, value, aval=None):
        self.value = value
        self._aval = aval

    @property
    def aval(self):
        aval = self._aval
        if aval is None:
            aval = self._aval = _types.aval_at(lib.sec_value_aval(self.value))
        return aval


class Tracer(_fast.TracerBase or _Plain, Array):
    """A value of an open trace.  Its type is known, its elements are not."""

    __slots__ = ()

    def __repr__(self):
        try:
            return f"Tracer<{self.aval.str_short()}>"
        except _errors.SecantError:
            return "Tracer<leaked>"

    def __reduce__(self):
        raise _errors.ConcretizationTypeError("a traced value cannot be pickled")

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __format__(self, spec):
        return repr(self)

    def block_until_ready(self):
        return self

    # ---- what needs a concrete value ----
    def __bool__(self):
        from secant import _trace

        return _trace.truth(self)

    def _need(self, what, cls=_errors.ConcretizationTypeError):
        raise cls(
            f"{what} was asked of a traced value of type {self.aval.str_short()}: its elements are not known while "
            "the function is traced.\n  hint: keep to secant.numpy and secant.lax on traced values, or make the argument static "
            "(static_argnums)"
        )

    def __float__(self):
        self._need("a Python float (float())")

    def __int__(self):
        self._need("a Python int (int())")

    def __complex__(self):
        self._need("a Python complex (complex())")

    def item(self, *args):
        self._need("a Python number (item())")

    def tolist(self):
        self._need("a list (tolist())")

    def __index__(self):
        self._need("a Python integer (as range and list indices need)", _errors.TracerIntegerConversionError)

    def __array__(self, *args, **keywords):
        self._need("a NumPy array (np.asarray, or a function of numpy)", _errors.TracerArrayConversionError)

    def __contains__(self, item):
        self._need("the truth of `in`", _errors.TracerBoolConversionError)

    @property
    def device(self):
        self._need("the device")
