"""secant.numpy against jax.numpy: values, dtypes and weak types."""

import pytest

from peer import agree, needs_jax

UNARY = """abs absolute negative positive sign square sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan
sinh cosh tanh arcsinh arccosh arctanh floor ceil trunc rint round isnan isinf isfinite signbit reciprocal sinc deg2rad
rad2deg logical_not nan_to_num isposinf isneginf""".split()
BINARY = """add subtract multiply divide floor_divide remainder fmod power maximum minimum fmax fmin arctan2 hypot logaddexp
logaddexp2 equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor copysign heaviside
nextafter float_power""".split()
INTEGER = "bitwise_and bitwise_or bitwise_xor left_shift right_shift add subtract multiply floor_divide remainder maximum".split()
REDUCTIONS = (
    "sum prod max min mean var std argmax argmin all any cumsum cumprod nansum nanmean nanmax nanmin ptp".split()
)

ROWS = """
jnp.union1d(i(1, 2), jnp.array([2, 1], 'float16')), jnp.intersect1d(i(1, 2), f(2, 3)), jnp.setdiff1d(i(1, 2), i(2)), jnp.setxor1d(jnp.array([1, 2], 'uint8'), jnp.array([2, 3], 'int8')), jnp.deg2rad(i(1, 2)), jnp.rad2deg(True), jnp.histogram(i(1, 2), i(1, 2, 3))
2.0 ** i(1, 2), jnp.power(2.0, jnp.array([1, 2], 'uint32')), jnp.power(jnp.asarray(2.0), i(1, 2)), jnp.power(2.0, jnp.asarray(2)), jnp.array([1, 2]) > 1.5
jnp.square(x > 2), jnp.square(True), (x > 2) >> (x > 3), jnp.left_shift(x > 2, True), jnp.int32(3) << (x > 2), (x > 2) // (x > 3), (x > 2) % (x > 3), jnp.fmod(x > 2, x > 3), jnp.divmod(x > 2, x > 3)
jnp.sum(f(-0.0)), jnp.sum(f(-0.0, -0.0)), jnp.sum(f(-0.0, 1)[:, None], 1), lax.cummax(f(-0.0, 0)), lax.cummin(f(0, -0.0, 1)), jnp.log(jnp.isnan(2.0)), jnp.log(jnp.all(3))
jit(lambda a: jnp.nonzero(a, size=4))(f(0, 5, 7)), jit(lambda a: jnp.nonzero(a, size=1))(f(0, 5, 7)), jit(lambda a: jnp.nonzero(a, size=4, fill_value=-1))(f(0, 5, 7).reshape(1, 3)), jit(lambda a: jnp.nonzero(a, size=2))(jnp.zeros((0, 2)))
jit(lambda a: (jnp.argwhere(a, size=3), jnp.flatnonzero(a, size=3), jnp.where(a, size=3)))(f(0, 5, 7)), vmap(lambda a: jnp.nonzero(a, size=2)[0])(f(0, 5, 7, 1, 0, 2).reshape(2, 3))
jit(lambda a: jnp.unique(a, size=4))(f(3, 1, 1)), jit(lambda a: jnp.unique(a, size=2, return_index=True, return_inverse=True, return_counts=True))(f(3, 1, 1, 2, 3)), jit(lambda a: jnp.unique(a, size=3))(3), jit(lambda a: jnp.unique(a, size=3))(x > 2)
jit(lambda a: jnp.unique(a, size=4, fill_value=-1, return_index=True, return_inverse=True, return_counts=True))(f(3, 1, 1).reshape(3, 1)), jit(lambda a: jnp.unique(a, size=3))(f(np.nan, 1, np.nan))
x.at[1:].set(0), x.at[1:3].add(f(1, 2)), M.at[0, 1:].mul(2), M.at[:, 1].set(f(7, 8)), M.at[1:, 1:].min(0), x.at[::2].add(1), x.at[3:1].set(9), M.at[0, i(0, 2)].set(5), M.at[:1, None, 1:].set(3), x.at[1:].divide(2), x.at[i(0, 0)].mul(2)
grad(lambda a: jnp.broadcast_to(a, (3, 0)).sum())(f()), grad(lambda a: a // 0.0)(1.5), grad(lambda a: (a // 2.0).sum())(x), grad(lambda a: a.at[1:].set(a[1:] * a[1:]).sum())(f()), grad(lambda a: (a.at[1:3].mul(a[:2]) ** 2).sum())(x), grad(lambda a: (M.at[:, 1:].min(a) ** 2).sum())(1.5)
jnp.where(x > 2, x, 0.0)
jnp.where(True, 1, 2.0)
jnp.clip(x, 2, 4)
jnp.clip(jnp.int32(5), 0, 2.5)
x ** 2, x ** 3, x ** -1, x ** 0.5, 2 ** x, x ** 0
i(1, 2, 3) ** 2, jnp.power(i(2, 3), i(3, 2)), i(2, 3) ** f(2, 0.5)
i(7, -7, 7, -7) // i(2, 2, -2, -2), i(7, -7, 7, -7) % i(2, 2, -2, -2), i(7, -7) // 0, i(7, -7) % 0
f(5, -5, 5, np.inf, -6) % f(3, 3, 0, 2, 3), f(5, -5) // f(0, 3), jnp.divmod(f(-5, 5), f(3, 0))
i(7) / i(2), jnp.int8(1) + 300, jnp.int8(1) * 1.5, jnp.uint8(1) - 2, jnp.float16(1) + 1e6
jnp.bool_(True) + jnp.bool_(True), jnp.bool_(True) * jnp.bool_(False), jnp.bool_(True) + 1
jnp.asarray(1), jnp.asarray(1.0), jnp.asarray(True), jnp.asarray([1, 2]), jnp.asarray([1.5, 2])
jnp.full((2,), 1.0), jnp.zeros_like(1.0), jnp.zeros(3), jnp.ones((2, 3), 'int32'), jnp.full((2, 2), 7)
jnp.arange(3), jnp.arange(5.5), jnp.arange(2, 11, 3), jnp.arange(0, 1, 0.25), jnp.arange(3, dtype='uint8')
jnp.linspace(0, 1, 3), jnp.linspace(0, 10, 5, dtype='int32'), jnp.linspace(0, -1, 3, dtype='int32'), jnp.linspace(0, 1, 4, endpoint=False)
jnp.eye(3), jnp.eye(2, 3, 1), jnp.identity(2), jnp.tri(3), jnp.tril(M), jnp.triu(M, 1), jnp.diag(f(1, 2), 1), jnp.diag(S), jnp.diagonal(S, 1)
jnp.trace(S), jnp.trace(S, 1)
jnp.sum(M, axis=0), jnp.sum(M, axis=1, keepdims=True), jnp.sum(M, axis=(0, 1)), jnp.sum(i(1, 2)), jnp.sum(jnp.ones(3, bool)), jnp.sum(jnp.ones(3, 'int8'))
jnp.mean(i(1, 2)), jnp.var(i(1, 2, 4)), jnp.mean(jnp.full(3, 60000, 'float16')), jnp.var(f(1, 2), ddof=2), jnp.mean(M, where=M > 2)
jnp.max(x, where=x < 0, initial=0), jnp.sum(x, where=x > 2), jnp.min(M, axis=1)
jnp.argmax(f(1, np.nan, 3, np.nan)), jnp.argmin(f(2, 2, 1)), jnp.argmax(M, axis=1, keepdims=True)
jnp.average(x, weights=x), jnp.count_nonzero(i(0, 3, 0))
jnp.dot(M, f(1, 2, 3)), jnp.dot(M, M.T), jnp.dot(2.0, x), M @ M.T, jnp.matmul(jnp.ones((2, 3, 4)), jnp.ones((4, 5)))
jnp.tensordot(M, M, 2), jnp.tensordot(M, M, ((1,), (1,))), jnp.outer(x, y), jnp.inner(M, M), jnp.vdot(x, y), jnp.kron(f(1, 2), f(1, 10)), jnp.cross(f(1, 2, 3), f(3, 2, 1))
jnp.einsum('ij,kj->ik', M, M), jnp.einsum('ii', S), jnp.einsum('ii->i', S), jnp.einsum('...i,i', M, f(1, 2, 3)), jnp.einsum('ij->ji', M), jnp.einsum('ij,jk,kl->il', M, S, S), jnp.einsum('i,j->ij', x, y)
jnp.matmul(jnp.full((1, 2), 100, 'int8'), jnp.full((2, 1), 100, 'int8'))
jnp.reshape(M, (3, -1)), M.reshape(6), jnp.ravel(M), M.T, jnp.transpose(jnp.ones((2, 3, 4)), (2, 0, 1)), jnp.moveaxis(jnp.ones((2, 3, 4)), 0, -1), jnp.swapaxes(M, 0, 1)
jnp.squeeze(M[None]), jnp.expand_dims(M, (0, 3)), jnp.broadcast_to(x, (2, 5)), jnp.atleast_2d(x)
jnp.concatenate([x, y]), jnp.concatenate([i(1), f(2)]), jnp.stack([x, y], 1), jnp.vstack([x, y]), jnp.hstack([M, M]), jnp.dstack([x, y]), jnp.column_stack([x, y])
jnp.split(x, [2, 4]), jnp.split(M, 3, 1), jnp.array_split(x, 3), jnp.tile(M, (2, 1)), jnp.tile(x, 2), jnp.repeat(M, 2, 1), jnp.repeat(x, np.array([1, 0, 2, 1, 1]))
jnp.flip(M), jnp.flip(M, 1), jnp.roll(x, 2), jnp.roll(M, 1, 0), jnp.roll(M, (1, 1), (0, 1)), jnp.rot90(M), jnp.pad(M, 1), jnp.pad(x, (1, 2), constant_values=7), jnp.pad(x, 2, mode='edge'), jnp.pad(x, 2, mode='reflect'), jnp.pad(x, 2, mode='wrap')
jnp.meshgrid(f(1, 2), f(3, 4, 5)), jnp.meshgrid(f(1, 2), f(3, 4, 5), indexing='ij')
jnp.diff(x), jnp.diff(M, axis=0), jnp.interp(f(0, 1.5, 9), f(1, 2, 3), f(10, 20, 30)), jnp.searchsorted(f(1, 2, 2, 3), f(2, 0, 9)), jnp.searchsorted(f(1, 2, 2, 3), 2.0, side='right')
jnp.take(x, i(0, 99, -1, -99)), jnp.take(x, i(0, 99, -1), mode='clip'), jnp.take(x, i(0, 99, -1), mode='wrap'), jnp.take(M, i(1, 0), axis=1), jnp.take(jnp.arange(5), i(9))
jnp.take_along_axis(M, i(2, 0).reshape(2, 1), 1), jnp.take_along_axis(x, i(9, -1), 0)
jnp.nonzero(i(0, 5, 7)), jnp.argwhere(i(0, 5, 7)), jnp.where(i(0, 5, 7))
jnp.linalg.solve(S, f(1, 2, 3)), jnp.linalg.inv(S), jnp.linalg.det(S), jnp.linalg.cholesky(S), jnp.linalg.norm(M), jnp.linalg.norm(x, 1), jnp.linalg.norm(x, np.inf), jnp.linalg.norm(M, axis=1), jnp.linalg.slogdet(S), jnp.linalg.matrix_power(S, 3)
jnp.linalg.det(jnp.eye(5) * 2 + 1)
jnp.isclose(f(np.nan, 1), f(np.nan, 1 + 1e-9)), jnp.allclose(x, x), jnp.array_equal(x, y)
jnp.polyval(f(1, 2, 3), x), jnp.select([x > 3, x > 1], [x, -x], 0.0), jnp.trapezoid(x)
jnp.unstack(M), jnp.fliplr(M), jnp.logspace(0, 2, 3), jnp.geomspace(1.0, 100.0, 3)
x.at[1].set(9), x.at[i(1, 1)].add(f(7, 8)), x.at[1:3].multiply(2), M.at[:, 1].set(0), M.at[0].add(f(1, 2, 3)), M.at[0, 1:].min(0.5), M.at[..., ::2].max(3)
x.at[i(1, 1)].power(2), x.at[i(1, 1)].max(f(7, 8)), x.at[99].set(0), x.at[i(0, 99, -99, -1)].set(0), x.at[i(0, 99)].set(0, mode='clip'), jnp.arange(3).at[0].add(1.7), x.at[x > 2].set(0)
x.at[i(-1, 5, -6)].get(mode='fill'), x.at[99].get(mode='fill', fill_value=-7), x.at[i(1, 1, 1)].set(f(9, 7, 8)), x.at[2:].subtract(1), x.at[0].divide(4)
x[1:3], x[-1], x[::-1], x[None, :2], M[:, 1], M[1], M[..., 0], M[::-1, ::2], x[3:99], x[5:], x[99], x[-6]
x[i(0, -1, 99)], M[i(0, 1), i(2, 0)], x[x > 3], M[0, i(0, 1)], M[i(1, 0)], M[:, i(0, 1)], M[i(0, 1)[:, None], i(0, 2)]
jnp.ones((2, 3, 4))[0, :, i(0, 1)], jnp.arange(24.0).reshape(2, 3, 4)[:, 0, i(0, 1)], jnp.arange(24.0).reshape(2, 3, 4)[i(0, 1), 1:, None, i(2, 3)]
x.astype('int32'), f(1e10, -1e10, np.nan, np.inf, -3.9).astype('int32'), f(300, -1, np.nan, 255.9).astype('uint8'), i(-1, 300).astype('uint8'), f(0.5, 0).astype(bool)
f(65519, 65520).astype('float16'), i(16777217).astype('float32'), x.astype(int), i(1).astype(float)
jnp.asarray(1)[None], jnp.sin(1), jnp.sum(1), jnp.true_divide(1, 2), jnp.int8(1) + 1
"""


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    agree(f"jnp.{name}(f(0.5, -0.25, 0.75, 0.0, -0.0, 1.5, np.nan, np.inf)), jnp.{name}(1.0)")


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    agree(f"jnp.{name}(x, y), jnp.{name}(x, 2.0), jnp.{name}(2.0, y), jnp.{name}(M, f(1, 2, 3)), jnp.{name}(1.5, 2.5)")


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("name", INTEGER)
def test_integer(name):
    agree(
        f"jnp.{name}(i(12, -7, 3), i(5, 3, 2)), jnp.{name}(i(12, -7, 3), 2), jnp.{name}(jnp.uint8(200), jnp.uint8(3))"
    )


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reduction(name):
    agree(f"jnp.{name}(M), jnp.{name}(M, axis=0), jnp.{name}(M, axis=-1), jnp.{name}(i(3, 1, 2))")


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("program", ROWS.strip().split("\n"))
def test_row(program):
    agree(f"({program},)")


def test_there_are_many_functions():
    import secant.numpy as jnp

    assert sum(callable(getattr(jnp, name)) for name in dir(jnp) if not name.startswith("_")) >= 150
