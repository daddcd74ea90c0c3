"""Vector quantization, as jax.scipy.cluster."""

from secant.scipy.cluster import vq  # noqa: F401
