"""Fourier transforms against NumPy in double precision, and their derivatives and refusals against JAX."""

import numpy as np
import pytest

import secant
import secant.numpy as jnp
from peer import agree, needs_jax
from secant import lax

LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 30, 31, 37, 64, 97, 100, 101, 128, 243, 257, 512, 1000, 1009, 2048, 4099, 6000, 10007, 16384, 65536, 100003]


def signal(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    return (x + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def near(got, want, dtype, n):
    """Errors of the order of log n rounding errors, of the root mean square."""
    scale = max(np.sqrt((np.abs(want) ** 2).mean()), 1e-300)
    error = np.abs(np.asarray(got) - want).max() / scale
    assert error < 20 * (2 + np.log2(n)) * np.finfo(dtype).eps, error


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_lengths(n, dtype):
    real = "float32" if dtype == "complex64" else "float64"
    for batch in ((), (3,), (37,)) if n < 20000 else ((),):
        z, x = signal((*batch, n), dtype), signal((*batch, n), real)
        half = signal((*batch, n // 2 + 1), dtype)
        near(jnp.fft.fft(z), np.fft.fft(z.astype("complex128")), dtype, n)
        near(jnp.fft.ifft(z), np.fft.ifft(z.astype("complex128")), dtype, n)
        near(jnp.fft.rfft(x), np.fft.rfft(x.astype("float64")), dtype, n)
        near(jnp.fft.irfft(half, n), np.fft.irfft(half.astype("complex128"), n), dtype, n)


@pytest.mark.parametrize("shape", [(4, 6), (3, 5, 8), (2, 3, 4, 5), (1, 7), (33, 20, 9), (64, 64, 3)])
def test_axes(shape):
    z, x = signal(shape, "complex128"), signal(shape, "float64")
    for axis in range(-1, len(shape)):
        near(jnp.fft.fft(z, axis=axis), np.fft.fft(z, axis=axis), "float64", 64)
        near(jnp.fft.rfft(x, axis=axis), np.fft.rfft(x, axis=axis), "float64", 64)
        near(jnp.fft.irfft(z, axis=axis, n=7), np.fft.irfft(z, axis=axis, n=7), "float64", 64)
    near(jnp.fft.fftn(z), np.fft.fftn(z), "float64", 4096)
    near(jnp.fft.ifftn(z, axes=(0, -1)), np.fft.ifftn(z, axes=(0, -1)), "float64", 4096)
    near(jnp.fft.rfftn(x), np.fft.rfftn(x), "float64", 4096)
    near(jnp.fft.irfftn(np.fft.rfftn(x), s=x.shape), x, "float64", 4096)
    near(jnp.fft.fft2(z, s=(5, 3), norm="ortho"), np.fft.fft2(z, s=(5, 3), norm="ortho"), "float64", 64)
    near(lax.fft(z, "FFT", shape[1:]), np.fft.fftn(z, axes=range(1, len(shape))), "float64", 4096)


def test_threads_and_many_lengths():
    """Plans are kept for some lengths, and made again for others."""
    from concurrent.futures import ThreadPoolExecutor

    def run(n):
        x = signal((n,), "complex128", n)
        near(jnp.fft.fft(x), np.fft.fft(x), "float64", n)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, [*range(1, 130), *range(500, 520)] * 2))


ROWS = """
jnp.fft.fft(x), jnp.fft.ifft(c(1, 2j, 3)), jnp.fft.rfft(x), jnp.fft.irfft(c(1, 2j, 3)), jnp.fft.hfft(c(1, 2j, 3)), jnp.fft.ihfft(x), jnp.fft.fft(i(1, 2, 3)), jnp.fft.fft(jnp.array([True, False]))
jnp.fft.fft(x, 3), jnp.fft.fft(x, 8), jnp.fft.rfft(x, 4), jnp.fft.irfft(c(1, 2j, 3), 5), jnp.fft.irfft(c(1, 2j, 3), 3), jnp.fft.hfft(c(1, 2j, 3), 5), jnp.fft.ihfft(x, 3), jnp.fft.fft(M, axis=0), jnp.fft.irfft(M * 1j, 5, 0)
jnp.fft.fft(x, norm='ortho'), jnp.fft.fft(x, norm='forward'), jnp.fft.ifft(x, norm='forward'), jnp.fft.rfft(x, norm='ortho'), jnp.fft.irfft(c(1, 2j, 3), norm='forward'), jnp.fft.hfft(c(1, 2j, 3), norm='ortho'), jnp.fft.hfft(c(1, 2j, 3), norm='forward'), jnp.fft.ihfft(x, norm='ortho'), jnp.fft.ihfft(x, norm='forward'), jnp.fft.fftn(M, norm='ortho')
jnp.fft.fft2(M), jnp.fft.ifft2(M), jnp.fft.rfft2(M), jnp.fft.irfft2(M * 1j), jnp.fft.fftn(M), jnp.fft.ifftn(M), jnp.fft.rfftn(M), jnp.fft.irfftn(M * 1j), jnp.fft.fftn(M, s=(2,)), jnp.fft.rfft2(M, s=(3, 2)), jnp.fft.irfftn(M * 1j, s=(3, 5)), jnp.fft.fft2(M, axes=(1, 0)), jnp.fft.rfft2(M, axes=(1, 0))
jnp.fft.fftfreq(5), jnp.fft.fftfreq(6, 0.5), jnp.fft.rfftfreq(5), jnp.fft.rfftfreq(6, 0.5), jnp.fft.fftshift(x), jnp.fft.ifftshift(x), jnp.fft.fftshift(M, axes=1), jnp.fft.ifftshift(M)
lax.fft(c(1, 2j, 3), 'FFT', (3,)), lax.fft(c(1, 2j, 3), lax.FftType.IFFT, (3,)), lax.fft(x, 'RFFT', (5,)), lax.fft(c(1, 2j, 3), 'IRFFT', (4,)), lax.fft(M * 1j, 'IRFFT', (2, 5)), lax.fft(M, 'RFFT', (2, 3)), lax.fft(i(1, 2), 'FFT', (2,))
jvp(jnp.fft.fft, (x,), (y,)), jvp(jnp.fft.irfft, (c(1, 2j, 3),), (c(1j, 2, 1),)), vjp(jnp.fft.rfft, x)[1](c(1, 2j, 3)), vjp(jnp.fft.rfft, x[:4])[1](c(1, 2j, 3)), vjp(jnp.fft.irfft, c(1, 2j, 3))[1](x[:4]), vjp(lambda z: jnp.fft.irfft(z, 5), c(1, 2j, 3))[1](x), vjp(jnp.fft.ifft, c(1, 2j))[1](c(1j, 3))
vjp(jnp.fft.rfft2, M)[1](M[:, :2] * 1j), vjp(lambda z: jnp.fft.irfft2(z, s=(2, 4)), M * 1j)[1](jnp.ones((2, 4))), vjp(lambda z: jnp.fft.hfft(z), c(1, 2j, 3))[1](x[:4]), vjp(jnp.fft.fftn, M * 1j)[1](M + 1j)
grad(lambda a: jnp.sum(jnp.abs(jnp.fft.fft(a)) ** 2))(x), grad(lambda a: jnp.sum(jnp.abs(jnp.fft.rfft(a) * jnp.fft.rfft(y))))(x), api.hessian(lambda a: jnp.sum(jnp.abs(jnp.fft.rfft(a)) ** 2))(x[:3]), grad(lambda a: jnp.fft.irfft(jnp.fft.rfft(a) * 2, 5)[1] ** 3)(x)
vmap(jnp.fft.fft)(M), vmap(jnp.fft.rfft, 1)(M), vmap(lambda a: jnp.fft.irfft(a * 1j))(M), vmap(grad(lambda a: jnp.sum(jnp.abs(jnp.fft.fft(a)))))(M + 1), jit(lambda a: jnp.fft.ifft(jnp.fft.fft(a) * jnp.fft.fft(a)).real)(x), lax.scan(lambda s, a: (jnp.fft.fft(s), a), c(1, 2j), x)[0]
""".strip().splitlines()


@needs_jax
@pytest.mark.parametrize("program", ROWS)
def test_against_jax(program):
    agree(program)


REFUSALS = """
lax.fft(M * 1j, 'FFT', (5,))
lax.fft(M, 'RFFT', (5,))
lax.fft(M * 1j, 'RFFT', (3,))
lax.fft(M, 'XX', (3,))
lax.fft(M * 1j, 'FFT', (1, 2, 3))
lax.fft(jnp.ones(4, 'float16'), 'RFFT', (4,))
jnp.fft.fft(M, norm='bad')
jnp.fft.fft(M, n=0)
jnp.fft.fft(M, axis=5)
jnp.fft.fft(M, axis=(0, 1))
jnp.fft.fft(M, n=2.5)
jnp.fft.rfft(M * 1j)
jnp.fft.fft2(M, axes=(0,))
jnp.fft.fft2(M, axes=(0, 0))
jnp.fft.fftn(M, s=(0, 2))
jnp.fft.fft(jnp.float32(1))
jnp.fft.hfft(M * 1j, n=-1)
jnp.fft.fftfreq([5])
""".strip().splitlines()


@needs_jax
@pytest.mark.parametrize("program", REFUSALS)
def test_refusals(program):
    """The same class of error as JAX's, with its words."""
    from peer import jax, names

    with pytest.raises(Exception) as theirs:
        eval(program, names(jax))
    with pytest.raises(type(theirs.value)) as ours:
        eval(program, names(secant))
    said = str(theirs.value).split("\n")[0].rstrip(".")
    assert said.split(" Got ")[0] in str(ours.value)


def test_text_and_empty():
    text = str(secant.make_jaxpr(lambda z: lax.fft(z, "IRFFT", (4,)))(np.ones(3, "complex64")))
    assert "fft[fft_lengths=(4,) fft_type=3] a" in text
    assert jnp.fft.fft(np.ones((0, 4), "float32")).shape == (0, 4)
    assert jnp.fft.rfft(np.ones((2, 0, 4), "float32")).shape == (2, 0, 3)
    assert jnp.fft.fft(np.ones(0, "float32")).shape == (0,)
    assert len([n for n in dir(jnp.fft) if n in "fft ifft rfft irfft fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift".split()]) == 18
