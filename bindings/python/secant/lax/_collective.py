"""Collectives over the named axes of vmap and pmap."""

from secant import _axes, _tree
from secant._errors import placed
from secant._lib import int64s, lib
from secant._trace import tracer
from secant._tracer import Tracer, made


def _names(axis_name):
    return tuple(axis_name) if isinstance(axis_name, (tuple, list)) else (axis_name,)


def _over(c, x, axis_name):
    """A collective of each leaf over each name."""
    names = _names(axis_name)
    for name in names:
        _axes.axis_size(name)

    def one(leaf):
        v = tracer(leaf).value
        for name in names:
            v = c(v, _axes.text(name))
        return made(v)

    return _tree.tree_map(one, x)


@placed
def psum(x, axis_name, *, axis_index_groups=None):
    """Sum over the lanes of an axis (or of several); of a Python number: times the size."""
    if isinstance(x, (int, float)) and not isinstance(x, Tracer):
        return x * axis_size(axis_name)
    return _over(lib.sec_psum, x, axis_name)


@placed
def pmax(x, axis_name, *, axis_index_groups=None):
    """Largest over the lanes of an axis."""
    return _over(lib.sec_pmax, x, axis_name)


@placed
def pmin(x, axis_name, *, axis_index_groups=None):
    """Smallest over the lanes of an axis."""
    return _over(lib.sec_pmin, x, axis_name)


@placed
def pmean(x, axis_name, *, axis_index_groups=None):
    """Mean over the lanes of an axis."""
    n = axis_size(axis_name)
    return _tree.tree_map(lambda leaf: leaf / n, psum(x, axis_name))


@placed
def axis_size(axis_name):
    """How many lanes an axis (or several together) has."""
    n = 1
    for name in _names(axis_name):
        n *= _axes.axis_size(name)
    return n


@placed
def axis_index(axis_name):
    """The number of this lane, i32; over several names row-major."""
    index = None
    for name in _names(axis_name):
        size = _axes.axis_size(name)
        i = made(lib.sec_axis_index(_axes.text(name)))
        index = i if index is None else index * size + i
    return index


@placed
def all_gather(x, axis_name, *, axis=0, tiled=False, axis_index_groups=None, to=None):
    """The lanes' values stacked along a new axis, or joined along `axis` when tiled."""
    _axes.axis_size(axis_name)

    def one(leaf):
        t = tracer(leaf)
        at = axis + t.ndim + (not tiled) if axis < 0 else axis
        return made(lib.sec_all_gather(t.value, _axes.text(axis_name), at, bool(tiled)))

    return _tree.tree_map(one, x)


@placed
def ppermute(x, axis_name, perm):
    """Lane j gets the value of lane i for each pair (i, j)."""
    if len(perm) != _axes.axis_size(axis_name) and not _axes.in_pmap():
        raise AssertionError(
            f"ppermute under vmap needs a full permutation of {_axes.axis_size(axis_name)} lanes, got {perm}"
        )
    pairs = int64s(i for pair in perm for i in pair)

    def one(leaf):
        return made(lib.sec_ppermute(tracer(leaf).value, _axes.text(axis_name), pairs, len(pairs) // 2))

    return _tree.tree_map(one, x)


@placed
def pshuffle(x, axis_name, perm):
    """Lane j gets the value of lane perm[j]."""
    if sorted(perm) != list(range(axis_size(axis_name))):
        raise ValueError(f"`perm` does not represent a permutation: {perm}")
    return ppermute(x, axis_name, list(zip(perm, range(len(perm)))))
