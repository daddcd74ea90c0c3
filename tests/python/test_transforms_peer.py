"""Derivatives, vmap, control flow, nn and random numbers against JAX."""

import pytest

from peer import agree, needs_jax

FUNCTIONS = """
lambda a: jnp.sum(jnp.sin(a) * a)
lambda a: jnp.sum(jnp.exp(-a * a) / (1 + a))
lambda a: jnp.prod(a)
lambda a: jnp.max(a) + jnp.min(a)
lambda a: jnp.mean((a - jnp.mean(a)) ** 2)
lambda a: jnp.sum(jnp.where(a > 2, a * a, -a))
lambda a: jnp.sum(jnp.cumsum(a) ** 2)
lambda a: jnp.linalg.norm(a)
lambda a: nn.logsumexp(a)
lambda a: jnp.sum(nn.softmax(a) * a)
lambda a: jnp.sum(nn.gelu(a) + nn.silu(a) + nn.relu(a) + nn.softplus(a) + nn.elu(a))
lambda a: jnp.sum(jnp.outer(a, a) @ a)
lambda a: jnp.sum(a[::2] * 3 + a[i(0, 1, 1)])
lambda a: jnp.sum(a.at[1:3].multiply(a[0]).at[i(0, 0)].add(a[1]))
lambda a: lax.fori_loop(0, 3, lambda k, c: c * a, a).sum()
lambda a: lax.scan(lambda c, v: (c * v + 1, c * v), 1.0, a)[1].sum()
lambda a: lax.cond(a[0] > 0, lambda a: jnp.sum(a ** 2), lambda a: jnp.sum(a), a)
lambda a: lax.switch(1, [lambda a: a.sum(), lambda a: (a ** 3).sum()], a)
lambda a: jnp.sum(lax.associative_scan(jnp.multiply, a))
lambda a: jnp.sum(api.checkpoint(lambda b: jnp.sin(jnp.sin(b)))(a))
lambda a: jnp.sum(lax.stop_gradient(a) * a)
lambda a: jnp.sum(jnp.linalg.solve(S + jnp.outer(a[:3], a[:3]), a[:3]))
lambda a: jnp.sum(jnp.linalg.cholesky(S + jnp.outer(a[:3], a[:3])))
lambda a: jnp.linalg.det(jnp.eye(5) * 7 + jnp.outer(a, a))
lambda a: jnp.sum(jnp.concatenate([a, a[::-1]]) * jnp.tile(a, 2))
lambda a: jnp.sum(vmap(lambda b: b * jnp.sin(b))(a))
lambda a: grad(lambda b: jnp.sum(b ** 3))(a).sum()
lambda a: jit(lambda b: jnp.tanh(b).sum())(a)
lambda a: jnp.sum(jnp.interp(a / 2, f(0, 1, 2, 3), f(0, 1, 4, 9)))
lambda a: jnp.sum(jnp.einsum('i,ij,j->i', a, jnp.outer(a, a), a)) / 1000
lambda a: jnp.var(a) + jnp.std(a) + jnp.hypot(a[0], a[1]) + jnp.logaddexp(a[0], a[1])
lambda a: jnp.sum(jnp.pad(jnp.roll(a, 1), 1, mode='edge') ** 2)
"""

ROWS = """
grad(jnp.abs)(0.0), grad(lax.max, (0, 1))(1.0, 1.0), grad(jnp.max)(f(1, 3, 3)), grad(nn.relu)(0.0), grad(nn.relu6)(6.0), grad(nn.leaky_relu)(0.0)
grad(lambda a: jnp.clip(a, 0.0, 1.0))(0.0), grad(lambda a: lax.clamp(0.0, a, 1.0))(0.0), grad(jnp.sqrt)(0.0), grad(jnp.prod)(f(0, 2, 3))
grad(lambda a: a ** 0)(0.0), grad(lambda a: a ** 2)(0.0), grad(grad(lambda a: a ** 2))(0.0), grad(jnp.power, (0, 1))(2.0, 3.0)
grad(lambda a: jnp.where(a > 0, jnp.sqrt(a), 0.0))(0.0), grad(lambda a: lax.cond(a > 0, jnp.sqrt, lambda a: 0.0, a))(0.0)
grad(lambda d: d['a'] * d['b'])({'a': 2.0, 'b': 3.0}), grad(lambda a, b: a * b, argnums=(1,))(2.0, 3.0), grad(lambda a, b: a * b, argnums=-1)(2.0, 3.0), grad(lambda a: 3.0)(1.0)
api.value_and_grad(lambda a: (a ** 2, {'n': a}), has_aux=True)(3.0), grad(lambda a: (a ** 2, a), has_aux=True)(3.0)
grad(lambda a: a if a > 0 else -a)(-2.0), grad(grad(lambda a: a ** 3 if a > 0 else -a))(2.0), jvp(lambda a: a * a if a > 5 else -a, (3.0,), (1.0,))
api.jacfwd(lambda a, b: {'s': a * b}, argnums=(0, 1))(f(1, 2), f(3, 4)), api.jacrev(lambda a: jnp.outer(a, a))(f(1, 2)), api.jacrev(lambda a: (a, a.sum()), has_aux=True)(f(1, 2))
api.hessian(lambda d: d['a'] * d['b'] ** 2)({'a': 2.0, 'b': 3.0}), api.hessian(lambda a: jnp.sum(a ** 3))(x)
api.linearize(lambda a: jnp.sin(a) * 2, 1.0)[1](1.0), api.linear_transpose(lambda a, b: a + b, 1.0, 2.0)(3.0), vjp(lambda a, b: {'a': a * b}, 2.0, 3.0)[1]({'a': 1.0})
vjp(lambda a: (jnp.sin(a), a), 2.0, has_aux=True)[2], jvp(lambda a: (jnp.sin(a), a), (2.0,), (1.0,), has_aux=True)
vmap(lambda a: a, in_axes=-1)(M), vmap(lambda a, b: a + b, in_axes=(0, None))(f(1, 2), 10.0), vmap(lambda d: d['a'] + d['b'], in_axes=({'a': 0, 'b': None},))({'a': f(1, 2), 'b': f(5)[0]})
vmap(lambda a, k=None: a + k, in_axes=None)(f(1, 2), k=f(3, 4)), vmap(lambda a: a, in_axes=None, axis_size=3)(f(1)[0]), vmap(lambda a: 1.0)(f(1, 2)), vmap(lambda a: {'a': a}, out_axes={'a': 1})(M), vmap(lambda a: a, out_axes=-1)(M)
vmap(lambda p, a: lax.cond(p > 0, lambda a: a / 0.0, lambda a: a, a))(i(0, 1), f(1, 2)), vmap(lambda p: lax.switch(p, [lambda: 1.0, lambda: 2.0]))(i(-5, 0, 9))
vmap(lambda a: lax.while_loop(lambda c: c < 10, lambda c: c * 2, a))(f(1, 3, 20)), vmap(lambda n: lax.fori_loop(0, n, lambda k, c: c + 1, 0))(i(0, 2, 5))
vmap(lambda k: lax.dynamic_slice(f(1, 2, 3), (k,), (2,)))(i(0, 9, -1)), vmap(lambda k: lax.dynamic_update_slice(jnp.zeros(3), f(7, 8), (k,)))(i(0, 9)), vmap(lambda k: jnp.zeros(3).at[k].set(1))(i(0, 9))
vmap(lambda a: lax.psum(a, 'i'), axis_name='i')(f(1, 2, 3)), vmap(lambda a: lax.axis_index('i'), axis_name='i')(f(1, 2)), vmap(lambda a: lax.all_gather(a, 'i'), axis_name='i')(f(1, 2)), vmap(lambda a: lax.pmean(a, 'i'), axis_name='i')(f(1, 2)), vmap(lambda a: lax.pmax(a, 'i'), axis_name='i')(f(1, 2)), vmap(lambda a: lax.psum(1, 'i'), axis_name='i')(f(1, 2, 3))
vmap(lambda a: lax.all_gather(a, 'i', axis=1), axis_name='i')(M), vmap(lambda a: lax.all_gather(a, 'i', tiled=True), axis_name='i')(f(1, 2)[:, None]), vmap(lambda a: lax.pshuffle(a, 'i', [2, 0, 1]), axis_name='i')(f(1, 2, 3))
vmap(vmap(lambda a: lax.psum(a, ('i', 'j')), axis_name='j'), axis_name='i')(M), vmap(vmap(lambda a: lax.axis_index(('i', 'j')), axis_name='j'), axis_name='i')(M), vmap(vmap(lambda a: lax.psum(a, 'i'), axis_name='i'), axis_name='i')(M)
vmap(grad(lambda a: lax.psum(a * a, 'i')), axis_name='i')(f(1, 2)), vmap(grad(lambda a: lax.pmean(a * a, 'i')), axis_name='i')(f(1, 2))
api.pmap(lambda a: a * 2)(f(1, 2)), api.pmap(lambda a: a * 2)(f(1)), api.pmap(lambda a: a, in_axes=1)(M[:, :2]), api.pmap(lambda a, b: a + b, in_axes=(0, None))(f(1, 2), 10.0), api.pmap(lambda a: lax.psum(a, 'i'), axis_name='i')(f(1, 2)), api.pmap(lambda a, n: a + n, static_broadcasted_argnums=1)(f(1, 2), 3), api.pmap(grad(lambda a: lax.psum(a * a, 'i')), axis_name='i')(f(1, 2)), api.pmap(lambda a: lax.ppermute(a, 'i', [(0, 1)]), axis_name='i')(f(1, 2))
grad(lambda a: api.pmap(lambda b: lax.psum(b, 'i') * b, axis_name='i')(a).sum())(f(1, 2)), vmap(api.pmap(lambda a: lax.psum(a, 'i'), axis_name='i'), in_axes=1)(M)
lax.scan(lambda c, a: (c + a, c), 0.0, x), lax.scan(lambda c, a: (c + a, c), 0.0, x, reverse=True), lax.scan(lambda c, _: (c * 2, None), 1.0, None, length=3), lax.scan(lambda c, a: (c + 1.0, a), 1, f(1, 2))
lax.while_loop(lambda c: c < 10, lambda c: c * 2, 1.0), lax.while_loop(lambda c: c < 3, lambda c: c + 1.0, 0), lax.fori_loop(0, 3, lambda k, c: c + k * 0.5, 0), lax.fori_loop(3, 1, lambda k, c: c + 1, 0), jit(lambda n: lax.fori_loop(0, n, lambda k, c: c + k, 0))(5)
lax.cond(True, lambda a: a + 1, lambda a: a - 1, 2.0), lax.switch(9, [lambda a: a, lambda a: 2 * a], 3.0), lax.map(lambda a: a * 2, x), lax.cond(1.5, lambda: 1, lambda: 2)
lax.associative_scan(jnp.add, x), lax.associative_scan(jnp.multiply, x, reverse=True), lax.associative_scan(jnp.maximum, M, axis=1)
lax.add(f(1), 1.0), lax.div(i(-7), i(2)), lax.rem(f(-5), f(3)), lax.round(f(0.5, 1.5, 2.5)), lax.pad(f(1, 2, 3), f(9)[0], [(1, -1, 2)]), lax.slice_in_dim(x, -2, None), lax.dynamic_slice(x, (-1,), (2,)), lax.dynamic_index_in_dim(x, 1, keepdims=False)
lax.dynamic_update_slice(x, f(8, 9), (4,)), lax.select_n(i(0, 2, 7, -1), f(0, 0, 0, 0), f(1, 1, 1, 1), f(2, 2, 2, 2)), lax.clamp(f(2), f(5), f(1)), lax.iota('uint8', 300)[-1], lax.broadcasted_iota('int32', (2, 3), 1), lax.full((2,), 2.7, 'int32'), lax.cumsum(x, reverse=True), lax.cummax(i(1, 3, 2), reverse=True)
lax.dot_general(jnp.ones((2, 3, 4, 5)), jnp.ones((4, 7, 2, 6)), (((2,), (0,)), ((0,), (2,)))), lax.dot(jnp.full((2,), 100, 'int8'), jnp.full((2,), 100, 'int8'), preferred_element_type='int32'), lax.bitcast_convert_type(f(1.0), 'uint8'), lax.bitcast_convert_type(f(1.0), 'int32')
lax.linalg.lu(S), lax.linalg.cholesky(S), lax.linalg.triangular_solve(S, f(1, 2, 3)[:, None], left_side=True, lower=True), lax.linalg.triangular_solve(S, f(1, 2, 3)[None], lower=True, transpose_a=True)
nn.softmax(M), nn.log_softmax(M), nn.logsumexp(M, axis=1), nn.gelu(y), nn.gelu(y, approximate=False), nn.silu(y), nn.softplus(y), nn.elu(y), nn.leaky_relu(y), nn.hard_tanh(y), nn.relu6(8 * y), nn.sigmoid(y), nn.one_hot(i(0, 5, -1), 3), nn.standardize(M), nn.selu(y), nn.celu(y), nn.soft_sign(y), nn.mish(y), nn.hard_sigmoid(y), nn.log_sigmoid(y), nn.glu(M[:, :2])
"""

RANDOM = """
random.key_data(random.key(7)), random.PRNGKey(-1), random.key_data(random.split(random.key(0), 3)), random.key_data(random.fold_in(random.key(1), 7)), random.split(random.PRNGKey(3))
random.bits(random.key(0), (3,)), random.bits(random.key(0), (5,), 'uint8'), random.bits(random.key(0), (2,), 'uint16'), random.bits(random.key(9), (2, 3))
random.randint(random.key(0), (5,), 0, 10), random.randint(random.key(1), (4,), -5, 100), random.randint(random.key(0), (3,), 5, 2), random.randint(random.key(2), (3,), 0, 200, 'uint8')
random.bernoulli(random.key(0), 0.5, (8,)), random.categorical(random.key(2), jnp.log(f(0.2, 0.5, 0.3)), shape=(4,)), random.choice(random.key(0), 5, (3,)), random.choice(random.key(2), 3, (4,), p=f(0.2, 0.5, 0.3)), random.rademacher(random.key(0), (4,))
random.uniform(random.key(0), (3,)), random.uniform(random.key(0), (2,), minval=-1, maxval=3), random.uniform(random.key(0), (2,), 'float16'), vmap(lambda k: random.uniform(k, (2,)))(random.split(random.key(0)))
"""
INEXACT = """
random.normal(random.key(0), (5,)), random.exponential(random.key(0), (2,)), random.gumbel(random.key(0), (2,)), random.truncated_normal(random.key(0), -1, 1, (2,)), random.laplace(random.key(0), (2,)), random.cauchy(random.key(1), (2,)), random.logistic(random.key(1), (2,))
"""


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("function", FUNCTIONS.strip().split("\n"))
def test_derivatives(function):
    agree(f"({function})(x), grad({function})(x), jit(grad({function}))(x), jvp({function}, (x,), (y,))", weak=False)


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("function", FUNCTIONS.strip().split("\n"))
def test_batched_derivatives(function):
    agree(f"vmap({function})(jnp.stack([x, x + 0.5])), vmap(grad({function}))(jnp.stack([x, x * 0.75]))", weak=False)


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("program", (ROWS + INEXACT).strip().replace("\n\n", "\n").split("\n"))
def test_row(program):
    agree(f"({program},)", weak=False)


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("program", RANDOM.strip().split("\n"))
def test_random_bits(program):
    """Bits are equal, and so are the floats made of them without a function."""
    import jax
    import numpy as np

    import secant
    from peer import leaves, names

    got, want = (leaves(eval(f"({program},)", names(api))) for api in (secant, jax))
    for g, w in zip(got, want):
        assert np.asarray(g).dtype == np.asarray(w).dtype
        assert (np.asarray(g) == np.asarray(w)).all()
