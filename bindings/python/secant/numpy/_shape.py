"""Functions that move, join, repeat and pick elements."""

import builtins

import numpy as np

from secant import lax
from secant._array import from_numpy
from secant._eager import op
from secant._lib import int64s, lib
from secant._operators import Array
from secant._trace import tracer, values
from secant._tracer import Tracer, made
from secant.lax._shape import broadcast_to as _broadcast_to, sizes
from secant.numpy._common import arraylike, axes_of, broadcasted, convert, one_axis, promoted


@op(1)
def reshape(a, shape, order="C", *, copy=None, out_sharding=None):
    """The same elements in another shape; one size may be -1."""
    x = arraylike("reshape", a)
    shape = list(sizes(shape))
    if -1 in shape:
        known = int(np.prod([d for d in shape if d != -1], dtype=np.int64))
        if shape.count(-1) > 1 or not known or x.size % known:
            raise TypeError(f"cannot reshape array of shape {x.shape} (size {x.size}) into shape {tuple(shape)}\n  hint: the sizes must be equal; one size may be -1 and is computed")
        shape[shape.index(-1)] = x.size // known
    if int(np.prod(shape, dtype=np.int64)) != x.size:
        raise TypeError(
            f"cannot reshape array of shape {x.shape} (size {x.size}) into shape {tuple(shape)} (size {int(np.prod(shape))})\n  hint: the sizes must be equal; one size may be -1 and is computed"
        )
    if order == "F":
        return transpose(reshape(transpose(x), shape[::-1]))
    if tuple(shape) == x.shape:
        return x
    return made(lib.sec_reshape(x.value, len(shape), int64s(shape)))


@op(1)
def ravel(a, order="C", *, out_sharding=None):
    """One axis with all elements."""
    return reshape(a, (-1,), order)


@op(1)
def transpose(a, axes=None):
    """Axes permuted; reversed without `axes`."""
    x = arraylike("transpose", a)
    axes = tuple(range(x.ndim))[::-1] if axes is None else axes_of(axes, x.ndim)
    return lax.transpose(x, axes)


permute_dims = transpose


@op(1)
def matrix_transpose(x, /):
    """The last two axes swapped."""
    return swapaxes(x, -1, -2)


@op(1)
def swapaxes(a, axis1, axis2):
    """Two axes swapped."""
    x = arraylike("swapaxes", a)
    axes = list(range(x.ndim))
    i, j = one_axis(axis1, x.ndim), one_axis(axis2, x.ndim)
    axes[i], axes[j] = j, i
    return lax.transpose(x, axes)


@op(1)
def moveaxis(a, source, destination):
    """Axes moved to other places."""
    x = arraylike("moveaxis", a)
    source, destination = axes_of(source, x.ndim), axes_of(destination, x.ndim)
    if len(source) != len(destination):
        raise ValueError(f"Inconsistent number of elements: {len(source)} vs {len(destination)}")
    order = [i for i in range(x.ndim) if i not in source]
    for d, s in sorted(zip(destination, source)):
        order.insert(d, s)
    return lax.transpose(x, order)


@op(1)
def rollaxis(a, axis, start=0):
    """An axis moved in front of another."""
    x = arraylike("rollaxis", a)
    axis = one_axis(axis, x.ndim)
    start = start + x.ndim if start < 0 else start
    return moveaxis(x, axis, start - 1 if axis < start else start)


@op(1)
def squeeze(a, axis=None):
    """Without axes of size one."""
    x = arraylike("squeeze", a)
    axes = tuple(i for i, d in enumerate(x.shape) if d == 1) if axis is None else axes_of(axis, x.ndim)
    return lax.squeeze(x, axes)


@op(1)
def expand_dims(a, axis):
    """New axes of size one at places of the result."""
    return lax.expand_dims(arraylike("expand_dims", a), (axis,) if isinstance(axis, int) else axis)


@op(1)
def broadcast_to(array, shape, *, out_sharding=None):
    """NumPy's broadcasting to a shape."""
    return _broadcast_to(arraylike("broadcast_to", array), shape)


def broadcast_shapes(*shapes):
    return np.broadcast_shapes(*shapes)


def broadcast_arrays(*args):
    """The arguments with one shape."""
    return _broadcast_arrays(list(args))


@op(1)
def _broadcast_arrays(xs):
    xs = [tracer(x) for x in xs]
    return broadcasted(*xs)


@op(1)
def atleast_1d(x):
    x = arraylike("atleast_1d", x)
    return x if x.ndim else x.reshape(1)


@op(1)
def atleast_2d(x):
    x = arraylike("atleast_2d", x)
    return x if x.ndim > 1 else x.reshape((1, -1))


@op(1)
def atleast_3d(x):
    x = atleast_1d(x)
    return x.reshape(1, -1, 1) if x.ndim == 1 else x.reshape(*x.shape, 1) if x.ndim == 2 else x


# ---- joining and splitting ----
def _parts(xs, name):
    if isinstance(xs, (Array, np.ndarray)):
        xs = [xs[i] for i in range(xs.shape[0])]
    if not isinstance(xs, (list, tuple)):
        raise TypeError(f"{name} needs a sequence of arrays, got {type(xs)}")
    if not xs:
        raise ValueError(f"Need at least one array to {name}.")
    return list(xs)


@op(1)
def _join(xs, axis):
    xs = promoted(*[tracer(x) for x in xs])
    xs = [convert(x, x.aval.code) for x in xs]
    axis = one_axis(axis, xs[0].ndim)
    if len(xs) == 1:
        return xs[0]
    return made(lib.sec_concatenate(values([x.value for x in xs]), len(xs), axis))


def concatenate(arrays, axis=0, dtype=None):
    """Arrays one behind the other along an axis (None: flat)."""
    parts = _parts(arrays, "concatenate")
    if axis is None:
        parts, axis = [ravel(p) for p in parts], 0
    for p in parts:
        if not np.ndim(p) and not getattr(p, "ndim", 0):
            raise ValueError("Zero-dimensional arrays cannot be concatenated.")
    out = _join(parts, axis)
    return out if dtype is None else out.astype(dtype)


concat = concatenate


def stack(arrays, axis=0, out=None, dtype=None):
    """Arrays of one shape along a new axis."""
    parts = _parts(arrays, "stack")
    result = _stack(parts, axis)
    return result if dtype is None else result.astype(dtype)


@op(1)
def _stack(xs, axis):
    xs = [tracer(x) for x in xs]
    if len({x.shape for x in xs}) > 1:
        raise ValueError(f"All input arrays must have the same shape, got {[x.shape for x in xs]}.\n  hint: use concatenate for arrays that differ along the axis")
    axis = one_axis(axis, xs[0].ndim + 1)
    return _join([lax.expand_dims(x, (axis,)) for x in xs], axis)


def vstack(tup, dtype=None):
    """Rows one below the other."""
    return concatenate([atleast_2d(x) for x in _parts(tup, "vstack")], 0, dtype)


def hstack(tup, dtype=None):
    """Side by side: along axis 1, or 0 for vectors."""
    parts = [atleast_1d(x) for x in _parts(tup, "hstack")]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype)


def dstack(tup, dtype=None):
    """Along a third axis."""
    return concatenate([atleast_3d(x) for x in _parts(tup, "dstack")], 2, dtype)


def column_stack(tup):
    """Vectors as columns."""
    return concatenate(
        [atleast_2d(x).T if np.ndim(x) < 2 and getattr(x, "ndim", 0) < 2 else x for x in _parts(tup, "column_stack")], 1
    )


def append(arr, values, axis=None):
    """`values` behind `arr`."""
    return concatenate([ravel(arr), ravel(values)]) if axis is None else concatenate([arr, values], axis)


def block(arrays):
    """Nested lists of blocks, joined: the innermost along the last axis."""

    def depth(x):
        return 1 + depth(x[0]) if isinstance(x, list) else 0

    def join(x, level):
        if not isinstance(x, list):
            return x
        return concatenate([join(p, level - 1) for p in x], axis=-level)

    n = depth(arrays)
    return join(arrays, n)


@op(1)
def split(ary, indices_or_sections, axis=0):
    """Parts along an axis: n equal ones, or cut at indices."""
    return _cut("split", ary, indices_or_sections, axis, exact=True)


@op(1)
def array_split(ary, indices_or_sections, axis=0):
    """Parts along an axis, nearly equal."""
    return _cut("array_split", ary, indices_or_sections, axis, exact=False)


def _cut(name, ary, where_, axis, exact):
    x = arraylike(name, ary)
    axis = one_axis(axis, x.ndim)
    size = x.shape[axis]
    if isinstance(where_, int):
        if exact and size % where_:
            raise ValueError("array split does not result in an equal division")
        big = size % where_
        edges = np.cumsum([0] + [size // where_ + (i < big) for i in range(where_)])
    else:
        edges = [0, *(i.__index__() for i in where_), size]
    edges = [int(np.clip(e + size if e < 0 else e, 0, size)) for e in edges]
    return [lax.slice_in_dim(x, a, builtins.max(a, b), 1, axis) for a, b in zip(edges, edges[1:])]


def hsplit(ary, indices_or_sections):
    return split(ary, indices_or_sections, 0 if ary.ndim == 1 else 1)


def vsplit(ary, indices_or_sections):
    return split(ary, indices_or_sections, 0)


def dsplit(ary, indices_or_sections):
    return split(ary, indices_or_sections, 2)


def unstack(x, /, *, axis=0):
    """The places along an axis, as a tuple."""
    from secant.numpy._picking import take

    return tuple(take(x, i, axis, mode="clip") for i in range(x.shape[axis]))


# ---- repeating and moving ----
@op(1, call="_flip")
def flip(m, axis=None):
    """The elements in reverse order along axes."""
    x = arraylike("flip", m)
    return lax.rev(x, axes_of(axis, x.ndim))


@op(1)
def flipud(m):
    return flip(m, 0)


@op(1)
def fliplr(m):
    return flip(m, 1)


@op(1)
def rot90(m, k=1, axes=(0, 1)):
    """Turned by k quarters in a plane."""
    x, k = arraylike("rot90", m), k % 4
    a, b = axes_of(axes, x.ndim)
    if k == 2:
        return flip(x, (a, b))
    if k == 1:
        return swapaxes(flip(x, b), a, b)
    return flip(swapaxes(x, a, b), b) if k == 3 else x


@op(1)
def roll(a, shift, axis=None):
    """Elements moved along axes; what falls off comes in on the other side."""
    x = arraylike("roll", a)
    if axis is None:
        return roll(x.reshape(-1), shift, 0).reshape(x.shape)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,)
    axes = axes_of(axis, x.ndim) if isinstance(axis, (tuple, list)) else (one_axis(axis, x.ndim),)
    if len(shifts) == 1:
        shifts = tuple(shifts) * len(axes)
    for s, d in zip(shifts, axes):
        if not isinstance(s, Array):
            n = x.shape[d]
            cut = -s % n if n else 0
            if cut:
                x = _join([lax.slice_in_dim(x, cut, n, 1, d), lax.slice_in_dim(x, 0, cut, 1, d)], d)
        else:
            n = x.shape[d]
            x = lax.dynamic_slice_in_dim(_join([x, x], d), tracer((-s) % n), n, d)
    return x


@op(1)
def tile(A, reps):
    """The array repeated along each axis."""
    x = arraylike("tile", A)
    reps = sizes(reps)
    n = builtins.max(len(reps), x.ndim)
    reps, shape = (1,) * (n - len(reps)) + reps, (1,) * (n - x.ndim) + x.shape
    x = x.reshape([d for s in shape for d in (1, s)])
    x = _broadcast_to(x, [d for r, s in zip(reps, shape) for d in (r, s)])
    return x.reshape([r * s for r, s in zip(reps, shape)])


def repeat(a, repeats, axis=None, *, total_repeat_length=None, out_sharding=None):
    """Each element repeated; `repeats` is a number or, one an element, concrete numbers."""
    from secant.numpy._picking import take

    if isinstance(repeats, Tracer):
        repeats._need("repeat: a concrete number of repeats")
    repeats = np.asarray(repeats)
    if axis is None:
        a, axis = ravel(a), 0
    if repeats.ndim == 0 and total_repeat_length is None:
        return _repeat(a, int(repeats), axis)
    n = a.shape[axis]
    index = np.repeat(np.arange(n), np.broadcast_to(repeats, (n,)))
    if total_repeat_length is not None:
        index = np.pad(index, (0, builtins.max(total_repeat_length - len(index), 0)), constant_values=n - 1)[
            :total_repeat_length
        ]
    return take(a, from_numpy(index.astype(np.int32)), axis, mode="clip")


@op(1)
def _repeat(a, n, axis):
    x = arraylike("repeat", a)
    axis = one_axis(axis, x.ndim)
    shape = x.shape
    x = _broadcast_to(lax.expand_dims(x, (axis + 1,)), (*shape[: axis + 1], n, *shape[axis + 1 :]))
    return x.reshape((*shape[:axis], shape[axis] * n, *shape[axis + 1 :]))


def pad(array, pad_width, mode="constant", *, constant_values=0, **options):
    """Elements added at the ends of axes; modes constant, edge, wrap, reflect, symmetric."""
    from secant.numpy._picking import take

    ndim = np.ndim(array) if not isinstance(array, Array) else array.ndim
    widths = np.broadcast_to(np.asarray(pad_width, dtype=int), (ndim, 2)) if not isinstance(pad_width, dict) else None
    if widths is None:
        widths = np.array([np.broadcast_to(pad_width.get(i, 0), 2) for i in range(ndim)])
    widths = tuple((int(a), int(b)) for a, b in widths)
    if mode == "constant":
        return _pad_constant(array, constant_values, widths)
    if mode not in ("edge", "wrap", "reflect", "symmetric"):
        raise NotImplementedError(f"pad: mode {mode!r} is not available in this version")
    for axis, (low, high) in enumerate(widths):
        if low or high:
            index = np.pad(np.arange(array.shape[axis]), (low, high), mode=mode)
            array = take(array, from_numpy(index.astype(np.int32)), axis, mode="clip")
    return array


@op(2)
def _pad_constant(array, constant, widths):
    x, c = arraylike("pad", array, constant)
    return lax.pad(x, convert(c, x.aval.code), [(low, high, 0) for low, high in widths])
