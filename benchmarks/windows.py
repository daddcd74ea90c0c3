"""Convolutions and pooling, forward and backward, in f32, and a small image network's value_and_grad, on one core and on all."""
import harness
import numpy as np

NHWC = ("NHWC", "HWIO", "NHWC")


def conv(strides, numbers=NHWC, **options):
    return lambda api, x, w: api.lax.conv_general_dilated(x, w, strides, "SAME", dimension_numbers=numbers, **options)


def pool(kind, window, strides, padding):
    start = -np.inf if kind == "max" else 0.0
    return lambda api, x: api.lax.reduce_window(x, start, getattr(api.lax, kind), window, strides, padding)


def network(api, images, w1, w2, w3, w4, targets):
    """Two convolutions with pooling and two dense layers."""
    h = images
    for w in (w1, w2):
        h = pool("max", (1, 2, 2, 1), (1, 2, 2, 1), "VALID")(api, api.nn.relu(conv((1, 1))(api, h, w)))
    h = api.nn.relu(h.reshape((h.shape[0], -1)) @ w3)
    return ((h @ w4 - targets) ** 2).sum()


def data(*shapes):
    random = np.random.default_rng(0)
    return [(random.random(s) - 0.5).astype(np.float32) for s in shapes]


IMAGE, TWO = (8, 56, 56, 64), ((1, 2, 2, 1), (1, 2, 2, 1), "VALID")
CASES = {
    "3x3, 64 to 64": (conv((1, 1)), data(IMAGE, (3, 3, 64, 64))),
    "3x3 by 2, 64 to 128": (conv((2, 2)), data(IMAGE, (3, 3, 64, 128))),
    "3x3, 64 to 64, NCHW": (conv((1, 1), None), data((8, 64, 56, 56), (64, 64, 3, 3))),
    "7x7 by 2, 3 to 64": (conv((2, 2)), data((1, 224, 224, 3), (7, 7, 3, 64))),
    "1x1, 64 to 256": (conv((1, 1)), data(IMAGE, (1, 1, 64, 256))),
    "3x3 of 128 features": (conv((1, 1), feature_group_count=128), data((8, 56, 56, 128), (3, 3, 1, 128))),
    "5 taps on 2^20": (conv((1,), None), data((1, 1, 1 << 20), (1, 1, 5))),
    "max 2x2": (pool("max", *TWO), data(IMAGE)),
    "max 3x3 by 2": (pool("max", (1, 3, 3, 1), (1, 2, 2, 1), "SAME"), data(IMAGE)),
    "sum 2x2": (pool("add", *TWO), data(IMAGE)),
}
NETWORK = data((64, 28, 28, 1), (5, 5, 1, 32), (5, 5, 32, 64), (3136, 128), (128, 10), (64, 10))


def run_of(api, f, inputs):
    compiled, inputs = api.jit(f), [api.numpy.asarray(x) for x in inputs]
    return lambda: harness.wait(compiled(*inputs))


def programs(api):
    """(name, function of arrays, inputs, greatest difference)"""
    for name, (f, inputs) in CASES.items():
        yield name, lambda *a, f=f: f(api, *a), inputs, 2e-5
        (weights,) = data(np.shape(f(api, *inputs)))
        for k, what in enumerate(("input", "kernel")[: len(inputs)]):
            if name.startswith("5 taps") and what == "kernel":
                continue  # five sums of 2^20 products: their rounding is all that differs

            def pull(w, *a, f=f, k=k):
                return api.vjp(lambda x: f(api, *a[:k], x, *a[k + 1 :]), a[k])[1](w)[0]

            yield f"{name}: gradient of the {what}", pull, [weights, *inputs], 2e-4
    yield "network value_and_grad", api.value_and_grad(lambda *a: network(api, *a), (1, 2, 3, 4)), NETWORK, 2e-4


def main():
    apis = harness.apis()
    table = harness.Table("windows: time of a call")
    for same in zip(*(programs(api) for api in apis.values())):
        name, _, inputs, tolerance = same[0]
        cases = {key: run_of(api, f, inputs) for (key, api), (_, f, _, _) in zip(apis.items(), same)}
        harness.agree(name, {key: run() for key, run in cases.items()}, tolerance)
        table.row(name, harness.interleave(cases, seconds=1.0), 1.0)
    table.end()


if __name__ == "__main__":
    harness.on_core_counts(__file__, main)
