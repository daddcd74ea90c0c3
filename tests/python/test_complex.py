"""Complex numbers: functions over the plane against NumPy in long double, the rest against JAX."""

import warnings

import numpy as np
import pytest

import secant
import secant.numpy as jnp
from peer import agree, needs_jax
from secant import lax

# as expressions of NumPy, where it has no function of the name
FUNCTIONS = {
    **{n: getattr(np, n) for n in "exp log sqrt sin cos tan sinh cosh tanh expm1 square reciprocal abs".split()},
    **{n: getattr(np, "arc" + n[1:]) for n in "asin acos atan asinh acosh atanh".split()},
    "log1p": lambda z: 0.5 * np.log1p(z.real * (2 + z.real) + z.imag**2) + 1j * np.arctan2(z.imag, 1 + z.real),
    "exp2": lambda z: np.exp(z * np.log(np.longdouble(2))),
    "rsqrt": lambda z: 1 / np.sqrt(z),
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "sign": lambda z: z / np.abs(z),
}


def plane(dtype, low, high):
    """Points of all directions with moduli from 10^low to 10^high, and some on the axes."""
    rng = np.random.default_rng(5)
    r, angle = 10 ** rng.uniform(low, high, 4000), rng.uniform(-np.pi, np.pi, 4000)
    z = r * np.exp(1j * angle)
    z[:200] = z[:200].real
    z[200:400] = 1j * z[200:400].imag
    z[400:800] = 1 + z[400:800] * 1e-3
    return z.astype(dtype)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_functions_over_the_plane(name, dtype):
    """Errors are below 64 rounding errors of the modulus, and near 0 as everywhere."""
    z = plane(dtype, -6, 1.4)
    wide = z.astype(np.clongdouble if dtype == "complex128" else np.complex128)
    with np.errstate(all="ignore"):
        want = FUNCTIONS[name](wide)
    got = np.asarray(secant.jit(getattr(jnp, name, None) or getattr(lax, name))(z))
    good = np.isfinite(want) & (np.abs(want) < 1e30)
    error = np.abs(got[good] - want[good]) / np.abs(want[good])
    assert error.max() < 64 * np.finfo(dtype).eps, f"at {z[good][error.argmax()]}"


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_arithmetic_over_the_plane(dtype):
    z, w = plane(dtype, -3, 3), plane(dtype, -3, 3)[::-1].copy()
    wide_z, wide_w = (x.astype(np.clongdouble) for x in (z, w))
    for got, want in ((jnp.multiply(z, w), wide_z * wide_w), (jnp.divide(z, w), wide_z / wide_w), (jnp.add(z, w), wide_z + wide_w)):
        assert (np.abs(np.asarray(got) - want) <= 8 * np.finfo(dtype).eps * np.abs(want)).all()
    # far from 1: no overflow or underflow on the way
    for scale in (1e-30, 1e30) if dtype == "complex64" else (1e-280, 1e280):
        x = np.array([(3 + 4j) * scale, 1j * scale, -scale], dtype)
        np.testing.assert_allclose(np.asarray(jnp.abs(x)), np.abs(x), rtol=4e-7)
        np.testing.assert_allclose(np.asarray(jnp.divide(x, x)), 1, rtol=4e-7)
        np.testing.assert_allclose(np.asarray(jnp.sqrt(x)), np.sqrt(x), rtol=4e-7)
        np.testing.assert_allclose(np.asarray(jnp.log(x)), np.log(x), rtol=4e-7)


ROWS = """
c(1+2j) * 2, c(1+2j) + 1j, c(1, 2) * f(1, 2), f(1, 2) * 1j, i(1, 2) * 1j, c(3) ** 2, c(1+1j) ** -3, c(1+1j) ** 0.5, 2 ** c(1j), c(1+2j, 3) / c(2-1j, 0)
1j * jnp.float32(2), jnp.asarray(1j), jnp.asarray([1, 2j]), jnp.array(2j) + 1, jnp.complex64(1) + jnp.float16(1), jnp.add(1j, True)
c(1+2j).real, c(1+2j).imag, c(1+2j).conj(), jnp.conj(x), jnp.real(x), jnp.imag(i(1)), jnp.imag(x), lax.conj(1.0), lax.complex(f(1), f(2)), lax.complex(1.0, 2.0)
jnp.angle(c(1+1j, -1, 0, -1j)), jnp.angle(c(1j), deg=True), jnp.abs(c(3+4j)), abs(c(3+4j)), jnp.sign(c(3+4j, 0)), jnp.isreal(c(1, 1j)), jnp.iscomplex(c(1, 1j)), jnp.iscomplexobj(c(1))
jnp.sum(c(1, 2j)), jnp.prod(c(1+1j, 2j, 3)), jnp.mean(c(1, 2j)), jnp.var(c(1, 2j, 3)), jnp.std(c(1, 2j, 3)), jnp.cumsum(c(1, 2j, 3)), jnp.cumprod(c(1, 2j, 3)), jnp.prod(c().reshape(0, 2), 0)
jnp.max(c(1+2j, 1+3j, 9j)), jnp.min(c(1+2j, 1+3j, 9j)), lax.max(c(1+2j), c(1+3j)), lax.min(c(1+2j), c(1+3j)), c(1+2j) < c(1+3j), c(1+2j) >= c(1+3j), jnp.maximum(c(1), c(1j))
jnp.sort(c(3, 1+2j, 1+1j, -1j, 1)), jnp.sort(c(3, 1, np.nan, 2j)), jnp.argsort(c(3, 1+2j, 1+1j)), lax.sort((c(1, 1j, -1), f(1, 2, 3)))
c(1, 2) == c(1, 2j), c(1, 2) != c(1, 2j), jnp.isfinite(c(1, complex(np.inf, 0), complex(0, np.nan))), jnp.isnan(c(1, complex(0, np.nan))), jnp.isinf(c(1, complex(0, np.inf)))
jnp.dot(c(1, 2j), c(3j, 4)), jnp.vdot(c(1, 2j), c(3j, 4)), jnp.outer(c(1, 2j), f(1, 2)), M @ (M.T * 1j), jnp.einsum('ij,ik->jk', M * 1j, M * (1+1j)), jnp.linalg.norm(c(3, 4j)), jnp.matmul(jnp.ones((2, 3, 4)) * 1j, jnp.ones((4, 5)))
c(1, 2, 3)[1], c(1, 2, 3)[::-1], c(1, 2j, 3).at[1].set(5), c(1, 2j, 3).at[1].add(1j), jnp.take(c(1j, 2), i(1, 5)), jnp.where(x > 2, 1j, x), jnp.pad(c(1j), 1), jnp.concatenate([c(1j), f(2)]), jnp.stack([c(1j), c(2)]), (M * 1j).T, jnp.roll(c(1, 2j), 1), jnp.flip(c(1, 2j))
jnp.zeros(2, complex), jnp.ones_like(c(1j)), jnp.full(2, 1j), jnp.eye(2, dtype='complex64'), jnp.nan_to_num(c(complex(np.nan, np.inf))), jnp.round(c(1.6+2.4j))
lax.pow(c(0, 0, 2j), c(0, 1, 1+1j)), lax.integer_pow(c(1+1j), 5), lax.select(c(1).real > 0, c(1), c(2)), lax.convert_element_type(x, 'complex64'), lax.convert_element_type(True, 'complex64'), x.astype(complex), c(0, 1j).astype(bool)
random.normal(random.key(3), (4,), 'complex64')
grad(lambda z: jnp.abs(z))(3+4j), grad(lambda z: jnp.abs(z) ** 2)(1+2j), grad(jnp.real)(1j), grad(jnp.imag)(1j), grad(lambda z: (z * z).imag)(1+2j), grad(jnp.abs)(0j), grad(lambda x: jnp.abs(jnp.exp(1j * x) + x))(0.3), grad(lambda z: jnp.angle(z))(1+2j)
grad(lambda z: z ** 3 * jnp.exp(z), holomorphic=True)(1+2j), grad(lambda z: jnp.sin(z) / z, holomorphic=True)(1+2j), api.value_and_grad(lambda z: jnp.sum(jnp.abs(z)))(c(1, 1j))
api.jacfwd(lambda z: z * z[::-1], holomorphic=True)(c(1, 2j)), api.jacrev(lambda z: jnp.cumprod(z), holomorphic=True)(c(1, 2j)), api.jacrev(lambda z: jnp.abs(z))(c(1, 2j)), api.jacfwd(lambda x: x * 1j)(x), api.hessian(lambda z: z[0] ** 2 * z[1], holomorphic=True)(c(1, 2j))
vjp(lambda z: z * (2+1j), c(1, 2))[1](c(1, 1j)), vjp(jnp.conj, c(1j))[1](c(2+1j)), jvp(lambda z: jnp.real(z) * z, (c(1+2j),), (c(1j),)), vjp(lambda a, b: a / b, c(1+1j), c(2j))[1](c(1)), vjp(lambda x: x * 1j, x)[1](c(1, 1j, 2, 0, 3)), vjp(jnp.prod, c(1, 2j, 0))[1](jnp.complex64(1j))
api.linearize(lambda z: jnp.exp(z), c(1j))[1](c(2)), vmap(lambda z: jnp.vdot(z, z))(M * 1j), jit(lambda z: (z, z, z.real))(c(1, 2j)), vmap(grad(lambda z: jnp.abs(jnp.tanh(z))))(c(1j, 2, 1+1j))
lax.scan(lambda a, b: (a * b, a + b), 1j, c(1, 2j, 3)), lax.while_loop(lambda z: jnp.abs(z) < 4, lambda z: z * z + 1, 1j + 0.5), lax.cond(x[0] > 0, lambda z: z * 1j, lambda z: -z, c(1, 2)), lax.fori_loop(0, 3, lambda k, z: z * 2j, c(1)), lax.associative_scan(jnp.multiply, c(1j, 2, 3j)), lax.map(lambda z: z * z, c(1, 2j))
grad(lambda z: lax.scan(lambda a, b: (a * b + z, a.real), z, c(1, 2j))[0].real)(1+1j), grad(lambda z: lax.cond(z.real > 0, lambda w: jnp.abs(w), lambda w: w.imag, z * z))(2+1j)
lax.cummax(c(1, 2j, 1+1j, -1)), lax.cumprod(c(1, 2j, 1+1j, -1), 0, True), lax.reduce_max(c(1, 1j, 1+1j), (0,)), lax.reduce_prod(M * 1j, (0, 1)), jnp.cumsum(M * 1j, axis=1)
vmap(lambda z: lax.psum(z, 'i'), axis_name='i')(c(1, 2j)), vmap(lambda z: lax.pmax(z, 'i'), axis_name='i')(c(1, 2j)), vmap(lambda z: lax.all_gather(z, 'i'), axis_name='i')(c(1, 2j)), lax.stop_gradient(c(1j)), api.checkpoint(lambda z: z * z)(c(1j))
api.linear_transpose(lambda z: z * 2j, c(1))(c(1j)), api.jit(lambda z: z)(c(1j))
""".strip().splitlines()


@needs_jax
@pytest.mark.parametrize("program", ROWS)
def test_against_jax(program):
    agree(program, weak=not program.startswith("grad"))  # gradients by weak scalars are weak here


@needs_jax
def test_special_values_as_jax():
    import jax

    inf, nan = np.inf, np.nan
    z = np.array([complex(a, b) for a in (0.0, -0.0, 1, -2, inf, -inf) for b in (0.0, -0.0, 1, inf)], "complex64")
    for name in ("abs", "exp", "log", "sqrt", "log1p", "expm1", "sign", "rsqrt"):
        got, want = np.asarray(getattr(lax, name)(z)), np.asarray(getattr(jax.lax, name)(z))
        assert (np.isnan(got) == np.isnan(want)).all(), name
        for part in ("real", "imag"):
            g, w = getattr(got, part), getattr(want, part)
            both = np.isfinite(want) & ((name != "sqrt") | ~np.signbit(z.imag))  # XLA's root forgets the sign of a zero
            assert np.allclose(g[both], w[both], atol=1e-6), name
    n, d = (np.array(x, "complex64") for x in ([1, 1j, inf, 1 + 1j, 1, complex(inf, 1), 0], [0, 0, 2, 0, complex(inf, inf), 2 + 1j, 0]))
    got, want = np.asarray(jnp.divide(n, d)), np.asarray(jax.numpy.divide(n, d))
    assert (np.isnan(got.real) == np.isnan(want.real)).all() and (np.isnan(got.imag) == np.isnan(want.imag)).all()
    assert got.tobytes() == want.tobytes() or np.array_equal(got, want, equal_nan=True)


def test_text():
    z = jnp.complex64(1 + 2j)
    assert repr(jnp.array([1 + 2j, 3.5 - 1j])) == "Array([1. +2.j, 3.5-1.j], dtype=complex64)"
    for literal, text in ((1 + 2j, "(1+2j)"), (-1 - 2j, "(-1-2j)"), (2j, "2j"), (0j, "0j"), (1.5 + 0j, "(1.5+0j)"), (complex(np.inf, np.nan), "(inf+nanj)")):
        assert f"mul a {text}:c64[]" in str(secant.make_jaxpr(lambda z: z * literal)(z))
    assert "conj[input_dtype=complex64] a" in str(secant.make_jaxpr(jnp.conj)(z))
    assert complex(z) == 1 + 2j and z.item() == 1 + 2j and f"{z:.1f}" == "1.0+2.0j"


def test_refusals():
    z = jnp.array([1j, 2])
    for call, error in (
        (lambda: jnp.clip(z, 0, 1), ValueError),
        (lambda: lax.lt(z, z), TypeError),
        (lambda: jnp.argmax(z), TypeError),
        (lambda: lax.erf(z), TypeError),
        (lambda: lax.floor(z), TypeError),
        (lambda: lax.real(1.0), TypeError),
        (lambda: lax.bitcast_convert_type(z, "float32"), TypeError),
        (lambda: lax.top_k(z, 1), TypeError),
        (lambda: float(z[0]), TypeError),
        (lambda: secant.grad(lambda z: z * z)(1j), TypeError),
        (lambda: secant.grad(lambda x: x, holomorphic=True)(1.0), TypeError),
        (lambda: secant.grad(lambda z: z.real, holomorphic=True)(1j), TypeError),
        (lambda: secant.jacfwd(lambda z: z)(1j), TypeError),
    ):
        with pytest.raises(error):
            call()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert z.astype("float32").tolist() == [0, 2] and lax.convert_element_type(z, "int32").tolist() == [0, 2]
        z.astype(bool), z.astype("complex128"), z.real
    assert len(caught) == 2 and all("discards the imaginary part" in str(w.message) for w in caught)


def test_large_arrays():
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(300, 200)) + 1j * rng.normal(size=(300, 200)) for _ in range(2))
    np.testing.assert_allclose(np.asarray(jnp.matmul(a, b.T)), a @ b.T, rtol=1e-12)
    np.testing.assert_allclose(np.asarray(jnp.sum(a * b)), (a * b).sum(), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(jnp.transpose(a)), a.T)
    np.testing.assert_allclose(np.asarray(secant.jit(lambda x, y: (x * y + x.conj()).T)(a, b)), (a * b + a.conj()).T, rtol=1e-13)
    assert np.asarray(jnp.sort(a.ravel())).tolist() == np.sort(a.ravel()).tolist()
