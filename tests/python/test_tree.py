"""Pytrees: structure, equality, registration, paths."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest

import secant
import secant.numpy as jnp
from secant import tree, tree_util

Point = namedtuple("Point", "x y")


def test_flatten():
    assert tree.leaves({"b": 1, "a": 2}) == [2, 1]
    assert tree.leaves([None, 1]) == [1]
    assert tree.leaves(OrderedDict(b=1, a=2)) == [1, 2]
    assert tree.leaves((1, [2, (3,)], Point(4, 5))) == [1, 2, 3, 4, 5]
    with pytest.raises(ValueError):
        tree.leaves({1: 1, "a": 2})


def test_structure():
    a, b = tree.structure((1, {"k": [2, None]})), tree.structure((5, {"k": [6, None]}))
    assert a == b and hash(a) == hash(b) and a.num_leaves == 2
    assert tree.structure((1, 2)) != tree.structure([1, 2])
    assert repr(tree.structure((1, [2], {"a": None}))) == "PyTreeDef((*, [*], {'a': None}))"
    for value in ((), (1,), Point(1, {"z": 2}), OrderedDict(b=1), [None]):
        leaves, treedef = tree.flatten(value)
        assert tree.unflatten(treedef, leaves) == value


def test_map():
    assert tree.map(lambda a, b: a + b, {"a": 1, "b": (2,)}, {"a": 10, "b": (20,)}) == {"a": 11, "b": (22,)}
    with pytest.raises(ValueError):
        tree.map(lambda a, b: a + b, (1, 2), [1, 2])
    assert tree.map(lambda x: x, [None, 1], is_leaf=lambda x: x is None) == [None, 1]
    assert tree.reduce(lambda a, b: a + b, [1, (2, 3)]) == 6
    assert tree.reduce(lambda a, b: a + b, [], 7) == 7
    assert tree.all([True, (1,)]) and not tree.all([0])
    assert tree.transpose(tree.structure([0, 0]), tree.structure({"a": 0}), [{"a": 1}, {"a": 2}]) == {"a": [1, 2]}


def test_paths():
    pairs, _ = tree.flatten_with_path({"w": [1, Point(2, 3)]})
    assert [tree_util.keystr(path) for path, _ in pairs] == ["['w'][0]", "['w'][1].x", "['w'][1].y"]
    assert tree.map_with_path(lambda path, x: (len(path), x), (1, [2])) == ((1, 1), [(2, 2)])


def test_registration():
    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

    tree_util.register_pytree_node(Pair, lambda p: ((p.a, p.b), None), lambda _, c: Pair(*c))
    out = secant.jit(lambda p: Pair(p.b, p.a * 2))(Pair(1.0, 2.0))
    assert float(out.a) == 2 and float(out.b) == 2
    with pytest.raises(ValueError):
        tree_util.register_pytree_node(Pair, None, None)

    @tree_util.register_dataclass
    @dataclass
    class State:
        x: object
        y: object

    gradient = secant.grad(lambda s: jnp.sum(s.x * s.y))(State(jnp.ones(2), jnp.full(2, 3.0)))
    assert gradient.x.tolist() == [3, 3]
    assert tree_util.keystr(tree.leaves_with_path(State(1, 2))[1][0]) == ".y"

    @tree_util.register_static
    class Name(str):
        pass

    assert tree.leaves((Name("n"), 1)) == [1]

    @tree_util.register_pytree_node_class
    class Box:
        def __init__(self, v):
            self.v = v

        def tree_flatten(self):
            return (self.v,), "data"

        @classmethod
        def tree_unflatten(cls, data, children):
            return cls(*children)

    assert float(secant.vmap(lambda b: b.v + 1)(Box(jnp.zeros(2)))[0]) == 1


def test_partial():
    p = tree_util.Partial(lambda a, b: a - b, 5.0)
    assert float(secant.jit(lambda f: f(2.0))(p)) == 3
