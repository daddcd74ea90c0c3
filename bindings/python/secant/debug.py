"""Printing from user code: at trace time the types, outside traces the values."""

from secant._trace import local


def print(fmt, *args, ordered=False, **keywords):
    """Prints fmt.format(...); inside a trace the arguments print as their types."""
    import builtins

    builtins.print(fmt.format(*args, **keywords))


def callback(callback, *args, **keywords):
    """callback(*args, **keywords) with concrete values; inside a trace it is not available in this version."""
    if local.frames:
        raise NotImplementedError("debug.callback inside a traced function is not available in this version")
    callback(*args, **keywords)
