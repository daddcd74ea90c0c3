"""Contexts that change how code runs: without jit, at once, or under a name."""

from contextlib import ContextDecorator, contextmanager
from threading import Lock

from secant import _fast, _jit
from secant._trace import local

_lock = Lock()
_disabled = []  # how often jit is disabled, as a stack; under _lock


def jit_disabled():
    """Whether loops and branches run as plain Python: jit is disabled, and conditions can be evaluated here."""
    return bool(_disabled) and (not local.frames or local.frames[-1].answers is not None)


def _plain_call(self, *args, **keywords):
    return self.__wrapped__(*args, **keywords)


class _Plain:
    """What stands for a compiled signature while jit is disabled: its run is a call of the Python function."""

    captures, donate, donated = (None,), None, None  # never remembered

    def __init__(self, call):
        self._call = call
        self.out_tree = self.executable = self

    def run(self, arrays):
        return self._call()

    apply = run

    def unflatten(self, result):
        return result


def _plain_entry(self, args, keywords):
    return _Plain(lambda: self.__wrapped__(*args, **keywords)), []


# calls of C's Jitted reach Python at _entry, those of Python's at __call__
_PATCHED, _PLAIN = ("_entry", _plain_entry) if _fast.enabled else ("__call__", _plain_call)
_compiled = getattr(_jit.Jitted, _PATCHED)


@contextmanager
def disable_jit(disable=True):
    """Inside, jitted functions run as the Python functions they are made of, and lax's loops and branches as Python's.

    It holds for all threads.
    """
    with _lock:
        if disable:
            _disabled.append(True)
            setattr(_jit.Jitted, _PATCHED, _PLAIN)
            _jit.clear()
    try:
        yield
    finally:
        with _lock:
            if disable:
                _disabled.pop()
                if not _disabled:
                    setattr(_jit.Jitted, _PATCHED, _compiled)


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
