"""custom_jvp, custom_vjp, checkpoint: rules in Python."""

from functools import partial

import pytest

import secant
import secant.numpy as jnp


@secant.custom_jvp
def cj(x):
    return x * x


cj.defjvp(lambda p, t: (cj(p[0]), 100.0 * t[0]))


@secant.custom_vjp
def cv(x):
    return x * x


cv.defvjp(lambda x: (cv(x), x), lambda r, ct: (7.0 * ct,))


def test_custom_jvp_serves_both_modes():
    assert float(cj(3.0)) == 9
    assert float(secant.grad(cj)(3.0)) == 100
    assert [float(v) for v in secant.jvp(cj, (3.0,), (1.0,))] == [9, 100]
    assert float(secant.grad(secant.grad(cj))(3.0)) == 0
    assert secant.vmap(secant.grad(cj))(jnp.ones(2)).tolist() == [100, 100]
    assert float(secant.jit(secant.grad(cj))(3.0)) == 100
    assert float(secant.grad(secant.jit(cj))(3.0)) == 100


def test_defjvps():
    @secant.custom_jvp
    def f(x, y):
        return x * y

    f.defjvps(lambda t, out, x, y: 2 * t * y, None)
    assert [float(g) for g in secant.grad(f, (0, 1))(3.0, 5.0)] == [10, 0]


def test_custom_vjp_is_reverse_only():
    assert float(secant.grad(cv)(3.0)) == 7
    assert float(secant.jit(secant.grad(cv))(3.0)) == 7
    assert secant.vmap(secant.grad(cv))(jnp.ones(3)).tolist() == [7, 7, 7]
    assert float(secant.grad(secant.grad(cv))(3.0)) == 0
    with pytest.raises(TypeError, match="forward-mode"):
        secant.jvp(cv, (3.0,), (1.0,))


def test_custom_vjp_in_scan_and_vmap():
    f = lambda a: secant.lax.scan(lambda c, v: (cv(c) + v, c), a, jnp.ones(3))[0]  # noqa: E731
    assert float(secant.grad(f)(0.5)) == 343
    assert secant.grad(lambda a: secant.vmap(cv)(a).sum())(jnp.ones(2)).tolist() == [7, 7]


def test_none_is_zero_and_nondiff_arguments():
    @secant.custom_vjp
    def cn(x, y):
        return x * y

    cn.defvjp(lambda x, y: (cn(x, y), None), lambda r, ct: (None, ct))
    assert [float(g) for g in secant.grad(cn, (0, 1))(2.0, 3.0)] == [0, 1]

    @partial(secant.custom_vjp, nondiff_argnums=(0,))
    def cd(fn, x):
        return fn(x)

    cd.defvjp(lambda fn, x: (fn(x), x), lambda fn, r, ct: (ct * fn(10.0),))
    assert abs(float(secant.grad(cd, 1)(jnp.sin, 1.0)) + 0.54402111) < 1e-6
    assert secant.vmap(cd, in_axes=(None, 0))(jnp.sin, jnp.zeros(2)).tolist() == [0, 0]


def test_pytrees_and_residuals():
    @secant.custom_vjp
    def f(tree):
        return {"s": tree["a"] * tree["b"][0]}

    f.defvjp(lambda t: (f(t), (t, 3.0)), lambda res, ct: ({"a": ct["s"] * res[1], "b": [res[0]["a"] * ct["s"]]},))
    g = secant.grad(lambda t: f(t)["s"])({"a": 2.0, "b": [5.0]})
    assert float(g["a"]) == 3 and float(g["b"][0]) == 2


def test_wrong_rules():
    with pytest.raises(AttributeError):
        secant.custom_jvp(lambda a: a)(1.0)
    with pytest.raises(AttributeError):
        secant.custom_vjp(lambda a: a)(1.0)
    bad = secant.custom_vjp(lambda x: x * 2)
    bad.defvjp(lambda x: (x * 2, None), lambda r, ct: ct)
    with pytest.raises(TypeError):
        secant.grad(bad)(2.0)
    bad = secant.custom_vjp(lambda x: x * 2)
    bad.defvjp(lambda x: (x * 2, None), lambda r, ct: (jnp.ones(2),))
    with pytest.raises(ValueError):
        secant.grad(bad)(2.0)
    bad = secant.custom_jvp(lambda x: x * 2)
    bad.defjvp(lambda p, t: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        secant.grad(bad)(2.0)
    assert float(secant.grad(cj)(3.0)) == 100  # nothing is left behind


def test_closures_over_tracers():
    def outer(k):
        f = secant.custom_jvp(lambda x: x * k)
        f.defjvp(lambda p, t: (p[0] * k, t[0] * k))
        return secant.grad(f)(2.0)

    assert float(secant.jit(outer)(5.0)) == 5


def test_checkpoint():
    f = secant.checkpoint(lambda a: jnp.sin(jnp.sin(a)))
    assert abs(float(secant.grad(f)(1.0)) - float(secant.grad(lambda a: jnp.sin(jnp.sin(a)))(1.0))) < 1e-6
    text = str(secant.make_jaxpr(secant.grad(f))(1.0))
    assert "checkpoint" in text or "remat" in text
    g = secant.checkpoint(lambda a, n: a * n, static_argnums=1)
    assert float(secant.grad(g)(2.0, 3)) == 3
    whole = secant.checkpoint(lambda a: a * a, policy=secant.checkpoint_policies.everything_saveable)
    assert float(secant.grad(whole)(2.0)) == 4
    k = jnp.ones(2)
    assert secant.grad(lambda k: secant.checkpoint(lambda a: jnp.sum(a * k))(2.0))(k).tolist() == [2, 2]
