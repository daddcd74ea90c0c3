"""The rest of secant.numpy against jax.numpy: polynomials, signals, statistics, indices, mapped functions."""

import numpy as np
import pytest

import secant.numpy as jnp
from peer import agree, needs_jax

ROWS = """
jnp.polyadd(f(1, 2, 3), f(1, 2)), jnp.polysub(f(1, 2), f(1, 2, 3)), jnp.polymul(f(1, 2, 3), f(1, -1)), jnp.polymul(i(1, 2), i(3, 4))
jnp.polydiv(f(1, 2, 3, 4), f(1, 1)), jnp.polydiv(f(1), f(1, 1)), jnp.polyder(f(1, 2, 3, 4)), jnp.polyder(f(1, 2, 3, 4), 2), jnp.polyint(f(1, 2, 3)), jnp.polyint(f(1, 2, 3), 2, k=jnp.array([1., 2.]))
jnp.poly(f(1, 2, 3)), jnp.vander(f(1, 2, 3)), jnp.vander(f(1, 2, 3), 2, increasing=True), jnp.vander(i(1, 2, 3), 4)
jnp.convolve(f(1, 2, 3), f(0, 1, 0.5)), jnp.convolve(f(1, 2, 3, 4), f(0, 1, 0.5), 'same'), jnp.convolve(f(1, 2, 3, 4), f(1, 2), 'valid'), jnp.convolve(i(1, 2), i(1, 2, 3)), jnp.convolve(f(1, 2, 3), f(1, 2), 'same'), jnp.convolve(f(1, 2), f(1, 2, 3, 5), 'same')
jnp.correlate(f(1, 2, 3), f(0, 1, 0.5)), jnp.correlate(f(1, 2, 3, 4), f(0, 1, 0.5), 'same'), jnp.correlate(f(1, 2, 3, 4), f(1, 2), 'full'), jnp.correlate(f(1, 2), f(1, 2, 3, 5), 'full'), jnp.correlate(f(1, 2), f(1, 2, 3, 5), 'same'), jnp.correlate(f(1, 2, 3, 4), f(1, 2), 'same')
jnp.gradient(f(1, 4, 9, 16)), jnp.gradient(f(1, 4, 9, 16), 2.0), jnp.gradient(M), jnp.gradient(M, axis=1), jnp.gradient(x, jnp.square(x)), jnp.gradient(S, 1.0, 2.0), jnp.gradient(S, axis=(0, 1))
jnp.ediff1d(f(1, 4, 9)), jnp.ediff1d(f(1, 4, 9), f(7, 8), f(5)), jnp.unwrap(f(0, 3, 6.5, -1, 0)), jnp.unwrap(M * 4, axis=0), jnp.unwrap(x * 3, period=5.0)
jnp.bartlett(5), jnp.blackman(6), jnp.hamming(5), jnp.hanning(4)
jnp.matvec(M, f(1, 2, 3)), jnp.vecmat(f(1, 2), M)
jnp.cov(M), jnp.cov(x, y), jnp.cov(M, rowvar=False), jnp.cov(M, bias=True), jnp.cov(M, fweights=i(1, 2, 3)), jnp.cov(M, aweights=f(1, 2, 3)), jnp.cov(x), jnp.cov(S, S, ddof=0)
jnp.corrcoef(S), jnp.corrcoef(x, y), jnp.corrcoef(x)
jnp.nanargmax(f(1, np.nan, 3)), jnp.nanargmin(f(np.nan, 2, 1)), jnp.nanargmax(f(np.nan, np.nan)), jnp.nanargmax(M, axis=1), jnp.nanargmin(i(3, 1))
jnp.nancumsum(f(1, np.nan, 3)), jnp.nancumprod(f(2, np.nan, 3)), jnp.nanvar(f(1, np.nan, 3)), jnp.nanstd(f(1, np.nan, 3, 7), ddof=1), jnp.nanvar(M, axis=0), jnp.nanvar(f(np.nan))
jnp.cumulative_sum(x), jnp.cumulative_sum(M, axis=1, include_initial=True), jnp.cumulative_prod(x, include_initial=True), jnp.cumulative_sum(jnp.ones(3, 'int8'))
jnp.bincount(i(0, 1, 1, 5)), jnp.bincount(i(0, 1, 1, 5), length=3), jnp.bincount(i(-1, 1), length=2), jnp.bincount(i(0, 2), weights=f(0.5, 2)), jnp.bincount(i(1), minlength=4)
jnp.digitize(f(0, 1, 1.5, 9), f(1, 2, 3)), jnp.digitize(f(0, 1, 1.5, 9), f(1, 2, 3), right=True), jnp.digitize(f(0, 1, 1.5, 9), f(3, 2, 1)), jnp.digitize(f(0, 1, 2, 9), f(3, 2, 1), right=True)
jnp.histogram(f(1, 2, 2, 3, 9), 4), jnp.histogram(x, f(0, 2, 5)), jnp.histogram(x, 3, range=(0, 4)), jnp.histogram(x, 3, density=True), jnp.histogram(x, 2, weights=y), jnp.histogram_bin_edges(f(1, 5), 4), jnp.histogram(f(2, 2), 2)
jnp.isin(i(1, 2, 3), i(3, 1)), jnp.isin(M, f(1, 4)), jnp.isin(i(1, 2, 3), i(3, 1), invert=True)
jnp.tril_indices(3), jnp.triu_indices(3, 1), jnp.tril_indices(2, 0, 4), jnp.diag_indices(3), jnp.tril_indices_from(S), jnp.triu_indices_from(S, 1), jnp.diag_indices_from(S), jnp.mask_indices(3, jnp.triu)
jnp.unravel_index(99, (2, 3)), jnp.unravel_index(i(0, 3, 5), (2, 3)), jnp.unravel_index(i(-1), (2, 3)), jnp.ravel_multi_index((i(0, 1), i(2, 1)), (2, 3)), jnp.ravel_multi_index((i(0, 9), i(2, 1)), (2, 3), mode='clip'), jnp.ravel_multi_index((i(0, 9), i(-2, 1)), (2, 3), mode='wrap', order='F')
jnp.mgrid[0:3, 0:2], jnp.mgrid[0:1:3j], jnp.ogrid[0:3, 0:2], jnp.r_[f(1, 2), 3.0, 0:2], jnp.c_[f(1, 2), f(3, 4)]
jnp.put(x, 0, 9, inplace=False), jnp.put(x, i(0, 2, 4), f(7, 8), inplace=False), jnp.put(M, i(1, 99), 7.0, inplace=False), jnp.put(x, i(7), 1.0, mode='wrap', inplace=False)
jnp.put_along_axis(M, i(2, 0).reshape(2, 1), 9.0, 1, inplace=False), jnp.place(x, x > 2, f(7, 8), inplace=False), jnp.fill_diagonal(S, 9, inplace=False), jnp.fill_diagonal(S, f(1, 2, 3), inplace=False)
jnp.choose(i(0, 1, 0), [f(1, 2, 3), f(4, 5, 6)], mode='clip'), jnp.choose(i(0, 3, -1), [f(1, 2, 3), f(4, 5, 6)], mode='wrap')
jnp.compress(jnp.array([True, False, True]), f(1, 2, 3)), jnp.compress(jnp.array([True, False]), M, axis=0), jnp.delete(x, 1), jnp.delete(x, i(0, 2)), jnp.delete(M, 1, axis=1), jnp.delete(x, slice(0, 2)), jnp.delete(x, x > 3)
jnp.insert(x, 1, 9.0), jnp.insert(x, i(0, 2), f(7, 8)), jnp.insert(M, 1, 9.0, axis=1), jnp.insert(M, 1, f(7, 8), axis=1), jnp.insert(M, i(0, 2), f(7, 8, 9), axis=0), jnp.insert(x, slice(0, 2), 5)
jnp.resize(x, (2, 4)), jnp.resize(x, 3), jnp.trim_zeros(f(0, 1, 0, 2, 0)), jnp.trim_zeros(f(0, 1, 0), 'f'), jnp.trim_zeros(f(0, 0))
jnp.apply_along_axis(jnp.sum, 1, M), jnp.apply_along_axis(lambda v: v * 2, 0, M), jnp.apply_along_axis(lambda v: jnp.outer(v, v), 0, M), jnp.apply_along_axis(jnp.cumsum, 1, jnp.ones((2, 3, 4))), jnp.apply_over_axes(jnp.sum, M, [0, 1])
jnp.vectorize(lambda a, b: a + b)(f(1, 2).reshape(2, 1), f(1, 2, 3)), jnp.vectorize(jnp.dot, signature='(n),(n)->()')(M, f(1, 2, 3)), jnp.vectorize(jnp.dot, signature='(n,m),(m)->(n)')(M, jnp.ones((4, 3))), jnp.vectorize(lambda a, k: a * k, excluded={1})(x, 3), jnp.vectorize(lambda a: (a, -a))(x)
jnp.piecewise(x, [x < 2, x > 3], [lambda v: -v, lambda v: v * 10]), jnp.piecewise(x, [x < 2, x > 3], [-1, 1, 7])
jnp.gcd(i(12, 18, 0, -4), i(18, 12, 5, 6)), jnp.lcm(i(4, 0, -6), i(6, 5, 4)), jnp.bitwise_count(i(-1, 5, 255)), jnp.bitwise_count(jnp.uint8(255))
jnp.packbits(i(1, 0, 1, 1, 0, 0, 0, 1, 1)), jnp.packbits(M > 2, axis=1), jnp.packbits(i(1, 0, 1), bitorder='little'), jnp.unpackbits(jnp.uint8([177, 3])), jnp.unpackbits(jnp.uint8([177]), count=5), jnp.unpackbits(jnp.uint8([[3], [9]]), axis=1, bitorder='little')
jnp.modf(f(1.5, -2.25, np.inf, 3)), jnp.ldexp(f(1, 0.5, 3), i(3, -1, 2)), jnp.frexp(f(3, 0, -8, np.inf, 0.3)), jnp.spacing(f(1, 2, -1))
jnp.isreal(x), jnp.iscomplex(i(1, 2)), jnp.isrealobj(x), jnp.angle(f(1, -1, 0)), jnp.angle(f(-1), deg=True), jnp.array_equiv(f(1, 1), f(1)), jnp.iterable(x)
jnp.int32(2) ** jnp.int32(3), f(2, 3) ** jnp.int32(2), jnp.int8(2) ** jnp.int32(3)
jnp.frombuffer(b'abcd', 'uint8'), jnp.fromstring('1 2 3', sep=' ')
grad(lambda a: jnp.convolve(a, f(1, 2)).sum())(x), grad(lambda a: jnp.gradient(a)[1])(x), grad(lambda a: jnp.cov(a)[0, 1])(M), grad(lambda a: jnp.piecewise(a, [a > 2], [lambda v: v * v, 0.0]))(3.0)
vmap(lambda a: jnp.convolve(a, f(1, 2)))(M), jit(lambda a: jnp.histogram(a, 3))(x), jit(lambda a: jnp.polyfit(a, a * a, 2).shape)(x), vmap(jnp.gcd)(i(12, 18), i(18, 12))
lax.lgamma(f(0, -1, 0.3, 5, -2.5, 100, np.inf)), lax.digamma(f(0.3, 5, -2.5, 100)), lax.digamma(f(-1, 0)), lax.cumlogsumexp(x), lax.cumlogsumexp(M, 1, True), lax.cumlogsumexp(f(-np.inf, -np.inf, 0)), grad(lax.lgamma)(2.5), lax.bessel_i0e(f(0, 0.5, 17, 18, 100, -3))
lax.bessel_i1e(f(0, 0.5, 8, 9, 100, -3, np.inf, np.nan)), grad(lax.bessel_i1e)(0.0), vmap(grad(lax.bessel_i1e))(f(1e-9, 0.3, -2, 50)), vmap(grad(lax.bessel_i0e))(f(0, 0.3, -2, 50)), vmap(grad(grad(lax.bessel_i1e)))(f(0.3, -2, 9))
lax.reduce_precision(f(1.2345, 1e6, 1e-8, np.nan), 5, 10), lax.reduce_precision(f(1.5, 2.5, 1.3), 8, 0), lax.population_count(i(-1, 5)), lax.clz(i(0, 1, 256)), lax.clz(jnp.uint8(1)), lax.reciprocal(x)
grad(jnp.logaddexp, (0, 1))(0.0, 0.0), grad(jnp.logaddexp2)(1.0, 2.0), jnp.logaddexp(f(-np.inf, np.inf, 1), f(-np.inf, np.inf, 2)), api.jacrev(lax.cumlogsumexp)(f(0, 0))
lax.linalg.lu_pivots_to_permutation(i(1, 2, 2), 3), jnp.linalg.tensorinv(jnp.eye(6).reshape(6, 2, 3) * 2, ind=1), jnp.linalg.tensorsolve(jnp.eye(6).reshape(2, 3, 2, 3) * 2, M), jnp.linalg.vecdot(M, M), jnp.linalg.cross(f(1, 0, 0), f(0, 1, 0))
lax.reduce(x, 0.0, lambda a, b: a - b, (0,)), lax.reduce(M, 1.0, lax.mul, (1,)), lax.collapse(jnp.ones((2, 3, 4)), 1), lax.broadcast_shapes((2, 1), (3,)), lax.broadcast_to_rank(x, 3), lax.tile(M, (2, 1)), lax.stack([x, y]), lax.unstack(M)
vmap(lambda a: lax.all_to_all(a, 'i', 0, 0, tiled=True), axis_name='i')(jnp.arange(8).reshape(2, 4)), vmap(lambda a: lax.psum_scatter(a, 'i', tiled=True), axis_name='i')(jnp.arange(8).reshape(2, 4)), vmap(lambda a: lax.all_to_all(a, 'i', 0, 0), axis_name='i')(jnp.arange(8).reshape(2, 2, 2)), vmap(lambda a: lax.pswapaxes(a, 'i', 0), axis_name='i')(jnp.arange(8).reshape(2, 2, 2))
"""


@needs_jax
@pytest.mark.parametrize("row", ROWS.strip().split("\n"))
def test_row(row):
    agree(row, weak=False)


@needs_jax
@pytest.mark.parametrize("row", ["jnp.polyfit(x, x * x, 2)", "jnp.polyfit(x, y, 1, w=x)", "jnp.kaiser(5, 3.0)"])
def test_near(row):
    from peer import jax, names, secant

    got, want = (np.asarray(eval(row, names(api))) for api in (secant, jax))
    np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-4)


def test_more_than_230_names():
    public = [n for n in dir(jnp) if not n.startswith("_") and callable(getattr(jnp, n))]
    assert len(public) >= 230


def test_files(tmp_path):
    jnp.save(tmp_path / "a.npy", jnp.arange(3.0))
    assert jnp.load(tmp_path / "a.npy").tolist() == [0, 1, 2]
    jnp.savez(tmp_path / "a.npz", a=jnp.ones(2))
    assert jnp.load(tmp_path / "a.npz")["a"].tolist() == [1, 1]
    assert jnp.from_dlpack(np.arange(3)).tolist() == [0, 1, 2]
    assert np.from_dlpack(jnp.arange(3)).tolist() == [0, 1, 2]
    assert "1." in jnp.array_repr(jnp.ones(1)) and jnp.array_str(jnp.ones(1)) == "[1.]"
