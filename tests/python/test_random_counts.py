"""Binomial and multinomial numbers are JAX's, and so are samples over shapes, dtypes and 64-bit defaults."""

import pytest

import secant
from peer import agree, jax, needs_jax

ROWS = """
random.binomial(random.key(0), 10, 0.3, (5,)), random.binomial(random.key(1), 1000, f(0.3, 0.9)), random.binomial(random.key(2), f(3, 50, 2000), 0.5, dtype='float32'), random.binomial(random.key(3), f(-1, np.nan, np.inf), 0.5), random.binomial(random.key(3), 5, f(-1, 2, np.nan, 0, 1))
random.multinomial(random.key(0), 20, f(0.2, 0.3, 0.5)), random.multinomial(random.key(1), f(5, 100), f(0.1, 0.9), shape=(2, 2)), jit(lambda k: random.multinomial(k, 30, f(0.5, 0.25, 0.25)))(random.key(4)), vmap(lambda k: random.binomial(k, 12, 0.5))(random.split(random.key(5), 4))
random.laplace(random.key(0), (4,)), random.cauchy(random.key(0), (3,), 'float16'), random.logistic(random.key(1), (2, 2)), random.poisson(random.key(2), f(0.5, 3, 40)), random.poisson(random.key(2), 3.0, (4,), 'int16'), random.gamma(random.key(3), f(0.5, 2)), random.beta(random.key(3), 2.0, f(1, 3)), random.t(random.key(3), f(2, 5)), random.t(random.key(3), 4.0, (2,))
random.permutation(random.key(0), 10), random.permutation(random.key(0), M, axis=1), random.permutation(random.key(0), M, independent=True), random.choice(random.key(1), x, (3,), p=f(0.1, 0.2, 0.3, 0.2, 0.2)), random.choice(random.key(1), 9, (2, 3)), random.randint(random.key(1), (3,), -5, 100, 'int8'), random.bits(random.key(1), (3,), 'uint8'), random.bits(random.key(1), (2,), 'uint16')
random.uniform(random.key(1), (), 'float16'), random.normal(random.key(1), (0,)), random.uniform(random.key(2), (3,), minval=-2.0, maxval=x[:3]), random.bernoulli(random.key(2), f(0.1, 0.9), (3, 2)), random.categorical(random.key(3), M, axis=0), random.truncated_normal(random.key(4), f(-1, 0), 2.0), random.rademacher(random.key(5), (4,)), random.maxwell(random.key(6), (2,)), random.ball(random.key(7), 3, shape=(2,)), random.geometric(random.key(8), 0.3, (4,)), random.wald(random.key(8), 1.5, (2,))
"""


@needs_jax
@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize("row", ROWS.strip().split("\n"))
def test_row(row, x64):
    with jax.enable_x64(x64), secant.enable_x64(x64):
        agree(row, weak=False)


def test_names():
    random = secant.random
    assert random.key_dtype() == random.key(0).dtype
    for make in (random.key, random.PRNGKey):
        with pytest.raises(NotImplementedError, match="rbg"):
            make(0, impl="rbg")
    with pytest.raises(NotImplementedError, match="unsafe_rbg"):
        random.wrap_key_data(secant.numpy.zeros(4, "uint32"), impl="unsafe_rbg")
