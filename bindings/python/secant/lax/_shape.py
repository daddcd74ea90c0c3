"""lax's functions of shape: they move elements and compute nothing."""

import builtins
import numpy as np

from secant import _types
from secant._eager import op
from secant._lib import int64s, lib
from secant._trace import aval_of, lift, literal, tracer, values
from secant._tracer import Tracer, made


def sizes(shape):
    """A shape as a tuple of Python integers."""
    if isinstance(shape, int):
        return (shape,)
    out = []
    for d in shape:
        try:
            out.append(d.__index__())
        except (AttributeError, TypeError):
            raise TypeError(f"Shapes must be 1D sequences of concrete values of integer type, got {shape!r}.\n  hint: a shape must be known while tracing: make the argument static (static_argnums)") from None
    return tuple(out)


def _axes(name, axes, ndim, negative=False):
    axes = sizes(axes)
    if negative:
        axes = tuple(a + ndim if a < 0 else a for a in axes)
    for a in axes:
        if not 0 <= a < ndim:
            raise TypeError(f"{name}: axis {a} is out of range for an array of {ndim} dimensions")
    if len(set(axes)) != len(axes):
        raise TypeError(f"{name}: axes {axes} are not unique")
    return axes


@op(1)
def broadcast_in_dim(operand, shape, broadcast_dimensions, *, out_sharding=None):
    """Axis k of the operand becomes axis broadcast_dimensions[k] of `shape`."""
    shape, dims = sizes(shape), sizes(broadcast_dimensions)
    if any(d < 0 for d in dims):
        raise TypeError(f"broadcast_in_dim broadcast_dimensions must be non-negative, got {dims}")
    return made(lib.sec_broadcast_in_dim(tracer(operand).value, len(shape), int64s(shape), int64s(dims)))


@op(1)
def broadcast(operand, sizes, *, out_sharding=None):
    """New leading axes of the given sizes."""
    x = tracer(operand)
    shape = (*sizes, *x.shape)
    return broadcast_in_dim(x, shape, range(len(sizes), len(shape)))


@op(1)
def broadcast_to(x, shape):
    """NumPy's broadcasting to a shape."""
    shape = sizes(shape)
    return made(lib.sec_broadcast_to(tracer(x).value, len(shape), int64s(shape)))


@op(1)
def reshape(operand, new_sizes, dimensions=None, *, out_sharding=None):
    """The same elements, read in row-major order (of `dimensions`), in another shape."""
    x, shape = tracer(operand), sizes(new_sizes)
    if any(d < 0 for d in shape):
        raise TypeError(f"reshape: new_sizes must be non-negative, got {shape}")
    if dimensions is not None:
        x = transpose(x, dimensions)
    return made(lib.sec_reshape(x.value, len(shape), int64s(shape)))


@op(1)
def transpose(operand, permutation):
    """Axis k of the result is axis permutation[k] of the operand."""
    x = tracer(operand)
    permutation = sizes(permutation)
    if sorted(permutation) != list(range(x.ndim)):
        raise TypeError(
            f"transpose permutation isn't a permutation of operand dimensions, got {permutation} for {x.shape}"
        )
    return made(lib.sec_transpose(x.value, int64s(permutation)))


@op(1)
def squeeze(array, dimensions):
    """Without the axes `dimensions`, each of size one."""
    x = tracer(array)
    axes = _axes("squeeze", dimensions, x.ndim, negative=True)
    for a in axes:
        if x.shape[a] != 1:
            raise ValueError(
                f"cannot select an axis to squeeze out which has size not equal to one, got shape={x.shape} and dimensions={axes}\n  hint: name axes of size one, or index the axis"
            )
    return made(lib.sec_squeeze(x.value, int64s(axes), len(axes)))


@op(1)
def expand_dims(array, dimensions):
    """New axes of size one at `dimensions` of the result."""
    x = tracer(array)
    dimensions = sizes(dimensions)
    axes = _axes("expand_dims", dimensions, x.ndim + len(dimensions), negative=True)
    return made(lib.sec_expand_dims(x.value, int64s(axes), len(axes)))


@op(1)
def rev(operand, dimensions):
    """The elements in reverse order along axes."""
    x = tracer(operand)
    axes = _axes("rev", dimensions, x.ndim)
    return made(lib.sec_rev(x.value, int64s(axes), len(axes)))


@op(1)
def concatenate(operands, dimension):
    """Arrays of one dtype, one behind the other along an axis."""
    xs = [tracer(x) for x in operands]
    if not xs:
        raise ValueError("concatenate expects at least one operand, got 0.")
    _axes("concatenate", (dimension,), xs[0].ndim)
    if len({x.aval.code for x in xs}) > 1:
        raise TypeError(
            f"lax.concatenate requires arguments to have the same dtypes, got {', '.join(x.dtype.name for x in xs)}."
        )
    return made(lib.sec_concatenate(values([x.value for x in xs]), len(xs), dimension))


@op(2)
def pad(operand, padding_value, padding_config):
    """Padding (low, high, interior) along each axis; negative low and high crop."""
    x, value = tracer(operand), tracer(padding_value)
    if value.aval.code != x.aval.code:
        if not (value.aval.weak_type and _types.KINDS[value.aval.code] == _types.KINDS[x.aval.code]):
            raise TypeError(
                f"lax.pad requires arguments to have the same dtypes, got {x.dtype.name}, {value.dtype.name}."
            )
        value = made(lib.sec_convert(value.value, x.aval.code, False))
    low, high, interior = ([sizes(row)[i] for row in padding_config] for i in range(3))
    if any(i < 0 for i in interior):
        raise ValueError(f"interior padding must be non-negative, got {interior}")
    for d, lo, hi, step in zip(x.shape, low, high, interior):
        if lo + hi + d + step * (d - 1 if d else 0) < 0:
            raise ValueError(
                f"Dimension size after padding is not at least 0, got padding_config={padding_config} for operand shape {x.shape}"
            )
    return made(lib.sec_pad(x.value, value.value, int64s(low), int64s(high), int64s(interior)))


@op(1)
def slice(operand, start_indices, limit_indices, strides=None):
    """Elements start, start + stride, ... below limit along each axis."""
    x = tracer(operand)
    start, limit = sizes(start_indices), sizes(limit_indices)
    if not len(start) == len(limit) == x.ndim:
        raise TypeError(f"slice: start {start} and limit {limit} need one index an axis of {x.shape}")
    if any(s > m for s, m in zip(start, limit)):
        raise TypeError(
            f"slice limit_indices must be greater than or equal to start_indices, got start_indices {start} and limit_indices {limit}."
        )
    size = [m - s for s, m in zip(start, limit)]
    if any(n > d for n, d in zip(size, x.shape)):
        raise TypeError(
            f"slice limit_indices must be less than or equal to operand shape, got limit_indices {limit} for operand shape {x.shape}."
        )
    start = [min(max(s, 0), d - n) for s, n, d in zip(start, size, x.shape)]  # what reaches outside is moved inside
    limit = [s + n for s, n in zip(start, size)]
    return made(
        lib.sec_slice(x.value, int64s(start), int64s(limit), None if strides is None else int64s(sizes(strides)))
    )


@op(1)
def slice_in_dim(operand, start_index, limit_index, stride=1, axis=0):
    """A slice along one axis; negative indices count from the end, None is the end."""
    x = tracer(operand)
    axis = axis + x.ndim if axis < 0 else axis
    start, limit, strides = [0] * x.ndim, list(x.shape), [1] * x.ndim
    size = x.shape[axis]
    a = 0 if start_index is None else start_index
    b = size if limit_index is None else limit_index
    start[axis], limit[axis], strides[axis] = a + size if a < 0 else a, b + size if b < 0 else b, stride
    return slice(x, start, limit, strides)


@op(1)
def index_in_dim(operand, index, axis=0, keepdims=True):
    """One place along one axis."""
    x = tracer(operand)
    axis = axis + x.ndim if axis < 0 else axis
    index = index + x.shape[axis] if index < 0 else index
    out = slice_in_dim(x, index, index + 1, 1, axis)
    return out if keepdims else squeeze(out, (axis,))


@op(1)
def split(operand, sizes, axis=0):
    """Parts of the given sizes along an axis, as a list."""
    x, parts, at = tracer(operand), [], 0
    axis = axis + x.ndim if axis < 0 else axis
    for size in sizes:
        parts.append(slice_in_dim(x, at, at + size, 1, axis))
        at += size
    return parts


def start_values(x, starts):
    """The values of start indices, one an axis; negative ones have the axis size added."""
    if getattr(starts, "ndim", None) == 1:
        starts = [starts[i] for i in range(starts.shape[0])]
    if len(starts) != x.ndim:
        raise TypeError(f"dynamic_slice: {len(starts)} start indices for an operand of shape {x.shape}")
    out = []
    for s, size in zip(starts, x.shape):
        if isinstance(s, int):
            out.append(lift(s + size if s < 0 else s))
            continue
        s = tracer(s)
        if s.ndim or not _types.is_integer(s.aval.code):
            raise TypeError(f"dynamic_slice: start indices must be integer scalars, got {s.aval.str_short()}")
        if _types.KINDS[s.aval.code] == "INT":
            negative = lib.sec_lt(s.value, lib.sec_scalar_int(0))
            strong = lib.sec_convert(s.value, s.aval.code, False) if s.aval.weak_type else s.value
            shifted = lib.sec_add(strong, lib.sec_scalar_int(size))
            s = made(lib.sec_select_n(negative, values([s.value, shifted]), 2))
        out.append(s.value)
    return _one_type(out)


def _one_type(out):
    """Start indices of one integer dtype."""
    codes = {Tracer(v).aval.code for v in out}
    if len(codes) > 1:
        code = max(codes, key=lambda c: (_types.SIZES[c], c))
        out = [lib.sec_convert(v, code, False) for v in out]
    return values(out)


def _at_least_0(starts, allowed, ndim):
    """Starts that are not counted from the end where that is not allowed: below 0 they are 0."""
    allowed = list(allowed) if isinstance(allowed, (tuple, list)) else [allowed] * ndim
    if all(allowed):
        return starts
    from secant.lax._elementwise import max

    starts = [starts[i] for i in range(ndim)]
    return [s if ok else builtins.max(s, 0) if isinstance(s, int) else max(tracer(s), 0) for s, ok in zip(starts, allowed)]


@op(2)
def dynamic_slice(operand, start_indices, slice_sizes, *, allow_negative_indices=True):
    """A slice of static size at a start that may be traced; it is moved to lie inside."""
    x, shape = tracer(operand), sizes(slice_sizes)
    if len(shape) != x.ndim or any(not 0 <= s <= d for s, d in zip(shape, x.shape)):
        raise TypeError(f"dynamic_slice slice sizes {shape} do not fit the operand's shape {x.shape}\n  hint: sizes go from 0 to the axis size, one an axis")
    start_indices = _at_least_0(start_indices, allow_negative_indices, x.ndim)
    return made(lib.sec_dynamic_slice(x.value, start_values(x, start_indices), int64s(shape)))


@op(2)
def dynamic_slice_in_dim(operand, start_index, slice_size, axis=0, *, allow_negative_indices=True):
    """dynamic_slice along one axis."""
    x = tracer(operand)
    axis = axis + x.ndim if axis < 0 else axis
    start, shape = [0] * x.ndim, list(x.shape)
    start[axis], shape[axis] = start_index, slice_size
    return dynamic_slice(x, start, shape, allow_negative_indices=allow_negative_indices)


@op(2)
def dynamic_index_in_dim(operand, index, axis=0, keepdims=True, *, allow_negative_indices=True):
    """One place along one axis, at an index that may be traced."""
    out = dynamic_slice_in_dim(operand, index, 1, axis, allow_negative_indices=allow_negative_indices)
    return out if keepdims else squeeze(out, (axis,))


@op(3)
def dynamic_update_slice(operand, update, start_indices, *, allow_negative_indices=True):
    """`operand` with `update` written at a start; the window is moved to lie inside."""
    x, update = tracer(operand), tracer(update)
    if update.aval.code != x.aval.code:
        raise TypeError(
            f"dynamic_update_slice requires arguments to have the same dtypes, got {x.dtype.name}, {update.dtype.name}.\n  hint: convert the update with astype"
        )
    if update.ndim != x.ndim or any(u > d for u, d in zip(update.shape, x.shape)):
        raise TypeError(f"dynamic_update_slice update shape {update.shape} does not fit the operand's shape {x.shape}")
    start_indices = _at_least_0(start_indices, allow_negative_indices, x.ndim)
    return made(lib.sec_dynamic_update_slice(x.value, update.value, start_values(x, start_indices)))


@op(3)
def dynamic_update_slice_in_dim(operand, update, start_index, axis, *, allow_negative_indices=True):
    """dynamic_update_slice along one axis."""
    x = tracer(operand)
    start = [0] * x.ndim
    start[axis] = start_index
    return dynamic_update_slice(x, update, start, allow_negative_indices=allow_negative_indices)


@op(3)
def dynamic_update_index_in_dim(operand, update, index, axis, *, allow_negative_indices=True):
    """Writes one place along one axis."""
    x, update = tracer(operand), tracer(update)
    if update.ndim != x.ndim:
        update = expand_dims(update, (axis,))
    return dynamic_update_slice_in_dim(x, update, index, axis, allow_negative_indices=allow_negative_indices)


@op(0)
def iota(dtype, size):
    """0, 1, 2, ... of a dtype."""
    return broadcasted_iota(dtype, (size,), 0)


@op(0)
def broadcasted_iota(dtype, shape, dimension, *, out_sharding=None):
    """The index along one axis, as an array of a shape."""
    code, shape = _types.code_of(dtype), sizes(shape)
    if code == _types.BOOL:
        raise TypeError("iota does not accept dtype bool. Accepted dtypes are subtypes of numeric.")
    return made(lib.sec_iota(code, len(shape), int64s(shape), dimension))


def full(shape, fill_value, dtype=None, *, sharding=None):
    """An array of one value."""
    if dtype is not None and isinstance(fill_value, (bool, int, float)):
        return _full_of(sizes(shape), _types.code_of(dtype), fill_value)
    return _full(fill_value, sizes(shape), dtype)


@op(0)
def _full_of(shape, code, value):
    x = literal(code, _fitted(value, code))
    return made(lib.sec_full(x.value, len(shape), int64s(shape)))


def _fitted(value, code):
    """A number as the dtype can hold it: integers wrap, as in astype."""
    if not _types.is_integer(code):
        return bool(value) if code == _types.BOOL else float(value)
    bits = 8 * _types.SIZES[code]
    if isinstance(value, float):
        return int(np.asarray(value).astype(_types.numpy_dtype(code)))
    value = int(value) % 2**bits
    return value - 2**bits if _types.KINDS[code] == "INT" and value >= 2 ** (bits - 1) else value


@op(1)
def _full(fill_value, shape, dtype):
    x = tracer(fill_value)
    if x.ndim:
        raise TypeError(f"full must be called with scalar fill_value, got fill_value.shape {x.shape}.")
    if dtype is not None:
        x = made(lib.sec_convert(x.value, _types.code_of(dtype), False))
    return made(lib.sec_full(x.value, len(shape), int64s(shape)))


def full_like(x, fill_value, dtype=None, shape=None, sharding=None):
    """An array of one value with the shape and dtype of `x`."""
    aval = aval_of(x)
    return full(aval.shape if shape is None else shape, fill_value, aval.dtype if dtype is None else dtype)
