"""The rest of lax that is built on others: searches, ragged products, choices of platform, named compositions."""

import enum

import numpy as np

from secant import _tree, _types
from secant._eager import op
from secant._errors import placed
from secant._trace import aval_of, tracer
from secant.lax import _reduce, _shape, _sort
from secant.lax._collective import axis_index, psum
from secant.lax._gather import scatter_add


def dtype(x):
    """The dtype of an operand, of a number, or of what names one."""
    if isinstance(x, (type, np.dtype, str)):
        return _types.numpy_dtype(_types.code_of(x))
    return aval_of(x).dtype


@op(1)
def stage(x):
    """`x` as an array."""
    return tracer(x)


def shape_as_value(shape):
    """A shape as an array."""
    import secant.numpy as jnp

    return jnp.asarray(np.asarray(shape, "int32")) if len(shape) else jnp.zeros((0,), "int32")


def empty(shape, dtype, *, out_sharding=None):
    """An array to be filled (with zeros for a start)."""
    return _shape.full((shape,) if isinstance(shape, int) else shape, 0, dtype)


@op(2)
def broadcast_like(arr, like_arr):
    """`arr` in the shape of another array."""
    x, like = tracer(arr), tracer(like_arr)
    return _shape.broadcast_in_dim(x, like.shape, tuple(range(like.ndim - x.ndim, like.ndim)))


# ---- searches ----
def _extremes(name, least):
    def f(operand, k, reduction_dimension=-1, recall_target=0.95, reduction_input_size_override=-1, aggregate_to_topk=True):
        x = tracer(operand)
        if not x.aval.is_float:
            raise ValueError(f"operand must be a floating type, but got {x.dtype.name}")
        if x.ndim == 0:
            raise TypeError(f"{name} operand must have >= 1 dimension, got ()")
        if not -x.ndim <= reduction_dimension < x.ndim:
            raise ValueError(f"reduction_dimension {reduction_dimension} is out of bounds for shape {x.shape}")
        if k > x.shape[reduction_dimension]:
            raise ValueError(f"k={k} must not exceed the size {x.shape[reduction_dimension]} of the reduction dimension")
        values, places = _sort.top_k(-x if least else x, k, axis=reduction_dimension)
        return -values if least else values, places

    f.__name__, f.__module__ = name, "secant.lax"
    f.__doc__ = f"The k {'least' if least else 'greatest'} elements along an axis and their indices; exact, whatever recall is asked for."
    return op(1)(f)


approx_max_k = _extremes("approx_max_k", False)
approx_min_k = _extremes("approx_min_k", True)


# ---- scatter_apply ----
def scatter_apply(
    operand,
    scatter_indices,
    func,
    dimension_numbers,
    *,
    update_shape=(),
    indices_are_sorted=False,
    unique_indices=False,
    mode=None,
):
    """func at places that indices give, as often as each is met."""
    import secant.numpy as jnp
    from secant._vmap import vmap
    from secant.lax._control import while_loop

    x = jnp.asarray(operand)
    met = scatter_add(
        jnp.zeros(x.shape, "int32"), scatter_indices, jnp.ones(update_shape, "int32"), dimension_numbers, mode=mode
    )

    def once(y):
        return vmap(func)(y.reshape(-1)).astype(x.dtype).reshape(x.shape)

    if unique_indices:
        return jnp.where(met > 0, once(x), x)
    return while_loop(
        lambda s: jnp.any(s[0] < met), lambda s: (s[0] + 1, jnp.where(s[0] < met, once(s[1]), s[1])), (jnp.int32(0), x)
    )[1]


# ---- ragged products ----
class RaggedDotDimensionNumbers:
    """Axes of a product one of whose operands comes in groups of rows."""

    def __init__(self, dot_dimension_numbers, lhs_ragged_dimensions, rhs_group_dimensions):
        self.dot_dimension_numbers = tuple(tuple(tuple(axes) for axes in pair) for pair in dot_dimension_numbers)
        self.lhs_ragged_dimensions = tuple(lhs_ragged_dimensions)
        self.rhs_group_dimensions = tuple(rhs_group_dimensions)

    def _key(self):
        return self.dot_dimension_numbers, self.lhs_ragged_dimensions, self.rhs_group_dimensions

    def __eq__(self, other):
        return type(other) is RaggedDotDimensionNumbers and self._key() == other._key()

    def __hash__(self):
        return hash(self._key())


_ROWS = RaggedDotDimensionNumbers((((1,), (1,)), ((), ())), (0,), (0,))


def ragged_dot(
    lhs, rhs, group_sizes, precision=None, preferred_element_type=None, group_offset=None, out_sharding=None
):
    """Rows of lhs[m, k], in groups that lie one after the other, times the matrix of their group in rhs[g, k, n]."""
    return ragged_dot_general(lhs, rhs, group_sizes, _ROWS, precision, preferred_element_type, group_offset)


@placed
def ragged_dot_general(
    lhs,
    rhs,
    group_sizes,
    ragged_dot_dimension_numbers,
    precision=None,
    preferred_element_type=None,
    group_offset=None,
    out_sharding=None,
):
    """dot_general whose left operand has one axis in groups: a free axis with a matrix of `rhs` for each group, or a
    contracted axis, which gives one product a group."""
    import secant.numpy as jnp
    from secant._vmap import vmap

    if group_offset is not None:
        raise NotImplementedError("Unimplemented group_offset support.")
    lhs, rhs, group_sizes = jnp.asarray(lhs), jnp.asarray(rhs), jnp.asarray(group_sizes)
    numbers = ragged_dot_dimension_numbers
    dims, groups = numbers.dot_dimension_numbers, numbers.rhs_group_dimensions
    if len(numbers.lhs_ragged_dimensions) != 1:
        raise TypeError("ragged_dot_general expects exactly one ragged dimension")
    if group_sizes.ndim != 1:
        raise NotImplementedError("ragged_dot_general: group sizes of several batches are not available in this version")
    if not _types.is_integer(group_sizes.aval.code):
        raise TypeError(f"ragged_dot_general requires that group_sizes.dtype is subtype of np.integer, got {group_sizes.dtype.name}.")
    (axis,) = numbers.lhs_ragged_dimensions
    if axis in dims[1][0]:
        return _reduce.dot_general(lhs, rhs, dims, precision, preferred_element_type)
    ends = jnp.cumsum(group_sizes)
    places = jnp.arange(lhs.shape[axis])
    shape = [-1 if d == axis else 1 for d in range(lhs.ndim)]

    def own(start, end):
        return jnp.where(((places >= start) & (places < end)).reshape(shape), lhs, jnp.zeros((), lhs.dtype))

    if axis in dims[0][0]:
        if groups:
            raise TypeError("ragged_dot_general: a ragged contracting dimension needs no group dimension of rhs")
        return vmap(lambda s, e: _reduce.dot_general(own(s, e), rhs, dims, precision, preferred_element_type))(ends - group_sizes, ends)
    if len(groups) != 1 or rhs.shape[groups[0]] != group_sizes.shape[0]:
        raise TypeError(
            f"ragged_dot_general: a ragged non-contracting dimension needs one group dimension of rhs {rhs.shape} with {group_sizes.shape[0]} groups"
        )
    (group,) = groups

    def without(axes):
        return tuple(a - (a > group) for a in axes)

    inner = ((dims[0][0], without(dims[0][1])), (dims[1][0], without(dims[1][1])))

    def one(s, e, matrix):
        return _reduce.dot_general(own(s, e), matrix, inner, precision, preferred_element_type)

    return jnp.sum(vmap(one, (0, 0, group))(ends - group_sizes, ends, rhs), 0)


# ---- choices and names ----
@placed
def platform_dependent(*args, default=None, **per_platform):
    """per_platform["cpu"](*args), or default(*args)."""
    for name, branch in (*per_platform.items(), ("default", default)):
        if branch is not None and not callable(branch):
            raise TypeError(f"lax.platform_dependent: the '{name}' branch must be a callable.")
    if "gpu" in per_platform:
        raise ValueError("Use 'cuda' or 'rocm' for lax.platform_dependent.")
    branch = per_platform.get("cpu", default)
    if branch is None:
        raise NotImplementedError(f"lax.platform_dependent: no branch for cpu among {sorted(per_platform)}, and no default")
    return branch(*args)


def composite(decomposition, name, version=0):
    """`decomposition` as one call under a name; keywords of a call are its attributes."""
    from functools import partial

    from secant._jit import jit

    def called(*args, **attributes):
        inner = partial(decomposition, **attributes)
        inner.__name__ = inner.__qualname__ = name
        return jit(inner)(*args)

    called.__name__, called.__doc__ = name, getattr(decomposition, "__doc__", None)
    return called


def pbroadcast(x, axis_name, source):
    """What lane `source` of an axis has, on every lane."""
    import secant.numpy as jnp

    mine = axis_index(axis_name) == source
    return psum(_tree.tree_map(lambda leaf: jnp.where(mine, leaf, jnp.zeros_like(leaf)), x), axis_name)


class PaddingType(enum.Enum):
    VALID, SAME, SAME_LOWER = 1, 2, 3


def padtype_to_pads(in_shape, window_shape, window_strides, padding):
    """(low, high) an axis of the paddings VALID, SAME and SAME_LOWER."""
    if isinstance(padding, str):
        if padding.upper() not in PaddingType.__members__:
            raise RuntimeError(f"Unrecognized padding type: expected 'VALID', 'SAME', or 'SAME_LOWER', got {padding}.")
        padding = PaddingType[padding.upper()]
    if not isinstance(padding, PaddingType):
        raise TypeError(f"Unknown padding type: {padding}.")
    if padding is PaddingType.VALID:
        return [(0, 0)] * len(in_shape)
    pads = []
    for size, window, stride in zip(in_shape, window_shape, window_strides):
        total = max((-(-size // stride) - 1) * stride + window - size, 0)
        small = total // 2
        pads.append((small, total - small) if padding is PaddingType.SAME else (total - small, small))
    return pads
