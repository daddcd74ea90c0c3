"""jit: what is traced again and what is not, statics, stages, threads."""

import ast
import subprocess
import sys
import threading

import numpy as np
import pytest

import secant
import secant.numpy as jnp


def counted(function):
    """(function that counts how often it is traced, the counts)."""
    traces = []

    def wrapped(*args, **keywords):
        traces.append(1)
        return function(*args, **keywords)

    return wrapped, traces


def test_traces_once_a_signature():
    f, traces = counted(lambda x: x * 2)
    g = secant.jit(f)
    for x in (jnp.ones(3), jnp.zeros(3), np.ones(3, np.float32)):
        g(x)
    assert len(traces) == 1
    g(jnp.ones(4))
    g(jnp.ones(3, "int32"))
    assert len(traces) == 3
    g(1.0)
    g(jnp.float32(1))
    g(2.0)
    assert len(traces) == 5  # weak types are signatures of their own


def test_one_signature_is_compiled_once():
    g = secant.jit(lambda x: jnp.tanh(x) * 1.2345)
    seven, eight = np.ones(7, np.float32), np.ones(8, np.float32)
    before = secant.cache_stats()["compiles"]
    for k in range(4):
        g(seven * k)
    assert secant.cache_stats()["compiles"] == before + 1
    secant.jit(lambda y: jnp.tanh(y) * 1.2345)(seven)  # another function, the same jaxpr
    assert secant.cache_stats()["compiles"] == before + 1
    g(eight)
    assert secant.cache_stats()["compiles"] == before + 2


def test_two_jits_of_one_function_share():
    f, traces = counted(lambda x: x + 1)
    secant.jit(f)(1.0)
    secant.jit(f)(2.0)
    assert len(traces) == 1


def test_trees_keywords_and_defaults():
    f, traces = counted(lambda d, k=1.0: {"s": d["a"] + k, "n": None})
    g = secant.jit(f)
    assert float(g({"a": 1.0, "b": 2.0})["s"]) == 2
    assert float(g({"b": 2.0, "a": 1.0})["s"]) == 2
    assert len(traces) == 1
    assert float(g({"a": 1.0, "b": 2.0}, k=5.0)["s"]) == 6
    assert float(g({"a": 1.0, "b": 2.0}, 5.0)["s"]) == 6
    assert len(traces) == 3
    assert g({"a": 1.0, "b": 2.0})["n"] is None


def test_static_arguments_compare_by_type():
    f, traces = counted(lambda x, n: x * n)
    g = secant.jit(f, static_argnums=1)
    for n in (2, 3, 2.0, True, 1, 2):
        g(jnp.ones(2), n)
    assert len(traces) == 5
    with pytest.raises(ValueError, match="hashable"):
        g(jnp.ones(2), [1])


def test_static_names():
    @secant.jit
    def plain(x):
        return x

    g = secant.jit(lambda x, axis=0: jnp.sum(x, axis=axis), static_argnames="axis")
    assert g(jnp.ones((2, 3)), axis=1).shape == (2,)
    assert g(jnp.ones((2, 3)), 1).shape == (2,)
    with pytest.raises(ValueError):
        secant.jit(lambda x: x, static_argnames="y")
    with pytest.raises(ValueError):
        secant.jit(lambda x: x, static_argnums=5)
    assert plain.__name__ == "plain"


def test_methods_and_closures():
    class Model:
        def __init__(self):
            self.k = 1.0

        @secant.jit
        def bad(self, x):
            return x

    with pytest.raises(TypeError, match="self"):
        Model().bad(1.0)
    k = [1.0]
    g = secant.jit(lambda x: x + k[0])
    assert float(g(1.0)) == 2
    k[0] = 5.0
    assert float(g(1.0)) == 2  # read once, while tracing


def test_inner_jit_is_one_equation_and_keeps_its_trace():
    f, traces = counted(lambda x: jnp.sin(x) * 2)
    g = secant.jit(f)
    g(1.0)
    text = str(secant.make_jaxpr(lambda x: g(g(x)))(1.0))
    assert len(traces) == 1
    assert text.count("jit[") == 2


def test_captured_tracers_are_not_cached():
    def outer(x):
        inner = secant.jit(lambda y: y * x)
        return inner(3.0)

    assert float(secant.grad(outer)(2.0)) == 3
    assert float(secant.jit(outer)(4.0)) == 12


def test_stages():
    g = secant.jit(lambda x, y: (x @ y, x.sum()))
    lowered = g.lower(jnp.ones((2, 3)), secant.ShapeDtypeStruct((3, 4), "float32"))
    assert "func" in lowered.as_text()
    compiled = lowered.compile()
    product, total = compiled(jnp.ones((2, 3)), jnp.ones((3, 4)))
    assert product.shape == (2, 4) and float(total) == 6
    assert compiled.cost_analysis()["flops"] > 0
    assert "define" in compiled.as_text()
    with pytest.raises(TypeError):
        compiled(jnp.ones((3, 3)), jnp.ones((3, 4)))
    assert str(g.trace(jnp.ones((2, 3)), jnp.ones((3, 4))).jaxpr).startswith("{ lambda ;")
    assert g.eval_shape(jnp.ones((2, 3)), jnp.ones((3, 4)))[0].shape == (2, 4)


def test_clear_caches():
    f, traces = counted(lambda x: x)
    g = secant.jit(f)
    g(1.0)
    secant.clear_caches()
    g(1.0)
    assert len(traces) == 2


def test_threads_share_one_function():
    f = secant.jit(lambda x, n: {"y": x * n}, static_argnums=1)
    wrong = []

    def work(seed):
        for k in range(100):
            x = np.full(5, seed + k, np.float32)
            out = f(x, k % 3)["y"]
            if not (np.asarray(out) == x * (k % 3)).all():
                wrong.append((seed, k))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


DISK = """
import sys, secant, secant.numpy as jnp
secant.config.update("jax_compilation_cache_dir", sys.argv[1])
print(float(secant.jit(lambda x: jnp.sum(jnp.tanh(x) * x))(jnp.arange(50.0))), secant.cache_stats())
secant.config.update("jax_enable_compilation_cache", False)
secant.clear_caches()
print(float(secant.jit(lambda x: jnp.sum(jnp.tanh(x) * x))(jnp.arange(50.0))), secant.cache_stats())
"""


def test_kernels_on_disk(tmp_path):
    """A second process finds what the first one compiled, unless it is told not to look."""
    runs = []
    for _ in range(2):
        run = subprocess.run([sys.executable, "-c", DISK, str(tmp_path / "c")], capture_output=True, text=True, check=True)
        runs += [line.split(" ", 1) for line in run.stdout.splitlines()]
    values, stats = {value for value, _ in runs}, [ast.literal_eval(text) for _, text in runs]
    assert len(values) == 1
    n = stats[0]["disk_writes"]
    assert n > 0 and stats[0]["disk_misses"] == n and stats[0]["disk_hits"] == 0
    assert stats[2]["disk_hits"] == n and stats[2]["disk_misses"] == stats[2]["disk_writes"] == 0
    for before, after in (stats[:2], stats[2:]):
        assert all(before[key] == after[key] for key in ("disk_hits", "disk_misses", "disk_writes"))
        assert after["kernels"] > before["kernels"]
    with pytest.raises(AttributeError):
        secant.config.update("jax_compilation_cache_directory", "/")


def test_x64():
    try:
        secant.config.update("jax_enable_x64", True)
        assert jnp.asarray(1.0).dtype == np.float64
        assert jnp.arange(3).dtype == np.int64
        assert secant.jit(lambda x: x + jnp.zeros(()))(1.0).dtype == np.float64
    finally:
        secant.config.update("jax_enable_x64", False)
    assert jnp.asarray(1.0).dtype == np.float32


def test_64_bit_arrays_need_no_flag():
    x = np.array([1.0, 2.0])
    assert jnp.asarray(x).dtype == np.float64
    assert secant.jit(lambda x: jnp.sin(x) * 2)(x).dtype == np.float64
    assert secant.grad(lambda x: jnp.sum(x * x))(x).dtype == np.float64
    assert np.abs(np.asarray(jnp.exp(x)) - np.exp(x)).max() < 1e-14
    assert jnp.asarray(np.arange(3)).dtype == np.int64
    assert (jnp.asarray(np.arange(3)) + 2**40).tolist() == [2**40, 2**40 + 1, 2**40 + 2]
