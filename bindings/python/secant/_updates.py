"""x.at[index]: changed copies, as scatters; duplicates of divide and power take turns."""

import numpy as np

from secant import _types, lax
from secant._array import from_numpy
from secant._eager import run
from secant._errors import placed
from secant._indexing import _SLOT, _expand, _is_mask0, _parse, _read, _stacked, _wrapped
from secant._lib import int64s, lib
from secant._trace import literal, local, tracer
from secant._tracer import made
from secant.lax._gather import GatherDimensionNumbers, GatherScatterMode, ScatterDimensionNumbers


class At:
    """x.at[index].set(y): a changed copy."""

    __slots__ = ("_x",)

    def __init__(self, x):
        self._x = x

    def __getitem__(self, index):
        return _Place(self._x, index)

    def __repr__(self):
        return f"At({self._x!r})"


class _Place:
    """One place of an array, to be read or written."""

    __slots__ = ("_x", "_index")

    def __init__(self, x, index):
        self._x, self._index = x, index

    @placed
    def _write(self, how, values, mode, wrap_negative_indices, unique_indices=False, rising=False):
        if mode == "wrap":
            raise ValueError(
                "mode='wrap' is not supported in x.at[].set; use mode='clip', 'drop' or 'promise_in_bounds'"
            )
        items, arrays = _parse(self._x, self._index)
        known = (bool(unique_indices), bool(rising))
        arguments = (self._x, values, arrays, items, how, mode or "drop", wrap_negative_indices, *known)
        return _written(*arguments) if local.frames else run(_written, 3, arguments, {})

    @placed
    def get(
        self, *, indices_are_sorted=False, unique_indices=False, mode=None, fill_value=None, wrap_negative_indices=True
    ):
        """x[index], with a mode for indices out of bounds: "fill", "clip" or "promise_in_bounds"."""
        if mode == "wrap":
            raise ValueError("mode='wrap' is not supported; use mode='clip' or 'fill'")
        items, arrays = _parse(self._x, self._index)
        if mode in ("fill", "drop"):
            # a static index must be able to fall outside, too
            ints = [i for i in items if type(i) is int]
            given = iter(arrays)
            arrays = [
                next(given) if i == _SLOT else from_numpy(np.asarray(i, np.int32))
                for i in items
                if i == _SLOT or type(i) is int
            ]
            items = tuple(_SLOT if type(i) is int else i for i in items) if ints else items
        arguments = (self._x, arrays, items, mode or "promise_in_bounds", fill_value, wrap_negative_indices)
        return _read(*arguments) if local.frames else run(_read, 2, arguments, {})

    def apply(self, func, *, indices_are_sorted=False, unique_indices=False, mode=None, wrap_negative_indices=True):
        """func at the places."""
        return self._write("set", func(self.get()), mode, wrap_negative_indices)


def _writer(how, doc):
    def method(
        self,
        values,
        *,
        indices_are_sorted=False,
        unique_indices=False,
        mode=None,
        wrap_negative_indices=True,
        out_sharding=None,
    ):
        return self._write(how, values, mode, wrap_negative_indices, unique_indices, indices_are_sorted)

    method.__name__, method.__doc__ = how, doc
    return method


for _how, _doc in (
    ("set", "The array with `values` at the places; the last of duplicates stays."),
    ("add", "The array with `values` added; duplicates add up."),
    ("subtract", "The array with `values` subtracted."),
    ("multiply", "The array multiplied at the places."),
    ("divide", "The array divided at the places."),
    ("power", "The array raised to powers at the places."),
    ("min", "The smaller of the array and `values` at the places."),
    ("max", "The larger of the array and `values` at the places."),
):
    setattr(_Place, _how, _writer(_how, _doc))
_Place.mul = _Place.multiply


def _combine(how, old, new):
    """What a place holds after one update."""
    import secant.numpy as jnp

    return getattr(jnp, {"min": "minimum", "max": "maximum"}.get(how, how))(old, new).astype(old.dtype)


def _written(x, values, arrays, items, how, mode, wrap, unique=False, rising=False):
    """`x` with values written at items."""
    x, y = tracer(x), tracer(values)
    arrays = [tracer(a) for a in arrays]
    if how not in ("power", "divide") and y.aval.code != x.aval.code:
        y = made(lib.sec_convert(y.value, x.aval.code, False))
    items = _expand(list(items), x.ndim)
    if any(_is_mask0(i) for i in items):
        raise NotImplementedError("x.at[True] is not available in this version")
    axes, inserted, indices, windows, shape, squeezed = _window(x, items, arrays, wrap)
    try:
        y = lax.broadcast_to(y, squeezed)
    except (TypeError, ValueError):
        raise ValueError(f"Incompatible shapes for broadcasting: {y.shape} and requested shape {squeezed}\n  hint: the values must broadcast to the shape of x[index]") from None
    if 0 in shape:
        return x
    y = y if y.shape == shape else made(lib.sec_reshape(y.value, len(shape), int64s(shape)))
    numbers = ScatterDimensionNumbers(
        update_window_dims=windows, inserted_window_dims=inserted, scatter_dims_to_operand_dims=axes
    )
    one = all(not a.ndim for a in arrays)  # window: nothing to meet
    unique = unique or one
    options = {
        "mode": GatherScatterMode.from_any(mode),
        "unique_indices": unique,
        "indices_are_sorted": rising or one,
    }
    if how == "set":
        return lax.scatter(x, indices, y, numbers, **options)
    if how in ("add", "subtract"):
        return lax.scatter_add(x, indices, -y if how == "subtract" else y, numbers, **options)
    if how in ("min", "max"):
        return (lax.scatter_min if how == "min" else lax.scatter_max)(x, indices, y, numbers, **options)
    if how == "multiply":
        return lax.scatter_mul(x, indices, y, numbers, **options)
    return _turns(x, indices, y, axes, inserted, windows, numbers, options["mode"], how, unique)


def _window(x, items, arrays, wrap):
    """An index as a scatter: (indexed axes, those that windows do not span, coordinates, window axes of the updates, their
    shape, the shape of x[index]).  A slice is a window, one with steps an axis of coordinates."""
    arrays = iter(arrays)
    n_advanced = sum(1 for i in items if i == _SLOT or isinstance(i, int))
    advanced = [k for k, i in enumerate(items) if i == _SLOT or isinstance(i, int)]
    together = not advanced or advanced == list(range(advanced[0], advanced[0] + n_advanced))
    raw, axis = [], 0
    for item in items:
        if item is None:
            raw.append(None)
            continue
        d = x.shape[axis]
        if isinstance(item, int):
            raw.append((axis, "a", literal(_types.I32, item + d if item < 0 and wrap else item)))
        elif item == _SLOT:
            i = next(arrays)
            raw.append((axis, "a", _wrapped(i, d) if wrap else i))
        else:
            a, b, s = slice(*item[1:]).indices(d)
            n = len(range(a, b, s))
            if s == 1 and n:
                raw.append((axis, "w", n, None if n == d else a))
            else:
                raw.append((axis, "s", np.arange(a, b, s, dtype=np.int32)))
        axis += 1
    common = np.broadcast_shapes(*(r[2].shape for r in raw if r and r[1] == "a"))
    # the result's axes in order: ("c", k) of the index arrays, ("s", axis) of slices, ("w", axis) of whole axes, ("n",) new
    order, seen = (
        ([("c", k) for k in range(len(common))], True) if n_advanced and not together else ([], not n_advanced)
    )
    for r in raw:
        if r is None:
            order.append(("n",))
        elif r[1] == "a":
            if not seen:
                order += [("c", k) for k in range(len(common))]
                seen = True
        else:
            order.append((r[1], r[0]))
    length = {r[0]: len(r[2]) if r[1] == "s" else r[2] for r in raw if r and r[1] != "a"}
    size = {o: common[o[1]] if o[0] == "c" else 1 if o[0] == "n" else length[o[1]] for o in order}
    squeezed = tuple(size[o] for o in order)
    real = [o for o in order if o[0] != "n"]
    batch = [o for o in real if o[0] != "w"]
    windows = [k for k, o in enumerate(real) if o[0] == "w"]
    batch_shape = tuple(size[o] for o in batch)
    axes, inserted, parts = [], [], []
    for r in raw:
        if r is None or r[1] == "w" and r[3] is None:
            continue
        axes.append(r[0])
        if r[1] == "w":
            parts.append(lax.broadcast_in_dim(literal(_types.I32, r[3]), batch_shape, ()))
            continue
        inserted.append(r[0])
        if r[1] == "s":
            where = [k for k, o in enumerate(batch) if o == ("s", r[0])]
            parts.append(lax.broadcast_in_dim(tracer(from_numpy(r[2])), batch_shape, where))
        else:
            places = [k for k, o in enumerate(batch) if o[0] == "c"]
            i = r[2]
            if i.aval.code != _types.I32 and _types.SIZES[i.aval.code] <= 4:
                i = made(lib.sec_convert(i.value, _types.I32, False))
            parts.append(lax.broadcast_in_dim(i, batch_shape, places[len(places) - i.ndim :]))
    if not parts:
        indices = tracer(from_numpy(np.zeros((*batch_shape, 0), np.int32)))
    else:
        code = max((p.aval.code for p in parts), key=lambda c: (_types.SIZES[c], c))
        parts = [p if p.aval.code == code else made(lib.sec_convert(p.value, code, False)) for p in parts]
        indices = _stacked(parts, batch_shape)
    return axes, inserted, indices, windows, tuple(size[o] for o in real), squeezed


def _turns(x, indices, y, axes, inserted, windows, numbers, mode, how, unique):
    """Updates that are no sums: at once where places are distinct, else one after the other."""
    n_batch = indices.ndim - 1
    gathers = GatherDimensionNumbers(offset_dims=windows, collapsed_slice_dims=inserted, start_index_map=axes)
    spans = iter(y.shape[k] for k in windows)
    sizes = tuple(1 if d in inserted else next(spans) for d in range(x.ndim))
    if unique:
        old = lax.gather(x, indices, gathers, sizes, mode=GatherScatterMode.CLIP)
        return lax.scatter(x, indices, _combine(how, old, y), numbers, mode=mode)
    batch = [d for d in range(y.ndim) if d not in windows]
    y = lax.transpose(y, [*batch, *windows])
    count = int(np.prod(y.shape[:n_batch], dtype=np.int64))
    rows = (indices.reshape(count, len(axes)), y.reshape(count, *y.shape[n_batch:]))
    numbers = ScatterDimensionNumbers(
        update_window_dims=tuple(range(len(windows))), inserted_window_dims=inserted, scatter_dims_to_operand_dims=axes
    )
    gathers = GatherDimensionNumbers(
        offset_dims=tuple(range(len(windows))), collapsed_slice_dims=inserted, start_index_map=axes
    )

    def step(x, row):
        index, update = row
        old = lax.gather(x, index, gathers, sizes, mode=GatherScatterMode.CLIP)
        return lax.scatter(x, index, _combine(how, old, update), numbers, mode=mode), None

    return lax.scan(step, x, rows)[0]
