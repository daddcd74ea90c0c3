"""Exceptions: one class a status of the library, JAX's classes where they exist, and the user's place in messages."""

import os
import sys
from functools import wraps

from secant._capi import STATUSES
from secant._lib import context, lib

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


# ---- the user's file and line ----
def _foreign(file):
    """Whether a file is the user's: neither Secant's nor NumPy's."""
    return not (file.startswith((_HERE, "<frozen")) or f"{os.sep}numpy{os.sep}" in file)


def user_place():
    """`file:line: ` of the innermost frame of the user's code; "" where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        if _foreign(frame.f_code.co_filename):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}: "
        frame = frame.f_back
    return ""


def stack_level():
    """The `stacklevel` with which a warning of the caller's caller names the user's code."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and not _foreign(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    return level


def locate(exception):
    """Puts the user's file and line before the message of an exception that Secant raised without them."""
    if hasattr(exception, "_placed") or len(exception.args) != 1 or not isinstance(exception.args[0], str):
        return
    step = exception.__traceback__
    while step.tb_next is not None:
        step = step.tb_next
    if not _foreign(step.tb_frame.f_code.co_filename):
        exception.args = (user_place() + exception.args[0],)
        exception._placed = True


def placed(function):
    """Decorator: what `function` raises names the user's file and line."""

    @wraps(function)
    def wrapper(*args, **keywords):
        try:
            return function(*args, **keywords)
        except Exception as exception:
            locate(exception)
            raise

    return wrapper


# ---- classes ----
class SecantError(Exception):
    """The base of what the library reports."""


class _Placed(Exception):
    """The base of exceptions that are made where the user's code did something wrong: the place is noted at once."""

    _placed = True

    def __init__(self, message="", place=None):
        super().__init__((user_place() if place is None else place) + message)

    def __reduce__(self):
        return _restored, (type(self), self.args)


def _restored(cls, args):
    exception = cls.__new__(cls)
    exception.args = args
    return exception


class JAXTypeError(_Placed, TypeError):
    """The base of errors about values that are not known while tracing."""


class JAXIndexError(_Placed, IndexError):
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


class IndivisibleError(_Placed, ValueError):
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


def _rebuilt(status, args):
    return _RAISED[status](*args)


def _raised(status):
    """What a status raises: a subclass of its class with the name that JAX's exception has, TypeError for a shape."""
    cls, base = CLASSES[status], STATUSES[status][2]
    return type(
        base.__name__,
        (cls,),
        {
            "__doc__": cls.__doc__,
            "__module__": "secant.errors",
            "__reduce__": lambda self: (_rebuilt, (status, self.args)),
        },
    )


_RAISED = [None, *(_raised(i) for i in range(1, len(CLASSES)))]
_LEAKED = next(cls for cls in CLASSES[1:] if cls.__name__ == "LeakedError")
_DELETED = next(cls for cls in CLASSES[1:] if cls.__name__ == "DeletedError")
_DEVICE = next(cls for cls in CLASSES[1:] if cls.__name__ == "DeviceError")
_NO_TRACE = next(cls for cls in CLASSES[1:] if cls.__name__ == "NoTraceError")

_RETURN_IT = "  hint: return it from the function that is traced instead of keeping it in a list or a global"


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
    located = lib.sec_error_line(context) > 0
    lib.sec_error_clear(context)
    if _pending:
        exception = _pending[0]
        _pending.clear()
        return exception
    if not 0 < status < len(CLASSES):
        return SecantError(message)
    if CLASSES[status] in (_LEAKED, _NO_TRACE):
        if CLASSES[status] is _NO_TRACE:
            message, located = f"a traced value was used where no function is traced\n{_RETURN_IT}", False
        return UnexpectedTracerError(message, "" if located else None)
    if CLASSES[status] in (_DELETED, _DEVICE) and not located:
        message, located = user_place() + message, True
    exception = _RAISED[status](message)
    if located:
        exception._placed = True
    return exception


def check(status):
    """Raises for a status that is not OK."""
    if status:
        raise error()


def check_pointer(pointer):
    """`pointer`, or raises where it is NULL."""
    if not pointer:
        raise error()
    return pointer
