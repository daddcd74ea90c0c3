"""Pytrees under JAX's short names."""

from secant.tree_util import (
    tree_all as all,  # noqa: F401
    tree_broadcast as broadcast,  # noqa: F401
    tree_flatten as flatten,  # noqa: F401
    tree_flatten_with_path as flatten_with_path,  # noqa: F401
    tree_leaves as leaves,  # noqa: F401
    tree_leaves_with_path as leaves_with_path,  # noqa: F401
    tree_map as map,  # noqa: F401
    tree_map_with_path as map_with_path,  # noqa: F401
    tree_reduce as reduce,  # noqa: F401
    tree_reduce_associative as reduce_associative,  # noqa: F401
    tree_structure as structure,  # noqa: F401
    tree_transpose as transpose,  # noqa: F401
    tree_unflatten as unflatten,  # noqa: F401
)


def static(**kwargs):
    """A field of a dataclass that is part of the structure (see tree_util.register_dataclass)."""
    import dataclasses

    return dataclasses.field(metadata={**kwargs.pop("metadata", {}), "static": True}, **kwargs)
