"""checkpoint and its policies, as jax.ad_checkpoint."""

from secant._custom import checkpoint, checkpoint_policies  # noqa: F401
