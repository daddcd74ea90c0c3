"""libsecant, found and loaded; functions are bound on first use, with the types of _capi.PROTOTYPES."""

import ctypes
import os

from secant import _capi


def _find():
    """$SECANT_LIBRARY, beside the package, or in build/ of the tree that holds the package."""
    here = os.path.dirname(os.path.abspath(__file__))
    tree = os.path.dirname(os.path.dirname(os.path.dirname(here)))
    named = os.environ.get("SECANT_LIBRARY")
    places = [named] if named else [os.path.join(here, "libsecant.so"), os.path.join(tree, "build", "libsecant.so")]
    for place in places:
        if os.path.exists(place):
            return place
    raise ImportError(
        "libsecant.so was not found; looked at: " + ", ".join(places) + ". Build it, or set SECANT_LIBRARY"
    )


class Library:
    """The functions of libsecant as attributes."""

    def __init__(self, path):
        self.path = path
        self._cdll = ctypes.CDLL(path)

    def __getattr__(self, name):
        if name not in _capi.PROTOTYPES:
            raise AttributeError(f"libsecant has no function {name}")
        function = self._cdll[name]
        function.restype, function.argtypes = _capi.PROTOTYPES[name]
        setattr(self, name, function)
        return function


lib = Library(_find())
context = lib.sec_context_create()
if not context:
    raise MemoryError("secant: no memory for a context")

_free = ctypes.CDLL(None).free
_free.restype, _free.argtypes = None, [ctypes.c_void_p]


def take_text(pointer):
    """The text at a char * that the caller owns; the memory is freed.  None for NULL."""
    if not pointer:
        return None
    text = ctypes.string_at(pointer).decode()
    _free(pointer)
    return text


_int64s = {}


def int64s(values):
    """`values` as an array of int64_t; kept, since shapes and axes recur."""
    values = tuple(values)
    array = _int64s.get(values)
    if array is None:
        if len(_int64s) > 4096:
            _int64s.clear()
        array = _int64s[values] = (ctypes.c_int64 * len(values))(*values)
    return array


def _interrupt_on_sigint():
    """Lets Ctrl-C end a run of compiled code; Python's own handler, called after it, raises KeyboardInterrupt."""
    import threading

    if threading.current_thread() is threading.main_thread():
        lib.sec_interrupt_on_sigint()


_interrupt_on_sigint()
