"""The programs that several benchmarks time, each one text for JAX and Secant, and their inputs."""
import numpy


def random(*shape, scale=1.0, seed=0):
    """f32 normal numbers, the same for every peer."""
    return (scale * numpy.random.default_rng(seed).standard_normal(shape)).astype(numpy.float32)


def chain(api):
    """Elementwise arithmetic around one tanh."""
    np = api.numpy
    return lambda x, y: np.tanh(x * y + 1) * x - y


def chain_inputs():
    return random(1024, 1024), random(1024, 1024, seed=1)


def logsumexp(np, x):
    """log(sum(exp(x))) along the last axis, which is kept."""
    top = np.max(x, axis=-1, keepdims=True)
    return np.log(np.sum(np.exp(x - top), axis=-1, keepdims=True)) + top


def softmax(np, x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def layernorm(api, x, gain, shift):
    """Ba, Kiros, Hinton, arXiv:1607.06450, over the last axis."""
    np = api.numpy
    d = x - np.mean(x, axis=-1, keepdims=True)
    return d * api.lax.rsqrt(np.mean(d * d, axis=-1, keepdims=True) + 1e-5) * gain + shift


def gelu(np, x):
    """Hendrycks, Gimpel, arXiv:1606.08415, the form with tanh."""
    return 0.5 * x * (1 + np.tanh(0.79788456 * (x + 0.044715 * x * x * x)))


def mlp(api):
    """value_and_grad of the loss of a classifier 784-256-10: softmax and cross entropy."""
    np = api.numpy

    def loss(weights, x, y):
        w1, b1, w2, b2 = weights
        logits = np.maximum(x @ w1 + b1, 0) @ w2 + b2
        return -np.mean(np.sum((logits - logsumexp(np, logits)) * y, axis=-1))

    return api.value_and_grad(loss)


def mlp_inputs():
    weights = (random(784, 256, scale=0.05), random(256, scale=0.05), random(256, 10, scale=0.05), random(10, scale=0.05))
    labels = numpy.eye(10, dtype=numpy.float32)[numpy.arange(128) % 10]
    return weights, random(128, 784, seed=1), labels


def deep(api):
    """value_and_grad of the mean square of 12 residual layers: LayerNorm, matrix, GELU; width 64."""
    np = api.numpy

    def loss(layers, x):
        for w, b, gain, shift in layers:
            x = x + gelu(np, layernorm(api, x, gain, shift) @ w + b)
        return np.mean(x * x)

    return api.value_and_grad(loss)


def deep_inputs():
    layers = [
        (random(64, 64, scale=0.1, seed=i), random(64, scale=0.1), 1 + random(64, scale=0.1), random(64, scale=0.1))
        for i in range(12)
    ]
    return layers, random(32, 64, seed=99)


def rows(api):
    """Name -> (program, inputs): what reads or writes a 1024 x 1024 matrix once or twice."""
    np = api.numpy
    x, ones, zeros = random(1024, 1024), numpy.ones(1024, numpy.float32), numpy.zeros(1024, numpy.float32)
    return {
        "tanh(x*y+1)*x-y": (chain(api), chain_inputs()),
        "softmax": (lambda x: softmax(np, x), (x,)),
        "layernorm": (lambda x, g, b: layernorm(api, x, g, b), (x, ones, zeros)),
        "logsumexp": (lambda x: logsumexp(np, x), (x,)),
        "row sums": (lambda x: np.sum(x, axis=1), (x,)),
        "column sums": (lambda x: np.sum(x, axis=0), (x,)),
    }


def put(api, tree):
    """`tree` with its NumPy arrays as arrays of `api`."""
    if isinstance(tree, (tuple, list)):
        return type(tree)(put(api, branch) for branch in tree)
    return api.numpy.asarray(tree)
