"""Names of jax.numpy that others are built on: ufunc objects, sets of a fixed size, histograms, weighted quantiles."""

import inspect

import pytest

import secant.numpy as jnp
from peer import agree, needs_jax

ROWS = """
jnp.add.reduce(M), jnp.add.reduce(M, axis=None), jnp.add.reduce(M, axis=1, keepdims=True), jnp.add.reduce(x, initial=2.0), jnp.add.accumulate(M, axis=1), jnp.add.outer(x, y), jnp.add.reduceat(x, i(0, 2, 1))
jnp.multiply.reduce(M), jnp.multiply.accumulate(x), jnp.multiply.outer(x, M), jnp.multiply.reduceat(M, i(0, 1), axis=1), jnp.maximum.reduce(M, axis=1), jnp.minimum.reduce(y), jnp.maximum.accumulate(y), jnp.minimum.reduceat(y, i(0, 3))
jnp.subtract.reduce(x), jnp.subtract.accumulate(x), jnp.subtract.outer(x, y), jnp.logaddexp.reduce(x), jnp.logaddexp2.accumulate(x), jnp.bitwise_or.reduce(i(1, 2, 4)), jnp.bitwise_and.reduce(i(7, 3)), jnp.bitwise_xor.accumulate(i(1, 3, 7))
jnp.logical_and.reduce(M > 0), jnp.logical_or.reduce(M > 0, axis=1), jnp.logical_xor.reduce(x > 2), jnp.logical_and.accumulate(x < 3)
jnp.add.at(x, i(0, 0), 5.0, inplace=False), jnp.multiply.at(x, i(0, 0, 1), 2.0, inplace=False), jnp.subtract.at(x, i(1), 5.0, inplace=False), jnp.maximum.at(x, i(1), 50.0, inplace=False), jnp.negative.at(x, i(1, 3), inplace=False)
jnp.frompyfunc(lambda a, b: a * b + 1, 2, 1)(x, y), jnp.frompyfunc(jnp.sin, 1, 1)(M), jnp.frompyfunc(lambda a: (a, -a), 1, 2)(x), jnp.frompyfunc(lambda a, b: a * b, 2, 1).outer(x, y)
jnp.add.nin, jnp.add.nout, jnp.add.nargs, jnp.add.identity, jnp.maximum.identity is None, isinstance(jnp.add, jnp.ufunc), isinstance(jnp.sin, jnp.ufunc)
jit(jnp.add.reduce)(M), vmap(jnp.multiply.reduce)(M), grad(lambda a: jnp.multiply.accumulate(a).sum())(x), grad(lambda a: jnp.frompyfunc(lambda u, v: u * v, 2, 1).reduce(a))(x), jit(lambda a: jnp.subtract.reduceat(a, i(0, 2)))(x)
jnp.unique(i(5, 3, 3, 9), True, True, True, size=5), jnp.unique(i(5, 3, 3, 9), True, True, True, size=2), jnp.unique(i(5, 3, 3, 9), size=6, fill_value=-1), jnp.unique(f(np.nan, 1, np.nan), size=4), jnp.unique(f(np.nan, 1, np.nan), equal_nan=False, return_counts=True, size=4)
jit(lambda a: jnp.unique(a, return_counts=True, size=4, fill_value=0))(i(5, 3, 3, 9)), jnp.unique(i(1, 2, 1, 2, 0, 5).reshape(3, 2), axis=0, size=3), jnp.unique(i(1, 2, 1, 2, 0, 5).reshape(3, 2), True, True, True, axis=0), jnp.unique(M, axis=1, size=2), vmap(lambda a: jnp.unique(a, size=3))(i(1, 1, 2, 3, 4, 4).reshape(2, 3))
jnp.union1d(i(5, 3, 3, 9), i(3, 7), size=7), jnp.intersect1d(i(5, 3, 3, 9), i(3, 7), size=4), jnp.setdiff1d(i(5, 3, 3, 9), i(3, 7), size=4), jnp.setxor1d(i(5, 3, 3, 9), i(3, 7), size=6)
jnp.union1d(i(5, 3), i(3, 7), size=7, fill_value=-1), jnp.intersect1d(i(5, 3), i(3, 7), size=4, fill_value=-1), jnp.setdiff1d(i(5, 3), i(3), size=4, fill_value=-1), jnp.setxor1d(i(5, 3), i(3, 7), size=6, fill_value=-1), jit(lambda a, b: jnp.union1d(a, b, size=5))(i(5, 3), i(3, 7))
jnp.intersect1d(i(5, 3, 3, 9), i(3, 5), return_indices=True), jnp.intersect1d(i(1, 2), i(3)), jnp.setdiff1d(i(5, 3, 9), i(3), assume_unique=True), jnp.union1d(f(1), f(0, 1))
tuple(jnp.unique_all(i(3, 1, 3))), tuple(jnp.unique_counts(i(3, 1, 3))), tuple(jnp.unique_inverse(i(3, 1, 3))), jnp.unique_values(i(3, 1, 3)), jnp.unique_values(i(3, 1, 3), size=3)
jnp.histogram2d(x, y, 3), jnp.histogram2d(x, y, [2, 3], density=True), jnp.histogram2d(x, y, (f(0, 2, 5), f(-1, 1, 4))), jnp.histogram2d(x, y, 2, range=[[0, 4], [-1, 1]], weights=x)
jnp.histogramdd(S, 2), jnp.histogramdd(S, [2, 3, 1], weights=f(1, 2, 3)), jnp.histogramdd(S, 3, density=True), jnp.histogramdd(S, 2, range=[(0, 4), None, (0, 3)]), jit(lambda a: jnp.histogramdd(a, 2)[0])(S)
jnp.quantile(x, f(0.1, 0.5), method='inverted_cdf'), jnp.quantile(M, 0.4, axis=1, method='inverted_cdf', weights=f(1, 2, 5)), jnp.percentile(x, 30, method='inverted_cdf', weights=f(5, 1, 1, 1, 1)), jnp.nanquantile(f(1, np.nan, 3, 4), f(0, 0.5, 1), method='inverted_cdf'), jnp.quantile(f(1, np.nan), 0.5, method='inverted_cdf'), jnp.quantile(M, f(0.2, 0.9), axis=0, method='inverted_cdf', keepdims=True)
jnp.quantile(M, f(0.25, 0.5), axis=(0, 1), keepdims=True), jnp.quantile(x, 0.3, method='lower'), jnp.quantile(x, 0.3, method='higher'), jnp.quantile(x, 0.3, method='nearest'), jnp.quantile(x, 0.3, method='midpoint'), grad(lambda a: jnp.quantile(a, 0.3))(x), vmap(lambda a: jnp.nanmedian(a))(M)
jnp.diff(x, prepend=0.0), jnp.diff(x, append=f(9, 10)), jnp.diff(M, n=2, axis=1, prepend=1.0), jnp.diff(M, axis=0, append=M), jnp.diff(x, 0)
jnp.nansum(f(1, np.nan, 3), initial=2.0), jnp.nansum(f(1, np.nan, 3), where=x[:3] > 1), jnp.nanprod(f(2, np.nan, 3), initial=5.0), jnp.nanmean(f(1, np.nan, 3), where=x[:3] < 3), jnp.nanmax(f(1, np.nan), initial=0.0), jnp.nanmin(f(1, np.nan, -2), where=x[:3] < 3, initial=9.0), jnp.nansum(i(1, 2), dtype='float32')
jnp.var(x, mean=3.0), jnp.std(M, axis=1, mean=jnp.mean(M, axis=1, keepdims=True)), jnp.nanvar(f(1, np.nan, 3), mean=2.0), jnp.nanstd(f(1, np.nan, 3), mean=2.0)
jnp.extract(x > 2, x), jnp.extract(x > 2, x, size=2), jnp.extract(x > 2, x, size=5, fill_value=-1), jit(lambda a: jnp.nonzero(a > 1, size=5, fill_value=-1))(M), jit(lambda a: jnp.argwhere(a > 1, size=2))(M), jit(lambda a: jnp.where(a > 4, size=3))(x), jit(lambda a: jnp.flatnonzero(a, size=9, fill_value=7))(M), jit(lambda a: jnp.extract(a > 2, a, size=4))(x), jnp.dsplit(jnp.arange(8.0).reshape(2, 2, 2), 2), jnp.trim_zeros(f(0, 0, 1, 0).reshape(2, 2)), jnp.trim_zeros(f(0, 0, 1, 0).reshape(2, 2), axis=0)
jnp.einsum(M, [0, 1], M, [2, 1], [0, 2]), jnp.einsum(M, [0, 1], [1, 0]), jnp.einsum(S, [0, 0]), jnp.einsum(M, [Ellipsis, 1], f(1, 2, 3), [1]), jnp.einsum('ij,jk', M, S, optimize='greedy'), jnp.einsum_path('ij,jk,kl->il', M, S, S)[0]
jnp.i0(f(0, 1, -2, 10)), jnp.i0(2), grad(jnp.i0)(1.5)
jnp.issubdtype(jnp.float32, jnp.floating), jnp.issubdtype(arg1='int8', arg2=jnp.integer), jnp.isscalar(element=3.0), jnp.zeros((2,), out_sharding=None), jnp.empty_like(prototype=x).shape
"""
MISTAKES = [
    (lambda: jnp.add(1, 2, out=jnp.ones(())), NotImplementedError, "out"),
    (lambda: jnp.logical_and(1, 2, where=True), NotImplementedError, "where"),
    (lambda: jnp.negative.reduce(jnp.ones(3)), ValueError, "binary"),
    (lambda: jnp.add.at(jnp.ones(3), 0, 1.0), NotImplementedError, "immutable"),
    (lambda: jnp.frompyfunc(3, 1, 1), TypeError, "callable"),
    (lambda: jnp.quantile(jnp.ones(3), 0.5, weights=jnp.ones(3)), NotImplementedError, "inverted_cdf"),
    (lambda: jnp.quantile(jnp.ones(3), 0.5, method="median"), ValueError, "method"),
    (lambda: jnp.unique(jnp.zeros(0), size=2), ValueError, "fill_value"),
    (lambda: jnp.histogramdd(jnp.ones((3, 2)), [1]), ValueError, "bin"),
    (lambda: jnp.diff(jnp.ones(3), -1), ValueError, "order"),
    (lambda: jnp.einsum("ij->i", jnp.ones((2, 2)), out=1), NotImplementedError, "out"),
]


@needs_jax
@pytest.mark.parametrize("row", ROWS.strip().split("\n"))
def test_row(row):
    agree(row, weak=False)


@pytest.mark.parametrize("call, error, text", MISTAKES)
def test_mistake(call, error, text):
    with pytest.raises(error, match=text):
        call()


def _parameters(function):
    while hasattr(function, "__wrapped__") and not inspect.isfunction(function):
        function = function.__wrapped__
    try:
        return inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None


@needs_jax
@pytest.mark.parametrize("module", ["numpy", "numpy.linalg", "lax", "random", "nn"])
def test_signatures(module):
    """Every keyword and every positional place that JAX has is taken."""
    from importlib import import_module

    ours, theirs = (import_module(f"{name}.{module}") for name in ("secant", "jax"))
    P, wrong = inspect.Parameter, []
    for name in sorted(n for n in dir(theirs) if not n.startswith("_") and hasattr(ours, n)):
        want, have = _parameters(getattr(theirs, name)), _parameters(getattr(ours, name))
        if want is None or have is None or inspect.isclass(getattr(theirs, name)) or inspect.isclass(getattr(ours, name)):
            continue
        kinds = {p.kind for p in have}
        places = [p for p in have if p.kind in (P.POSITIONAL_ONLY, P.POSITIONAL_OR_KEYWORD)]
        wanted = [p for p in want if p.kind in (P.POSITIONAL_ONLY, P.POSITIONAL_OR_KEYWORD)]
        keywords = {p.name for p in have if p.kind in (P.KEYWORD_ONLY, P.POSITIONAL_OR_KEYWORD)}
        if P.VAR_POSITIONAL not in kinds and (
            len(places) < len(wanted)
            or any(b.kind is not P.POSITIONAL_ONLY and a.name != b.name for a, b in zip(places, wanted))
        ):
            wrong.append(name)
        missing = {p.name for p in want if p.kind in (P.KEYWORD_ONLY, P.POSITIONAL_OR_KEYWORD)} - keywords
        if P.VAR_KEYWORD not in kinds and missing:
            wrong.append(f"{name}({', '.join(sorted(missing))})")
    assert wrong == []
