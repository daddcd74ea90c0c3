"""Sorts, order statistics, sets, random orders: the values that JAX gives."""

import numpy as np
import pytest
import secant
from secant import _permutation, random
from secant.lax import _sort
from secant.numpy import _sets, _sorting

nan, inf = np.nan, np.inf


def f(*xs):
    return np.array(xs, np.float32)


def same(given, expected):
    given = np.asarray(given)
    expected = np.asarray(expected, given.dtype)
    np.testing.assert_array_equal(given, expected)
    if given.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(given[given == 0]), np.signbit(expected[expected == 0]))


def test_order_of_floats():
    same(_sorting.sort(f(nan, 1, -0.0, 0.0, -inf, inf)), [-inf, -0.0, 0.0, 1, inf, nan])
    same(_sorting.sort(f(3, nan, 1), descending=True), [nan, 3, 1])
    same(_sorting.argsort(f(0.0, -0.0, nan, -nan, -1)), [4, 0, 1, 2, 3])
    same(_sorting.argsort(f(1, 1, 0), descending=True), [0, 1, 2])


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint16", "uint32", "float16", "float32", "bool"])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_as_numpy(dtype, axis):
    x = np.random.default_rng(0).integers(-90, 90, (60, 70)).astype(dtype)
    same(_sorting.sort(x, axis), np.sort(x, axis))
    same(_sorting.argsort(x, axis), np.argsort(x, axis, kind="stable"))


def test_several_operands():
    a, b = np.array([2, 1, 2, 1], np.int32), np.array([3, 4, 1, 2], np.int32)
    for keys, expected in ((1, [4, 2, 3, 1]), (2, [2, 4, 1, 3])):
        for given, wanted in zip(_sort.sort((a, b), num_keys=keys), ([1, 1, 2, 2], expected)):
            same(given, wanted)
    same(_sorting.lexsort((a, b)), np.lexsort((a, b)))
    with pytest.raises(ValueError, match="num_keys"):
        _sort.sort((a, b), num_keys=3)


def test_top_k():
    for x, k, values, places in (
        (f(1, nan, 3, nan, inf), 3, [nan, nan, inf], [1, 3, 4]),
        (f(0.0, -0.0, 0.0), 3, [0.0, 0.0, -0.0], [0, 2, 1]),
        (f(1, 3, 3, 2), 2, [3, 3], [1, 2]),
    ):
        given = _sort.top_k(x, k)
        same(given[0], values)
        same(given[1], places)
    with pytest.raises(ValueError):
        _sort.top_k(f(1, 2), 3)


def test_derivatives():
    out, tangent = secant.jvp(_sorting.sort, (f(2, 1, 1),), (f(10, 20, 30),))
    same(out, [1, 1, 2])
    same(tangent, [20, 30, 10])
    same(secant.grad(_sorting.median)(f(1, 2, 3, 4)), [0, 0.5, 0.5, 0])
    same(secant.grad(lambda a: (_sort.top_k(a, 2)[0] ** 2).sum())(f(1, 3, 2)), [0, 6, 4])


@pytest.mark.parametrize("method", _sorting._METHODS)
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2)])
def test_quantiles(method, axis):
    x = np.random.default_rng(1).standard_normal((5, 4, 6)).astype(np.float32)
    q = f(0, 0.3, 0.9, 1)
    for keepdims in (False, True):
        given = _sorting.quantile(x, q, axis, method=method, keepdims=keepdims)
        np.testing.assert_allclose(np.asarray(given), np.quantile(x, q, axis, method=method, keepdims=keepdims), 1e-4, 1e-5)


def test_missing_values():
    x = f(3, nan, 1, 2, 9)
    assert np.isnan(_sorting.median(x))
    same(_sorting.nanmedian(x), 2.5)
    same(_sorting.nanpercentile(x, 50), 2.5)


def test_sets():
    found, first, inverse, counts = _sets.unique(f(3, 1, 3, 2), True, True, True)
    for given, expected in ((found, [1, 2, 3]), (first, [1, 3, 0]), (inverse, [2, 0, 2, 1]), (counts, [1, 1, 2])):
        same(given, expected)
    same(_sets.unique(f(3, 1, 3), size=4, fill_value=7), [1, 3, 7, 7])
    same(_sets.setdiff1d(f(1, 2, 3), f(2)), [1, 3])
    with pytest.raises(secant.errors.ConcretizationTypeError):
        secant.jit(_sets.unique)(f(1, 2))


def test_random_orders():
    for seed, order in ((0, [0, 1, 5, 6, 4, 3, 2, 7]), (1, [7, 6, 3, 2, 0, 1, 5, 4]), (2, [2, 4, 7, 1, 6, 3, 5, 0])):
        same(_permutation.permutation(random.PRNGKey(seed), 8), order)
    same(_permutation.choice_without_replacement(random.PRNGKey(1), 5, (3,), None, 0), [3, 2, 0])
