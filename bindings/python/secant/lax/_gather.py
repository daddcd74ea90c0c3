"""gather and scatter with JAX's dimension numbers."""

import ctypes

from secant._capi import sec_gather_dims, sec_scatter_dims
from secant._eager import op
from secant._lib import int64s, lib
from secant._trace import tracer
from secant._tracer import made
from secant.lax._shape import sizes


class _Numbers:
    """Named tuples of axes."""

    __slots__ = ()

    def __init__(self, *args, **keywords):
        given = {**dict(zip(self.__slots__, args)), **keywords}
        for name in self.__slots__:
            setattr(self, name, sizes(given.pop(name, ())))
        if given:
            raise TypeError(f"{type(self).__name__} has no fields {sorted(given)}")

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)}' for n in self.__slots__)})"

    def _key(self):
        return tuple(getattr(self, n) for n in self.__slots__)

    def __eq__(self, other):
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self):
        return hash(self._key())


class GatherDimensionNumbers(_Numbers):
    """Which axes of result, operand and indices belong together, for gather."""

    __slots__ = (
        "offset_dims",
        "collapsed_slice_dims",
        "start_index_map",
        "operand_batching_dims",
        "start_indices_batching_dims",
    )


class ScatterDimensionNumbers(_Numbers):
    """Which axes of updates, operand and indices belong together, for scatter."""

    __slots__ = (
        "update_window_dims",
        "inserted_window_dims",
        "scatter_dims_to_operand_dims",
        "operand_batching_dims",
        "scatter_indices_batching_dims",
    )


class GatherScatterMode:
    """What happens to indices out of bounds."""

    CLIP, FILL_OR_DROP, PROMISE_IN_BOUNDS = 0, 1, 2
    _NAMES = {
        "clip": CLIP,
        "fill": FILL_OR_DROP,
        "drop": FILL_OR_DROP,
        "fill_or_drop": FILL_OR_DROP,
        "promise_in_bounds": PROMISE_IN_BOUNDS,
    }

    @staticmethod
    def from_any(mode):
        """A mode from its name, a mode, or None (fill or drop)."""
        if mode is None:
            return GatherScatterMode.FILL_OR_DROP
        if isinstance(mode, str):
            if mode not in GatherScatterMode._NAMES:
                raise ValueError(f'Unknown gather mode "{mode}"')
            return GatherScatterMode._NAMES[mode]
        return int(mode)


def _known(unique, rising):
    """What is known of the indices, in the bits of a mode (SEC_INDICES_UNIQUE, SEC_INDICES_SORTED)."""
    return (16 if unique else 0) + (32 if rising else 0)


def _struct(cls, numbers):
    """The C struct of dimension numbers, and the lists it points to."""
    lists = [int64s(axes) for axes in numbers._key()]
    counts = [len(lists[0]), len(lists[1]), len(lists[2]), len(lists[3])]
    return cls(*[ctypes.addressof(a) for a in lists], *counts), lists


@op(2)
def gather(
    operand,
    start_indices,
    dimension_numbers,
    slice_sizes,
    *,
    unique_indices=False,
    indices_are_sorted=False,
    mode=GatherScatterMode.PROMISE_IN_BOUNDS,
    fill_value=None,
):
    """Slices of the operand at starts; the last axis of the indices holds the coordinates."""
    x, indices = tracer(operand), tracer(start_indices)
    dims, lists = _struct(sec_gather_dims, dimension_numbers)
    mode = GatherScatterMode.from_any(mode)
    known = mode + _known(unique_indices, indices_are_sorted)
    out = made(lib.sec_gather(x.value, indices.value, ctypes.addressof(dims), int64s(sizes(slice_sizes)), known))
    if fill_value is None or mode != GatherScatterMode.FILL_OR_DROP:
        return out
    return _filled(out, x, indices, dimension_numbers, sizes(slice_sizes), fill_value)


def _filled(out, x, indices, numbers, slice_sizes, fill_value):
    """`out` with fill_value where a window is not inside: the same gather of an array of truths tells where."""
    import secant.numpy as jnp

    zeros = jnp.zeros_like(x, dtype="int32")
    inside = gather(zeros, indices, numbers, slice_sizes, mode=GatherScatterMode.FILL_OR_DROP)
    return jnp.where(inside == 0, out, jnp.astype(jnp.asarray(fill_value), out.dtype))


def _scatter(name, doc, says_unique=False):
    c = getattr(lib, "sec_" + name)

    def f(
        operand,
        scatter_indices,
        updates,
        dimension_numbers,
        *,
        indices_are_sorted=False,
        unique_indices=False,
        mode=None,
    ):
        x, indices, updates = tracer(operand), tracer(scatter_indices), tracer(updates)
        if updates.aval.code != x.aval.code:
            raise TypeError(
                f"lax.{name} requires arguments to have the same dtypes, got {x.dtype.name}, {updates.dtype.name}."
            )
        dims, lists = _struct(sec_scatter_dims, dimension_numbers)
        more = (bool(unique_indices),) if says_unique else ()
        mode = GatherScatterMode.from_any(mode) + _known(unique_indices, indices_are_sorted)
        return made(c(x.value, indices.value, updates.value, ctypes.addressof(dims), mode, *more))

    f.__name__, f.__doc__, f.__module__ = name, doc, "secant.lax"
    return op(3)(f)


scatter = _scatter("scatter", "The operand with updates written at indices; the last of duplicates stays.")
scatter_add = _scatter("scatter_add", "The operand with updates added at indices.")
scatter_mul = _scatter("scatter_mul", "The operand multiplied by updates at indices.", True)
scatter_min = _scatter("scatter_min", "The lesser of the operand and the updates at indices.")
scatter_max = _scatter("scatter_max", "The greater of the operand and the updates at indices.")


@op(3)
def scatter_sub(operand, scatter_indices, updates, dimension_numbers, **options):
    """The operand with updates subtracted at indices."""
    return scatter_add(operand, scatter_indices, -tracer(updates), dimension_numbers, **options)
