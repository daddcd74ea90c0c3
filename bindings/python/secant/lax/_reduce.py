"""lax's reductions, cumulative functions and products; strict in dtype."""

import ctypes

import numpy as np

from secant import _types
from secant._capi import sec_dot_dims
from secant._eager import op
from secant._lib import int64s, lib
from secant._trace import aval_of, tracer
from secant._tracer import made
from secant.lax._elementwise import ANY, BITS, NUMBER, ORDERED, _takes, convert_element_type
from secant.lax._precision import check as check_precision
from secant.lax._shape import _axes, broadcast_to, reshape, transpose


def _reduction(name, kinds, doc):
    c = getattr(lib, "sec_" + name)

    def f(operand, axes, *, out_sharding=None):
        x = tracer(operand)
        _takes(name, x, kinds)
        axes = _axes(name, axes, x.ndim)
        return made(c(x.value, int64s(axes), len(axes)))

    f.__name__, f.__doc__, f.__module__ = name, doc, "secant.lax"
    return op(1)(f)


reduce_sum = _reduction("reduce_sum", NUMBER, "Sum over axes.")
reduce_prod = _reduction("reduce_prod", NUMBER, "Product over axes.")
reduce_max = _reduction("reduce_max", ANY, "Largest over axes; NaN sticks.")
reduce_min = _reduction("reduce_min", ANY, "Smallest over axes; NaN sticks.")
reduce_and = _reduction("reduce_and", BITS, "Bitwise and over axes; bool: all.")
reduce_or = _reduction("reduce_or", BITS, "Bitwise or over axes; bool: any.")
reduce_xor = _reduction("reduce_xor", BITS, "Bitwise exclusive or over axes; bool: whether an odd number holds.")


def _arg(name, doc):
    c = getattr(lib, "sec_" + name)

    def f(operand, axis, index_dtype):
        x, code = tracer(operand), _types.code_of(index_dtype)
        _takes(name, x, ORDERED)
        if not _types.is_integer(code):
            raise TypeError(f"{name}: index_dtype must be an integer type, but got {_types.NAMES[code]}")
        (axis,) = _axes(name, (axis,), x.ndim)
        if not x.shape[axis] and x.aval.size == 0 and all(d for i, d in enumerate(x.shape) if i != axis):
            raise ValueError(f"{name} requires non-empty reduced dimension")
        return made(c(x.value, axis, code))

    f.__name__, f.__doc__, f.__module__ = name, doc, "secant.lax"
    return op(1)(f)


argmax = _arg("argmax", "Index of the first largest, or of the first NaN, along an axis.")
argmin = _arg("argmin", "Index of the first smallest, or of the first NaN, along an axis.")


def _cumulative(name, kinds, doc):
    c = getattr(lib, "sec_" + name)

    def f(operand, axis=0, reverse=False):
        x = tracer(operand)
        _takes(name, x, kinds)
        if not 0 <= axis < x.ndim:
            raise ValueError(f"axis {axis} is out of bounds for array of shape {x.shape}")
        return made(c(x.value, axis, bool(reverse)))

    f.__name__, f.__doc__, f.__module__ = name, doc, "secant.lax"
    return op(1)(f)


cumsum = _cumulative("cumsum", NUMBER, "Running sum along an axis.")
cumprod = _cumulative("cumprod", NUMBER, "Running product along an axis.")
cummax = _cumulative("cummax", ANY, "Running maximum along an axis.")
cummin = _cumulative("cummin", ANY, "Running minimum along an axis.")


@op(2)
def dot_general(lhs, rhs, dimension_numbers, precision=None, preferred_element_type=None, *, out_sharding=None):
    """Sum of products over contracted axes, for each place along batch axes.

    dimension_numbers : ((lhs contract, rhs contract), (lhs batch, rhs batch)).  Result: batch, lhs free, rhs free.
    """
    check_precision(precision)
    x, y = tracer(lhs), tracer(rhs)
    (lhs_contract, rhs_contract), (lhs_batch, rhs_batch) = dimension_numbers
    code = _types.N_DTYPES if preferred_element_type is None else _types.code_of(preferred_element_type)
    lists = [int64s(axes) for axes in (lhs_contract, rhs_contract, lhs_batch, rhs_batch)]
    dims = sec_dot_dims(*[ctypes.addressof(a) for a in lists], len(lists[0]), len(lists[2]))
    if len(lists[0]) != len(lists[1]) or len(lists[2]) != len(lists[3]):
        raise TypeError(f"dot_general: dimension numbers {dimension_numbers} pair lists of different lengths")
    return made(lib.sec_dot_general(x.value, y.value, ctypes.addressof(dims), code))


@op(2)
def dot(lhs, rhs, *, dimension_numbers=None, precision=None, preferred_element_type=None, out_sharding=None):
    """Vector and matrix products; with dimension_numbers as dot_general."""
    x, y = tracer(lhs), tracer(rhs)
    if dimension_numbers is None:
        if not (1 <= x.ndim <= 2 and 1 <= y.ndim <= 2):
            raise TypeError(f"Incompatible shapes for dot: got {x.shape} and {y.shape}.")
        dimension_numbers = (((x.ndim - 1,), (0,)), ((), ()))
    return dot_general(x, y, dimension_numbers, precision, preferred_element_type)


def batch_matmul(lhs, rhs, precision=None):
    """Matrix products of stacks of matrices."""
    n = lhs.ndim - 2
    return dot_general(lhs, rhs, (((n + 1,), (n,)), (tuple(range(n)), tuple(range(n)))), precision)


def reduce(operands, init_values, computation, dimensions, out_sharding=None):
    """Reduction over axes with any function of two values, from initial values; a pytree is reduced together.

    lax.add, mul, max, min, bitwise_and, bitwise_or and bitwise_xor are primitives, other functions go one element after the other.
    """
    from secant.lax import _elementwise as e

    known = {
        e.add: reduce_sum,
        e.mul: reduce_prod,
        e.max: reduce_max,
        e.min: reduce_min,
        e.bitwise_and: reduce_and,
        e.bitwise_or: reduce_or,
        e.bitwise_xor: reduce_xor,
    }
    if computation in known:
        return computation(known[computation](operands, dimensions), init_values)
    return _one_by_one(operands, init_values, computation, dimensions)


def _one_by_one(operands, init_values, computation, dimensions):
    """A scan over the elements of the reduced axes, in row-major order."""
    from secant import _tree
    from secant.lax._control import scan

    leaves, tree = _tree.tree_flatten(operands)
    starts, other = _tree.tree_flatten(init_values)
    if tree != other:
        raise ValueError(f"Operands must have the same tree structure as init_values: {tree} vs. {other}")
    dims = _axes("reduce", dimensions, len(_shape_of(leaves[0])))
    shape = _shape_of(leaves[0])
    kept = [d for d in range(len(shape)) if d not in dims]
    count = int(np.prod([shape[d] for d in dims], dtype=np.int64))
    rest = [shape[d] for d in kept]
    rows = [reshape(transpose(x, [*dims, *kept]), [count, *rest]) for x in leaves]
    begin = [broadcast_to(convert_element_type(s, x.dtype), rest) for s, x in zip(starts, rows)]

    def step(carry, row):
        return computation(carry, tree.unflatten(row)), None

    return scan(step, tree.unflatten(begin), rows)[0]


def _shape_of(x):
    return aval_of(x).shape
