"""The rest of JAX's top level: looking at jaxprs and shapes, devices, settings."""

import os

from secant import _array, _devices, _eager, _jit, _tree, _types
from secant._axes import named_axis
from secant._errors import check
from secant._jit import flat_result
from secant._lib import context, lib, take_text
from secant._trace import aval_of, local, trace_flat


def _traced(fun, args, keywords, statics=()):
    """(Jaxpr, structure of the result) of fun(*args, **keywords) for the types of the leaves."""
    fixed = {i % len(args): args[i] for i in statics}
    leaves, tree = _tree.tree_flatten((tuple(None if i in fixed else a for i, a in enumerate(args)), keywords))

    def traced(inputs):
        inner, named = tree.unflatten(inputs)
        return flat_result(fun(*[fixed.get(i, a) for i, a in enumerate(inner)], **named))

    return trace_flat(traced, [aval_of(x) for x in leaves], getattr(fun, "__name__", "f"))


def make_jaxpr(fun, static_argnums=(), axis_env=None, return_shape=False, abstracted_axes=None):
    """A function of the same arguments that returns the jaxpr of `fun` (print it with str).

    axis_env : [(name, size), ...], axes that collectives may use.
    return_shape : returns (jaxpr, the result's types) instead.
    """
    statics = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)

    def wrapped(*args, **keywords):
        axes = [named_axis(name, size) for name, size in axis_env or ()]
        for axis in axes:
            axis.__enter__()
        shown, local.shown = local.shown, True
        try:
            jaxpr, out_tree = _traced(fun, args, keywords, statics)
        finally:
            local.shown = shown
            for axis in reversed(axes):
                axis.__exit__()
        return (jaxpr, _structs(jaxpr, out_tree)) if return_shape else jaxpr

    return wrapped


def _structs(jaxpr, out_tree):
    return out_tree.unflatten(_types.ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type) for a in jaxpr.out_avals)


def eval_shape(fun, *args, **keywords):
    """The types of fun(*args, **keywords), as ShapeDtypeStructs; nothing is computed."""
    return _structs(*_traced(fun, args, keywords))


def typeof(x):
    """The type of anything that may be an operand: an Aval with shape, dtype and weak_type."""
    return aval_of(x)


def named_call(fun, *, name=None):
    """`fun` under a name in jaxprs."""

    def wrapped(*args, **keywords):
        return fun(*args, **keywords)

    wrapped.__name__ = name or getattr(fun, "__name__", "f")
    return _jit.jit(wrapped)


# ---- arrays here and there ----
def device_get(x):
    """The pytree `x` with its arrays as NumPy arrays."""
    import numpy as np

    return _tree.tree_map(lambda leaf: np.asarray(leaf) if isinstance(leaf, _array.ArrayImpl) else leaf, x)


def block_until_ready(x):
    """`x`, when its arrays are computed."""
    for leaf in _tree.tree_leaves(x):
        if isinstance(leaf, _array.ArrayImpl):
            leaf.block_until_ready()
    return x


def clear_caches():
    """Forgets every traced and compiled function."""
    _jit.clear()
    _eager.clear()
    lib.sec_cache_clear(context)


def cache_stats():
    """Counters of the library's caches: hits, compiles, kernel_hits, kernels, disk_hits, disk_misses, disk_writes,
    compile_seconds."""
    stats = lib.sec_cache_get_stats(context)
    return {name: getattr(stats, name) for name, _ in stats._fields_}


def doctor():
    """What this machine offers, one fact a line."""
    return take_text(lib.sec_doctor(context))


# ---- settings ----
class Config:
    """Settings under JAX's names: jax_enable_x64, jax_compilation_cache_dir (None: as the environment says),
    jax_enable_compilation_cache and jax_default_device; and num_threads (0: as at the start)."""

    jax_compilation_cache_dir, jax_enable_compilation_cache, jax_default_device = None, True, None

    def __init__(self):
        if os.environ.get("SECANT_ENABLE_X64", "").lower() in ("1", "true", "on", "yes"):
            _types.set_x64(True)

    @property
    def jax_enable_x64(self):
        return _types.x64()

    @property
    def x64_enabled(self):
        return _types.x64()

    @property
    def num_threads(self):
        """Threads that a run may use."""
        return lib.sec_num_threads()

    def update(self, name, value):
        if name == "num_threads":
            lib.sec_set_num_threads(int(value))
            return
        if name in ("jax_compilation_cache_dir", "jax_enable_compilation_cache"):
            setattr(self, name, value)
            self._set_disk_cache()
            return
        if name == "jax_default_device":
            lib.sec_set_default_device(_devices.default_of(value, name))
            self.jax_default_device = value
            return
        if name != "jax_enable_x64":
            raise AttributeError(f"Unrecognized config option: {name}")
        if bool(value) != _types.x64():
            _types.set_x64(bool(value))
            _jit.clear()
            _eager.clear()

    def _set_disk_cache(self):
        directory = self.jax_compilation_cache_dir if self.jax_enable_compilation_cache else "off"
        check(lib.sec_disk_cache_set(context, None if directory is None else os.fsencode(directory)))


config = Config()


class enable_x64:
    """Context manager: 64-bit defaults inside."""

    def __init__(self, new_val=True):
        self._new, self._old = new_val, None

    def __enter__(self):
        self._old = _types.x64()
        config.update("jax_enable_x64", self._new)

    def __exit__(self, *exception):
        config.update("jax_enable_x64", self._old)
