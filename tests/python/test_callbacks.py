"""Host functions in compiled code: what they see and give, in which order, and that none is lost; against JAX."""

import numpy as np
import pytest

import secant
import secant.experimental
from peer import compare, jax, needs_jax


def prints(api):
    jnp, lax, debug = api.numpy, api.lax, api.debug

    @api.jit
    def f(x):
        debug.print("x={x} sum={}", x.sum(), x=x)
        return x * 2

    def nothing(x):
        debug.print("only {x:.2f}", x=x)

    f(jnp.arange(3.0))
    f(jnp.arange(3.0) + 1)
    api.jit(nothing)(2.5)
    api.grad(lambda x: (debug.print("primal {}", x), f(x).sum())[1])(jnp.ones(2))
    api.vmap(lambda x: (debug.print("lane {}", x), x)[1])(jnp.arange(3.0))
    api.jit(lambda n: lax.fori_loop(0, 3, lambda i, c: (debug.print("i={} c={}", i, c), c * 2)[1], n))(1.0)
    lax.scan(lambda c, x: (debug.print("scan {}", x), (c, None))[1], 0.0, jnp.arange(2.0))
    lax.while_loop(lambda c: c < 3, lambda c: (debug.print("while {}", c), c + 1)[1], 0)
    for flag in (True, False):
        api.jit(lambda p: lax.cond(p, lambda: debug.print("yes"), lambda: debug.print("no")))(flag)
    debug.print("eager {a}", a=jnp.ones(2))
    api.effects_barrier()


def calls(api):
    jnp, io = api.numpy, api.experimental.io_callback
    seen = []

    def count(x):
        seen.append(np.asarray(x).tolist())
        return np.int32(len(seen))

    def sine(x):
        return api.pure_callback(lambda a: np.sin(a).astype("float32"), api.ShapeDtypeStruct(x.shape, x.dtype), x, vmap_method="sequential")

    sine_rule = api.custom_jvp(sine)
    sine_rule.defjvp(lambda p, t: (sine(p[0]), jnp.cos(p[0]) * t[0]))
    number = api.ShapeDtypeStruct((), "int32")
    twice = api.jit(lambda x: (io(count, number, x, ordered=True), io(count, number, x, ordered=True)))
    pair = lambda x: api.pure_callback(  # noqa: E731
        lambda a, k: {"a": np.asarray(a) * k, "n": np.int32(k)}, {"a": api.ShapeDtypeStruct((3,), "float32"), "n": number}, x, k=2
    )
    x = jnp.arange(3.0)
    out = [twice(1.0), twice(2.0), sine(x), api.jit(sine)(x), api.vmap(sine)(jnp.arange(6.0).reshape(2, 3))]
    out += [api.grad(lambda a: sine_rule(a).sum())(x), api.jit(api.vmap(api.grad(sine_rule)))(x), pair(x), api.jit(pair)(x)]
    api.jit(lambda a: io(lambda v: seen.append(float(v)), None, a))(7.0)
    api.effects_barrier()
    return out, np.array([v for v in seen])


@needs_jax
def test_prints(capfd):
    prints(secant)
    got = capfd.readouterr().out
    prints(jax)
    assert sorted(got.splitlines()) == sorted(capfd.readouterr().out.splitlines())


@needs_jax
def test_calls():
    import jax.experimental  # noqa: F401

    compare(calls(secant), calls(jax), weak=False)


def test_order(capfd):
    def body(i, x):
        secant.debug.print("a{}", i)
        secant.debug.callback(lambda v: print("b", int(v)), i)
        return x + 1

    secant.jit(lambda x: secant.lax.fori_loop(0, 2, body, x))(0)
    assert capfd.readouterr().out.split() == ["a0", "b", "0", "a1", "b", "1"]


FLOAT = secant.ShapeDtypeStruct((), "float32")
MISTAKES = [
    (lambda: secant.jit(lambda x: secant.pure_callback(lambda a: 1 / 0, FLOAT, x))(1.0), ZeroDivisionError, "division"),
    (lambda: secant.pure_callback(lambda a: np.zeros(3), FLOAT, 1.0), ValueError, "shape"),
    (lambda: secant.pure_callback(lambda a: (a, a), FLOAT, 1.0), TypeError, "announced"),
    (lambda: secant.pure_callback(lambda a: a, "f32", 1.0), TypeError, "ShapeDtypeStruct"),
    (lambda: secant.pure_callback(lambda a: a, FLOAT, 1.0, vmap_method="all"), ValueError, "vmap_method"),
    (lambda: secant.grad(lambda x: secant.pure_callback(lambda a: a, FLOAT, x))(1.0), NotImplementedError, "jvp"),
    (lambda: secant.grad(lambda x: secant.experimental.io_callback(lambda a: a, FLOAT, x))(1.0), NotImplementedError, "derivative"),
    (lambda: secant.debug.print("x", 1), ValueError, "Unused"),
    (lambda: secant.debug.callback(3), TypeError, "callable"),
    (lambda: secant.debug.breakpoint(), NotImplementedError, "not available"),
]  # fmt: skip


@pytest.mark.parametrize("call, error, text", MISTAKES)
def test_mistake(call, error, text):
    with pytest.raises(error, match=text):
        call()
