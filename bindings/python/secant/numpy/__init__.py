"""NumPy's functions on Secant's arrays, under the names and with the semantics of jax.numpy."""
from secant.numpy._dtypes import (  # noqa: F401
    bool_, can_cast, canonicalize_dtype, complex128, complex64, complexfloating, double, dtype, e, euler_gamma,
    finfo, float16, float32, float64, float_, floating, generic, iinfo, inexact, inf, int16, int32, int64, int8,
    int_, integer, iscomplexobj, isdtype, isscalar, issubdtype, nan, ndarray, ndim, newaxis, number, pi,
    promote_types, result_type, shape, signedinteger, single, size, uint, uint16, uint32, uint64, uint8,
    unsignedinteger,
)
from secant.numpy._ufuncs import (  # noqa: F401
    abs, absolute, acos, acosh, add, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, around, asin, asinh,
    astype, atan, atan2, atanh, bitcast, bitwise_and, bitwise_invert, bitwise_left_shift, bitwise_not, bitwise_or,
    bitwise_right_shift, bitwise_xor, cbrt, ceil, clip, conj, conjugate, copysign, cos, cosh, deg2rad, degrees,
    divide, divmod, equal, exp, exp2, expm1, fabs, fix, float_power, floor, floor_divide, fmax, fmin, fmod, greater,
    greater_equal, heaviside, hypot, imag, invert, isclose, isfinite, isinf, isnan, isneginf, isposinf, left_shift,
    less, less_equal, log, log10, log1p, log2, logaddexp, logaddexp2, logical_and, logical_not, logical_or,
    logical_xor, maximum, minimum, mod, multiply, nan_to_num, negative, nextafter, not_equal, positive, pow, power,
    rad2deg, radians, real, reciprocal, remainder, right_shift, rint, round, sign, signbit, sin, sinc, sinh, sqrt,
    square, subtract, tan, tanh, true_divide, trunc, where,
)
from secant.numpy._creation import (  # noqa: F401
    arange, array, asarray, copy, empty, empty_like, eye, fromfunction, full, full_like, geomspace, identity,
    indices, linspace, logspace, ones, ones_like, tri, zeros, zeros_like,
)
from secant.numpy._reductions import (  # noqa: F401
    all, allclose, amax, amin, any, argmax, argmin, array_equal, average, count_nonzero, cumprod, cumsum, max, mean,
    min, nanmax, nanmean, nanmin, nanprod, nansum, prod, ptp, std, sum, var,
)
from secant.numpy._shape import (  # noqa: F401
    append, argwhere, array_split, atleast_1d, atleast_2d, atleast_3d, block, broadcast_arrays, broadcast_shapes,
    broadcast_to, column_stack, concat, concatenate, diag, diagflat, diagonal, diff, dstack, expand_dims, extract,
    flatnonzero, flip, fliplr, flipud, hsplit, hstack, interp, ix_, matrix_transpose, meshgrid, moveaxis, nonzero,
    pad, permute_dims, ravel, repeat, reshape, roll, rollaxis, rot90, searchsorted, select, split, squeeze, stack, swapaxes, take,
    take_along_axis, tile, trace, transpose, tril, triu, unstack, vsplit, vstack,
)
from secant.numpy._products import (  # noqa: F401
    cross, dot, einsum, inner, kron, matmul, outer, polyval, tensordot, trapezoid, vdot, vecdot,
)
from secant.numpy import linalg  # noqa: F401


def __getattr__(name):
    from secant.numpy import _dtypes

    return _dtypes.__getattr__(name)
