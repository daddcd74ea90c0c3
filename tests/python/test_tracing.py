"""Errors while tracing: classes, messages, the user's file and line."""

import numpy as np
import pytest

import secant
import secant.errors
import secant.numpy as jnp
from secant import lax


def test_errors_name_file_and_line():
    def f(x):
        y = x * 2
        return jnp.dot(y, jnp.ones((4, 5)))

    line = f.__code__.co_firstlineno + 2
    with pytest.raises(TypeError) as caught:
        secant.make_jaxpr(f)(jnp.ones((2, 3)))
    assert f"test_tracing.py:{line}" in str(caught.value)
    assert "f32[2,3]" in str(caught.value)


def test_operator_errors_name_the_line():
    def f(x):
        return x + jnp.ones(4)

    with pytest.raises(TypeError) as caught:
        secant.jit(f)(jnp.ones(3))
    assert f"test_tracing.py:{f.__code__.co_firstlineno + 1}" in str(caught.value)


@pytest.mark.parametrize(
    "function, error",
    [
        (lambda x: 1 if x > 0 else 2, secant.errors.TracerBoolConversionError),
        (lambda x: x > 0 and x, secant.errors.TracerBoolConversionError),
        (lambda x: x in (1.0, 2.0), secant.errors.TracerBoolConversionError),
        (lambda x: int(x), secant.errors.ConcretizationTypeError),
        (lambda x: float(x), secant.errors.ConcretizationTypeError),
        (lambda x: x.item(), secant.errors.ConcretizationTypeError),
        (lambda x: x.tolist(), secant.errors.ConcretizationTypeError),
        (lambda x: jnp.arange(x), secant.errors.ConcretizationTypeError),
        (lambda x: jnp.nonzero(x), secant.errors.ConcretizationTypeError),
        (lambda x: [1, 2, 3][x.astype(int)], secant.errors.TracerIntegerConversionError),
        (lambda x: range(x.astype(int)), secant.errors.TracerIntegerConversionError),
        (lambda x: np.sin(x), secant.errors.TracerArrayConversionError),
        (lambda x: jnp.ones(3)[jnp.ones(3) * x > 0], secant.errors.NonConcreteBooleanIndexError),
        (lambda x: jnp.zeros(x.astype(int)), TypeError),
        (lambda x: jnp.ones(3).reshape(x.astype(int)), TypeError),
        (lambda x: jnp.ones(3)[: x.astype(int)], IndexError),
        (lambda x: hash(x), TypeError),
        (lambda x: x + [1, 2], TypeError),
        (lambda x: jnp.sum([x, x]), TypeError),
        (lambda x: "text", TypeError),
    ],
)
def test_what_needs_values(function, error):
    with pytest.raises(error):
        secant.jit(function)(1.0)


def test_error_bases():
    e = secant.errors
    assert issubclass(e.TracerBoolConversionError, e.ConcretizationTypeError)
    assert issubclass(e.ConcretizationTypeError, TypeError)
    assert issubclass(e.UnexpectedTracerError, TypeError)
    assert issubclass(e.ShapeError, secant.SecantError) and issubclass(e.ShapeError, TypeError)
    assert not issubclass(e.TracerIntegerConversionError, e.ConcretizationTypeError)


def test_what_works_while_traced():
    def f(x):
        assert len(x) == 3 and x.shape == (3,) and x.ndim == 1 and x.dtype == np.float32
        total = sum(row for row in x)
        return total, x.at[0].set(1.0), None

    total, changed, nothing = secant.jit(f)(jnp.arange(3.0))
    assert float(total) == 3 and changed.tolist() == [1, 1, 2] and nothing is None


def test_leaked_tracers():
    kept = []

    def f(x):
        kept.append(x)
        return x

    secant.jit(f)(1.0)
    with pytest.raises(secant.errors.UnexpectedTracerError):
        kept[0] + 1
    with pytest.raises(secant.errors.UnexpectedTracerError):
        secant.jit(lambda y: y + kept[0])(1.0)


def test_conditions_on_known_values_under_derivatives():
    f = lambda a: a * a if a > 0 else -a  # noqa: E731
    assert float(secant.grad(f)(3.0)) == 6 and float(secant.grad(f)(-3.0)) == -1
    assert float(secant.grad(secant.grad(f))(3.0)) == 2
    assert float(secant.jacfwd(f)(3.0)) == 6

    def loop(a):
        n = 0
        while a < 100:
            a = a * 2
            n += 1
        return a, n

    value, tangent = secant.jvp(lambda a: loop(a)[0], (3.0,), (1.0,))
    assert float(value) == 192 and float(tangent) == 64
    with pytest.raises(secant.errors.TracerBoolConversionError):
        secant.vmap(secant.grad(f))(jnp.ones(2))
    with pytest.raises(secant.errors.TracerBoolConversionError):
        secant.jit(secant.grad(f))(1.0)
    assert float(secant.grad(lambda a: secant.vmap(lambda b: b * a if a > 0 else b)(jnp.ones(3)).sum())(2.0)) == 3


def test_a_failed_trace_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError):
        secant.jit(lambda x: 1 // 0)(1.0)
    assert float(secant.jit(lambda x: x + 1)(1.0)) == 2
    with pytest.raises(TypeError):
        secant.jit(lambda x: x @ jnp.ones((5, 5)))(jnp.ones(3))
    assert float(secant.jit(lambda x: x + 1)(1.0)) == 2


def test_no_perturbation_confusion():
    """d/dx (x d/dy (x y)) = 2x."""
    f = lambda x: x * secant.grad(lambda y: x * y)(2.0)  # noqa: E731
    assert float(secant.grad(f)(3.0)) == 6
    g = lambda x: x * secant.jvp(lambda y: x + y, (1.0,), (1.0,))[1]  # noqa: E731
    assert float(secant.grad(g)(2.0)) == 1


def test_make_jaxpr():
    j = secant.make_jaxpr(lambda x, y: jnp.sum(jnp.sin(x) * y))(jnp.ones(3), jnp.ones(3))
    assert str(j).startswith("{ lambda ; a:f32[3] b:f32[3]. let") and "c:f32[3] = sin a" in str(j)
    assert len(j.eqns) == 3 and [a.shape for a in j.out_avals] == [()]
    _, shape = secant.make_jaxpr(lambda x: {"a": x}, return_shape=True)(jnp.ones(3))
    assert shape["a"].shape == (3,)
    text = str(secant.make_jaxpr(lambda x: lax.psum(x, "i"), axis_env=[("i", 4)])(1.0))
    assert "psum" in text
    with pytest.raises(NameError):
        secant.make_jaxpr(lambda x: lax.psum(x, "i"))(1.0)


def test_lax_is_strict():
    one, real = jnp.int32(1), jnp.float32(1)
    for bad in (
        lambda: lax.add(one, real),
        lambda: lax.add(real, 1),
        lambda: lax.sin(jnp.arange(3)),
        lambda: lax.exp(1),
        lambda: lax.add(jnp.array([True]), jnp.array([True])),
        lambda: lax.concatenate([jnp.ones(1), jnp.ones(1, "int32")], 0),
        lambda: lax.rev(jnp.ones((2, 2)), (0, 0)),
        lambda: lax.reshape(jnp.ones(4), (-1,)),
        lambda: lax.pow(one, one),
        lambda: lax.dynamic_slice(jnp.ones(3), (0,), (4,)),
        lambda: lax.argmax(jnp.ones(3), 0, jnp.float32),
    ):
        with pytest.raises(TypeError):
            bad()
    with pytest.raises(OverflowError):
        jnp.int32(1) + 2**40


def test_gradient_errors():
    for bad in (
        lambda: secant.grad(lambda a: a)(jnp.ones(2)),
        lambda: secant.grad(lambda a: (a, a))(1.0),
        lambda: secant.grad(lambda a: a > 0)(1.0),
        lambda: secant.grad(lambda a: a)(1),
        lambda: secant.grad(lambda a: a * 1.0, holomorphic=True)(1.0),
        lambda: secant.grad(lambda a: a * a, has_aux=True)(1.0),
        lambda: secant.jvp(lambda a: a, (1.0,), 1.0),
        lambda: secant.jvp(lambda n: n + 1, (3,), (1,)),
        lambda: secant.grad(lambda a, b: a, argnums=3)(1.0, 2.0),
    ):
        with pytest.raises(TypeError):
            bad()
    for bad in (
        lambda: secant.vjp(lambda a: a, 1.0)[1](1),
        lambda: secant.vjp(lambda a: (a, a), 1.0)[1]([1.0, 1.0]),
        lambda: secant.jvp(lambda a: a, (jnp.ones(2),), (jnp.ones(1),)),
        lambda: secant.linearize(jnp.sin, 1.0)[1](1),
        lambda: secant.grad(lambda a: lax.while_loop(lambda c: c < 10, lambda c: c * 2, a))(1.0),
    ):
        with pytest.raises(ValueError):
            bad()


def test_integers_have_float0_tangents():
    assert secant.vjp(lambda a, n: a * n, 2.0, 3)[1](1.0)[1].dtype == secant.float0
    assert secant.grad(lambda a: a * 1.0, allow_int=True)(1).dtype == secant.float0
    value, tangent = secant.jvp(lambda n: n + 1, (3,), (np.zeros((), secant.float0),))
    assert int(value) == 4 and tangent.dtype == secant.float0
