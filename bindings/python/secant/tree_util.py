"""Pytrees under JAX's older names, with registration and key paths."""

from functools import reduce as _reduce

from secant import _tree
from secant._tree import (  # noqa: F401
    TreeDef as PyTreeDef,  # noqa: F401
    tree_flatten,
    tree_leaves,
    tree_map,
    tree_structure,
    tree_unflatten,
)


class _Key:
    __slots__ = ("key",)

    def __init__(self, key):
        self.key = key

    def __eq__(self, other):
        return type(self) is type(other) and self.key == other.key

    def __hash__(self):
        return hash((type(self), self.key))

    def __repr__(self):
        return f"{type(self).__name__}({self.key!r})"


class SequenceKey(_Key):
    """The place of a child in a tuple or list."""

    __slots__ = ()
    idx = property(lambda self: self.key)

    def __str__(self):
        return f"[{self.key}]"


class DictKey(_Key):
    """The key of a child in a dict."""

    __slots__ = ()

    def __str__(self):
        return f"[{self.key!r}]"


class GetAttrKey(_Key):
    """The attribute of a child in a namedtuple or dataclass."""

    __slots__ = ()
    name = property(lambda self: self.key)

    def __str__(self):
        return f".{self.key}"


class FlattenedIndexKey(_Key):
    """The number of a child in a registered class that names no keys."""

    __slots__ = ()

    def __str__(self):
        return f"[<flat index {self.key}>]"


def keystr(keys, *, simple=False, separator=""):
    """A path as text: "['w'][0]"."""
    return separator.join(str(k.key) if simple else str(k) for k in keys)


def register_pytree_node(nodetype, flatten_func, unflatten_func, flatten_with_keys_func=None):
    """Makes a class a node: flatten(x) -> (children, data), unflatten(data, children) -> x."""
    _tree.register(nodetype, flatten_func, unflatten_func, flatten_with_keys_func)


def register_pytree_with_keys(nodetype, flatten_with_keys, unflatten_func, flatten_func=None):
    """As register_pytree_node; flatten_with_keys(x) -> ((key, child) pairs, data)."""

    def flatten(x):
        pairs, data = flatten_with_keys(x)
        return [child for _, child in pairs], data

    _tree.register(nodetype, flatten_func or flatten, unflatten_func, flatten_with_keys)


def register_pytree_node_class(cls):
    """Registers a class with methods tree_flatten and tree_unflatten."""
    _tree.register(cls, lambda x: x.tree_flatten(), cls.tree_unflatten)
    return cls


def register_pytree_with_keys_class(cls):
    """Registers a class with methods tree_flatten_with_keys and tree_unflatten."""
    register_pytree_with_keys(cls, lambda x: x.tree_flatten_with_keys(), cls.tree_unflatten)
    return cls


def register_static(cls):
    """Makes a class a node without leaves: its instances are part of the structure."""
    _tree.register(cls, lambda x: ((), x), lambda data, children: data)
    return cls


def register_dataclass(nodetype, data_fields=None, meta_fields=None, drop_fields=()):
    """Makes a dataclass a node: `data_fields` are children, `meta_fields` are part of the structure."""
    if data_fields is None:
        import dataclasses

        fields = [f for f in dataclasses.fields(nodetype) if f.init and f.name not in drop_fields]
        data_fields = [f.name for f in fields if not f.metadata.get("static", False)]
        meta_fields = [f.name for f in fields if f.metadata.get("static", False)]
    data_fields, meta_fields = tuple(data_fields), tuple(meta_fields or ())

    def flatten(x):
        return [getattr(x, n) for n in data_fields], tuple(getattr(x, n) for n in meta_fields)

    def keyed(x):
        return [(GetAttrKey(n), getattr(x, n)) for n in data_fields], tuple(getattr(x, n) for n in meta_fields)

    def unflatten(data, children):
        return nodetype(**dict(zip(data_fields, children)), **dict(zip(meta_fields, data)))

    _tree.register(nodetype, flatten, unflatten, keyed)
    return nodetype


def _keys(tree, kind, data, children):
    entry = _tree._registry.get(kind)
    if entry is not None:
        return [k for k, _ in entry[2](tree)[0]] if entry[2] else [FlattenedIndexKey(i) for i in range(len(children))]
    if kind is dict or kind is _tree.OrderedDict:
        return [DictKey(k) for k in data]
    if kind is _tree.defaultdict:
        return [DictKey(k) for k in data[1]]
    if hasattr(kind, "_fields"):
        return [GetAttrKey(n) for n in kind._fields]
    return [SequenceKey(i) for i in range(len(children))]


def tree_flatten_with_path(tree, is_leaf=None, is_leaf_takes_path=False):
    """([(path, leaf)...], treedef)."""
    out = []

    def walk(t, path):
        ends = is_leaf is not None and (is_leaf(path, t) if is_leaf_takes_path else is_leaf(t))
        node = None if ends else _tree._children(t)
        if node is None:
            out.append((path, t))
            return
        kind, data, children = node
        for key, child in zip(_keys(t, kind, data, children), children):
            walk(child, (*path, key))

    walk(tree, ())
    if not is_leaf_takes_path or is_leaf is None:
        return out, tree_structure(tree, is_leaf)
    return out, tree_structure(_marked(tree, (), {path for path, _ in out}), lambda x: type(x) is _Mark)


class _Mark:
    """Stands for a leaf that a path says to be one."""


def _marked(tree, path, ends):
    node = _tree._children(tree)
    if path in ends or node is None:
        return _Mark()
    kind, data, children = node
    if kind is type(None):
        return None
    keys = _keys(tree, kind, data, children)
    return _tree._make(kind, data, [_marked(c, (*path, k), ends) for k, c in zip(keys, children)])


def tree_leaves_with_path(tree, is_leaf=None, is_leaf_takes_path=False):
    return tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


def tree_map_with_path(f, tree, *rest, is_leaf=None, is_leaf_takes_path=False):
    """As tree_map; `f` gets the path first."""
    pairs, treedef = tree_flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    columns = [[p for p, _ in pairs], [x for _, x in pairs]] + [treedef.flatten_up_to(r) for r in rest]
    return treedef.unflatten([f(*row) for row in zip(*columns)])


def tree_all(tree, *, is_leaf=None):
    return all(tree_leaves(tree, is_leaf))


_NOTHING = object()


def tree_reduce(function, tree, initializer=_NOTHING, is_leaf=None):
    leaves = tree_leaves(tree, is_leaf)
    return _reduce(function, leaves) if initializer is _NOTHING else _reduce(function, leaves, initializer)


def tree_transpose(outer_treedef, inner_treedef, pytree_to_transpose):
    """A tree of trees, turned inside out."""
    if inner_treedef is None:
        inner_treedef = tree_structure(outer_treedef.flatten_up_to(pytree_to_transpose)[0])
    rows = [inner_treedef.flatten_up_to(t) for t in outer_treedef.flatten_up_to(pytree_to_transpose)]
    return inner_treedef.unflatten([outer_treedef.unflatten(column) for column in zip(*rows)])


class Partial:
    """functools.partial as a pytree: the function is structure, the arguments are leaves."""

    def __init__(self, func, *args, **keywords):
        self.func, self.args, self.keywords = func, args, keywords

    def __call__(self, *args, **keywords):
        return self.func(*self.args, *args, **{**self.keywords, **keywords})


register_pytree_node(
    Partial, lambda p: ((p.args, p.keywords), p.func), lambda func, children: Partial(func, *children[0], **children[1])
)


# ---- one level, and structures of structures ----
KeyEntry, KeyPath = object, tuple


def all_leaves(iterable, is_leaf=None):
    """Whether every element is a leaf."""
    return all(is_leaf is not None and is_leaf(x) or _tree._children(x) is None for x in iterable)


def is_tree_node(typ):
    """Whether instances of a class are nodes."""
    builtin = (tuple, list, dict, _tree.OrderedDict, _tree.defaultdict, type(None))
    return typ in builtin or typ in _tree._registry or issubclass(typ, tuple) and hasattr(typ, "_fields")


def flatten_one_level(tree):
    """(the children of a node, its data)."""
    node = _tree._children(tree)
    if node is None:
        raise ValueError(f"can't tree-flatten type: {type(tree)}")
    return list(node[2]), node[1]


def flatten_one_level_with_keys(tree):
    """((key, child) of every child of a node, its data)."""
    node = _tree._children(tree)
    if node is None:
        raise ValueError(f"can't tree-flatten type: {type(tree)}")
    return list(zip(_keys(tree, *node), node[2])), node[1]


def treedef_children(treedef):
    """The structures of a structure's children."""
    return treedef.children()


def treedef_is_leaf(treedef):
    return treedef.num_nodes() == 1


def treedef_tuple(treedefs):
    """The structure of a tuple of trees."""
    parts = list(treedefs)
    return PyTreeDef((tuple, None, *[p.spec for p in parts]), sum(p.num_leaves for p in parts))


def tree_broadcast(prefix_tree, full_tree, is_leaf=None):
    """The leaves of a prefix, repeated for the leaves of a tree under them."""
    treedef = tree_structure(full_tree, is_leaf)
    return treedef.unflatten(_tree.broadcast_prefix(prefix_tree, full_tree, is_leaf))


def tree_reduce_associative(operation, tree, *, identity=_NOTHING, is_leaf=None):
    """The leaves put together by an associative function, in pairs."""
    leaves = tree_leaves(tree, is_leaf)
    if not leaves and identity is _NOTHING:
        raise ValueError("Must specify identity for parallel reduction of empty sequence.")
    if not leaves:
        return identity
    while len(leaves) > 1:
        pairs = [operation(a, b) for a, b in zip(leaves[::2], leaves[1::2])]
        leaves = pairs + leaves[len(leaves) - len(leaves) % 2 :]
    return leaves[0]
