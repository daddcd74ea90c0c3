"""Contexts, stages and protocols of arrays."""

import copy
import pickle

import numpy as np
import pytest

import secant
import secant.numpy as jnp
from secant import lax


def test_disable_jit():
    seen = []

    @secant.jit
    def f(x):
        seen.append(type(x).__name__)
        return lax.while_loop(lambda v: v < 9, lambda v: v * 2, x)

    with secant.disable_jit():
        assert float(f(jnp.array(1.0))) == 16.0
        assert float(f(jnp.array(1.0))) == 16.0
        carry, ys = lax.scan(lambda c, x: (c + x, c), 0.0, jnp.arange(4.0))
        assert float(carry) == 6.0 and ys.tolist() == [0, 0, 1, 3]
        assert lax.scan(lambda c, x: (c + x, c), 0.0, jnp.arange(4.0), reverse=True)[1].tolist() == [6, 5, 3, 0]
        assert float(lax.fori_loop(0, 3, lambda i, v: v + i, 1.0)) == 4.0
        assert lax.cond(True, lambda: 1, lambda: "never") == 1
        assert float(lax.switch(1, [jnp.sin, jnp.cos], 0.0)) == 1.0
        assert float(secant.grad(f)(2.0)) == 8.0
    assert "Tracer" not in seen[:2] and "Tracer" in seen[2]
    f(jnp.array(1.0))
    assert "Tracer" in seen[-1]


def test_ensure_compile_time_eval():
    @secant.jit
    def f(x):
        with secant.ensure_compile_time_eval():
            n = int(jnp.sum(jnp.arange(4)))
        return x * n

    assert float(f(2.0)) == 12.0


def test_named_scope():
    with secant.named_scope("part"):
        assert float(jnp.sin(0.0)) == 0.0

    @secant.named_scope("part")
    def f(x):
        return x

    assert f(3) == 3
    with pytest.raises(TypeError):
        secant.named_scope(3)


def test_stages():
    lowered = secant.jit(lambda x, y: (x @ y, x)).lower(jnp.ones((4, 3)), jnp.ones((3, 2)))
    assert "func" in lowered.as_text() and lowered.out_info[0].shape == (4, 2)
    compiled = lowered.compile()
    assert compiled.cost_analysis()["flops"] >= 48
    memory = compiled.memory_analysis()
    assert memory.argument_size_in_bytes == 4 * (12 + 6) and memory.output_size_in_bytes == 4 * (8 + 12)
    assert "MemoryStats(" in repr(memory) and "define" in compiled.as_text()
    assert compiled(jnp.ones((4, 3)), jnp.ones((3, 2)))[0].tolist() == [[3, 3]] * 4
    with pytest.raises(TypeError, match="compiled for"):
        compiled(jnp.ones((4, 2)), jnp.ones((3, 2)))


def test_protocols():
    x = jnp.arange(6.0).reshape(2, 3)
    assert pickle.loads(pickle.dumps(x)).tolist() == x.tolist()
    assert pickle.loads(pickle.dumps(jnp.asarray(1.0))).weak_type
    assert copy.deepcopy(x).tolist() == x.tolist()
    assert x.__array_namespace__() is jnp
    assert np.from_dlpack(x).tolist() == x.tolist()
    assert x.__dlpack_device__() == (1, 0)
    assert secant.typeof(x).shape == (2, 3)
    assert repr(jnp.asarray(1.0)) == "Array(1., dtype=float32, weak_type=True)"
