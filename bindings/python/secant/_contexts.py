"""Contexts that change how code runs: without jit, at once, or under a name."""

from contextlib import ContextDecorator, contextmanager
from threading import Lock

from secant import _jit
from secant._trace import local

_lock = Lock()
_disabled = []  # how often jit is disabled, as a stack; under _lock


def jit_disabled():
    """Whether loops and branches outside traces run as plain Python, too."""
    return bool(_disabled) and not local.frames


def _plain_call(self, *args, **keywords):
    return self.__wrapped__(*args, **keywords)


_compiled_call = _jit.Jitted.__call__


@contextmanager
def disable_jit(disable=True):
    """Inside, jitted functions run as the Python functions they are made of, and lax's loops and branches as Python's.

    It holds for all threads.
    """
    with _lock:
        if disable:
            _disabled.append(True)
            _jit.Jitted.__call__ = _plain_call
    try:
        yield
    finally:
        with _lock:
            if disable:
                _disabled.pop()
                if not _disabled:
                    _jit.Jitted.__call__ = _compiled_call


@contextmanager
def ensure_compile_time_eval():
    """Inside, operations on concrete values are computed at once, even while a function is traced."""
    frames, local.frames = local.frames, []
    try:
        yield
    finally:
        local.frames = frames


class named_scope(ContextDecorator):
    """A name for a part of a program: `with named_scope("layer"):`, or a decorator.  Jaxprs do not show it."""

    def __init__(self, name):
        if not isinstance(name, str):
            raise TypeError(f"named_scope name argument must be a string, got {type(name).__name__}")
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None
