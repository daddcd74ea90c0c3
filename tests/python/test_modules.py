"""Modules built on the others, against JAX: statistics, solvers, optimization, images, interpolation, closures, pytrees."""

from importlib import import_module

import numpy as np
import pytest

import secant
from peer import agree, compare, jax, names, needs_jax

MODULES = "image experimental experimental.ode scipy.optimize scipy.sparse.linalg scipy.ndimage scipy.interpolate scipy.cluster.vq scipy.integrate custom_derivatives core typing tree tree_util dtypes".split()
for package in ("secant", "jax") if jax is not None else ("secant",):
    for module in MODULES:
        import_module(f"{package}.{module}")

ROWS = """
stats.binom.logpmf(i(0, 1, 3, 9, -1), 5, 0.3), stats.binom.pmf(i(2, 3), f(5, 7), 0.4, 1), stats.nbinom.logpmf(i(0, 4, -1), 5, 0.3), stats.betabinom.logpmf(i(0, 2, 9), 5, 1.5, 2.0), stats.geom.logpmf(i(0, 1, 4), 0.3), stats.geom.pmf(i(2), 0.3, 1)
stats.multinomial.logpmf(i(1, 2, 3), 6, f(0.2, 0.3, 0.5)), stats.multinomial.pmf(i(1, 2, 3), 5, f(0.2, 0.3, 0.5)), stats.gennorm.logpdf(f(-1, 0.5), 1.5), stats.gennorm.pdf(0.3, 2.0), stats.chi2.logpdf(f(0.5, 2, -1), 3.0), stats.chi2.pdf(2.0, 4.0, 0.5, 2.0)
stats.pareto.logpdf(f(0.5, 1, 3), 2.0), stats.pareto.cdf(f(0.5, 2), 2.0), stats.pareto.logcdf(f(2, 3), 1.5), stats.pareto.sf(f(0.5, 2), 1.5), stats.pareto.logsf(f(4), 1.5, 0.5, 2.0), stats.pareto.ppf(f(0.2, 0.9, 2), 1.5)
stats.gumbel_r.logpdf(x, 1.0, 2.0), stats.gumbel_r.cdf(x), stats.gumbel_r.logcdf(x), stats.gumbel_r.sf(y), stats.gumbel_r.logsf(y), stats.gumbel_r.ppf(f(0.2, 0.9), 1.0, 2.0), stats.gumbel_l.logpdf(y, 1.0, 2.0), stats.gumbel_l.cdf(y), stats.gumbel_l.logcdf(y), stats.gumbel_l.sf(y), stats.gumbel_l.logsf(y), stats.gumbel_l.ppf(f(0.2, 0.9))
stats.wrapcauchy.logpdf(f(0.1, 3, 7), 0.5), stats.wrapcauchy.pdf(1.0, f(0.2, 2)), stats.vonmises.logpdf(f(-1, 0.5), 2.0), stats.vonmises.pdf(0.3, f(0.5, -1)), stats.dirichlet.logpdf(f(0.2, 0.3, 0.5), f(1, 2, 3)), stats.dirichlet.pdf(f(0.2, 0.3), f(1, 2, 3)), stats.dirichlet.logpdf(f(0.2, 0.9, 0.5), f(1, 2, 3))
stats.multivariate_normal.logpdf(f(1, 2, 3), f(0, 1, 1), S), stats.multivariate_normal.pdf(M, f(0, 1, 1), S), stats.multivariate_normal.logpdf(x, 0.5, 2.0), grad(lambda m: stats.multivariate_normal.logpdf(f(1, 2, 3), m, S))(f(0, 1, 1)), vmap(lambda a: stats.multivariate_normal.logpdf(a, jnp.zeros(3), S))(M)
stats.truncnorm.logpdf(f(-3, 0, 0.5, 3), -1.0, 2.0), stats.truncnorm.pdf(f(3.5), 3.0, 5.0), stats.truncnorm.cdf(f(-3, 0, 0.5, 3), -1.0, 2.0), stats.truncnorm.logcdf(f(0, 1), -1.0, 2.0), stats.truncnorm.sf(f(0, 1), -1.0, 2.0), stats.truncnorm.logsf(f(0.5), -1.0, 2.0, 0.5, 2.0)
stats.rankdata(f(3, 1, 3, 2)), stats.rankdata(f(3, 1, 3, 2), 'min'), stats.rankdata(f(3, 1, 3, 2), 'max'), stats.rankdata(f(3, 1, 3, 2), 'dense'), stats.rankdata(f(3, 1, 3, 2), 'ordinal'), stats.rankdata(M, axis=1), stats.sem(M), stats.sem(x, ddof=0), stats.sem(M, axis=None), tuple(stats.mode(i(3, 1, 3, 1, 2))), tuple(stats.mode(M, axis=1, keepdims=True)), tuple(stats.mode(M, axis=None))
api.image.resize(M, (4, 5), 'linear'), api.image.resize(M, (3, 2), 'nearest'), api.image.resize(M, (1, 2), 'linear'), api.image.resize(M, (4, 6), 'cubic'), api.image.resize(jnp.arange(24.0).reshape(2, 3, 4), (2, 5, 3), 'lanczos3'), api.image.resize(M, (4, 6), 'bicubic', antialias=False), api.image.resize(M, (5, 5), 'lanczos5'), grad(lambda a: api.image.resize(a, (4, 5), 'linear')[1, 2])(M)
api.image.scale_and_translate(M, (4, 5), (0, 1), f(2, 1.5), f(0.5, 0.25), 'linear'), jit(lambda a: api.image.resize(a, (2, 2), api.image.ResizeMethod.CUBIC))(M)
api.scipy.ndimage.map_coordinates(M, [f(0.5, 1.2, -1), f(0.1, 1.7, 9)], 1), api.scipy.ndimage.map_coordinates(M, [f(0.4, 3), f(1.6, -2)], 0, mode='nearest'), api.scipy.ndimage.map_coordinates(M, [f(0.5, -1.5), f(4.2, 0)], 1, mode='wrap'), api.scipy.ndimage.map_coordinates(M, [f(0.5, -1.5), f(4.2, -3.3)], 1, mode='mirror'), api.scipy.ndimage.map_coordinates(M, [f(0.5, -1.5), f(4.2, -3.3)], 1, mode='reflect'), api.scipy.ndimage.map_coordinates(i(1, 5, 9), [f(0.5, 1.5)], 1), api.scipy.ndimage.map_coordinates(M, [f(5), f(5)], 1, cval=-1.0)
api.scipy.interpolate.RegularGridInterpolator((f(0, 1), f(0, 1, 3)), M)(f(0.5, 2.0)), api.scipy.interpolate.RegularGridInterpolator((f(0, 1), f(0, 1, 3)), M)(f(0.5, 2, 0.1, 0.2).reshape(2, 2)), api.scipy.interpolate.RegularGridInterpolator((f(0, 1), f(0, 1, 3)), M, method='nearest')(f(0.4, 2.5)), api.scipy.interpolate.RegularGridInterpolator((f(0, 1), f(0, 1, 3)), M, fill_value=None)(f(2, 4)), api.scipy.interpolate.RegularGridInterpolator((f(1, 0), f(0, 1, 3)), M)(f(2, 4))
api.scipy.cluster.vq.vq(M, f(0, 1, 2, 3, 3, 3).reshape(2, 3)), api.scipy.cluster.vq.vq(x, f(1, 4)), api.scipy.integrate.trapezoid(M, dx=0.5), api.scipy.integrate.trapezoid(y, x)
api.tree.broadcast(1, [2, (3, 4)]), api.tree.reduce_associative(lambda a, b: a + b, [1, 2, 3, 4, 5]), api.tree_util.all_leaves([1, 2]), api.tree_util.all_leaves([1, [2]]), list(api.tree_util.flatten_one_level({'b': 1, 'a': 2})[0]), api.tree_util.is_tree_node(list), api.tree_util.is_tree_node(int), api.tree_util.treedef_is_leaf(api.tree.structure(1)), len(api.tree_util.treedef_children(api.tree.structure([1, (2, 3)]))), api.tree_util.treedef_tuple([api.tree.structure(1), api.tree.structure([1, 2])]).num_leaves
api.dtypes.itemsize_bits('int8'), api.dtypes.scalar_type_of(1.0) is float, api.dtypes.scalar_type_of(x) is float, isinstance(x, api.core.Tracer)
"""
NEAR = """
api.scipy.sparse.linalg.cg(S, f(1, 2, 3))[0], api.scipy.sparse.linalg.bicgstab(S, f(1, 2, 3))[0], api.scipy.sparse.linalg.gmres(S, f(1, 2, 3))[0], api.scipy.sparse.linalg.gmres(S, f(1, 2, 3), restart=2, solve_method='incremental')[0]
api.scipy.sparse.linalg.cg(lambda t: {'a': 2 * t['a'], 'b': 3 * t['b']}, {'a': x, 'b': y})[0], api.scipy.sparse.linalg.cg(S, f(1, 2, 3), x0=f(1, 1, 1), M=jnp.diag(1 / jnp.diag(S)))[0], api.scipy.sparse.linalg.bicgstab(S + 0.5 * jnp.triu(S), f(1, 2, 3), tol=1e-6)[0]
grad(lambda b: api.scipy.sparse.linalg.cg(S, b, tol=1e-7)[0].sum())(f(1, 2, 3)), grad(lambda m: api.scipy.sparse.linalg.bicgstab(m, f(1, 2, 3), tol=1e-7)[0].sum())(S + 0.5 * jnp.triu(S)), vmap(lambda b: api.scipy.sparse.linalg.cg(S, b, tol=1e-6)[0])(M), jit(grad(lambda m: api.scipy.sparse.linalg.gmres(m, f(1, 2, 3), tol=1e-7)[0].sum()))(S)
api.scipy.optimize.minimize(lambda v: ((1 - v[:-1]) ** 2 + 2 * (v[1:] - v[:-1] ** 2) ** 2).sum(), f(-0.5, 1), method='BFGS').x, api.scipy.optimize.minimize(lambda v, c: ((v - c) ** 2).sum() + v[0] ** 4, f(3, 3), (f(1, 2),), method='BFGS', tol=1e-4).x
api.experimental.ode.odeint(lambda u, t, a: -a * u, f(1, 2), f(0, 1, 2), 0.5, rtol=1e-6, atol=1e-6), api.experimental.ode.odeint(lambda u, t: {'p': u['q'], 'q': -u['p']}, {'p': jnp.float32(1), 'q': jnp.float32(0)}, f(0, 0.5, 3), rtol=1e-6, atol=1e-6)
grad(lambda a: api.experimental.ode.odeint(lambda u, t: -a * u * t, f(1, 2), f(0, 1, 2), rtol=1e-6, atol=1e-6)[-1].sum())(0.5), grad(lambda u: api.experimental.ode.odeint(lambda v, t, k: jnp.sin(k * v), u, f(0, 1), f(1, 2), rtol=1e-6, atol=1e-6)[-1].sum())(f(1, 2)), grad(lambda t: api.experimental.ode.odeint(lambda v, t: -v * t, f(1, 2), t, rtol=1e-6, atol=1e-6).sum())(f(0, 1, 1.5))
"""


@needs_jax
@pytest.mark.parametrize("row", ROWS.strip().split("\n"))
def test_row(row):
    agree(row, weak=False)


@needs_jax
@pytest.mark.parametrize("row", NEAR.strip().split("\n"))
def test_near(row):
    got, want = (eval(row, names(api)) for api in (secant, jax))
    for g, w in zip(secant.tree.leaves(jax.tree.map(np.asarray, got)), jax.tree.leaves(want)):
        np.testing.assert_allclose(np.asarray(g), np.asarray(w), rtol=2e-3, atol=2e-3)


def closures(api):
    jnp, grad = api.numpy, api.grad

    @api.custom_gradient
    def scaled(x):
        return x**2, lambda g: (g * 5 * x,)

    @api.custom_gradient
    def pair(x, y):
        return (x * y, x + y), lambda g: (g[0] * 2, g[1] * x)

    def converted(a):
        fun, uses = api.closure_convert(lambda x: jnp.sin(a) * x, 1.0)
        return fun(3.0, *uses)

    fwd, bwd = api.fwd_and_bwd(lambda x, y: jnp.sin(x) * y, (0, 1))
    value, kept = fwd(2.0, 3.0)
    aux_fwd, aux_bwd = api.fwd_and_bwd(lambda x: (x * x, {"n": x + 1}), 0, has_aux=True, jitted=False)
    out, kept_aux, aux = aux_fwd(jnp.arange(3.0))
    return [
        scaled(3.0),
        grad(scaled)(3.0),
        api.jit(api.vmap(grad(scaled)))(jnp.arange(3.0)),
        grad(lambda x: scaled(x) * x)(2.0),
        api.vjp(pair, 2.0, 3.0)[1]((1.0, 1.0)),
        converted(0.5),
        grad(converted)(0.5),
        value,
        bwd(kept, 1.5),
        out,
        aux["n"],
        aux_bwd(kept_aux, jnp.ones(3)),
        api.custom_derivatives.zero_from_primal({"a": jnp.ones(2)})["a"],
        api.core.eval_jaxpr(api.make_jaxpr(lambda a: a * 2)(1.0).jaxpr, [], jnp.float32(3.0))[0],
    ]


@needs_jax
def test_closures():
    compare(closures(secant), closures(jax), weak=False)


def test_rosenbrock():
    def f(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    found = secant.scipy.optimize.minimize(f, secant.numpy.array([-1.2, 1.0]), method="BFGS")
    assert bool(found.success) and np.abs(np.asarray(found.x) - 1).max() < 1e-3


MISTAKES = [
    (lambda s: s.scipy.optimize.minimize(lambda v: v.sum(), s.numpy.ones(2), method="Nelder"), NotImplementedError, "BFGS"),
    (lambda s: s.scipy.sparse.linalg.cg(s.numpy.ones((2, 3)), s.numpy.ones(2)), ValueError, "square"),
    (lambda s: s.scipy.sparse.linalg.gmres(s.numpy.eye(2), s.numpy.ones(2), solve_method="x"), ValueError, "solve_method"),
    (lambda s: s.scipy.ndimage.map_coordinates(s.numpy.ones(3), [s.numpy.ones(1)], 3), NotImplementedError, "order"),
    (lambda s: s.image.resize(s.numpy.ones((2, 2)), (2, 2), "best"), ValueError, "best"),
    (lambda s: s.image.resize(s.numpy.ones((2, 2)), (2,), "linear"), ValueError, "shape"),
    (lambda s: s.experimental.ode.odeint(lambda y, t: y, 1, s.numpy.arange(2.0)), TypeError, "floats"),
    (lambda s: s.core.eval_jaxpr(s.make_jaxpr(lambda a: a)(1.0), []), TypeError, "operands"),
    (lambda s: s.scipy.interpolate.RegularGridInterpolator(([0.0, 0.0],), [1.0, 2.0]), ValueError, "ascending"),
]  # fmt: skip


@pytest.mark.parametrize("call, error, text", MISTAKES)
def test_mistake(call, error, text):
    with pytest.raises(error, match=text):
        call(secant)
