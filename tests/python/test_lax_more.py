"""The rest of secant.lax against jax.lax: scatters, searches, ragged products, choices, solves."""

import pytest

import secant
from peer import agree, needs_jax

ROWS = """
{op}(x, i(1, 1, 9, -1).reshape(4, 1), f(2, -3, 4, 5), lax.ScatterDimensionNumbers((), (0,), (0,)))
{op}(x, i(1, 1, 9, -1).reshape(4, 1), f(2, 1, 4, 5), lax.ScatterDimensionNumbers((), (0,), (0,)), mode='clip')
{op}(M, i(0, 1, 1).reshape(3, 1), S, lax.ScatterDimensionNumbers((1,), (0,), (0,)))
{op}(M, i(0, 2, 1, 1).reshape(2, 2, 1), f(1, 9, -1, 2).reshape(2, 2), lax.ScatterDimensionNumbers((), (1,), (1,), (0,), (0,)))
{op}(i(1, 2, 3), i(0, 0, 2).reshape(3, 1), i(5, -7, 2), lax.ScatterDimensionNumbers((), (0,), (0,)))
{op}(jnp.uint8([200, 2]), i(0, 0).reshape(2, 1), jnp.uint8([5, 7]), lax.ScatterDimensionNumbers((), (0,), (0,)))
{op}(x.astype('float16'), i(0, 0, 2).reshape(3, 1), jnp.float16([5, -7, 2]), lax.ScatterDimensionNumbers((), (0,), (0,)))
{op}(f(np.nan, 1, 2), i(0, 1, 2).reshape(3, 1), f(1, np.nan, 3), lax.ScatterDimensionNumbers((), (0,), (0,)))
{op}(f(), jnp.zeros((0, 1), 'int32'), f(), lax.ScatterDimensionNumbers((), (0,), (0,)))
vmap(lambda a, k, u: {op}(a, k, u, lax.ScatterDimensionNumbers((), (0,), (0,))))(M, i(0, 1, 2, 2).reshape(2, 2, 1), f(1, 2, 3, 9).reshape(2, 2))
vmap(lambda a, u: {op}(a, i(0, 0, 2).reshape(3, 1), u, lax.ScatterDimensionNumbers((), (0,), (0,))), (0, None))(M, f(1, 2, 3))
grad(lambda a: ({op}(a, i(1, 3).reshape(2, 1), f(2, -3), lax.ScatterDimensionNumbers((), (0,), (0,)), unique_indices=True) * y).sum())(x)
grad(lambda u: ({op}(x, i(1, 3).reshape(2, 1), u, lax.ScatterDimensionNumbers((), (0,), (0,)), unique_indices=True) * y).sum())(f(7, 8))
jvp(lambda a, u: {op}(a, i(1, 3).reshape(2, 1), u, lax.ScatterDimensionNumbers((), (0,), (0,)), unique_indices=True), (x, f(7, 4)), (y, f(1, -1)))
grad(lambda a: (grad(lambda b: ({op}(b, i(1, 3).reshape(2, 1), f(2, 8), lax.ScatterDimensionNumbers((), (0,), (0,)), unique_indices=True) ** 3).sum())(a) * y).sum())(x)
"""
TIES = """
grad(lambda a: (lax.scatter_max(a, i(1, 1, 1, 3).reshape(4, 1), f(2, 5, 5, 4), lax.ScatterDimensionNumbers((), (0,), (0,))) * y).sum())(x)
grad(lambda u: (lax.scatter_max(x, i(1, 1, 1, 3).reshape(4, 1), u, lax.ScatterDimensionNumbers((), (0,), (0,))) * y).sum())(f(2, 5, 5, 4))
grad(lambda u: (lax.scatter_min(x, i(1, 1, 1, 3).reshape(4, 1), u, lax.ScatterDimensionNumbers((), (0,), (0,))) * y).sum())(f(2, 2, 1, 4))
grad(lambda a: (a.at[i(1, 1, 2)].max(f(3, 3, 1)) * y).sum())(x), grad(lambda a: (a.at[i(1, 1, 2)].min(f(0, 2, 3)) * y).sum())(x)
x.at[i(1, 1)].max(f(7, 8)), x.at[i(1, 1)].min(f(7, -8)), x.at[i(1, 3)].multiply(f(7, 8), unique_indices=True), i(1, 2, 3).at[i(1, 1)].multiply(i(3, 4))
grad(lambda u: (x.at[i(1, 3)].multiply(u, unique_indices=True) * y).sum())(f(7, 8)), M.at[0].multiply(f(1, 2, 3)), M.at[:, 1].max(3), M.at[0, 1:].min(0.5)
"""
MORE = """
lax.reduce_xor(i(1, 2, 7), (0,)), lax.reduce_xor(M > 2, (1,)), lax.reduce_xor(jnp.arange(200).reshape(20, 10), (0,)), lax.reduce_xor(i(1, 2, 7), ()), vmap(lambda a: lax.reduce_xor(a, (0,)))(jnp.arange(6).reshape(2, 3))
lax.reduce(i(1, 2, 7), jnp.int32(8), lax.bitwise_xor, (0,)), lax.reduce((x, y), (jnp.float32(0), jnp.float32(1)), lambda a, b: (a[0] + b[0], a[1] * b[1]), (0,)), lax.reduce(M, jnp.float32(2), lambda a, b: a * b + b, (0, 1)), lax.reduce(M, -jnp.inf, lax.max, (1,))
lax.mulhi(i(2**30, -2**30, 7, -1), i(2**30, 2**30, -9, -1)), lax.mulhi(jnp.uint32([2**32 - 1, 2**31]), jnp.uint32([2**32 - 1, 6])), lax.mulhi(jnp.int8([100, -128]), jnp.int8([100, -128])), lax.mulhi(jnp.uint16([65535]), jnp.uint16([65535]))
lax.approx_max_k(x, 2), lax.approx_min_k(M, 1, reduction_dimension=0), grad(lambda a: lax.approx_max_k(a, 2)[0].sum())(x), lax.approx_min_k(y, 3, -1, 0.5)
lax.top_k(M, 2, axis=0), lax.top_k(x, 0), lax.sort_key_val(y, x), lax.sort_key_val(M, -M, dimension=0), lax.sort((i(1, 1, 0), f(2, 1, 5)), num_keys=2)
lax.scatter_apply(x, i(1, 3).reshape(2, 1), jnp.sin, lax.ScatterDimensionNumbers((), (0,), (0,)), update_shape=(2,)), lax.scatter_apply(x, i(1, 1, 9).reshape(3, 1), lambda a: a * a, lax.ScatterDimensionNumbers((), (0,), (0,)), update_shape=(3,)), lax.scatter_apply(M, i(1).reshape(1, 1), jnp.exp, lax.ScatterDimensionNumbers((1,), (0,), (0,)), update_shape=(1, 3))
lax.ragged_dot(M.T, jnp.arange(12.0).reshape(2, 2, 3), i(2, 1)), lax.ragged_dot(M.T, jnp.arange(12.0).reshape(2, 2, 3), i(0, 2)), grad(lambda a: lax.ragged_dot(a, jnp.arange(12.0).reshape(2, 2, 3), i(1, 2)).sum())(M.T), jit(lax.ragged_dot)(M.T, jnp.arange(12.0).reshape(2, 2, 3), i(1, 1))
lax.ragged_dot_general(M.T, M.T, i(1, 2), lax.RaggedDotDimensionNumbers((((0,), (0,)), ((), ())), (0,), ()))
lax.platform_dependent(x, cpu=jnp.sin, tpu=jnp.cos), lax.platform_dependent(x, tpu=jnp.cos, default=jnp.exp), lax.composite(lambda a, *, s: a * s, 'my.scale')(x, s=jnp.float32(2.0))
lax.padtype_to_pads((5, 7), (3, 2), (2, 2), 'SAME'), lax.padtype_to_pads((5, 7), (3, 2), (2, 2), 'VALID'), lax.padtype_to_pads((5, 7), (3, 2), (1, 2), 'same_lower')
lax.broadcast_like(f(1, 2, 3), M), lax.stage(x), lax.shape_as_value((2, 3)), lax.empty((2,), 'int32').shape
lax.dot(M, M.T, precision=lax.Precision.HIGHEST), lax.dot(M, M.T, precision='high'), jnp.dot(M, M.T, precision=(lax.Precision.HIGH, lax.Precision.DEFAULT)), jnp.einsum('ij,kj', M, M, precision='float32'), jnp.matmul(M, M.T, precision=lax.DotAlgorithmPreset.F32_F32_F32)
"""

SOLVES = """
lax.custom_linear_solve(lambda a: S @ a, f(1, 2, 3), lambda mv, b: jnp.linalg.solve(S, b))
grad(lambda b: (lax.custom_linear_solve(lambda a: S @ a, b, lambda mv, b: jnp.linalg.solve(S, b), symmetric=True) * f(3, 1, 2)).sum())(f(1, 2, 3))
grad(lambda m: (lax.custom_linear_solve(lambda a: m @ a, f(1, 2, 3), lambda mv, b: jnp.linalg.solve(m, b), lambda vm, b: jnp.linalg.solve(m.T, b)) * f(3, 1, 2)).sum())(S)
jvp(lambda m, b: lax.custom_linear_solve(lambda a: m @ a, b, lambda mv, b: jnp.linalg.solve(m, b)), (S, f(1, 2, 3)), (S * S, f(0, 1, 2)))
api.hessian(lambda d: lax.custom_linear_solve(lambda a: d * a, 2.0, lambda mv, b: b / d, symmetric=True))(4.0), api.jacrev(api.jacfwd(lambda d: lax.custom_linear_solve(lambda a: d * a, 2.0 * d, lambda mv, b: b / (d + 0 * d), symmetric=True)))(4.0)
vmap(lambda m, b: lax.custom_linear_solve(lambda a: m @ a, b, lambda mv, b: jnp.linalg.solve(m, b)), (0, None))(jnp.stack([S, 2 * S]), f(1, 2, 3))
vmap(grad(lambda m, b: (lax.custom_linear_solve(lambda a: m @ a, b, lambda mv, b: jnp.linalg.solve(m, b), lambda vm, b: jnp.linalg.solve(m.T, b)) ** 2).sum()), (None, 0))(S, M)
jit(grad(lambda b: lax.custom_linear_solve(lambda t: {'u': 2 * t['u'], 'v': 3 * t['v']}, b, lambda mv, b: ({'u': b['u'] / 2, 'v': b['v'] / 3}, 7), symmetric=True, has_aux=True)[0]['v'].sum()))({'u': 1.0, 'v': x})
lax.custom_linear_solve(lambda a: 2 * a, x, lambda mv, b: (b / 2, jnp.int32(3)), has_aux=True), grad(lambda b: lax.custom_linear_solve(lambda a: 2 * a, b, lambda mv, b: lax.while_loop(lambda c: jnp.abs(mv(c) - b) > 1e-3, lambda c: c - 0.25 * (mv(c) - b), b), symmetric=True))(4.0)
lax.custom_root(lambda a: a * a - 2.0, 1.0, lambda g, a: lax.fori_loop(0, 20, lambda _, b: b - 0.3 * g(b), a), lambda g, b: b / g(1.0))
grad(lambda c: lax.custom_root(lambda a: a * a - c, 1.0, lambda g, a: lax.fori_loop(0, 40, lambda _, b: b - 0.3 * g(b), a), lambda g, b: b / g(1.0)))(2.0), grad(grad(lambda c: lax.custom_root(lambda a: a * a - c, 1.0, lambda g, a: lax.while_loop(lambda b: jnp.abs(g(b)) > 1e-6, lambda b: b - 0.3 * g(b), a), lambda g, b: b / g(1.0))))(2.0)
vmap(lambda c: lax.custom_root(lambda a: a ** 3 - c, 1.0, lambda g, a: lax.fori_loop(0, 60, lambda _, b: b - 0.2 * g(b), a), lambda g, b: b / g(1.0)))(f(1, 1.5, 2))
jit(vmap(grad(lambda c: lax.custom_root(lambda a: a * a - c, 1.0, lambda g, a: (lax.fori_loop(0, 40, lambda _, b: b - 0.3 * g(b), a), {'n': jnp.float32(40)}), lambda g, b: b / g(1.0), has_aux=True)[0])))(f(1, 1.5, 2))
jvp(lambda c: lax.custom_root(lambda a: (c[0] * a[0] - 1.0, a[0] + a[1] - c[1]), (1.0, 1.0), lambda g, a: (1.0 / c[0], c[1] - 1.0 / c[0]), lambda g, b: (b[0] / c[0], b[1] - b[0] / c[0])), ((2.0, 3.0),), ((1.0, 0.5),))
"""


def rows(text, **words):
    return [row.replace("{op}", "lax." + op) for op in words.get("ops", [""]) for row in text.strip().split("\n")]


@needs_jax
@pytest.mark.parametrize("row", rows(ROWS, ops=["scatter_mul", "scatter_min", "scatter_max"]))
def test_scatters(row):
    agree(row, weak=False)


@needs_jax
@pytest.mark.parametrize("row", rows(TIES) + rows(MORE) + rows(SOLVES))
def test_row(row):
    agree(row, weak=False)


@needs_jax
@pytest.mark.parametrize("row", ["lax.mulhi(np.int64([2**62, -2**62, -1]), np.int64([2**62, 2**60, 5]))",
                                 "lax.mulhi(np.uint64([2**64 - 1, 2**63]), np.uint64([2**64 - 1, 6]))"])  # fmt: skip
def test_mulhi_64(row):
    import jax

    with jax.enable_x64(True), secant.enable_x64(True):
        agree(row, weak=False)


MISTAKES = [
    (lambda j, l: j.dot(j.ones(2), j.ones(2), precision="exact"), ValueError, "Precision argument"),
    (lambda j, l: l.approx_max_k(j.arange(3), 2), ValueError, "floating"),
    (lambda j, l: l.mulhi(j.ones(2), j.ones(2)), TypeError, "mulhi"),
    (lambda j, l: l.platform_dependent(1.0, tpu=j.sin), NotImplementedError, "no branch for cpu"),
    (lambda j, l: l.padtype_to_pads((3,), (2,), (1,), "EVEN"), RuntimeError, "EVEN"),
    (
        lambda j, l: secant.grad(lambda u: l.scatter_mul(j.ones(3), j.zeros((2, 1), int), u, l.ScatterDimensionNumbers((), (0,), (0,))).sum())(j.ones(2)),
        NotImplementedError,
        "unique",
    ),
    (lambda j, l: secant.grad(lambda b: l.custom_linear_solve(lambda a: 2 * a, b, lambda mv, b: b / 2))(4.0), TypeError, "transpose_solve required"),
    (lambda j, l: l.custom_linear_solve(lambda a: (a, a), 1.0, lambda mv, b: b), TypeError, "matvec.. output pytree"),
    (lambda j, l: l.custom_linear_solve(lambda a: j.ones(2), 1.0, lambda mv, b: b), ValueError, "matvec.. output shapes"),
    (lambda j, l: l.custom_linear_solve(lambda a: a, 1.0, lambda mv, b: b, has_aux=True), ValueError, "pair"),
    (lambda j, l: l.custom_root(lambda a: (a, a), 1.0, lambda g, a: a, lambda g, b: b), TypeError, "f.. output pytree"),
]  # fmt: skip


@pytest.mark.parametrize("call, error, text", MISTAKES)
def test_mistake(call, error, text):
    with pytest.raises(error, match=text):
        call(secant.numpy, secant.lax)


def test_pbroadcast():
    out = secant.vmap(lambda a: secant.lax.pbroadcast(a, "i", 1), axis_name="i")(secant.numpy.arange(3.0))
    assert out.tolist() == [1, 1, 1]
