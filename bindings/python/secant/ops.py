"""Reductions over segments, as jax.ops."""

import numpy as np

from secant import numpy as jnp
from secant._tracer import Tracer


def _segment(name, identity, doc):
    def f(data, segment_ids, num_segments=None, indices_are_sorted=False, unique_indices=False, bucket_size=None, mode=None):
        data, ids = jnp.asarray(data), jnp.asarray(segment_ids)
        if num_segments is None:
            if isinstance(ids, Tracer):
                ids._need(f"{f.__name__} without num_segments: the shape of its result")
            num_segments = int(ids.max()) + 1 if ids.size else 0
        out = jnp.full((int(num_segments), *data.shape[ids.ndim :]), identity(data.dtype), data.dtype)
        return getattr(out.at[ids], name)(data, mode=mode or "drop")

    f.__name__ = f.__qualname__ = f"segment_{'sum' if name == 'add' else 'prod' if name == 'multiply' else name}"
    f.__doc__ = doc
    return f


def _bound(sign):
    def bound(dtype):
        if jnp.issubdtype(dtype, np.floating):
            return sign * np.inf
        info = np.iinfo(dtype)
        return info.max if sign > 0 else info.min

    return bound


segment_sum = _segment("add", lambda dtype: 0, "The sum of each segment; ids out of range are dropped.")
segment_prod = _segment("multiply", lambda dtype: 1, "The product of each segment; ids out of range are dropped.")
segment_max = _segment("max", _bound(-1), "The largest of each segment; the lowest value where one is empty.")
segment_min = _segment("min", _bound(1), "The smallest of each segment; the highest value where one is empty.")
