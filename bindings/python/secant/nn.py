"""Functions of neural networks, as jax.nn."""

import numpy as np

from secant import lax, numpy as jnp
from secant._custom import custom_jvp
from secant._eager import op
from secant._trace import tracer
from secant.numpy._common import arraylike, axes_of, inexact


def _relu_rule(primals, tangents):
    (x,), (t,) = primals, tangents
    return _relu(x), jnp.where(x > 0, t, jnp.zeros_like(t))


_relu = custom_jvp(lambda x: jnp.maximum(x, 0))
_relu.__name__ = "relu"
_relu.defjvp(_relu_rule)


@op(1)
def relu(x):
    """max(x, 0), with derivative 0 at 0."""
    return _relu(tracer(x))


def _relu6_rule(primals, tangents):
    (x,), (t,) = primals, tangents
    return _relu6(x), jnp.where((x > 0) & (x < 6), t, jnp.zeros_like(t))


_relu6 = custom_jvp(lambda x: jnp.minimum(jnp.maximum(x, 0), 6.0))
_relu6.__name__ = "relu6"
_relu6.defjvp(_relu6_rule)


@op(1)
def relu6(x):
    """min(max(x, 0), 6), with derivative 0 at 0 and 6."""
    return _relu6(tracer(x))


@op(1)
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return lax.logistic(inexact(arraylike("sigmoid", x)))


@op(1)
def softplus(x):
    """log(1 + exp(x))."""
    return jnp.logaddexp(x, 0.0)


@op(1)
def soft_sign(x):
    """x / (|x| + 1)."""
    return x / (jnp.abs(x) + 1)


@op(1)
def silu(x):
    """x sigmoid(x)."""
    x = inexact(arraylike("silu", x))
    return x * sigmoid(x)


swish = silu


@op(1)
def mish(x):
    """x tanh(softplus(x))."""
    return x * jnp.tanh(softplus(x))


@op(1)
def log_sigmoid(x):
    """log(sigmoid(x))."""
    return -softplus(-arraylike("log_sigmoid", x))


@op(1)
def elu(x, alpha=1.0):
    """x above 0, alpha (exp(x) - 1) below."""
    x = arraylike("elu", x)
    safe = jnp.where(x > 0, 0.0, x)
    return jnp.where(x > 0, x, alpha * jnp.expm1(safe))


@op(1)
def selu(x):
    """elu, scaled so that mean and variance stay."""
    return 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717)


@op(1)
def celu(x, alpha=1.0):
    """max(x, 0) + min(alpha (exp(x / alpha) - 1), 0)."""
    return jnp.maximum(x, 0.0) + alpha * jnp.expm1(jnp.minimum(x, 0.0) / alpha)


@op(1)
def leaky_relu(x, negative_slope=0.01):
    """x at or above 0, negative_slope x below."""
    x = arraylike("leaky_relu", x)
    return jnp.where(x >= 0, x, negative_slope * x)


@op(1)
def hard_tanh(x):
    """x held between -1 and 1."""
    x = arraylike("hard_tanh", x)
    return jnp.where(x > 1, 1, jnp.where(x < -1, -1, x))


@op(1)
def hard_sigmoid(x):
    """relu6(x + 3) / 6."""
    return relu6(x + 3.0) / 6.0


@op(1)
def hard_silu(x):
    """x hard_sigmoid(x)."""
    return x * hard_sigmoid(x)


hard_swish = hard_silu


@op(1)
def gelu(x, approximate=True):
    """x Φ(x), Φ the normal distribution; the approximation uses tanh (Hendrycks, Gimpel, arXiv:1606.08415)."""
    x = inexact(arraylike("gelu", x))
    if approximate:
        return x * (0.5 * (1.0 + jnp.tanh(np.sqrt(2 / np.pi).item() * (x + 0.044715 * (x**3)))))
    return 0.5 * x * lax.erfc(-x * np.sqrt(0.5).item())


@op(1)
def glu(x, axis=-1):
    """The first half times the sigmoid of the second."""
    a, b = jnp.split(x, 2, axis)
    return a * sigmoid(b)


@op(1)
def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False, where=None):
    """log(sum(b exp(a))), safe for large and infinite `a`."""
    x = inexact(arraylike("logsumexp", a))
    axes = axes_of(axis, x.ndim)
    if where is not None:
        x = jnp.where(where, x, -jnp.inf)
    top = jnp.max(x, axes, keepdims=True, initial=-jnp.inf)
    top = lax.stop_gradient(jnp.where(jnp.isfinite(top), top, 0.0))
    terms = jnp.exp(x - top)
    if b is not None:
        terms = b * terms
    total = jnp.sum(terms, axes, keepdims=keepdims)
    sign = jnp.sign(total)
    if b is not None:
        total = jnp.abs(total) if return_sign else total
    out = jnp.log(total) + (top if keepdims else lax.squeeze(top, axes))
    return (out, sign) if return_sign else out


@op(1)
def softmax(x, axis=-1, where=None):
    """exp(x) / sum(exp(x)) along an axis."""
    x = inexact(arraylike("softmax", x))
    axes = axes_of(axis, x.ndim)
    if where is not None:
        x = jnp.where(where, x, -jnp.inf)
    top = lax.stop_gradient(jnp.max(x, axes, keepdims=True, initial=-jnp.inf))
    e = jnp.exp(x - top)
    if where is not None:
        e = jnp.where(where, e, 0.0)
    return e / jnp.sum(e, axes, keepdims=True)


@op(1)
def log_softmax(x, axis=-1, where=None):
    """log(softmax(x)) along an axis."""
    x = inexact(arraylike("log_softmax", x))
    axes = axes_of(axis, x.ndim)
    if where is not None:
        x = jnp.where(where, x, -jnp.inf)
    shifted = x - lax.stop_gradient(jnp.max(x, axes, keepdims=True, initial=-jnp.inf))
    out = shifted - jnp.log(jnp.sum(jnp.exp(shifted), axes, keepdims=True))
    return out if where is None else jnp.where(where, out, -jnp.inf)


@op(1)
def standardize(x, axis=-1, mean=None, variance=None, epsilon=1e-5, where=None):
    """(x - mean) / sqrt(variance + epsilon)."""
    x = arraylike("standardize", x)
    mean = jnp.mean(x, axis, keepdims=True, where=where) if mean is None else mean
    if variance is None:
        variance = jnp.mean(jnp.square(x), axis, keepdims=True, where=where) - jnp.square(mean)
    return (x - mean) * lax.rsqrt(variance + epsilon)


@op(1)
def one_hot(x, num_classes, *, dtype=float, axis=-1):
    """1 at the index that x gives, else 0; out of range: all 0."""
    x = arraylike("one_hot", x)
    axis = axis % (x.ndim + 1)
    shape = [1] * (x.ndim + 1)
    shape[axis] = num_classes
    classes = lax.reshape(lax.iota(x.dtype, num_classes), shape)
    return (lax.expand_dims(x, (axis,)) == classes).astype(dtype)
