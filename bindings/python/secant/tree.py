"""Pytrees under JAX's short names."""

from secant.tree_util import (
    tree_all as all,  # noqa: F401
    tree_flatten as flatten,  # noqa: F401
    tree_flatten_with_path as flatten_with_path,  # noqa: F401
    tree_leaves as leaves,  # noqa: F401
    tree_leaves_with_path as leaves_with_path,  # noqa: F401
    tree_map as map,  # noqa: F401
    tree_map_with_path as map_with_path,  # noqa: F401
    tree_reduce as reduce,  # noqa: F401
    tree_structure as structure,  # noqa: F401
    tree_transpose as transpose,  # noqa: F401
    tree_unflatten as unflatten,  # noqa: F401
)
