"""First values of parameters: each function makes an initializer init(key, shape, dtype)."""

import math

from secant import numpy as jnp, random


def zeros(key, shape, dtype=float, out_sharding=None):
    """All zero."""
    return jnp.zeros(shape, dtype)


def ones(key, shape, dtype=float, out_sharding=None):
    """All one."""
    return jnp.ones(shape, dtype)


def constant(value, dtype=float):
    """All of one value."""
    return lambda key, shape, dtype=dtype, out_sharding=None: jnp.full(shape, value, dtype)


def uniform(scale=1e-2, dtype=float):
    """Uniform in [0, scale)."""
    return lambda key, shape, dtype=dtype, out_sharding=None: random.uniform(key, shape, dtype) * _number(scale, dtype)


def normal(stddev=1e-2, dtype=float):
    """Normal of a standard deviation."""
    return lambda key, shape, dtype=dtype, out_sharding=None: random.normal(key, shape, dtype) * _number(stddev, dtype)


def truncated_normal(stddev=1e-2, dtype=float, lower=-2.0, upper=2.0):
    """Normal between bounds, times stddev."""

    def init(key, shape, dtype=dtype, out_sharding=None):
        return random.truncated_normal(key, lower, upper, shape, dtype) * _number(stddev, dtype)

    return init


def _number(x, dtype):
    return jnp.asarray(x, dtype)


def _fans(shape, in_axis, out_axis, batch_axis):
    """(inputs, outputs) that a weight of a shape connects."""
    if len(shape) < 2:
        raise ValueError(f"Can't compute input and output sizes of a {len(shape)}-dimensional weights tensor. Must be at least 2D.")

    def size(axes):
        axes = (axes,) if isinstance(axes, int) else tuple(axes)
        return math.prod(shape[a] for a in axes)

    field = math.prod(shape) / size(in_axis) / size(out_axis) / size(batch_axis)
    return size(in_axis) * field, size(out_axis) * field


def variance_scaling(scale, mode, distribution, in_axis=-2, out_axis=-1, batch_axis=(), dtype=float):
    """Values of variance scale / n, n the inputs ("fan_in"), outputs ("fan_out") or their mean ("fan_avg").

    distribution : "normal", "truncated_normal" or "uniform".
    """

    def init(key, shape, dtype=dtype, out_sharding=None):
        fan_in, fan_out = _fans(shape, in_axis, out_axis, batch_axis)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        if mode not in n:
            raise ValueError(f"invalid mode for variance scaling initializer: {mode}")
        variance = jnp.asarray(scale / n[mode], dtype)
        if distribution == "normal":
            return random.normal(key, shape, dtype) * jnp.sqrt(variance)
        if distribution == "uniform":
            return random.uniform(key, shape, dtype, -1) * jnp.sqrt(3 * variance)
        if distribution == "truncated_normal":
            # a normal cut at 2 has this standard deviation
            stddev = jnp.sqrt(variance) / jnp.asarray(0.87962566103423978, dtype)
            return random.truncated_normal(key, -2, 2, shape, dtype) * stddev
        raise ValueError(f"invalid distribution for variance scaling initializer: {distribution}")

    return init


def _scaled(scale, mode, distribution, doc):
    def make(in_axis=-2, out_axis=-1, batch_axis=(), dtype=float):
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    make.__doc__ = doc
    return make


glorot_uniform = xavier_uniform = _scaled(1.0, "fan_avg", "uniform", "Uniform of variance 1 / mean fan (Glorot).")
glorot_normal = xavier_normal = _scaled(1.0, "fan_avg", "truncated_normal", "Normal of variance 1 / mean fan (Glorot).")
lecun_uniform = _scaled(1.0, "fan_in", "uniform", "Uniform of variance 1 / inputs (LeCun).")
lecun_normal = _scaled(1.0, "fan_in", "truncated_normal", "Normal of variance 1 / inputs (LeCun).")
he_uniform = kaiming_uniform = _scaled(2.0, "fan_in", "uniform", "Uniform of variance 2 / inputs (He).")
he_normal = kaiming_normal = _scaled(2.0, "fan_in", "truncated_normal", "Normal of variance 2 / inputs (He).")


def orthogonal(scale=1.0, column_axis=-1, dtype=float):
    """Uniform orthogonal matrices times scale; the columns lie along column_axis, the other axes are rows."""

    def init(key, shape, dtype=dtype, out_sharding=None):
        if len(shape) < 2:
            raise ValueError("orthogonal initializer requires at least a 2D shape")
        if 0 in shape:
            return jnp.zeros(shape, dtype)
        columns = shape[column_axis]
        rest = list(shape)
        del rest[column_axis]
        q = random.orthogonal(key, math.prod(rest), (), dtype, columns)
        return jnp.moveaxis(q.reshape((*rest, columns)), -1, column_axis) * _number(scale, dtype)

    return init


def delta_orthogonal(scale=1.0, column_axis=-1, dtype=float):
    """Convolution kernels that are zero but for an orthogonal matrix in the middle."""

    def init(key, shape, dtype=dtype, out_sharding=None):
        if len(shape) not in (3, 4, 5):
            raise ValueError("Delta orthogonal initializer requires a 3D, 4D or 5D shape.")
        if shape[-1] < shape[-2]:
            raise ValueError("`fan_in` must be less or equal than `fan_out`. ")
        middle = tuple((n - 1) // 2 for n in shape[:-2])
        return jnp.zeros(shape, dtype).at[middle].set(orthogonal(scale, column_axis)(key, shape[-2:], dtype))

    return init
