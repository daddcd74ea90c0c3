"""vmap and pmap: one axis of the arguments is mapped."""

import ctypes

from secant import _axes, _tree, _types
from secant._errors import IndivisibleError, SecantError, TracerBoolConversionError, placed
from secant._jit import flat_result, jit
from secant._lib import lib
from secant._trace import TRUTH, aval_of, call, trace_known, transformed

NOT_MAPPED = -1000  # SEC_NOT_MAPPED


def _is_none(x):
    return x is None


def _in_axes(in_axes, args, keywords, what):
    """An axis or None for each leaf of (args, keywords); keywords are mapped at axis 0."""
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not isinstance(in_axes, (int, tuple, type(None))):
        raise TypeError(
            f"{what} in_axes must be an int, None, or a tuple of entries corresponding to the positional arguments passed to the function, but got {in_axes!r}."
        )
    if isinstance(in_axes, tuple):
        if len(in_axes) != len(args):
            raise ValueError(
                f"{what} in_axes must be an int, None, or a tuple of length equal to the number of positional arguments: got {len(in_axes)} axes for {len(args)} arguments\n  hint: give one entry an argument, None for what is not mapped"
            )
        axes = _tree.broadcast_prefix(in_axes, args, _is_none)
    else:
        axes = [in_axes] * len(_tree.tree_leaves(args))
    for a in axes:
        if not isinstance(a, (int, type(None))):
            raise TypeError(f"{what} in_axes must be a pytree with int or None leaves, got {a!r}")
    return axes + [0] * len(_tree.tree_leaves(keywords))


def _lane(aval, axis, what):
    """(size of the mapped axis, type of one lane)."""
    if not -aval.ndim <= axis < aval.ndim:
        raise ValueError(
            f"{what} was requested to map its argument along axis {axis}, which implies that its rank should be at least {axis + 1 if axis >= 0 else -axis}, but is only {aval.ndim} (its shape is {aval.shape})\n  hint: in_axes must be an axis of the argument, or None to keep it whole"
        )
    axis %= aval.ndim
    shape = aval.shape
    return shape[axis], _types.aval(aval.code, shape[:axis] + shape[axis + 1 :], aval.weak_type)


def _size(sizes, axis_size, what):
    if axis_size is not None:
        sizes = [*sizes, axis_size]
    if not sizes:
        raise ValueError(f"{what} must have at least one non-None value in in_axes\n  hint: map an argument, or give axis_size")
    if len(set(sizes)) > 1:
        raise ValueError(f"{what} got inconsistent sizes for array axes to be mapped: {', '.join(map(str, sizes))}\n  hint: the mapped axes must have one size; in_axes None keeps an argument whole")
    return sizes[0]


def vmap(fun, in_axes=0, out_axes=0, axis_name=None, axis_size=None, spmd_axis_name=None):
    """Maps `fun` over one axis of its arguments.

    Parameters
    ----------
    in_axes : int, None, or a tuple with one entry an argument, each a pytree prefix; None keeps an argument whole.
        Keyword arguments are mapped at axis 0.
    out_axes : where the mapped axis stands in the results; None for results that do not depend on it.
    axis_name : name of the axis for collectives.  axis_size : its size, where no argument is mapped.
    """
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)

    def wrapped(*args, **keywords):
        return mapped_call(fun, args, keywords, in_axes, out_axes, axis_name, axis_size, "vmap")

    wrapped.__name__ = getattr(fun, "__name__", "f")
    wrapped.__doc__ = f"Vectorized version of {wrapped.__name__}."
    wrapped.__wrapped__ = fun
    return wrapped


@placed
def mapped_call(fun, args, keywords, in_axes, out_axes, axis_name, axis_size, what):
    """One call of a mapped function."""
    leaves, tree = _tree.tree_flatten((args, keywords))
    axes = _in_axes(in_axes, args, keywords, what)
    mapped = [i for i, a in enumerate(axes) if a is not None]
    lanes = [_lane(aval_of(leaves[i]), axes[i], what) for i in mapped]
    size = _size([n for n, _ in lanes], axis_size, what)

    def traced(inputs):
        filled = list(leaves)
        for i, x in zip(mapped, inputs):
            filled[i] = x
        inner, named = tree.unflatten(filled)
        return flat_result(fun(*inner, **named))

    def batch(jaxpr, outs):
        c_in = (ctypes.c_int * len(mapped))(*[axes[i] for i in mapped])
        c_out = (ctypes.c_int * len(outs))(*[NOT_MAPPED if a is None else a for a in outs])
        name = None if axis_name is None else _axes.text(axis_name)
        batched = transformed(lib.sec_jaxpr_vmap, jaxpr.handle, c_in, c_out, size, name)
        return call(batched, [leaves[i] for i in mapped])

    def evaluate(jaxpr):
        """A truth that all lanes share."""
        try:
            return batch(jaxpr, [None])[0]
        except SecantError as error:
            raise TracerBoolConversionError(
                f"{TRUTH} was asked of a value that differs from lane to lane under {what}.\n  hint: use where or lax.cond"
            ) from error

    with _axes.named_axis(axis_name, size):
        jaxpr, out_tree = trace_known(traced, [a for _, a in lanes], getattr(fun, "__name__", "f"), evaluate)
    return out_tree.unflatten(batch(jaxpr, _out_axes(out_axes, out_tree, jaxpr.out_avals, what)))


def _out_axes(out_axes, out_tree, avals, what):
    if isinstance(out_axes, list):
        out_axes = tuple(out_axes)
    try:
        outs = _tree.broadcast_prefix(out_axes, out_tree.unflatten(range(out_tree.num_leaves)), _is_none)
    except ValueError:
        raise ValueError(
            f"{what} out_axes specification must be a tree prefix of the corresponding value, got specification {out_axes} for value tree {out_tree}."
        ) from None
    for axis, aval in zip(outs, avals):
        if axis is not None and not -aval.ndim - 1 <= axis <= aval.ndim:
            raise ValueError(f"{what}: axis {axis} is out of bounds for a result of {aval.ndim + 1} dimensions")
    return outs


def pmap(
    fun,
    axis_name=None,
    *,
    in_axes=0,
    out_axes=0,
    static_broadcasted_argnums=(),
    devices=None,
    backend=None,
    axis_size=None,
    donate_argnums=(),
    global_arg_shapes=None,
):
    """Maps `fun` over devices: one lane each, compiled, with collectives over `axis_name`.

    The mapped axis may not exceed the number of devices.  out_axes None gives the first device's value.
    static_broadcasted_argnums : arguments that are compiled in.
    """
    statics = (
        (static_broadcasted_argnums,)
        if isinstance(static_broadcasted_argnums, int)
        else tuple(static_broadcasted_argnums)
    )
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)

    def run(*args, **keywords):
        def inner(*dynamic, **named):
            dynamic = iter(dynamic)
            return fun(*[args[i] if i in statics else next(dynamic) for i in range(len(args))], **named)

        dynamic = tuple(a for i, a in enumerate(args) if i not in statics)
        spec = in_axes
        if isinstance(in_axes, tuple) and len(in_axes) == len(args):
            spec = tuple(a for i, a in enumerate(in_axes) if i not in statics)
        _check_devices(dynamic, keywords, spec, axis_size)
        mapped_out = _tree.tree_map(lambda a: 0 if a is None else a, out_axes, is_leaf=_is_none)
        with _axes.pmapped():
            out = mapped_call(inner, dynamic, keywords, spec, mapped_out, axis_name, axis_size, "pmap")
        first = _tree.broadcast_prefix(out_axes, out, _is_none)
        leaves, tree = _tree.tree_flatten(out)
        return tree.unflatten([x[0] if a is None else x for x, a in zip(leaves, first)])

    run.__name__ = getattr(fun, "__name__", "f")
    return jit(run, static_argnums=statics, donate_argnums=donate_argnums)


def _check_devices(args, keywords, in_axes, axis_size):
    if _axes.in_pmap():
        raise ValueError("nested pmaps are not supported; use vmap for the inner one")
    leaves = _tree.tree_leaves((args, keywords))
    axes = _in_axes(in_axes, args, keywords, "pmap")
    sizes = []
    for x, a in zip(leaves, axes):
        if a is not None:
            if a < 0:
                raise IndivisibleError(f"pmap in_axes must not be negative, got {a}")
            sizes.append(_lane(aval_of(x), a, "pmap")[0])
    if not sizes:
        raise ValueError("pmap must have at least one non-None value in in_axes")
    size, n = _size(sizes, axis_size, "pmap"), lib.sec_num_devices(b"cpu")
    if size > n:
        raise IndivisibleError(
            f"pmap: the mapped axis has size {size}, but there are {n} devices.\n  hint: set SECANT_NUM_CPU_DEVICES before the start"
        )
