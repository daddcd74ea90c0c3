"""Convolutions and reductions of windows: values, derivatives and maps as JAX gives them in 64 bits."""

import numpy as np
import pytest
import secant
import secant.numpy as sjnp
from secant import lax
from secant.scipy import signal

try:
    import jax
    import jax.scipy.signal
except ImportError:
    jax = None

needs_jax = pytest.mark.skipif(jax is None, reason="JAX is not installed")
TOLERANCE = {"float64": 1e-12, "float32": 3e-5, "float16": 2e-2}


def made(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def in_jax(run):
    """run(jax), compiled as one program: that takes JAX a tenth of the time."""
    with jax.enable_x64(True):
        return jax.tree.map(np.asarray, jax.jit(lambda: run(jax))())


def close(got, want, dtype="float64"):
    got, want = secant.tree_util.tree_leaves(got), jax.tree.leaves(want)
    assert len(got) == len(want)
    for g, w in zip(got, want):
        g = np.asarray(g)
        assert g.shape == w.shape
        scale = max(1.0, np.abs(w).max(initial=0))
        np.testing.assert_allclose(g.astype(np.float64), w, rtol=0, atol=TOLERANCE[dtype] * scale)


def derivatives(api, f, args, tangents, weights):
    """Value, both derivatives, and the derivative of the squared gradient (the second one)."""

    def loss(*a):
        return (f(api, *a) * weights).sum()

    def steep(*a):
        return sum((g * g).sum() for g in api.grad(loss, tuple(range(len(a))))(*a))

    value, tangent = api.jvp(lambda *a: f(api, *a), tuple(args), tuple(tangents))
    return value, tangent, api.grad(loss, tuple(range(len(args))))(*args), api.jit(api.grad(steep, tuple(range(len(args)))))(*args)


NHC, NHWC, NHWDC = ("NHC", "HIO", "NHC"), ("NHWC", "HWIO", "NHWC"), ("NHWDC", "HWDIO", "NHWDC")

# lhs, rhs, strides, padding, and what else conv_general_dilated is told
CONVOLUTIONS = [
    ((1, 2, 8), (3, 2, 3), (1,), "SAME", {}),
    ((2, 3, 9), (4, 3, 4), (2,), "SAME_LOWER", {}),
    ((2, 3, 9), (4, 3, 4), (3,), "VALID", {}),
    ((2, 3, 9), (4, 3, 4), (1,), [(-2, 3)], {}),
    ((2, 9, 3), (4, 3, 5), (2,), "SAME", dict(dimension_numbers=NHC)),
    ((2, 3, 5), (4, 3, 3), (1,), [(2, 1)], dict(lhs_dilation=(3,))),
    ((2, 3, 5), (4, 3, 3), (2,), [(-1, 4)], dict(lhs_dilation=(3,), rhs_dilation=(2,))),
    ((2, 3, 9), (4, 3, 3), (1,), "VALID", dict(rhs_dilation=(2,))),
    ((2, 4, 7), (6, 2, 3), (1,), "SAME", dict(feature_group_count=2)),
    ((2, 4, 7), (4, 1, 3), (2,), "SAME", dict(feature_group_count=4)),
    ((4, 3, 7), (6, 3, 3), (1,), "SAME", dict(batch_group_count=2)),
    ((4, 3, 7), (4, 3, 3), (1,), [(1, 0)], dict(batch_group_count=4, lhs_dilation=(2,))),
    ((3, 5), (4, 5), (), [], {}),
    ((2, 3, 6, 7), (4, 3, 3, 2), (1, 1), "SAME", {}),
    ((2, 3, 6, 7), (4, 3, 3, 2), (2, 1), [(1, 0), (-1, 2)], dict(rhs_dilation=(1, 3))),
    ((2, 6, 7, 3), (3, 2, 3, 4), (1, 2), "SAME", dict(dimension_numbers=NHWC)),
    ((2, 6, 7, 3), (1, 1, 3, 4), (1, 1), "VALID", dict(dimension_numbers=NHWC)),
    ((2, 6, 7, 4), (3, 3, 1, 4), (1, 1), "SAME", dict(dimension_numbers=NHWC, feature_group_count=4)),
    ((2, 6, 7, 4), (3, 3, 1, 8), (2, 2), "SAME", dict(dimension_numbers=NHWC, feature_group_count=4)),
    ((6, 7, 2, 3), (4, 3, 3, 2), (1, 1), "SAME", dict(dimension_numbers=("HWNC", "OIHW", "CNWH"))),
    ((2, 6, 3, 7), (3, 4, 2, 3), (2, 1), "VALID", dict(dimension_numbers=("NHCW", "IOWH", "NWCH"))),
    ((2, 3, 4, 5, 3), (2, 1, 3, 3, 4), (1, 2, 1), "SAME", dict(dimension_numbers=NHWDC)),
    ((1, 2, 4, 5, 3), (4, 2, 2, 3, 2), (1, 1, 1), [(1, 1), (0, 2), (0, 0)], dict(lhs_dilation=(1, 2, 1))),
    ((2, 3, 4), (5, 3, 9), (1,), "VALID", {}),
    ((0, 3, 9), (4, 3, 4), (1,), "SAME", {}),
    ((2, 0, 9), (4, 0, 4), (1,), "SAME", {}),
    # large enough for matrix products
    ((2, 14, 15, 16), (3, 3, 16, 24), (1, 1), "SAME", dict(dimension_numbers=NHWC)),
    ((2, 14, 15, 16), (5, 3, 16, 17), (2, 2), "SAME", dict(dimension_numbers=NHWC)),
    ((2, 15, 14, 3), (7, 7, 3, 20), (2, 2), "SAME", dict(dimension_numbers=NHWC)),
    ((2, 16, 14, 15), (24, 16, 3, 3), (1, 1), "SAME", {}),
    ((2, 16, 14, 15), (12, 16, 3, 2), (2, 3), [(-1, 2), (3, 0)], {}),
    ((1, 10, 9, 32), (1, 1, 32, 40), (1, 1), "SAME", dict(dimension_numbers=NHWC)),
    ((2, 12, 9, 32), (3, 3, 8, 40), (1, 1), "SAME", dict(dimension_numbers=NHWC, feature_group_count=4)),
    ((4, 12, 9, 12), (3, 3, 12, 40), (1, 1), "SAME", dict(dimension_numbers=NHWC, batch_group_count=2)),
    ((2, 7, 8, 16), (4, 3, 16, 8), (1, 1), [(3, 3), (2, 2)], dict(dimension_numbers=NHWC, lhs_dilation=(2, 3))),
    ((2, 9, 8, 16), (4, 3, 16, 8), (1, 1), [(3, 3), (2, 2)], dict(dimension_numbers=NHWC, rhs_dilation=(2, 3))),
    ((2, 9, 8, 16), (4, 3, 16, 8), (3, 2), [(3, 3), (2, 2)], dict(dimension_numbers=NHWC, lhs_dilation=(2, 4), rhs_dilation=(3, 2))),
    ((4, 16, 300), (12, 16, 9), (1,), "SAME", {}),
    ((2, 5, 6, 7, 8), (2, 3, 3, 8, 12), (1, 1, 1), "SAME", dict(dimension_numbers=NHWDC)),
    ((1, 1, 4096), (1, 1, 5), (1,), "SAME", {}),
]


@needs_jax
@pytest.mark.parametrize("lhs, rhs, strides, padding, options", CONVOLUTIONS)
def test_convolution(lhs, rhs, strides, padding, options):
    x, y = made(lhs), made(rhs, 1)

    def f(api, x, y):
        return api.lax.conv_general_dilated(x, y, strides, padding, **options)

    i, j = (5 * x).astype(np.int32), (5 * y).astype(np.int32)
    args, tangents = (x, y), (made(lhs, 2), made(rhs, 3))
    whole = f(secant, i, j)
    weights = made(whole.shape, 4)
    want, integers = in_jax(lambda api: (derivatives(api, f, args, tangents, weights), f(api, i.astype("float64"), j.astype("float64"))))
    np.testing.assert_array_equal(whole, integers)
    close(derivatives(secant, f, args, tangents, weights), want)
    for dtype in ("float32", "float16"):
        got = f(secant, x.astype(dtype), y.astype(dtype))
        assert got.dtype == dtype
        close(got, want[0], dtype)


@needs_jax
@pytest.mark.parametrize("case", [0, 6, 8, 10, 15, 17, 19, 21, 26, 32, 33, 34])
@pytest.mark.parametrize("axes", [(0, None), (None, 1), (1, 0)])
def test_convolution_of_lanes(case, axes):
    lhs, rhs, strides, padding, options = CONVOLUTIONS[case]
    lanes = [shape if a is None else (*shape[:a], 3, *shape[a:]) for shape, a in zip((lhs, rhs), axes)]
    x, y = made(lanes[0]), made(lanes[1], 1)

    def run(api):
        def f(x, y):
            return api.lax.conv_general_dilated(x, y, strides, padding, **options)

        def pull(x, y):
            return api.grad(lambda x, y: (f(x, y) ** 2).sum(), (0, 1))(x, y)

        return api.vmap(f, axes)(x, y), api.jit(api.vmap(pull, axes, 1))(x, y)

    close(run(secant), in_jax(run))


TRANSPOSED = [
    ((1, 5, 3), (4, 3, 2), (2,), "SAME", {}),
    ((1, 5, 3), (2, 3, 2), (3,), "VALID", {}),
    ((1, 5, 2), (4, 3, 2), (2,), "VALID", dict(transpose_kernel=True)),
    ((1, 5, 3), (3, 3, 2), (2,), [(2, 0)], dict(rhs_dilation=(2,))),
    ((1, 5, 3), (3, 3, 2), (2,), [(1, 1)], dict(use_consistent_padding=True)),
    ((2, 5, 6, 16), (3, 4, 16, 12), (2, 2), "SAME", {}),
    ((2, 16, 5, 6), (12, 16, 3, 3), (2, 1), "VALID", dict(dimension_numbers=("NCHW", "OIHW", "NCHW"))),
]


@needs_jax
@pytest.mark.parametrize("lhs, rhs, strides, padding, options", TRANSPOSED)
def test_transposed_convolution(lhs, rhs, strides, padding, options):
    x, y = made(lhs), made(rhs, 1)

    def run(api):
        def f(x, y):
            return api.lax.conv_transpose(x, y, strides, padding, **options)

        return f(x, y), api.grad(lambda *a: (f(*a) ** 2).sum(), (0, 1))(x, y)

    close(run(secant), in_jax(run))


@needs_jax
def test_other_convolutions():
    x, y, z = made((2, 3, 8, 7)), made((4, 3, 3, 2), 1), made((4, 18, 6, 6), 2)
    plane, small = made((6, 5)), made((3, 2), 1)

    def run(api):
        s = api.scipy.signal if api is jax else signal
        lax = api.lax
        vectors = [getattr(api.numpy, f)(made(7), made(n, 1), mode=m) for f in ("convolve", "correlate") for n in (3, 4, 9) for m in ("full", "same", "valid")]
        planes = [getattr(s, f)(*ab, mode=m) for f in ("convolve", "correlate", "convolve2d", "correlate2d") for m in ("full", "same", "valid")
                  for ab in ((plane, small), (small, plane), (plane, plane))]
        return (
            lax.conv(x, y, (2, 1), "SAME"),
            lax.conv_with_general_padding(x, y, (1, 1), [(1, 2), (0, 0)], (2, 1), (1, 2)),
            lax.conv_general_dilated_patches(x, (3, 2), (1, 2), "SAME"),
            lax.conv_general_dilated_patches(x, (2, 2), (1, 1), "VALID", dimension_numbers=("NHWC", "WHIO", "CNHW")),
            lax.conv_general_dilated_local(x, z, (1, 1), "VALID", (3, 2)),
            vectors,
            planes,
        )

    close(run(secant), in_jax(run))
    for f, args in (
        ("conv_shape_tuple", ((2, 3, 9), (4, 3, 3), (2,), "SAME")),
        ("conv_general_shape_tuple", ((2, 9, 3), (3, 3, 4), (2,), [(1, 1)], NHC)),
        ("conv_transpose_shape_tuple", ((2, 9, 3), (3, 3, 4), (2,), "SAME", NHC)),
        ("conv_dimension_numbers", ((2, 9, 3), (3, 3, 4), NHC)),
        ("conv_general_permutations", (("HNWC", "OIWH", "CWHN"),)),
        ("reduce_window_shape_tuple", ((5, 7), (2, 3), (1, 2), ((0, 1), (2, 0)), (2, 1), (1, 2))),
        ("padtype_to_pads", ((5, 7), (2, 3), (1, 2), "SAME_LOWER")),
    ):
        assert [tuple(map(np.ravel, np.atleast_1d(np.asarray(v, object)))) for v in getattr(lax, f)(*args)] == [
            tuple(map(np.ravel, np.atleast_1d(np.asarray(v, object)))) for v in getattr(jax.lax, f)(*args)
        ]


@needs_jax
@pytest.mark.parametrize("preferred", ["float32", "float64", "int32", "int64", None])
def test_preferred_types(preferred):
    for dtype in ("float32", "int8") if preferred in (None, "float32") else (("int8",) if preferred[0] == "i" else ("float32",)):
        x, y = (3 * made((2, 3, 8))).astype(dtype), (3 * made((4, 3, 3), 1)).astype(dtype)
        got = lax.conv_general_dilated(x, y, (1,), "SAME", preferred_element_type=preferred)
        want = in_jax(lambda api: api.lax.conv_general_dilated(x, y, (1,), "SAME", preferred_element_type=preferred))
        assert got.dtype == want.dtype
        close(got, want, "float32")


WINDOWS = [
    ((9,), dict(window_dimensions=(3,))),
    ((9,), dict(window_dimensions=(3,), window_strides=(2,), padding=[(1, 1)], window_dilation=(2,))),
    ((9,), dict(window_dimensions=(2,), padding="SAME_LOWER", window_strides=(2,))),
    ((9,), dict(window_dimensions=(2,), padding=[(-2, 3)], base_dilation=(2,))),
    ((4,), dict(window_dimensions=(6,), padding="VALID")),
    ((5, 7), dict(window_dimensions=(2, 3), window_strides=(2, 1), padding="SAME", base_dilation=(1, 1), window_dilation=(1, 2))),
    ((2, 8, 9, 3), dict(window_dimensions=(1, 2, 2, 1), window_strides=(1, 2, 2, 1))),
    ((2, 8, 9, 3), dict(window_dimensions=(1, 3, 3, 1), window_strides=(1, 2, 2, 1), padding="SAME")),
    ((2, 3, 8, 9), dict(window_dimensions=(1, 1, 2, 2), window_strides=(1, 1, 2, 2), padding=[(0, 0), (0, 0), (1, 1), (1, 0)])),
    ((3, 70), dict(window_dimensions=(1, 33), window_strides=(1, 2))),
    ((300,), dict(window_dimensions=(77,), window_strides=(1,), padding="SAME")),
    ((12, 13), dict(window_dimensions=(6, 7), window_strides=(1, 1), padding="SAME")),
    ((0, 3), dict(window_dimensions=(1, 2))),
]


@needs_jax
@pytest.mark.parametrize("shape, options", WINDOWS)
@pytest.mark.parametrize("kind, init", [("add", 0.0), ("max", -np.inf), ("min", np.inf), ("mul", 1.0)])
def test_windows(shape, options, kind, init):
    x = made(shape).round(1)  # with ties
    if kind == "mul" and x.size > 50:
        x = 1 + x / 100

    def f(api, x):
        return api.lax.reduce_window(x, init, getattr(api.lax, kind), **options)

    t, weights = made(shape, 1), made(f(secant, x).shape, 2)
    dilates = bool(options.get("base_dilation") or options.get("window_dilation"))
    dtypes = {d: (np.abs(10 * x) if d == "uint8" else x if d[0] == "f" and kind == "mul" else 10 * x).astype(d) for d in ("float32", "float16", "int32", "uint8")}
    starts = {d: np.array(init, d) if kind in ("add", "mul") or d[0] == "f" else np.array(getattr(np.iinfo(d), "min" if kind == "max" else "max"), d) for d in dtypes}

    def run(api):
        def pool(x):
            return f(api, x)

        def pull(x):
            return api.grad(lambda x: (pool(x) ** 2 * weights).sum())(x)

        out = [pool(x), api.vmap(pool, 1, 1)(np.stack([x, t], 1))]
        if kind != "mul" and not (dilates and kind != "add"):  # JAX has no derivative for the others
            out += [api.jvp(pool, (x,), (t,)), pull(x), api.jvp(pull, (x,), (t,))[1]]
        return out

    def others(api):
        wide = {d: (y.astype("float64"), init) if d[0] == "f" else (y, starts[d]) for d, y in dtypes.items()}
        return {d: api.lax.reduce_window(y, start, getattr(api.lax, kind), **options) for d, (y, start) in wide.items()}

    want, wide = in_jax(lambda api: (run(api), others(api)))
    close(run(secant), want)
    tangent = np.asarray(secant.jvp(lambda x: f(secant, x), (x,), (t,))[1])
    pulled = np.asarray(secant.grad(lambda x: (f(secant, x) * weights).sum())(x))
    np.testing.assert_allclose((tangent * weights).sum(), (pulled * t).sum(), rtol=1e-10)
    for dtype, y in dtypes.items():
        got = lax.reduce_window(y, starts[dtype], getattr(lax, kind), **options)
        assert got.dtype == dtype
        close(got, wide[dtype], dtype) if dtype[0] == "f" else np.testing.assert_array_equal(got, wide[dtype])


@needs_jax
def test_other_reducers():
    x, y = made((5, 7)), made((5, 7), 1)
    options = dict(window_dimensions=(2, 3), window_strides=(1, 2), padding=[(1, 0), (0, 1)])

    def run(api):
        lax, jnp = api.lax, api.numpy

        def log_sum(x):
            return lax.reduce_window(x, -np.inf, jnp.logaddexp, **options)

        pair = lax.reduce_window((x, y), (0.0, 1.0), lambda a, b: (a[0] + b[0] * b[1], a[1] * b[1]), **options)
        return (
            log_sum(x),
            api.jvp(log_sum, (x,), (y,))[1],
            pair,
            lax.reduce_window(x, 10.0, lax.add, **options),
            lax.reduce_window(x, 0.5, lax.max, **options),
            lax.reduce_window((x * 10).astype(np.int32), np.int32(7), lax.add, **options),
            lax.reduce_window(x > 0, False, lax.bitwise_or, **options),
            lax.reduce_window(x > 0, True, lax.bitwise_and, **options),
            lax.reduce_window(x > 0, False, lax.max, **options),
        )

    close(run(secant), in_jax(run))


def test_first_of_equals():
    x = np.array([1, 1, 1, np.nan, 2], np.float32)

    def pool(x):
        return lax.reduce_window(x, -np.inf, lax.max, (2,), (1,), "VALID")

    np.testing.assert_array_equal(pool(x), [1, 1, np.nan, np.nan])
    np.testing.assert_array_equal(secant.grad(lambda x: pool(x).sum())(x), [1, 1, 0, 2, 0])
    low = np.full(3, -np.inf, np.float32)
    np.testing.assert_array_equal(secant.grad(lambda x: lax.reduce_window(x, -np.inf, lax.max, (2,), (1,), [(1, 1)]).sum())(low), [2, 1, 1])


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: lax.conv(np.ones((1, 2, 5)), np.ones((1, 3, 2)), (1,), "SAME"), ValueError, "lhs feature dimension"),
        (lambda: lax.conv(np.ones((1, 2, 5)), np.ones((1, 2, 2)), (1,), "SOME"), RuntimeError, "SAME_LOWER"),
        (lambda: lax.conv(np.ones((1, 2, 5)), np.ones((1, 2, 2)), (1, 1), "SAME"), ValueError, "window_strides"),
        (lambda: lax.conv(np.ones((1, 2, 5)), np.ones((1, 2, 2)), (0,), [(0, 0)]), Exception, "at least 1"),
        (lambda: lax.conv(np.ones((1, 2, 5), "f"), np.ones((1, 2, 2), "i"), (1,), "SAME"), TypeError, "same dtypes"),
        (lambda: lax.conv(np.ones((1, 2, 5)), np.ones((1, 2, 2)), (1,), [(-9, 0)]), ValueError, "Negative padding"),
        (lambda: lax.conv_general_dilated(np.ones((1, 2, 5)), np.ones((1, 2, 2)), (1,), "SAME", (2,)), ValueError, "conv_transpose"),
        (lambda: lax.conv_dimension_numbers((1, 2), (1, 2), ("NC", "OI", "NX")), TypeError, "exactly once"),
        (lambda: lax.reduce_window(np.ones(5), 0.0, lax.add, (2, 2)), TypeError, "wrong number"),
        (lambda: lax.reduce_window(np.ones(5), 0.0, lax.add, (0,)), TypeError, "positive"),
        (lambda: lax.reduce_window(np.ones(5, "f"), np.int32(3), lax.add, (2,)), TypeError, "dtypes"),
        (lambda: signal.convolve(np.ones((2, 3)), np.ones((3, 2))), ValueError, "every dimension"),
        (lambda: sjnp.convolve(np.ones((2, 3)), np.ones(2)), ValueError, "1-dimensional"),
    ],
)
def test_mistakes(call, error, words):
    with pytest.raises(error, match=words):
        call()
