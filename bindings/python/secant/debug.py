"""Printing and callbacks from user code, traced or not."""

import string

from secant._callbacks import debug_callback as callback  # noqa: F401


class _Checked(string.Formatter):
    """A formatter that wants every argument to be used."""

    def check_unused_args(self, used, args, keywords):
        unused = [i for i in range(len(args)) if i not in used] + [k for k in keywords if k not in used]
        if unused:
            raise ValueError(f"Unused arguments to `debug.print`: {unused}. Perhaps you passed an f-string?\n  hint: name them in the format, {{}} or {{name}}")


def print(fmt, *args, ordered=False, partitioned=False, skip_format_check=False, _use_logging=False, **keywords):
    """Prints fmt.format(*args, **keywords) with values: outside of traces at once, inside when the code runs."""
    import builtins

    if not skip_format_check:
        _Checked().vformat(fmt, tuple(_Blank() for _ in args), {k: _Blank() for k in keywords})

    def show(*args, **keywords):
        builtins.print(fmt.format(*args, **keywords))

    callback(show, *args, **keywords)


class _Blank:
    """Stands for any value in a format."""

    def __format__(self, spec):
        return ""

    def __getattr__(self, name):
        return self

    def __getitem__(self, index):
        return self


def log(fmt, *args, ordered=False, partitioned=False, **keywords):
    """As print, through the logger `secant`."""
    import logging

    callback(lambda *a, **k: logging.getLogger("secant").info(fmt.format(*a, **k)), *args, **keywords)


def breakpoint(*, backend=None, filter_frames=True, num_frames=None, ordered=False, token=None, **kwargs):
    """Not in this version."""
    raise NotImplementedError("debug.breakpoint is not available in this version\n  hint: debug.callback runs Python code on values, also pdb")
