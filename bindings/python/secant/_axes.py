"""Named axes of vmap and pmap that are open while their functions are traced."""

import threading

from secant import _errors
from secant._lib import lib


class _Local(threading.local):
    def __init__(self):
        self.axes = ()
        self.pmapped = False


_local = _Local()


def axis_environment():
    """((name, size), ...), the outermost first: part of a signature."""
    return _local.axes


def axis_size(name):
    """The size of the innermost axis of a name; NameError where there is none."""
    for other, size in reversed(_local.axes):
        if other == name:
            return size
    raise NameError(
        f"Found an unbound axis name: {name}.\n  hint: call the function under vmap or pmap with axis_name={name!r}."
    )


def in_pmap():
    """Whether the function of a pmap is being traced."""
    return _local.pmapped


class pmapped:
    """Context manager: marks the tracing of the function of a pmap."""

    def __enter__(self):
        _local.pmapped = True

    def __exit__(self, *exception):
        _local.pmapped = False


class named_axis:
    """Context manager: an axis name is bound for collectives."""

    def __init__(self, name, size):
        self.name, self.size = name, size

    def __enter__(self):
        if self.name is not None:
            _errors.check(lib.sec_axis_push(text(self.name), self.size))
            _local.axes = (*_local.axes, (self.name, self.size))

    def __exit__(self, *exception):
        if self.name is not None:
            _local.axes = _local.axes[:-1]
            lib.sec_axis_pop()


def text(name):
    """An axis name as the library takes it; any hashable object may be one."""
    return name.encode() if isinstance(name, str) else repr(name).encode()
