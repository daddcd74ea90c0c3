"""Dtype queries under jax.dtypes' names."""

from secant._types import float0  # noqa: F401
from secant.numpy import canonicalize_dtype, finfo, iinfo, issubdtype, promote_types, result_type  # noqa: F401
