"""Pytrees as one vector."""

import numpy as np

from secant import _tree, _types, numpy as jnp
from secant._trace import aval_of


def ravel_pytree(pytree):
    """(all leaves as one vector of their common dtype, the function that turns such a vector into the pytree)."""
    leaves, tree = _tree.tree_flatten(pytree)
    avals = [aval_of(x) for x in leaves]
    if not leaves:
        return jnp.zeros(0), lambda vector: tree.unflatten([])
    code, weak = avals[0].code, avals[0].weak_type
    for a in avals[1:]:
        code, weak = _types.promote(_types.aval(code, (), weak), a)
    dtype = _types.numpy_dtype(code)
    flat = jnp.concatenate([jnp.ravel(jnp.asarray(x)).astype(dtype) for x in leaves])
    ends = np.cumsum([a.size for a in avals])

    def unravel(vector):
        if vector.shape != (int(ends[-1]),):
            raise ValueError(f"unravel function expected an array of shape {(int(ends[-1]),)}, got shape {vector.shape}")
        parts = jnp.split(vector, [int(end) for end in ends[:-1]])
        return tree.unflatten(p.reshape(a.shape).astype(a.dtype) for p, a in zip(parts, avals))

    return flat, unravel
