"""Convolutions, with JAX's dimension numbers."""

import ctypes
import math
from typing import NamedTuple, Sequence

import numpy as np

from secant import _types
from secant._capi import sec_conv_dims
from secant._eager import op
from secant._lib import int64s, lib
from secant._trace import tracer
from secant._tracer import made
from secant.lax._elementwise import NUMBER, _takes
from secant.lax._reduce import dot_general
from secant.lax._shape import rev, sizes
from secant.lax._windows import dilated, padtype_to_pads, pairs, window_struct


class ConvDimensionNumbers(NamedTuple):
    """Axes of lhs and result (batch, feature, spatial ones) and of rhs (output feature, input feature, spatial ones)."""

    lhs_spec: Sequence[int]
    rhs_spec: Sequence[int]
    out_spec: Sequence[int]


ConvGeneralDilatedDimensionNumbers = tuple[str, str, str] | ConvDimensionNumbers | None


def conv_dimension_numbers(lhs_shape, rhs_shape, dimension_numbers):
    """ConvDimensionNumbers from themselves, three strings such as ("NHWC", "HWIO", "NHWC"), or None: NC..., OI..., NC..."""
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    if len(lhs_shape) != len(rhs_shape):
        raise TypeError(f"convolution requires lhs and rhs ndim to be equal, got {len(lhs_shape)} and {len(rhs_shape)}.")
    if dimension_numbers is None:
        iota = tuple(range(len(lhs_shape)))
        return ConvDimensionNumbers(iota, iota, iota)
    if not isinstance(dimension_numbers, (list, tuple)):
        raise TypeError(f"convolution dimension_numbers must be tuple/list or None, got {type(dimension_numbers)}.")
    if len(dimension_numbers) != 3:
        raise TypeError(f"convolution dimension_numbers list/tuple must be length 3, got {len(dimension_numbers)}.")
    if not all(isinstance(spec, str) for spec in dimension_numbers):
        raise TypeError(f"convolution dimension_numbers elements must be strings, got {tuple(map(type, dimension_numbers))}.")
    for i, spec in enumerate(dimension_numbers):
        if len(spec) != len(lhs_shape):
            raise TypeError(
                f"convolution dimension_numbers[{i}] must have len equal to the ndim of lhs and rhs, "
                f"got {len(spec)} for lhs and rhs shapes {lhs_shape} and {rhs_shape}."
            )
    return ConvDimensionNumbers(*conv_general_permutations(dimension_numbers))


def conv_general_permutations(dimension_numbers):
    """The axes that three strings name."""
    named = ("NC", "OI", "NC")
    for i, (spec, chars) in enumerate(zip(dimension_numbers, named)):
        if spec.count(chars[0]) != 1 or spec.count(chars[1]) != 1:
            raise TypeError(
                f"convolution dimension_numbers[{i}] must contain the characters '{chars[0]}' and '{chars[1]}' exactly once, got {spec}."
            )
        if len(set(spec)) != len(spec):
            raise TypeError(f"convolution dimension_numbers[{i}] cannot have duplicate characters, got {spec}.")
    spatial = [set(spec) - set(chars) for spec, chars in zip(dimension_numbers, named)]
    if not spatial[0] == spatial[1] == spatial[2]:
        raise TypeError(f"convolution dimension_numbers elements must each have the same set of spatial characters, got {dimension_numbers}.")
    order = [c for c in dimension_numbers[1] if c in spatial[1]]
    return tuple(tuple(spec.index(c) for c in (*chars, *order)) for spec, chars in zip(dimension_numbers, named))


def _check(numbers, lhs, rhs, strides, feature_group_count, batch_group_count):
    """JAX's errors."""
    if len(lhs) != len(rhs):
        raise ValueError(f"conv_general_dilated lhs and rhs must have the same number of dimensions, but got {lhs} and {rhs}.")
    if len(lhs) < 2:
        raise ValueError(f"conv_general_dilated operands need a batch or output and a feature dimension, but got {lhs} and {rhs}.")
    features, groups, outputs = lhs[numbers.lhs_spec[1]], feature_group_count, rhs[numbers.rhs_spec[0]]
    if groups <= 0:
        raise ValueError(f"conv_general_dilated feature_group_count must be a positive integer, got {groups}.")
    if features % groups:
        raise ValueError(
            f"conv_general_dilated feature_group_count must divide lhs feature dimension size, but {groups} does not divide {features}."
        )
    if features // groups != rhs[numbers.rhs_spec[1]]:
        raise ValueError(
            "conv_general_dilated lhs feature dimension size divided by feature_group_count must equal the rhs input feature dimension "
            f"size, but {features} // {groups} != {rhs[numbers.rhs_spec[1]]}."
        )
    if outputs % groups:
        raise ValueError(
            "conv_general_dilated rhs output feature dimension size must be a multiple of feature_group_count, "
            f"but {outputs} is not a multiple of {groups}."
        )
    if batch_group_count <= 0:
        raise ValueError(f"conv_general_dilated batch_group_count must be a positive integer, got {batch_group_count}.")
    if lhs[numbers.lhs_spec[0]] % batch_group_count:
        raise ValueError(
            "conv_general_dilated batch_group_count must divide lhs batch dimension size, "
            f"but {batch_group_count} does not divide {lhs[numbers.lhs_spec[0]]}."
        )
    if outputs % batch_group_count:
        raise ValueError(
            "conv_general_dilated rhs output feature dimension size must be a multiple of batch_group_count, "
            f"but {outputs} is not a multiple of {batch_group_count}."
        )
    if batch_group_count > 1 and groups > 1:
        raise ValueError(
            "At most one of batch_group_count and feature_group_count may be > 1, "
            f"got batch_group_count={batch_group_count} and feature_group_count={groups}"
        )
    if len(strides) != len(lhs) - 2:
        raise ValueError(
            f"conv_general_dilated window and window_strides must have the same number of dimensions, but got {len(lhs) - 2} and {len(strides)}"
        )


@op(2)
def conv_general_dilated(
    lhs,
    rhs,
    window_strides,
    padding,
    lhs_dilation=None,
    rhs_dilation=None,
    dimension_numbers=None,
    feature_group_count=1,
    batch_group_count=1,
    precision=None,
    preferred_element_type=None,
    out_sharding=None,
):
    """Convolution (without a flip) over any number of spatial axes.

    padding : "SAME", "SAME_LOWER", "VALID" or (low, high) of each spatial axis; negative crops.
    dimension_numbers : which axes are which: three strings such as ("NHWC", "HWIO", "NHWC"), ConvDimensionNumbers or None.
    """
    x, y = tracer(lhs), tracer(rhs)
    numbers = conv_dimension_numbers(x.shape, y.shape, dimension_numbers)
    strides, n = sizes(window_strides), x.ndim - 2
    if x.aval.code != y.aval.code:
        raise TypeError(f"lax.conv_general_dilated requires arguments to have the same dtypes, got {x.dtype.name}, {y.dtype.name}.")
    _takes("conv_general_dilated", x, NUMBER)
    _check(numbers, x.shape, y.shape, strides, feature_group_count, batch_group_count)
    base = (1,) * n if lhs_dilation is None else sizes(lhs_dilation)
    dilation = (1,) * n if rhs_dilation is None else sizes(rhs_dilation)
    if isinstance(padding, str):
        if any(b != 1 for b in base):
            raise ValueError(
                "String padding is not implemented for transposed convolution using this op. "
                "Please either exactly specify the required padding or use conv_transpose."
            )
        window = dilated([y.shape[a] for a in numbers.rhs_spec[2:]], dilation)
        padding = padtype_to_pads([x.shape[a] for a in numbers.lhs_spec[2:]], window, strides, padding)
    padding = pairs("conv_general_dilated", padding)
    if len(padding) != n:
        raise TypeError(f"Wrong number of explicit pads for convolution: expected {n}, got {len(padding)}.")
    if len(base) != n or len(dilation) != n:
        raise ValueError(f"conv_general_dilated dilations must have one entry for each of {n} spatial dimensions, got {base} and {dilation}.")
    for a, d, (low, high) in zip(numbers.lhs_spec[2:], base, padding):
        if dilated([x.shape[a]], [d])[0] + low + high < 0:
            raise ValueError(f"Negative padding is larger than the size of the corresponding dimension: got padding={padding} for lhs shape {x.shape}")
    window, kept = window_struct((0,) * n, strides, padding, base, dilation)
    specs = [int64s(v) for v in numbers]
    dims = sec_conv_dims(*[ctypes.addressof(a) for a in specs], ctypes.addressof(window), int(feature_group_count), int(batch_group_count))
    code = _types.N_DTYPES if preferred_element_type is None else _types.code_of(preferred_element_type)
    return made(lib.sec_conv_general_dilated(x.value, y.value, ctypes.addressof(dims), code))


def conv(lhs, rhs, window_strides, padding, precision=None, preferred_element_type=None):
    """conv_general_dilated without dilations, batch and features first."""
    return conv_general_dilated(lhs, rhs, window_strides, padding, precision=precision, preferred_element_type=preferred_element_type)


def conv_with_general_padding(
    lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation, precision=None, preferred_element_type=None
):
    """conv_general_dilated with batch and features first."""
    return conv_general_dilated(
        lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation, precision=precision, preferred_element_type=preferred_element_type
    )


def _transpose_padding(k, s, padding):
    """Padding of the spread operand that undoes `padding` of a convolution with kernel size k and stride s."""
    if padding == "SAME":
        total = k + s - 2
        low = k - 1 if s > k - 1 else -(-total // 2)
    elif padding == "VALID":
        total, low = k + s - 2 + max(k - s, 0), k - 1
    elif isinstance(padding, tuple):
        low, total = k - padding[0] - 1, sum(k - p - 1 for p in padding)
    else:
        raise ValueError(f"Invalid padding mode: {padding}")
    return low, total - low


def conv_transpose(
    lhs,
    rhs,
    strides,
    padding,
    rhs_dilation=None,
    dimension_numbers=None,
    transpose_kernel=False,
    precision=None,
    preferred_element_type=None,
    use_consistent_padding=False,
):
    """Convolution of lhs spread by `strides`; features are last by default.  The kernel is flipped only with transpose_kernel."""
    n = np.ndim(lhs)
    if n != np.ndim(rhs) or n < 2:
        raise ValueError(f"conv_transpose: lhs and rhs must have the same number of dimensions, at least 2, got {n} and {np.ndim(rhs)}")
    if dimension_numbers is None:
        if n > 5:
            raise ValueError("No 4+ dimensional dimension_number defaults.")
        spatial = "HWD"[: n - 2]
        dimension_numbers = (f"N{spatial}C", f"{spatial}IO", f"N{spatial}C")
    numbers = conv_dimension_numbers(np.shape(lhs), np.shape(rhs), dimension_numbers)
    dilation = (1,) * (n - 2) if rhs_dilation is None else sizes(rhs_dilation)
    reach = dilated([np.shape(rhs)[a] for a in numbers.rhs_spec[2:]], dilation)
    if isinstance(padding, str) or use_consistent_padding:
        each = [padding] * (n - 2) if isinstance(padding, str) else [tuple(p) for p in padding]
        padding = [_transpose_padding(k, s, p) for k, s, p in zip(reach, strides, each)]
    return _conv_transposed(lhs, rhs, tuple(strides), tuple(padding), dilation, numbers, bool(transpose_kernel), preferred_element_type)


@op(2)
def _conv_transposed(lhs, rhs, strides, padding, dilation, numbers, transpose_kernel, preferred_element_type):
    lhs, rhs = tracer(lhs), tracer(rhs)
    if transpose_kernel:
        rhs = rev(rhs, numbers.rhs_spec[2:]).swapaxes(numbers.rhs_spec[0], numbers.rhs_spec[1])
    return conv_general_dilated(
        lhs, rhs, (1,) * len(strides), padding, strides, dilation, numbers, preferred_element_type=preferred_element_type
    )


@op(1)
def conv_general_dilated_patches(
    lhs,
    filter_shape,
    window_strides,
    padding,
    lhs_dilation=None,
    rhs_dilation=None,
    dimension_numbers=None,
    precision=None,
    preferred_element_type=None,
):
    """The windows of a convolution: features (input feature, then places) of each position."""
    from secant import numpy as jnp

    x, window = tracer(lhs), sizes(filter_shape)
    numbers = conv_dimension_numbers(x.shape, (1, 1, *window), dimension_numbers)
    places, features = math.prod(window), x.shape[numbers.lhs_spec[1]]
    kernel = jnp.broadcast_to(jnp.eye(places, dtype=x.dtype), (features, places, places)).reshape((features * places, 1, *window))
    kernel = jnp.moveaxis(kernel, (0, 1), (numbers.rhs_spec[0], numbers.rhs_spec[1]))
    return conv_general_dilated(
        x, kernel, window_strides, padding, lhs_dilation, rhs_dilation, numbers, features, preferred_element_type=preferred_element_type
    )


@op(2)
def conv_general_dilated_local(
    lhs,
    rhs,
    window_strides,
    padding,
    filter_shape,
    lhs_dilation=None,
    rhs_dilation=None,
    dimension_numbers=None,
    precision=None,
    preferred_element_type=None,
):
    """A convolution with a kernel of its own at each position; rhs has positions for spatial axes, (feature, places) as input."""
    from secant import numpy as jnp

    x, y, window = tracer(lhs), tracer(rhs), sizes(filter_shape)
    patches = conv_general_dilated_patches(
        x, window, window_strides, padding, lhs_dilation, rhs_dilation, dimension_numbers, preferred_element_type=preferred_element_type
    )
    _, kernel, out = conv_dimension_numbers(x.shape, (1, 1, *window), dimension_numbers)
    positions = sorted(zip(out[2:], kernel[2:]))
    batch = tuple(p for p, _ in positions), tuple(k for _, k in positions)
    result = dot_general(patches, y, (((out[1],), (kernel[1],)), batch), preferred_element_type=preferred_element_type)
    return jnp.moveaxis(result, (-2, -1), (out[0], out[1]))


# ---- shapes ----
def conv_shape_tuple(lhs_shape, rhs_shape, strides, pads, batch_group_count=1):
    """The result's shape for axes in the order batch, feature, spatial ones."""
    if isinstance(pads, str):
        pads = padtype_to_pads(lhs_shape[2:], rhs_shape[2:], strides, pads)
    if len(pads) != len(lhs_shape) - 2:
        raise TypeError(f"Wrong number of explicit pads for convolution: expected {len(lhs_shape) - 2}, got {len(pads)}.")
    full = [n + low + high for n, (low, high) in zip(lhs_shape[2:], pads)]
    if any(n < 0 for n in full):
        raise ValueError(
            "Negative padding is larger than the size of the corresponding dimension: "
            f"got padding={pads} for lhs_shape[2:]={lhs_shape[2:]}"
        )
    space = [0 if n < k else (n - k) // s + 1 for n, k, s in zip(full, rhs_shape[2:], strides)]
    return (lhs_shape[0] // batch_group_count, rhs_shape[0], *space)


def _placed(out, axes):
    placed = [0] * len(out)
    for n, a in zip(out, axes):
        placed[a] = n
    return tuple(placed)


def _ordered(shapes, permutations):
    return [tuple(shape[a] for a in axes) for shape, axes in zip(shapes, permutations)]


def conv_general_shape_tuple(lhs_shape, rhs_shape, window_strides, padding, dimension_numbers):
    """The result's shape for axes as named by three strings."""
    axes = conv_general_permutations(dimension_numbers)
    lhs, rhs = _ordered((lhs_shape, rhs_shape), axes)
    return _placed(conv_shape_tuple(lhs, rhs, window_strides, padding), axes[2])


def conv_transpose_shape_tuple(lhs_shape, rhs_shape, window_strides, padding, dimension_numbers):
    """The shape of the result of conv_transpose for axes as named by three strings."""
    axes = conv_general_permutations(dimension_numbers)
    lhs, rhs = _ordered((lhs_shape, rhs_shape), axes)
    if isinstance(padding, str):
        padding = [_transpose_padding(k, s, padding) for k, s in zip(rhs[2:], window_strides)]
    space = [(n - 1) * s - k + 2 + sum(p) for n, k, s, p in zip(lhs[2:], rhs[2:], window_strides, padding)]
    return _placed((lhs[0], rhs[0], *space), axes[2])
