"""Operations outside jit: each is a small compiled function, cached by types and static arguments."""

from itertools import count
from types import MethodType

import numpy as np

from secant import _fast, _tree, _types
from secant._array import ArrayImpl, from_scalar, to_array
from secant._errors import DeviceError, locate, placed
from secant._executable import Executable
from secant._lib import lib
from secant._trace import Tracer, aval_of, call as replayed, lifted, local, results, trace_flat, values

_cache = {}  # (function, structure, types and statics) -> (Executable, structure of the result)
_NUMBERS = (bool, int, float, complex)


class _Static:
    """A leaf that is part of the key: compared by type, too."""

    __slots__ = ("value", "_hash")

    def __init__(self, value):
        self.value = value
        self._hash = hash((type(value), value))

    def __hash__(self):
        return self._hash

    def __eq__(self, other):
        return type(other) is _Static and type(self.value) is type(other.value) and self.value == other.value


def called(function, n, name):
    """`function`, under make_jaxpr as a call of that name; else as it is, which is traced and transformed faster."""
    cache = {}

    def traced(*args, **keywords):
        if not local.shown:
            local.inlined += 1
            return function(*args, **keywords)
        leading, tree = _tree.tree_flatten(args[:n])
        rest, rest_tree = _tree.tree_flatten((args[n:], keywords))
        operands, spec = [], []
        for leaf in leading + rest:
            number = isinstance(leaf, (np.generic, *_NUMBERS)) and len(spec) < len(leading)
            if number or isinstance(leaf, (Tracer, ArrayImpl, np.ndarray)):
                operands.append(leaf)
                spec.append(aval_of(leaf))
            else:
                spec.append(_Static(leaf))
        key = (tree, rest_tree, tuple(spec), _types.x64())
        if key not in cache:
            cache[key] = _traced_leaves(function, tree, rest_tree, spec, [aval_of(x) for x in operands], name)
        jaxpr, out_tree = cache[key]
        out = values([0] * jaxpr.n_out)
        return out_tree.unflatten(results(lib.sec_jit_call(name.encode(), jaxpr.handle, lifted(operands), out), out))

    traced.__name__, traced.__doc__, traced.__module__ = function.__name__, function.__doc__, function.__module__
    return traced


def op(n=1, call=None):
    """Decorator of a function that is written for an open trace and has `n` leading operands.

    In a trace it is called as it is; outside one it is traced, compiled and run.  Arrays are operands wherever
    they stand; numbers are operands among the first `n` arguments and static behind them.  `call`: the name of the jit
    that the function is in JAX.
    """

    def wrap(function):
        if call:
            function = called(function, n, call)
        if _fast.enabled:
            return Operation(function, n)

        def public(*args, **keywords):
            try:
                if local.frames:
                    return function(*args, **keywords)
                return run(function, n, args, keywords)
            except Exception as exception:
                locate(exception)
                raise

        public.__name__ = public.__qualname__ = function.__name__
        public.__doc__, public.__module__ = function.__doc__, function.__module__
        public.__wrapped__ = function
        return public

    return wrap


def run(function, n, args, keywords):
    """function(*args, **keywords) outside a trace."""
    key = None
    if not keywords and len(args) <= n:
        key = (function, *[a.aval if type(a) is ArrayImpl else type(a) for a in args])
        entry = _cache.get(key)
        if entry is not None:
            arrays = [a if type(a) is ArrayImpl else from_scalar(a) for a in args]
            out = _run(entry[0], arrays, function, args, keywords)
            return out[0] if entry[1].spec is _tree.LEAF else entry[1].unflatten(out)
    entry, operands, _ = _entry(function, n, args, keywords)
    if key is not None and all(type(a) is ArrayImpl or type(a) in _NUMBERS for a in args):
        _cache[key] = entry
    return entry[1].unflatten(_run(entry[0], operands, function, args, keywords))


def _run(executable, operands, function, args, keywords):
    try:
        return executable.run(operands)
    except DeviceError as error:
        from secant._devices import incompatible

        raise incompatible(error, function.__name__.strip("_"), function, args, keywords) from None


def _entry(function, n, args, keywords):
    """((Executable, structure of the result), operands, for every leaf an Aval or a _Static)."""
    operands, spec = [], []
    leading, tree = _tree.tree_flatten(args[:n])
    rest, rest_tree = _tree.tree_flatten((args[n:], keywords))
    for leaf in leading:
        _sort(leaf, isinstance(leaf, (np.ndarray, np.generic, *_NUMBERS)), operands, spec)
    for leaf in rest:
        _sort(leaf, isinstance(leaf, np.ndarray), operands, spec)
    full = (function, tree, rest_tree, tuple(spec), _types.x64())
    entry = _cache.get(full)
    if entry is None:
        entry = _cache[full] = _compile(function, tree, rest_tree, spec, operands)
    return entry, operands, spec


@placed
def miss(self, args, keywords, wanted):
    """(result, what the fast path remembers or None) of an operation whose raw signature it does not know."""
    if local.frames:
        return self.__wrapped__(*args, **keywords), None
    n = self._leading
    (executable, tree), operands, spec = _entry(self.__wrapped__, n, args, keywords)
    result = tree.unflatten(_run(executable, operands, self.__wrapped__, args, keywords))
    if not wanted:
        return result, None
    counter = count()
    leading, rest = _fast.numbered((args[:n], (args[n:], keywords)), counter)
    leaves = _tree.tree_leaves(leading) + _tree.tree_leaves(rest)
    met = [leaf for leaf, kind in zip(leaves, spec) if type(kind) is not _Static]
    place = {leaf: i for i, leaf in enumerate(sorted(met))}
    return result, _fast.registration(executable, [place[leaf] for leaf in met], tree)


def _traced(function, n):
    """What an operation does while a trace is open; where ensure_compile_time_eval hides it, the operation is run."""

    def traced(*args, **keywords):
        return function(*args, **keywords) if local.frames else run(function, n, args, keywords)

    return traced


class _Operation:
    """An operation outside jit, as a C object; in a trace it is the function that it was made from."""

    def __init__(self, function, n):
        self.__wrapped__, self._leading = function, n
        self.__name__ = self.__qualname__ = function.__name__
        self.__doc__, self.__module__ = function.__doc__, function.__module__
        _caches.append(_fast.Cache())
        _fast.callable_setup(self, _caches[-1], placed(_traced(function, n)), n)

    def __repr__(self):
        return f"<function {self.__qualname__}>"

    def __get__(self, instance, owner=None):
        return self if instance is None else MethodType(self, instance)


_caches = []  # of the operations
if _fast.enabled:
    Operation = _fast.with_methods(_fast.Operation, _Operation)


def _sort(leaf, number, operands, spec):
    if type(leaf) is ArrayImpl or number or hasattr(leaf, "__jax_array__"):
        leaf = to_array(leaf)
        operands.append(leaf)
        spec.append(leaf.aval)
    else:
        leaf = _Static(leaf)
        spec.append(leaf)


def _traced_leaves(function, tree, rest_tree, spec, avals, name):
    """(Jaxpr, structure of the result) of a function of leaves, static ones among them."""

    def traced(inputs):
        inputs = iter(inputs)
        leaves = [s.value if type(s) is _Static else next(inputs) for s in spec]
        args = tree.unflatten(leaves[: tree.num_leaves])
        more, keywords = rest_tree.unflatten(leaves[tree.num_leaves :])
        return _tree.tree_flatten(function(*args, *more, **keywords))

    return trace_flat(traced, avals, name)


def _compile(function, tree, rest_tree, spec, operands):
    jaxpr, out_tree = _traced_leaves(function, tree, rest_tree, spec, [a.aval for a in operands], function.__name__)
    return Executable(jaxpr), out_tree


def clear():
    _cache.clear()
    for cache in _caches:
        cache.clear()


def staged(function, *args):
    """function(*args) in the open trace; outside one it is traced, with the leaves of `args` as inputs, and run."""
    if local.frames:
        return function(*args)
    leaves, tree = _tree.tree_flatten(args)
    arrays = [to_array(leaf) for leaf in leaves]

    def traced(inputs):
        return _tree.tree_flatten(function(*tree.unflatten(inputs)))

    jaxpr, out_tree = trace_flat(traced, [a.aval for a in arrays], getattr(function, "__name__", "f"))
    return out_tree.unflatten(replayed(jaxpr, arrays))
