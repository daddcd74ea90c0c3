"""Reading images between their points, as jax.scipy.ndimage."""

import itertools

from secant import _types, numpy as jnp
from secant._eager import op
from secant.numpy._common import arraylike

# an index, and the size of its axis, to an index inside
_INSIDE = {
    "constant": lambda i, n: i,
    "nearest": lambda i, n: jnp.clip(i, 0, n - 1),
    "wrap": lambda i, n: i % n,
    "mirror": lambda i, n: _mirrored(i, n),
    "reflect": lambda i, n: _mirrored(2 * i + 1, 2 * n + 1) // 2,
}


def _mirrored(i, n):
    """Back and forth between the first place and the last."""
    last = n - 1
    return jnp.abs((i + last) % max(2 * last, 1) - last)


def map_coordinates(input, coordinates, order, mode="constant", cval=0.0):
    """The array at coordinates, one array an axis; by the nearest place (order 0) or linearly (order 1).

    mode : what is outside: constant (cval), nearest, wrap, mirror or reflect.
    """
    if order not in (0, 1):
        raise NotImplementedError("jax.scipy.ndimage.map_coordinates currently requires order<=1")
    if mode not in _INSIDE:
        raise NotImplementedError(f"jax.scipy.ndimage.map_coordinates does not yet support mode {mode}. Currently supported modes are {set(_INSIDE)}.")
    return _mapped(input, tuple(coordinates), cval, order, mode)


@op(3)
def _mapped(x, coordinates, cval, order, mode):
    x, cval = arraylike("map_coordinates", x, cval)
    points = [arraylike("map_coordinates", c) for c in coordinates]
    if len(points) != x.ndim:
        raise ValueError(f"coordinates must be a sequence of length input.ndim, but {len(points)} != {x.ndim}")
    cval = cval.astype(x.dtype)
    axes = [_neighbours(c, n, order, mode) for c, n in zip(points, x.shape)]
    total = None
    for corner in itertools.product(*axes):
        places, inside, weights = zip(*corner)
        value = x[places]
        if mode == "constant":
            there = inside[0]
            for more in inside[1:]:
                there = there & more
            value = jnp.where(there, value, cval)
        for w in weights:
            value = value if w is None else w * value
        total = value if total is None else total + value
    if total is None:
        total = x
    if not x.aval.is_float and total.aval.is_float:
        total = jnp.round(total)
    return total.astype(x.dtype)


def _neighbours(c, n, order, mode):
    """[(place, whether it is inside, weight)] along one axis."""

    def place(i):
        i = i.astype("int32")
        inside = (i >= 0) & (i < n)
        return (jnp.clip(i, 0, n - 1) if mode == "constant" else _INSIDE[mode](i, n)), inside

    if order == 0:
        index = jnp.round(c) if c.aval.is_float else c
        return [(*place(index), None)]
    c = c if c.aval.is_float else c.astype(_types.numpy_dtype(_types.default_code("FLOAT")))
    low = jnp.floor(c)
    upper = c - low
    return [(*place(low), 1 - upper), (*place(low + 1), upper)]
