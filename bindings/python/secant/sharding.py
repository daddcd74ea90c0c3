"""Where arrays lie, under jax.sharding's names."""

from secant._devices import Sharding, SingleDeviceSharding  # noqa: F401
