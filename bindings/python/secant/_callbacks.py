"""Functions of the host program that compiled code calls: pure_callback, io_callback, debug.callback."""

import ctypes

import numpy as np

from secant import _errors, _tree, _types
from secant._array import from_numpy
from secant._eager import staged
from secant._errors import keep, placed
from secant._lib import int64s, lib
from secant._trace import aval_of, lifted, local, results, tracer, values

_POINTERS = ctypes.POINTER(ctypes.c_void_p)
_RUN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_size_t, _POINTERS, _POINTERS, _POINTERS)
_DESTROY = ctypes.CFUNCTYPE(None, ctypes.c_size_t)
_functions = {}  # id -> (number of operands, types of the results, function of arrays to NumPy arrays); alive as the callable
_METHODS = (None, "sequential", "sequential_unrolled", "expand_dims", "broadcast_all", "legacy_vectorized")


def _elements(pointer, aval):
    """A NumPy view of elements in memory."""
    count = aval.size * _types.SIZES[aval.code]
    if not count:
        return np.zeros(aval.shape, aval.dtype)
    memory = (ctypes.c_uint8 * count).from_address(pointer)
    return np.frombuffer(memory, aval.dtype).reshape(aval.shape)


@_RUN
def _run(user, ins, outs, types):
    """Runs a Python function on the operands of a call."""
    frames, local.frames = local.frames, []
    try:
        n_in, n_out, function = _functions[user]
        avals = [_types.aval_at(types[i]) for i in range(n_in + n_out)]
        found = function([from_numpy(_elements(ins[i], avals[i])) for i in range(n_in)])
        for i, (x, aval) in enumerate(zip(found, avals[n_in:])):
            if x.shape != aval.shape:
                raise ValueError(f"the callback gave result {i} of shape {x.shape}, but {aval.str_short()} was announced")
            if aval.size:
                _elements(outs[i], aval)[...] = x
        return 0
    except BaseException as exception:
        keep(exception)
        lib.sec_error_set(_CALLBACK, None, f"the callback raised {type(exception).__name__}".encode())
        return 1
    finally:
        local.frames = frames


@_DESTROY
def _destroy(user):
    _functions.pop(user, None)


_CALLBACK = 1 + [cls.__name__ for cls in _errors.CLASSES[1:]].index("CallbackError")


class _Host:
    """A counted sec_callable * for a Python function that runs."""

    __slots__ = ("handle",)

    def __init__(self, name, entry):
        user = id(entry)
        _functions[user] = entry
        self.handle = _errors.check_pointer(lib.sec_host_create(name.encode(), _run, _destroy, user))

    def __del__(self, release=lib.sec_callable_release):
        handle = getattr(self, "handle", None)
        if handle:
            release(handle)


def _types_of(result_shape_dtypes):
    """(Avals of the results, their structure)."""
    leaves, tree = _tree.tree_flatten(result_shape_dtypes)
    avals = []
    for leaf in leaves:
        if not hasattr(leaf, "shape") or not hasattr(leaf, "dtype"):
            raise TypeError(f"result_shape_dtypes holds objects with shape and dtype, got {leaf!r}\n  hint: secant.ShapeDtypeStruct")
        avals.append(_types.aval(_types.code_of(leaf.dtype), leaf.shape))
    return avals, tree


def _called(c, name, callback, avals, tree, args, keywords):
    """Binds the call in the open trace; outside one it is traced, compiled and run."""
    operands, in_tree = _tree.tree_flatten((args, keywords))

    def function(arrays):
        inner, named = in_tree.unflatten(arrays)
        out = callback(*inner, **named)
        if tree is None:
            return [np.zeros((), bool)]
        leaves, got = _tree.tree_flatten(out)
        if got != tree:
            raise TypeError(f"the callback gave {got}, but {tree} was announced")
        return [np.asarray(x) for x in leaves]

    avals = [_types.aval(_types.BOOL)] if tree is None else avals

    def bound(*operands):
        host = _Host(name, (len(operands), len(avals), function))
        out = values([0] * len(avals))
        pointers = (ctypes.c_void_p * len(avals))(*[a.pointer for a in avals])
        return results(c(host.handle, lifted(operands), len(operands), pointers, len(avals), out), out)

    out = staged(bound, *operands)
    return None if tree is None else tree.unflatten(out)


@placed
def pure_callback(callback, result_shape_dtypes, *args, sharding=None, vmap_method=None, **kwargs):
    """callback(*args, **kwargs) of concrete arrays, in the middle of compiled code.

    Parameters
    ----------
    callback : a pure function on the host; it may run several times, or not at all.
    result_shape_dtypes : a pytree of objects with shape and dtype, for the results.
    vmap_method : any of JAX's; the callback runs lane after lane.

    It has no derivative: give one to the function around it with custom_jvp or custom_vjp.
    """
    if vmap_method not in _METHODS:
        raise ValueError(f"vmap_method must be one of {_METHODS}, got {vmap_method!r}")
    avals, tree = _types_of(result_shape_dtypes)
    if not avals:
        callback(*args, **kwargs) if not local.frames else None
        return tree.unflatten([])
    return _called(lib.sec_host_call, _name(callback), callback, avals, tree, args, kwargs)


@placed
def io_callback(callback, result_shape_dtypes, *args, sharding=None, ordered=False, **kwargs):
    """callback(*args, **kwargs) of concrete arrays, in the middle of compiled code, once a run and in the order of the calls."""
    avals, tree = _types_of(result_shape_dtypes)
    if not avals:
        debug_callback(callback, *args, **kwargs)
        return tree.unflatten([])
    return _called(lib.sec_io_call, _name(callback), callback, avals, tree, args, kwargs)


@placed
def debug_callback(callback, *args, ordered=False, partitioned=False, **kwargs):
    """callback(*args, **kwargs) of concrete arrays, for what it does; its result is dropped."""
    if not callable(callback):
        raise TypeError(f"first argument to debug.callback must be callable, got an object of type {type(callback)}")
    if local.frames:
        _called(lib.sec_io_call, _name(callback), callback, None, None, args, kwargs)
    else:
        callback(*_tree.tree_map(_concrete, args), **_tree.tree_map(_concrete, kwargs))


def _concrete(x):
    from secant._array import to_array

    return to_array(x)


def _name(function):
    return getattr(function, "__name__", "callback")


def effects_barrier():
    """Nothing: a run has ended, with all that it does, when its results are there."""
