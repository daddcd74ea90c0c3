"""What JAX has under jax.experimental, as far as it is there."""

from secant._api import enable_x64  # noqa: F401
from secant._callbacks import io_callback  # noqa: F401


class disable_x64(enable_x64):
    """Context manager: 32-bit defaults inside."""

    def __init__(self):
        super().__init__(False)
