"""Special functions against JAX: values in f32 and f64, first and second derivatives, batches, errors."""

import numpy as np
import pytest

import secant
import secant.numpy as jnp
from peer import jax, needs_jax
from secant import lax
from secant.scipy import special

RANDOM = np.random.default_rng(7)


def between(low, high, n=23):
    return RANDOM.uniform(low, high, n)


# name, operands, how JAX's value may differ relatively in f64, operands with derivatives, of which order
ROWS = [
    ("lax.lgamma", [between(0.1, 20)], 1e-11, (0,), 2),
    ("lax.lgamma", [between(-4, 0)], 1e-10, (0,), 2),
    ("lax.digamma", [between(0.1, 20)], 1e-10, (0,), 2),
    ("lax.polygamma", [np.repeat([1.0, 3.0], 12), between(0.2, 9, 24)], 1e-10, (1,), 2),
    ("lax.zeta", [between(1.1, 6), between(0.2, 9)], 1e-11, (), 0),
    ("lax.igamma", [between(0.2, 9), between(0.2, 12)], 1e-11, (0, 1), 1),
    ("lax.igammac", [between(0.2, 9), between(0.2, 12)], 1e-9, (0, 1), 1),
    ("lax.igamma_grad_a", [between(0.2, 9), between(0.2, 12)], 1e-9, (), 0),
    ("lax.random_gamma_grad", [between(0.2, 9), between(0.2, 12)], 1e-9, (), 0),
    ("lax.betainc", [between(0.2, 9), between(0.2, 12), between(0, 1)], 1e-11, (2,), 2),
    ("lax.bessel_i1e", [between(-30, 30)], 1e-12, (0,), 2),
    ("special.i0", [between(-9, 9)], 1e-12, (0,), 2),
    ("special.i1", [between(-9, 9)], 1e-12, (0,), 2),
    ("special.betaln", [between(0.2, 7.9), between(0.2, 7.9)], 1e-8, (0, 1), 2),
    ("special.zeta", [between(1.1, 6), between(0.2, 9)], 1e-11, (), 0),
    ("special.gammainc", [between(0.2, 9), between(0.2, 12)], 1e-11, (0, 1), 1),
    ("special.erfcx", [between(-2, 20)], 1e-10, (0,), 2),
    ("special.dawsn", [between(-9, 9)], 1e-12, (0,), 2),
    ("special.expi", [between(0.3, 50)], 1e-12, (), 0),
    ("special.expi", [between(-20, -0.3)], 1e-12, (), 0),
    ("special.exp1", [between(0.1, 20)], 1e-12, (), 0),
    ("special.spence", [between(2.1, 9)], 1e-11, (), 0),
    ("special.owens_t", [between(-3, 3), between(-3, 3)], 1e-9, (0, 1), 2),
    ("special.poch", [between(0.2, 5), between(0.2, 3)], 1e-11, (0, 1), 1),
    ("special.boxcox", [between(0.2, 5), between(-2, 3)], 1e-11, (0, 1), 2),
    ("special.boxcox1p", [between(-0.5, 5), between(-2, 3)], 1e-11, (0, 1), 2),
    ("special.comb", [between(5, 9), between(0.2, 4)], 1e-11, (0, 1), 1),
    ("special.loggamma", [between(0.2, 5)], 1e-11, (0,), 2),
    ("special.hyp1f1", [between(0.2, 5), between(0.5, 3), between(-3, 9)], 1e-11, (0, 1, 2), 1),
    ("special.hyp2f1", [between(0.2, 2), between(0.5, 3), between(0.5, 3), between(-0.7, 0.7)], 1e-10, (), 0),
]


def functions(name):
    module, name = name.split(".")
    ours = getattr(lax if module == "lax" else special, name)
    return ours, getattr(jax.lax if module == "lax" else jax.scipy.special, name)


def near(got, want, tolerance):
    want = np.asarray(want)
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * np.abs(want).max())


@pytest.fixture
def wide():
    import jax.scipy.special  # noqa: F401

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    with secant.enable_x64(True):
        yield
    jax.config.update("jax_enable_x64", before)


@needs_jax
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_wide(row, wide):
    name, operands, tolerance, wrt, order = row
    ours, theirs = functions(name)
    near(ours(*operands), theirs(*operands), tolerance)
    near(secant.jit(secant.vmap(ours))(*operands), theirs(*operands), tolerance)
    first = [f(lambda *x, g=g: g(*x).sum(), wrt) for f, g in ((secant.grad, ours), (jax.grad, theirs))] if order else ()
    if order:
        for got, want in zip(first[0](*operands), first[1](*operands)):
            near(got, want, 100 * tolerance)
    if order == 2:  # along (1, 1, ...) of all of them

        def along(m, f):
            def moved(*x):
                return f(*(x[wrt.index(k)] if k in wrt else v for k, v in enumerate(operands)))

            free = tuple(operands[k] for k in wrt)
            return m.jvp(moved, free, tuple(np.ones_like(x) for x in free))[1]

        for got, want in zip(along(secant, first[0]), along(jax, first[1])):
            near(got, want, 1000 * tolerance)


@needs_jax
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_single(row):
    """f32 is f64 rounded: the operands are those of JAX in f64."""
    import jax.scipy.special  # noqa: F401

    name, operands, tolerance, _, _ = row
    ours, theirs = functions(name)
    narrow = [x.astype("float32") for x in operands]
    with jax.enable_x64(True):
        want = np.asarray(theirs(*(x.astype("float64") for x in narrow)))
    got = ours(*narrow)
    assert got.dtype == np.float32
    cancels = name.endswith(("i0", "i1", "comb", "poch", "box", "cox", "cox1p", "i1e"))
    near(got, want, 4e-6 if cancels else 1e-6)


@needs_jax
def test_several_results(wide):
    x = np.concatenate([between(-9, 9), [0.0, 100.0]])
    for ours, theirs in ((special.sici, jax.scipy.special.sici), (special.fresnel, jax.scipy.special.fresnel)):
        for got, want in zip(ours(x), theirs(x)):
            np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-11)
        for k in (0, 1):
            got = secant.grad(lambda t: ours(t)[k])(2.5)
            np.testing.assert_allclose(got, jax.grad(lambda t: theirs(t)[k])(2.5), rtol=1e-9)
    z = between(0.5, 20)
    np.testing.assert_allclose(special.bessel_jn(z, v=4), jax.scipy.special.bessel_jn(z, v=4), rtol=1e-9, atol=1e-12)
    got = secant.vmap(secant.grad(lambda t: special.bessel_jn(t, v=3).sum()))(z)
    want = jax.vmap(jax.grad(lambda t: jax.scipy.special.bessel_jn(t, v=3).sum()))(z)
    np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(special.bernoulli(20), jax.scipy.special.bernoulli(20), rtol=1e-12)
    for n in (0, 2):
        e = between(0.1, 20)
        np.testing.assert_allclose(special.expn(n, e), jax.scipy.special.expn(n, e), rtol=1e-11)


def test_narrow_and_shapes():
    x = jnp.array([[0.5, 1.5, 2.5]], "bfloat16")
    assert special.gammainc(x, 2).dtype == "bfloat16" and special.gammainc(x, jnp.ones((2, 1))).shape == (2, 3)
    assert special.hyp2f1(1, 2, 3, jnp.zeros((0, 4))).shape == (0, 4)
    assert special.betainc(1, 2, 0.5).shape == () and special.polygamma(1, jnp.ones(3)).shape == (3,)


def test_errors():
    with pytest.raises(TypeError, match="igamma does not accept dtype int32"):
        lax.igamma(1, 2)
    with pytest.raises(ValueError, match="must be of integer type"):
        special.polygamma(1.0, 2.0)
    with pytest.raises(Exception, match="regularized_incomplete_beta has no jvp rule"):
        secant.grad(lambda a: special.betainc(a, 2.0, 0.5))(1.5)
    with pytest.raises(NotImplementedError, match="hint"):
        special.zeta(2.0)
    with pytest.raises(ValueError, match="non-negative"):
        special.bernoulli(-1)
