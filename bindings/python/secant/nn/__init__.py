"""Functions of neural networks, as jax.nn."""

import numpy as np

from secant import lax, numpy as jnp
from secant._custom import custom_jvp
from secant._eager import called, op
from secant._trace import tracer
from secant.numpy._common import arraylike, axes_of, inexact


def _with_jvp(name, function, slope):
    """`function` as one with a derivative of its own: slope(x, tangent)."""

    def jvp(primals, tangents):
        return f(*primals), slope(*primals, *tangents)

    f = custom_jvp(called(function, 1, name))
    f.__name__ = name
    f.defjvp(jvp)
    return f


_relu = _with_jvp("relu", lambda x: jnp.maximum(x, 0), lambda x, t: jnp.where(x > 0, t, jnp.zeros_like(t)))


@op(1)
def relu(x):
    """max(x, 0), with derivative 0 at 0."""
    return _relu(tracer(x))


_relu6 = _with_jvp(
    "relu6",
    lambda x: jnp.minimum(jnp.maximum(x, 0), 6.0),
    lambda x, t: jnp.where((x > 0) & (x < 6), t, jnp.zeros_like(t)),
)


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


@op(1, call="silu")
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


@op(1, call="log_softmax")
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
def standardize(x, axis=-1, mean=None, variance=None, epsilon=1e-5, where=None, *, algorithm="fast"):
    """(x - mean) / sqrt(variance + epsilon)."""
    x = arraylike("standardize", x)
    mean = jnp.mean(x, axis, keepdims=True, where=where) if mean is None else mean
    if variance is None:
        if algorithm not in ("fast", "stable"):
            raise ValueError(f"Unknown algorithm '{algorithm}'. Expected 'fast' or 'stable'.")
        if algorithm == "stable":
            variance = jnp.mean(jnp.square(x - mean), axis, keepdims=True, where=where)
        else:
            variance = jnp.maximum(jnp.mean(jnp.square(x), axis, keepdims=True, where=where) - jnp.square(mean), 0)
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


def identity(x):
    """x as an array."""
    return jnp.asarray(x)


@op(1)
def tanh(x):
    """Hyperbolic tangent."""
    return jnp.tanh(x)


@op(1)
def squareplus(x, b=4):
    """(x + sqrt(x² + b)) / 2."""
    x = inexact(arraylike("squareplus", x))
    return 0.5 * (x + jnp.sqrt(jnp.square(x) + b))


@op(1)
def sparse_plus(x):
    """0 below -1, x above 1, (x + 1)² / 4 between."""
    x = arraylike("sparse_plus", x)
    return jnp.where(x <= -1.0, 0.0, jnp.where(x >= 1.0, x, (x + 1.0) ** 2 / 4))


@op(1)
def sparse_sigmoid(x):
    """(x + 1) / 2 held between 0 and 1."""
    return 0.5 * jnp.clip(arraylike("sparse_sigmoid", x) + 1.0, 0.0, 2.0)


@op(1)
def log1mexp(x):
    """log(1 - exp(-x))."""
    x = inexact(arraylike("log1mexp", x))
    return jnp.where(x < np.log(2.0).item(), jnp.log(-jnp.expm1(-x)), jnp.log1p(-jnp.exp(-x)))


@op(1)
def logmeanexp(x, axis=None, where=None, keepdims=False):
    """log(mean(exp(x)))."""
    total = logsumexp(x, axis, keepdims=keepdims, where=where)
    count = jnp.sum(jnp.ones_like(arraylike("logmeanexp", x)), axis, keepdims=keepdims, where=where)
    return total - jnp.log(count)


def dot_product_attention(query, key, value, bias=None, mask=None, *, scale=None, is_causal=False, **options):
    """softmax(scale q kᵀ + bias) v for [(batch,) length, heads, features]; `mask` is True where a place may be seen.

    Groups of query heads share key heads where there are fewer of these.
    """
    unknown = [name for name, given in options.items() if given is not None and name != "implementation"]
    if unknown:
        raise NotImplementedError(f"dot_product_attention: {', '.join(unknown)} not available in this version")
    return _attention(query, key, value, bias, mask, scale, bool(is_causal))


@op(5)
def _attention(q, k, v, bias, mask, scale, causal):
    q, k, v = arraylike("dot_product_attention", q, k, v)
    single = q.ndim == 3
    if single:
        q, k, v = (x[None] for x in (q, k, v))
    heads, features = q.shape[2], q.shape[3]
    k, v = (jnp.repeat(x, heads // x.shape[2], 2) for x in (k, v))
    logits = jnp.einsum("btnh,bsnh->bnts", q, k) * (features**-0.5 if scale is None else scale)
    if bias is not None:
        logits = logits + bias
    if causal:
        seen = jnp.tri(q.shape[1], k.shape[1], dtype=bool)
        mask = seen if mask is None else seen & mask
    if mask is not None:
        logits = jnp.where(mask, logits, -0.7 * np.finfo(np.float32).max.item())
    out = jnp.einsum("bnts,bsnh->btnh", softmax(logits, -1).astype(v.dtype), v)
    return out[0] if single else out


from secant.nn import initializers  # noqa: E402,F401
