"""Types for annotations, as jax.typing."""

from typing import Any, Union

import numpy as np

from secant._operators import Array

ArrayLike = Union[Array, np.ndarray, np.bool_, np.number, bool, int, float, complex]
DTypeLike = Union[str, type[Any], np.dtype]
