"""x[index]: static parts are slices, traced scalars dynamic slices, index arrays gathers."""

import numpy as np

from secant import _types, lax
from secant._array import from_numpy, to_array
from secant._eager import run
from secant._errors import NonConcreteBooleanIndexError, placed
from secant._lib import int64s, lib
from secant._operators import Array
from secant._trace import literal, local, tracer, values
from secant._tracer import Tracer, made
from secant.lax._gather import GatherDimensionNumbers, GatherScatterMode

_SLOT = "<array>"  # where an operand stands in the static form of an index


# ---- the static form of an index: hashable, with arrays taken out ----
def _parse(x, index):
    """(static items, index arrays): ints, ("slice", a, b, c), None and Ellipsis stay, arrays become slots."""
    items, arrays = [], []
    for item in index if isinstance(index, tuple) else (index,):
        if item is None or item is Ellipsis:
            items.append(item)
        elif isinstance(item, slice):
            items.append(("slice", *map(_bound, (item.start, item.stop, item.step))))
        elif isinstance(item, (bool, np.bool_)):
            items.append(("mask0", bool(item)))
        elif isinstance(item, (int, np.integer)):
            items.append(int(item))
        elif isinstance(item, (list, tuple)):
            raise TypeError(
                f"Using a non-tuple sequence for multidimensional indexing is not allowed; got {item!r}\n"
                "  hint: use `arr[array(seq)]` instead of `arr[seq]`"
            )
        elif isinstance(item, (Array, np.ndarray)):
            _parse_array(item, items, arrays)
        else:
            raise TypeError(
                f"Indexer must have integer or boolean type, got indexer with type {type(item).__name__}, indexer value {item!r}\n  hint: index with integers, slices, masks or integer arrays"
            )
    return tuple(items), arrays


def _bound(b):
    if b is None:
        return None
    if isinstance(b, Tracer):
        raise IndexError(
            "Array slice indices must have static start/stop/step to be used with NumPy indexing syntax, got a traced value.\n"
            "  hint: use lax.dynamic_slice (or lax.dynamic_slice_in_dim) for a start that is traced"
        )
    return b.__index__()


def _parse_array(item, items, arrays):
    dtype = item.aval.code if isinstance(item, Array) else _types.code_of(item.dtype)
    if dtype == _types.BOOL:
        if isinstance(item, Tracer):
            raise NonConcreteBooleanIndexError(
                f"Array boolean indices must be concrete; got {item.aval.str_short()}.\n  hint: use where(mask, x, y) while tracing"
            )
        mask = np.asarray(item)
        if not mask.ndim:
            items.append(("mask0", bool(mask)))
            return
        for found in np.nonzero(mask):
            items.append(_SLOT)
            arrays.append(from_numpy(found.astype(np.int32)))
    elif not _types.is_integer(dtype):
        raise TypeError(f"Indexer must have integer or boolean type, got indexer with type {_types.NAMES[dtype]}\n  hint: convert it to integers with astype")
    else:
        items.append(_SLOT)
        arrays.append(item if isinstance(item, Array) else to_array(item))


def _expand(items, ndim):
    """Items with the ellipsis written out, one an axis of the operand (None and mask0 take none)."""
    used = sum(1 for i in items if i is not None and i is not Ellipsis and not _is_mask0(i))
    if used > ndim:
        raise IndexError(f"Too many indices: {ndim}-dimensional array indexed with {used} regular indices.")
    if sum(1 for i in items if i is Ellipsis) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    fill = [("slice", None, None, None)] * (ndim - used)
    if not any(i is Ellipsis for i in items):
        return [*items, *fill]
    at = next(k for k, i in enumerate(items) if i is Ellipsis)
    return [*items[:at], *fill, *items[at + 1 :]]


def _is_mask0(item):
    return isinstance(item, tuple) and item[0] == "mask0"


# ---- reading ----
@placed
def getitem(x, index):
    """x[index]."""
    items, arrays = _parse(x, index)
    if local.frames:
        return _read(x, arrays, items, "promise_in_bounds", None, True)
    return run(_read, 2, (x, arrays, items, "promise_in_bounds", None, True), {})


def _read(x, arrays, items, mode, fill_value, wrap):
    """x[items] with `arrays` in the slots."""
    x = tracer(x)
    arrays = [tracer(a) for a in arrays]
    items = _expand(list(items), x.ndim)
    if any(_is_mask0(i) for i in items):
        return _read_mask0(x, arrays, items, mode, fill_value, wrap)
    if arrays and _only_scalars(items, arrays) and mode == "promise_in_bounds":
        return _read_dynamic(x, arrays, items)
    x, items = _basic(x, items, keep_ints=bool(arrays))
    return _advanced(x, arrays, items, mode, fill_value, wrap) if arrays else x


def _read_mask0(x, arrays, items, mode, fill_value, wrap):
    keep = all(i[1] for i in items if _is_mask0(i))
    at = next(k for k, i in enumerate(items) if _is_mask0(i))
    items = [i for k, i in enumerate(items) if not _is_mask0(i) or k == at]
    items[at] = None
    x = _read(x, arrays, items, mode, fill_value, wrap)
    return x if keep else lax.slice_in_dim(x, 0, 0, 1, 0)


def _only_scalars(items, arrays):
    return all(not a.ndim for a in arrays) and all(
        i is None or i == _SLOT or isinstance(i, int) or i == ("slice", None, None, None) for i in items
    )


def _read_dynamic(x, arrays, items):
    """Scalars, known or traced, and whole axes: one dynamic slice."""
    arrays = iter(arrays)
    start, size, gone, new, axis, out = [], list(x.shape), [], [], 0, 0
    for item in items:
        if item is None:
            new.append(out)
            out += 1
            continue
        if item == ("slice", None, None, None):
            start.append(0)
            out += 1
        else:
            start.append(next(arrays) if item == _SLOT else item)
            size[axis] = 1
            gone.append(axis)
        axis += 1
    if any(size[d] > x.shape[d] for d in gone):
        raise IndexError(f"index into an axis of size 0 of an array of shape {x.shape}")
    x = lax.squeeze(lax.dynamic_slice(x, start, size), gone)
    return lax.expand_dims(x, new) if new else x


def _basic(x, items, keep_ints):
    """Applies slices, and ints and new axes unless `keep_ints`; returns (x, the items that are left)."""
    start, limit, stride, flip, gone, new, left, axis, out = [], [], [], [], [], [], [], 0, 0
    for item in items:
        if item is None:
            if not keep_ints:
                new.append(out)
                out += 1
            left.append(None)
            continue
        d = x.shape[axis]
        a, b, s = 0, d, 1
        if isinstance(item, int):
            left.append(item)
            if not keep_ints:
                if not d:
                    raise IndexError(f"index {item} is out of bounds for axis {axis} with size 0")
                a = min(max(item + d if item < 0 else item, 0), d - 1)
                b = a + 1
                gone.append(axis)
                out -= 1
        elif item == _SLOT:
            left.append(_SLOT)
        else:
            a, b, s = slice(*item[1:]).indices(d)
            if s < 0:
                n = len(range(a, b, s))
                a, b, s = (a + (n - 1) * s, a + 1, -s) if n else (0, 0, 1)
                flip.append(axis)
            b = max(a, b)
            left.append(("slice", None, None, None))
        start.append(a)
        limit.append(b)
        stride.append(s)
        axis += 1
        out += 1
    if start != [0] * x.ndim or limit != list(x.shape) or stride != [1] * x.ndim:
        strides = None if stride == [1] * x.ndim else int64s(stride)
        x = made(lib.sec_slice(x.value, int64s(start), int64s(limit), strides))
    if flip:
        x = lax.rev(x, flip)
    if gone:
        x = lax.squeeze(x, gone)
    if new:
        x = lax.expand_dims(x, new)
    return x, left


def _plan(shape, items, arrays, wrap):
    """How an index with arrays reads: (axes that are indexed, their index Tracers of one shape, that shape, the first place of
    the index axes in the result, whether they stand together)."""
    arrays = iter(arrays)
    axes, indices, places, axis, out = [], [], [], 0, 0
    for item in items:
        if item is None:
            continue
        if item == ("slice", None, None, None):
            out += 1
        else:
            i = next(arrays) if item == _SLOT else literal(_types.I32, item)
            indices.append(_wrapped(i, shape[axis]) if wrap else i)
            axes.append(axis)
            places.append(out)
        axis += 1
    code = max((i.aval.code for i in indices), key=lambda c: (_types.SIZES[c], c))
    indices = [i if i.aval.code == code else made(lib.sec_convert(i.value, code, False)) for i in indices]
    common = np.broadcast_shapes(*(i.shape for i in indices))
    indices = [i if i.shape == common else lax.broadcast_to(i, common) for i in indices]
    # index axes stand where the first was, or in front when slices or new axes separate them
    advanced = [k for k, item in enumerate(items) if item is not None and item != ("slice", None, None, None)]
    together = advanced == list(range(advanced[0], advanced[0] + len(advanced)))
    return axes, indices, common, places[0] if together else 0, together


def _wrapped(i, size):
    """Negative indices count from the end, once."""
    if _types.KINDS[i.aval.code] == "UINT":
        return i
    negative = lib.sec_lt(i.value, lib.sec_scalar_int(0))
    strong = lib.sec_convert(i.value, i.aval.code, False) if i.aval.weak_type else i.value
    shifted = lib.sec_add(strong, lib.sec_scalar_int(size))
    return made(lib.sec_select_n(negative, values([i.value, shifted]), 2))


def _new_axes(items, first, together, n_common):
    """The places of None in the result."""
    places, out, seen = [], 0 if together else n_common, False
    for item in items:
        if item is None:
            places.append(out)
            out += 1
        elif item == ("slice", None, None, None):
            out += 1
        elif together and not seen:
            seen = True
            out += n_common
    return places


def _stacked(indices, common):
    """Index arrays as coordinates in a last axis."""
    return lax.concatenate([lax.expand_dims(i, (len(common),)) for i in indices], len(common))


def _advanced(x, arrays, items, mode, fill_value, wrap):
    axes, indices, common, first, together = _plan(x.shape, items, arrays, wrap)
    kept = x.ndim - len(axes)
    offset = [d if d < first else d + len(common) for d in range(kept)]
    numbers = GatherDimensionNumbers(offset_dims=offset, collapsed_slice_dims=axes, start_index_map=axes)
    sizes = [1 if d in axes else n for d, n in enumerate(x.shape)]
    out = _gather(x, _stacked(indices, common), numbers, sizes, mode, fill_value)
    new = _new_axes(items, first, together, len(common))
    return lax.expand_dims(out, new) if new else out


def _gather(x, indices, numbers, sizes, mode, fill_value):
    return lax.gather(x, indices, numbers, tuple(sizes), mode=GatherScatterMode.from_any(mode), fill_value=fill_value)


def gather_rows(x, indices, axis, mode, fill_value):
    """What `take` does, with indices that are not negative."""
    n = indices.ndim
    offset = [d if d < axis else d + n - 1 for d in range(x.ndim) if d != axis]
    numbers = GatherDimensionNumbers(offset_dims=offset, collapsed_slice_dims=(axis,), start_index_map=(axis,))
    sizes = [1 if d == axis else s for d, s in enumerate(x.shape)]
    return _gather(x, lax.expand_dims(indices, (n,)), numbers, sizes, mode, fill_value)


def gather_points(x, grid, mode, fill_value):
    """The elements of `x` at one index array an axis."""
    axes = tuple(range(x.ndim))
    numbers = GatherDimensionNumbers(offset_dims=(), collapsed_slice_dims=axes, start_index_map=axes)
    return _gather(x, _stacked(grid, grid[0].shape), numbers, (1,) * x.ndim, mode, fill_value)
