"""Systems solved by products alone, as jax.scipy.sparse."""

from secant.scipy.sparse import linalg  # noqa: F401
