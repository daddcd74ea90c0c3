"""Shapes and collectives of lax that are built on others."""

from secant import _tree
from secant._eager import op
from secant._errors import placed
from secant._trace import tracer
from secant.lax import _shape
from secant.lax._collective import all_gather, axis_index, axis_size, psum


def broadcast_shapes(*shapes):
    """The shape that shapes broadcast to."""
    import numpy as np

    return np.broadcast_shapes(*shapes)


@op(1)
def broadcast_to_rank(x, rank):
    """New axes of size one in front, up to a rank."""
    x = tracer(x)
    return x if x.ndim == rank else _shape.expand_dims(x, tuple(range(rank - x.ndim)))


@op(1)
def collapse(operand, start_dimension, stop_dimension=None):
    """Neighbouring axes as one."""
    x = tracer(operand)
    start, stop, _ = slice(start_dimension, stop_dimension).indices(x.ndim)
    if stop < start:
        raise ValueError(f"Invalid dimension range passed to collapse: {x.shape}[{start_dimension}:{stop_dimension}]")
    size = 1
    for d in x.shape[start:stop]:
        size *= d
    return _shape.reshape(x, (*x.shape[:start], size, *x.shape[stop:]))


@op(1)
def stack(operands, axis=0):
    """Arrays of one shape and dtype along a new axis."""
    return _shape.concatenate([_shape.expand_dims(x, (axis,)) for x in map(tracer, operands)], axis)


@op(1)
def unstack(x, axis=0):
    """The places along an axis, as a tuple."""
    x = tracer(x)
    return tuple(_shape.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis]))


@op(1)
def tile(operand, reps):
    """The array repeated along each axis."""
    x = tracer(operand)
    if len(reps) != x.ndim:
        raise ValueError(f"tile: {len(reps)} repetitions for an operand of shape {x.shape}")
    for axis, n in enumerate(reps):
        x = _shape.concatenate([x] * n, axis) if n else _shape.slice_in_dim(x, 0, 0, 1, axis)
    return x


def optimization_barrier(operand):
    """The operand; no optimization needs to be held off."""
    return operand


@placed
def psum_scatter(x, axis_name, *, scatter_dimension=0, axis_index_groups=None, tiled=False):
    """The sum over the lanes of an axis, of which each lane keeps its part."""
    n, total = axis_size(axis_name), psum(x, axis_name)

    def part(leaf):
        size = leaf.shape[scatter_dimension]
        if size % n or not tiled and size != n:
            raise ValueError(f"psum_scatter: axis {scatter_dimension} of {leaf.aval.str_short()} has no part for each of {n} lanes")
        out = _shape.dynamic_slice_in_dim(leaf, axis_index(axis_name) * (size // n), size // n, scatter_dimension)
        return out if tiled else _shape.squeeze(out, (scatter_dimension,))

    return _tree.tree_map(part, total)


@placed
def all_to_all(x, axis_name, split_axis, concat_axis, *, axis_index_groups=None, tiled=False):
    """Lane i gets the i-th part of `split_axis` of every lane, along `concat_axis` (joined there when tiled)."""
    n = axis_size(axis_name)

    def one(leaf):
        leaf = tracer(leaf)
        size = leaf.shape[split_axis]
        if size % n or not tiled and size != n:
            raise ValueError(f"all_to_all: axis {split_axis} of {leaf.aval.str_short()} has no part for each of {n} lanes")
        lanes = all_gather(leaf, axis_name)
        own = _shape.dynamic_slice_in_dim(lanes, axis_index(axis_name) * (size // n), size // n, split_axis + 1)
        parts = unstack(own)
        if tiled:
            return _shape.concatenate(list(parts), concat_axis)
        return stack([_shape.squeeze(p, (split_axis,)) for p in parts], concat_axis)

    return _tree.tree_map(one, x)


def pswapaxes(x, axis_name, axis, *, axis_index_groups=None):
    """The named axis changed with an axis of the array."""
    return all_to_all(x, axis_name, axis, axis)
