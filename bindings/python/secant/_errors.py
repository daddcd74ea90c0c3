"""Exceptions: one class a status of the library, and JAX's classes where they exist."""

from secant._capi import STATUSES
from secant._lib import context, lib


class SecantError(Exception):
    """The base of what the library reports."""


class JAXTypeError(TypeError):
    """The base of errors about values that are not known while tracing."""


class JAXIndexError(IndexError):
    """The base of errors about indices."""


class ConcretizationTypeError(JAXTypeError):
    """A concrete value was needed where only its type is known."""


class TracerBoolConversionError(ConcretizationTypeError):
    """The truth of a traced value was asked for."""


class TracerIntegerConversionError(JAXTypeError):
    """A traced value was used where Python needs an integer."""


class TracerArrayConversionError(JAXTypeError):
    """NumPy was given a traced value."""


class NonConcreteBooleanIndexError(JAXIndexError):
    """A boolean mask was traced, so that the shape of the result is unknown."""


class IndivisibleError(ValueError):
    """pmap got more lanes than there are devices."""


def _make_classes():
    """A class a status, `SHAPE` -> ShapeError(SecantError, TypeError)."""
    special = {"MEMORY": "OutOfMemoryError", "IO": "FileError", "TYPE": "OperandTypeError"}
    classes = [None]
    for name, text, base in STATUSES[1:]:
        title = special.get(name) or "".join(word.title() for word in name.split("_")) + "Error"
        classes.append(
            type(
                title, (SecantError, base), {"__doc__": text[0].upper() + text[1:] + ".", "__module__": "secant.errors"}
            )
        )
    return classes


CLASSES = _make_classes()
globals().update({cls.__name__: cls for cls in CLASSES[1:]})
_LEAKED = next(cls for cls in CLASSES[1:] if cls.__name__ == "LeakedError")
_NO_TRACE = next(cls for cls in CLASSES[1:] if cls.__name__ == "NoTraceError")


class UnexpectedTracerError(JAXTypeError, _LEAKED):
    """A traced value was used after its trace had ended."""


_pending = []  # exceptions raised by Python rules that the library called, the oldest first


def keep(exception):
    """Keeps an exception of a callback until the boundary call returns its status."""
    _pending.append(exception)


def error():
    """The exception for the library's error record, which is cleared."""
    status = lib.sec_error_status(context)
    message = lib.sec_error_message(context).decode(errors="replace")
    lib.sec_error_clear(context)
    if _pending:
        exception = _pending[0]
        _pending.clear()
        return exception
    cls = CLASSES[status] if 0 < status < len(CLASSES) else SecantError
    if cls is _LEAKED or cls is _NO_TRACE:
        cls = UnexpectedTracerError
    return cls(message)


def check(status):
    """Raises for a status that is not OK."""
    if status:
        raise error()


def check_pointer(pointer):
    """`pointer`, or raises where it is NULL."""
    if not pointer:
        raise error()
    return pointer
