"""The fast path: types made in C by libsecant (bindings/python/fast.c) with functions of the running CPython.

`SECANT_PYTHON_PATH=plain` goes without, and so does every interpreter where the C code finds no such functions (PyPy), another
object header, or an interpreter that came first (subinterpreters), and a Python without a GIL.  The classes of the package are
then Python's own; they behave alike.
"""

import ctypes
import os
import sys

from secant._lib import context, lib

OPERATORS = (  # as in fast.h: the method, its reflected one (None for what has one operand), the function of secant.numpy
    ("__lt__", "__gt__", "less"),
    ("__le__", "__ge__", "less_equal"),
    ("__eq__", "__eq__", "equal"),
    ("__ne__", "__ne__", "not_equal"),
    ("__gt__", "__lt__", "greater"),
    ("__ge__", "__le__", "greater_equal"),
    ("__add__", "__radd__", "add"),
    ("__sub__", "__rsub__", "subtract"),
    ("__mul__", "__rmul__", "multiply"),
    ("__truediv__", "__rtruediv__", "true_divide"),
    ("__matmul__", "__rmatmul__", "matmul"),
    ("__and__", "__rand__", "bitwise_and"),
    ("__or__", "__ror__", "bitwise_or"),
    ("__xor__", "__rxor__", "bitwise_xor"),
    ("__pow__", "__rpow__", "power"),
    ("__neg__", None, "negative"),
)


def _load():
    """The library as PyDLL (the GIL is held, exceptions are raised), or None."""
    path = os.environ.get("SECANT_PYTHON_PATH", "fast")
    if path not in ("plain", "fast"):
        raise ImportError(f"SECANT_PYTHON_PATH is plain or fast, not {path!r}")
    with_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    if path == "plain" or sys.implementation.name != "cpython" or not with_gil:
        return None
    dll = ctypes.PyDLL(lib.path)
    one = ctypes.py_object
    for name, restype, argtypes in (
        ("sec_py_init", ctypes.c_int, [ctypes.c_size_t, ctypes.c_void_p]),
        ("sec_py_type", one, [ctypes.c_int]),
        ("sec_py_make_array_type", one, [one]),
        ("sec_py_live_arrays", one, []),
        ("sec_py_setup", one, [one, one]),
        ("sec_py_operations", one, [one]),
        ("sec_py_callable_setup", one, [one, one, one, ctypes.c_int, one, one]),
    ):
        function = getattr(dll, name)
        function.restype, function.argtypes = restype, argtypes
    return None if dll.sec_py_init(object.__basicsize__, context) else dll


_dll = _load()
enabled = _dll is not None
TracerBase, Jitted, Operation, Cache = map(_dll.sec_py_type, range(4)) if enabled else [None] * 4


def with_methods(cls, methods, but=()):
    """The C type `cls` with the attributes of the class `methods`, but those that C has."""
    for name, value in vars(methods).items():
        if name not in (*but, "__dict__", "__weakref__", "__slots__", "__call__"):
            setattr(cls, name, value)
    return cls


def array_type(base, methods):
    """The C type of concrete arrays, a subclass of `base`, with the attributes of the class `methods`."""
    return with_methods(_dll.sec_py_make_array_type((base,)), methods, ("block_until_ready", "is_deleted"))


def live_arrays(cls):
    """The arrays that are alive, of class `cls`."""
    if enabled:
        return _dll.sec_py_live_arrays()
    import gc

    return [x for x in gc.get_objects() if type(x) is cls]


_numpy = []  # secant.numpy, once operators of arrays were given its functions


def _load_numpy():
    if not _numpy:
        _numpy.append(None)
        import secant.numpy

        _numpy[0] = secant.numpy
        _dll.sec_py_operations(tuple(getattr(secant.numpy, row[2]) for row in OPERATORS))


def _operator(name, reflected, base, tracer, methods):
    """What Python does with the methods of a and b: those of class `base`, for tracers `methods` first."""

    def method(x, which):
        return type(x) is tracer and methods.get(which) or getattr(base, which)

    def binary(a, b):
        _load_numpy()
        if isinstance(a, base):
            out = method(a, name)(a, b)
            if out is not NotImplemented or not isinstance(b, base):
                return out
        return method(b, reflected)(b, a)

    def unary(a):
        _load_numpy()
        return method(a, name)(a)

    return unary if reflected is None else binary


def setup(hooks, base, tracer, methods):
    """Hands over what the C code calls, and the operators in Python for what the C operators leave."""
    _dll.sec_py_setup(hooks, tuple(_operator(row[0], row[1], base, tracer, methods) for row in OPERATORS))


def callable_setup(function, cache, traced=None, leading=-1, nums=(), names=()):
    """Fills a Jitted or an Operation: see sec_py_callable_setup."""
    _dll.sec_py_callable_setup(function, cache, traced, leading, nums, names)


def numbered(tree, counter):
    """`tree` with its leaves numbered in the order in which the C code meets them (dicts as they were filled)."""
    cls = type(tree)
    if cls is tuple or cls is list:
        return cls([numbered(x, counter) for x in tree])
    if cls is dict:
        return {key: numbered(x, counter) for key, x in tree.items()}
    return None if tree is None else next(counter)


def registration(executable, order, tree, donate=None):
    """What sec_py_cache_add reads; order: of every input its place among the operands as the C code meets them.
    None where an operand of an enclosing trace is captured."""
    if None in executable.captures:
        return None
    captures = tuple(a._handle for a in executable.captures)
    avals = tuple(executable.out_avals)
    return executable.handle, captures, tuple(order), avals, tree.spec, tree.unflatten, donate, executable
