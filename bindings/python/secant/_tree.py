"""Pytrees: nested tuples, lists, dicts and registered classes, and their leaves.

A treedef is one hashable tuple, so that it compares and hashes at C speed: ("leaf",), or (kind, data, children...).
"""

from collections import OrderedDict, defaultdict

LEAF, NONE = ("*",), ("None",)
_registry = {}  # class -> (flatten, unflatten, keys)


class TreeDef:
    """The structure of a pytree."""

    __slots__ = ("spec", "num_leaves")

    def __init__(self, spec, num_leaves):
        self.spec, self.num_leaves = spec, num_leaves

    def __eq__(self, other):
        return isinstance(other, TreeDef) and self.spec == other.spec

    def __hash__(self):
        return hash(self.spec)

    def __repr__(self):
        return f"PyTreeDef({_text(self.spec)})"

    def unflatten(self, leaves):
        leaves = list(leaves)
        if len(leaves) != self.num_leaves:
            raise ValueError(
                f"Too {'few' if len(leaves) < self.num_leaves else 'many'} leaves for {self}: {len(leaves)}"
            )
        return _build(self.spec, iter(leaves))

    def flatten_up_to(self, tree):
        """The subtrees of `tree` that stand where this structure has leaves."""
        out = []
        _flatten_up_to(self.spec, tree, out)
        return out

    def children(self):
        return [TreeDef(child, _count(child)) for child in self.spec[2:]]

    def num_nodes(self):
        return _count_nodes(self.spec)


def _count(spec):
    return 1 if spec == LEAF else sum(map(_count, spec[2:]))


def _count_nodes(spec):
    return 1 + sum(map(_count_nodes, spec[2:]))


def _text(spec):
    if spec == LEAF or spec == NONE:
        return spec[0]
    kind, data, *children = spec
    parts = [_text(child) for child in children]
    if kind is tuple:
        return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"
    if kind is list:
        return "[" + ", ".join(parts) + "]"
    if kind is dict:
        return "{" + ", ".join(f"{key!r}: {part}" for key, part in zip(data, parts)) + "}"
    return f"CustomNode({kind.__name__}[{data!r}], [{', '.join(parts)}])"


def _sorted_keys(d):
    try:
        return sorted(d)
    except TypeError:
        raise ValueError(f"Comparator raised exception while sorting pytree dictionary keys: {list(d)}") from None


def _children(tree):
    """(kind, data, children) of a node; None for a leaf."""
    cls = type(tree)
    if cls is tuple or cls is list:
        return cls, None, tree
    if cls is dict:
        keys = _sorted_keys(tree)
        return cls, tuple(keys), [tree[key] for key in keys]
    if tree is None:
        return None.__class__, None, ()
    entry = _registry.get(cls)
    if entry is not None:
        children, data = entry[0](tree)
        return cls, data, children
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return cls, None, tree
    if cls is OrderedDict:
        return cls, tuple(tree), list(tree.values())
    if cls is defaultdict:
        keys = _sorted_keys(tree)
        return cls, (tree.default_factory, tuple(keys)), [tree[key] for key in keys]
    return None


def _flatten(tree, out, is_leaf):
    if is_leaf is not None and is_leaf(tree):
        out.append(tree)
        return LEAF
    node = _children(tree)
    if node is None:
        out.append(tree)
        return LEAF
    kind, data, children = node
    if kind is NONE_TYPE:
        return NONE
    return (kind, data, *[_flatten(child, out, is_leaf) for child in children])


NONE_TYPE = type(None)


def _make(kind, data, children):
    if kind is tuple or kind is list:
        return kind(children)
    if kind is dict or kind is OrderedDict:
        return kind(zip(data, children))
    if kind in _registry:
        return _registry[kind][1](data, children)
    if kind is defaultdict:
        return defaultdict(data[0], zip(data[1], children))
    return kind(*children)  # a namedtuple


def _build(spec, leaves):
    if spec == LEAF:
        return next(leaves)
    if spec == NONE:
        return None
    return _make(spec[0], spec[1], [_build(child, leaves) for child in spec[2:]])


def _flatten_up_to(spec, tree, out):
    if spec == LEAF:
        out.append(tree)
        return
    node = _children(tree)
    if spec == NONE:
        if tree is not None:
            raise ValueError(f"Expected None, got {tree!r}.")
        return
    if node is None or node[0] is not spec[0] or node[1] != spec[1]:
        raise ValueError(f"pytree structures differ: expected {_text(spec)}, got {tree_structure(tree)}")
    children = list(node[2])
    if len(children) != len(spec) - 2:
        raise ValueError(
            f"pytree structures differ: expected {len(spec) - 2} children in {_text(spec)}, got {len(children)}"
        )
    for child, subtree in zip(spec[2:], children):
        _flatten_up_to(child, subtree, out)


def tree_flatten(tree, is_leaf=None):
    """(leaves, treedef) of a pytree."""
    out = []
    spec = _flatten(tree, out, is_leaf)
    return out, TreeDef(spec, len(out))


def tree_unflatten(treedef, leaves):
    """The pytree of a structure and its leaves."""
    return treedef.unflatten(leaves)


def tree_leaves(tree, is_leaf=None):
    out = []
    _flatten(tree, out, is_leaf)
    return out


def tree_structure(tree, is_leaf=None):
    return tree_flatten(tree, is_leaf)[1]


def tree_map(f, tree, *rest, is_leaf=None):
    """`f` over the leaves of `tree` and what stands there in `rest`."""
    leaves, treedef = tree_flatten(tree, is_leaf)
    columns = [leaves] + [treedef.flatten_up_to(r) for r in rest]
    return treedef.unflatten([f(*row) for row in zip(*columns)])


def broadcast_prefix(prefix, tree, is_leaf=None):
    """The leaves of `prefix`, each repeated for the leaves of `tree` under it."""
    out = []

    def walk(p, t):
        if (is_leaf is not None and is_leaf(p)) or _children(p) is None:
            out.extend([p] * len(tree_leaves(t)))
            return
        node, other = _children(p), _children(t)
        if other is None or node[0] is not other[0] or node[1] != other[1] or len(node[2]) != len(other[2]):
            raise ValueError(
                f"pytree structure error: different types or lengths: {p!r} is not a prefix of {tree_structure(t)}"
            )
        for a, b in zip(node[2], other[2]):
            walk(a, b)

    walk(prefix, tree)
    return out


def register(cls, flatten, unflatten, keys=None):
    if cls in _registry:
        raise ValueError(f"Duplicate custom PyTreeDef type registration for {cls}.")
    _registry[cls] = (flatten, unflatten, keys)
