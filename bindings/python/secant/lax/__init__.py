"""Primitives under JAX's names (jax.lax): strict in dtypes, with loops, branches, gather and collectives."""

from secant.lax import linalg  # noqa: F401
from secant.lax._collective import (  # noqa: F401
    all_gather,
    axis_index,
    axis_size,
    pmax,
    pmean,
    pmin,
    ppermute,
    pshuffle,
    psum,
)
from secant.lax._control import associative_scan, cond, fori_loop, map, scan, switch, while_loop  # noqa: F401
from secant.lax._convolution import (  # noqa: F401
    ConvDimensionNumbers,
    ConvGeneralDilatedDimensionNumbers,
    conv,
    conv_dimension_numbers,
    conv_general_dilated,
    conv_general_dilated_local,
    conv_general_dilated_patches,
    conv_general_permutations,
    conv_general_shape_tuple,
    conv_shape_tuple,
    conv_transpose,
    conv_transpose_shape_tuple,
    conv_with_general_padding,
)
from secant.lax._elementwise import *  # noqa: F401,F403
from secant.lax._elementwise import RoundingMethod  # noqa: F401
from secant.lax._fft import FftType, fft  # noqa: F401
from secant.lax._gather import (  # noqa: F401
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    gather,
    scatter,
    scatter_add,
    scatter_max,
    scatter_min,
    scatter_mul,
    scatter_sub,
)
from secant.lax._more import (  # noqa: F401
    all_to_all,
    broadcast_shapes,
    broadcast_to_rank,
    collapse,
    optimization_barrier,
    pswapaxes,
    psum_scatter,
    stack,
    tile,
    unstack,
)
from secant.lax._other import (  # noqa: F401
    RaggedDotDimensionNumbers,
    approx_max_k,
    approx_min_k,
    broadcast_like,
    composite,
    dtype,
    empty,
    padtype_to_pads,
    pbroadcast,
    platform_dependent,
    ragged_dot,
    ragged_dot_general,
    scatter_apply,
    shape_as_value,
    stage,
)
from secant.lax._precision import (  # noqa: F401
    AccuracyMode,
    DotAlgorithm,
    DotAlgorithmPreset,
    DotDimensionNumbers,
    Precision,
    PrecisionLike,
    Tolerance,
)
from secant.lax._random import threefry2x32, threefry_block  # noqa: F401
from secant.lax._reduce import (  # noqa: F401
    argmax,
    argmin,
    batch_matmul,
    cummax,
    cummin,
    cumprod,
    cumsum,
    dot,
    dot_general,
    reduce,
    reduce_and,
    reduce_max,
    reduce_min,
    reduce_or,
    reduce_prod,
    reduce_sum,
    reduce_xor,
)
from secant.lax._shape import (  # noqa: F401
    broadcast,
    broadcast_in_dim,
    broadcast_to,
    broadcasted_iota,
    concatenate,
    dynamic_index_in_dim,
    dynamic_slice,
    dynamic_slice_in_dim,
    dynamic_update_index_in_dim,
    dynamic_update_slice,
    dynamic_update_slice_in_dim,
    expand_dims,
    full,
    full_like,
    index_in_dim,
    iota,
    pad,
    reshape,
    rev,
    slice,
    slice_in_dim,
    split,
    squeeze,
    transpose,
)
from secant.lax._solves import custom_linear_solve, custom_root  # noqa: F401
from secant.lax._special import (  # noqa: F401
    betainc,
    clz,
    cumlogsumexp,
    digamma,
    igamma,
    igamma_grad_a,
    igammac,
    lgamma,
    polygamma,
    population_count,
    random_gamma_grad,
    reciprocal,
    reduce_precision,
    zeta,
)
from secant.lax._sort import sort, sort_key_val, top_k  # noqa: F401
from secant.lax._windows import padtype_to_pads, reduce_window, reduce_window_shape_tuple  # noqa: F401


def __getattr__(name):
    from secant.lax._primitives import find

    primitive = find(name)
    if primitive is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return primitive
