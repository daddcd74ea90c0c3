"""vmap and pmap: errors, axes, nesting; control flow: structures of carries and branches."""

import pytest

import secant
import secant.errors
import secant.numpy as jnp
from secant import lax

M = jnp.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    "call",
    [
        lambda: secant.vmap(lambda a: a, in_axes=None)(M),
        lambda: secant.vmap(lambda a: a, in_axes=2)(M),
        lambda: secant.vmap(lambda a, b: a)(jnp.ones(2), jnp.ones(3)),
        lambda: secant.vmap(lambda a, b: a, in_axes=(0,))(jnp.ones(1), jnp.ones(1)),
        lambda: secant.vmap(lambda a: a)(3.0),
        lambda: secant.vmap(lambda: 1.0)(),
        lambda: secant.vmap(lambda a: a)([1.0, 2.0]),
        lambda: secant.vmap(lambda a: a, out_axes=None)(jnp.ones(2)),
        lambda: secant.pmap(lambda a: a * 2)(jnp.ones(3)),
        lambda: secant.pmap(lambda a: a)(1.0),
        lambda: secant.pmap(lambda a: a, in_axes=None, axis_size=2)(jnp.float32(1)),
        lambda: secant.pmap(lambda a: a, in_axes=-1)(M.T),
        lambda: secant.pmap(secant.pmap(lambda a: a))(jnp.ones((2, 1))),
        lambda: secant.pmap(lambda a, n: a + n, static_broadcasted_argnums=1)(jnp.ones(2), [3]),
        lambda: lax.scan(lambda c, a: (c, a), 1.0, jnp.ones(2), length=3),
        lambda: lax.scan(lambda c, a: (c, a), 1.0),
        lambda: lax.switch(0, []),
    ],
)
def test_value_errors(call):
    with pytest.raises(ValueError):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: secant.vmap(lambda d: d["a"], in_axes={"a": 0})({"a": jnp.ones(2)}),
        lambda: lax.scan(lambda c, a: c, 1.0, jnp.ones(2)),
        lambda: lax.scan(lambda c, a: ((c, c), a), 1.0, jnp.ones(2)),
        lambda: lax.scan(lambda c, a: (c.astype("int32"), a), 1.0, jnp.ones(2)),
        lambda: lax.cond(True, lambda: 1, lambda: 1.0),
        lambda: lax.cond(True, lambda: 1, lambda: (1,)),
        lambda: lax.cond(jnp.ones(1), lambda: 1, lambda: 2),
        lambda: lax.while_loop(lambda c: c, lambda c: c, 1.0),
        lambda: lax.while_loop(lambda c: c > 0, lambda c: (c, c), 1.0),
        lambda: lax.switch(jnp.float32(0), [lambda: 1, lambda: 2]),
        lambda: lax.fori_loop(0.0, 3, lambda i, c: c, 0),
    ],
)
def test_type_errors(call):
    with pytest.raises(TypeError):
        call()


def test_axis_names():
    with pytest.raises(NameError):
        lax.psum(jnp.ones(()), "i")
    with pytest.raises(NameError):
        secant.vmap(lambda a: lax.psum(a, "j"), axis_name="i")(jnp.ones(1))


def test_a_failure_leaves_no_axis_behind():
    try:
        secant.vmap(lambda a: 1 // 0, axis_name="left")(jnp.ones(2))
    except ZeroDivisionError:
        pass
    with pytest.raises(NameError):
        secant.make_jaxpr(lambda x: lax.psum(x, "left"))(1.0)
    assert int(secant.vmap(lambda a: lax.psum(1, "i"), axis_name="i")(jnp.ones(2))[0]) == 2


def test_pmap_out_axes_none_takes_the_first():
    assert float(secant.pmap(lambda a: a, out_axes=None)(jnp.arange(2.0))) == 0


def test_captured_values_in_bodies():
    def f(a, k):
        total, _ = lax.scan(lambda c, v: (c + v * k, None), 0.0, a)
        return lax.cond(k > 0, lambda t: t * k, lambda t: t, total) + lax.while_loop(
            lambda c: c < k, lambda c: c + k, 0.0
        )

    a, k = jnp.arange(3.0), 2.0
    assert float(secant.jit(f)(a, k)) == 14
    assert float(secant.grad(lambda k: lax.scan(lambda c, v: (c + v * k, None), 0.0, a)[0])(k)) == 3
    assert secant.vmap(f, in_axes=(None, 0))(a, jnp.array([2.0, -1.0])).tolist() == [14, -3]


def test_scan_of_trees():
    carry, ys = lax.scan(
        lambda c, x: ({"n": c["n"] + 1, "s": c["s"] + x["v"]}, (x["v"], None)),
        {"n": 0, "s": 0.0},
        {"v": jnp.arange(4.0)},
    )
    assert int(carry["n"]) == 4 and float(carry["s"]) == 6 and ys[0].tolist() == [0, 1, 2, 3] and ys[1] is None


def test_three_deep_nestings():
    """Every order of three of jit, grad, vmap and jvp gives what calculus gives: f(x) = x**4 at 3."""
    wraps = {
        "jit": lambda f: secant.jit(f),
        "grad": lambda f: secant.grad(f),
        "jvp": lambda f: lambda x: secant.jvp(f, (x,), (jnp.ones_like(x),))[1],
        "vmap": lambda f: lambda x: secant.vmap(f)(jnp.stack([x, x + 1]))[0],
        "checkpoint": lambda f: secant.checkpoint(f),
    }
    derivatives = [81.0, 108.0, 108.0, 72.0]  # of order 0 to 3
    for a in wraps:
        for b in wraps:
            for c in wraps:
                order = sum(n in ("grad", "jvp") for n in (a, b, c))
                out = wraps[a](wraps[b](wraps[c](lambda x: x**4)))(jnp.float32(3))
                assert float(out) == derivatives[order], (a, b, c)
