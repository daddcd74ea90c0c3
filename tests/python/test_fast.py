"""The fast path and its plain double: what a cached call may get wrong.  The whole suite runs with SECANT_PYTHON_PATH=plain, too."""

import copy
import functools
import gc
import os
import pickle
import subprocess
import sys
import threading
import weakref
from collections import namedtuple

import numpy as np
import pytest

import secant as jax
import secant.numpy as jnp
from conftest import TREE
from secant import _fast
from secant._array import ArrayImpl

Pair = namedtuple("Pair", "a b")


def test_the_variable_chooses():
    assert _fast.enabled == (os.environ.get("SECANT_PYTHON_PATH", "fast") == "fast")
    script = "import secant; from secant import _fast; print(_fast.enabled)"
    for path, expected in (("plain", "False"), ("fast", "True")):
        env = {**os.environ, "PYTHONPATH": os.path.join(TREE, "bindings", "python"), "SECANT_PYTHON_PATH": path}
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
        assert run.stdout.strip() == expected


def test_dicts_in_any_order_of_their_keys():
    f = jax.jit(lambda d, *, u, v: {"z": d["a"] - d["b"], "y": u - v})
    x, y = jnp.float32(5), jnp.float32(3)
    for _ in range(3):
        for d in ({"a": x, "b": y}, {"b": y, "a": x}):
            for keywords in ({"u": x, "v": y}, {"v": y, "u": x}):
                out = f(d, **keywords)
                assert list(out) == ["y", "z"] and out["z"] == 2 and out["y"] == 2


def test_structures_are_told_apart():
    f = jax.jit(lambda t: jax.tree_util.tree_map(lambda x: x + 1, t))
    x = jnp.arange(3.0)
    for _ in range(3):
        for tree in (x, (x,), [x], {"a": x}, ((x,), None), [(x, [x])], {}, (), None, Pair(x, x), {"a": Pair(x, 1.0)}):
            out = f(tree)
            assert jax.tree_util.tree_structure(out) == jax.tree_util.tree_structure(tree)
            assert all(np.array_equal(y, np.arange(3.0) + 1) or y == 2.0 for y in jax.tree_util.tree_leaves(out))


def test_statics_are_compared_with_their_types():
    f = jax.jit(lambda x, n: x * 0 + (10 if n is True else 20 if type(n) is float else 30), static_argnums=1)
    for _ in range(3):
        assert [float(f(1.0, n)) for n in (True, 1.0, 1)] == [10, 20, 30]
        assert [float(f(1.0, n=n)) for n in (True, 1.0, 1)] == [10, 20, 30]


class Bad:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return 1

    def __eq__(self, other):
        raise ZeroDivisionError


def test_an_error_of_a_comparison_propagates():
    f = jax.jit(lambda x, s: x + s.n, static_argnums=1)
    f(1.0, Bad(1))
    with pytest.raises(ZeroDivisionError):
        f(1.0, Bad(1))
    with pytest.raises(ValueError, match="hashable"):
        f(1.0, [])


def test_numbers_keep_their_kinds():
    f = jax.jit(lambda x, y: x + y)
    for _ in range(3):
        assert f(1, 2).dtype == np.int32 and f(1, 2.5) == 3.5 and f(True, 1) == 2 and f(True, False).dtype == bool
        with pytest.raises(OverflowError):
            f(1, 2**40)
        with jax.enable_x64():
            assert f(1, 2**40) == 2**40 + 1 and f(1.0, 2).dtype == np.float64
        assert f(np.int8(1), np.arange(2, dtype=np.int8)).dtype == np.int8
        assert f(jnp.int32(1), jnp.float32(2)).dtype == np.float32


def test_exceptions_of_the_function_propagate():
    def f(x):
        raise KeyError("mine")

    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            jax.jit(f)(1.0)


def test_calls_in_a_trace_and_of_methods():
    class Model:
        w = 3.0

        @functools.partial(jax.jit, static_argnums=0)
        def __call__(self, x):
            return x * self.w

        @jax.jit
        def twice(self):
            return jnp.sin(self)

    m = Model()
    assert m(2.0) == 6 and m(2.0) == 6 and jax.grad(lambda x: m(x))(2.0) == 3
    assert jax.jit(lambda x: m(x) + 1)(2.0) == 7
    x = jnp.arange(2.0)
    assert np.array_equal(Model.twice(x), np.sin(np.arange(2.0, dtype=np.float32)))


def test_jitted_functions_are_like_functions():
    def f(x):
        """Text."""
        return x

    g = jax.jit(f)
    assert g.__name__ == "f" and g.__doc__ == "Text." and g.__wrapped__ is f and weakref.ref(g)() is g
    assert functools.update_wrapper(g, f).__wrapped__ is f and repr(g).startswith("<jitted")
    g.extra = 1
    assert g.extra == 1 and callable(g) and hash(g)


@pytest.mark.skipif(not _fast.enabled, reason="Python's own classes")
def test_a_half_made_array_or_function_is_harmless():
    a = ArrayImpl.__new__(ArrayImpl)
    with pytest.raises((TypeError, AttributeError)):
        a.aval  # noqa: B018
    with pytest.raises((TypeError, AttributeError)):
        jax.jit(lambda x: x)(a)
    g = type(jax.jit(lambda x: x)).__new__(type(jax.jit(lambda x: x)))
    with pytest.raises((TypeError, AttributeError)):
        g(1.0)
    del a, g
    gc.collect()


def test_arrays_copy_pickle_and_take_weak_references():
    f = jax.jit(lambda x: x + 1)
    for x in (f(jnp.arange(3.0)), f(1)):
        assert copy.copy(x) is x and copy.deepcopy(x) is x
        y = pickle.loads(pickle.dumps(x))
        assert np.array_equal(x, y) and y.weak_type == x.weak_type and type(y) is type(x)
        ref = weakref.ref(x)
        assert ref() is x
        with pytest.raises(TypeError):
            hash(x)
    del x, y
    assert ref() is None


def test_a_captured_array_and_its_function_are_freed():
    def make():
        c = jnp.arange(4.0)
        f = jax.jit(lambda x: x + c)
        f(1.0), f(2.0)
        return weakref.ref(c), weakref.ref(f)

    refs = make()
    gc.collect()
    assert [r() for r in refs] == [None, None]


def _rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_counts_and_memory_stay_level():
    x, key = jnp.arange(8.0), "a key"
    f = jax.jit(lambda t, s, n: {key: t["k"] + s, "z": (t["k"], None, [s * n])}, static_argnums=2)
    flat = jax.jit(lambda t: Pair(t, t + 1))
    tree = {"k": x}

    def calls(n):
        for i in range(n):
            f(tree, 1.5, 3)
            flat(x)
            x + x  # noqa: B018
            -x  # noqa: B018
            x < 2.0  # noqa: B015
            x @ x  # noqa: B018
            if i % 100 == 0:
                with pytest.raises(TypeError):
                    x + "text"  # noqa: B018

    def counts():
        gc.collect()
        return [sys.getrefcount(o) for o in (x, key, tree, ArrayImpl, f, type(f), None, x.aval, 1.5)]

    calls(3000)
    before, memory = counts(), _rss()
    calls(100000)
    after = counts()
    assert all(abs(a - b) < 50 for a, b in zip(before, after)), (before, after)
    assert _rss() - memory < 8e6


def test_tracing_keeps_counts_level():
    def f(x):
        for _ in range(10):
            x = (x * 2.0 + 1) / 3.0 - x**2
            x = -x @ x.reshape(-1) * x
        return jnp.where(x < 1, x, 0)

    x = jnp.arange(4.0)
    jax.make_jaxpr(f)(x)
    types = [type(x), f, f.__code__, None]
    before = [sys.getrefcount(o) for o in types]
    for _ in range(50):
        jax.make_jaxpr(f)(x)
    assert all(abs(a - sys.getrefcount(o)) < 50 for a, o in zip(before, types))


def test_an_error_names_the_line_of_the_operator():
    def f(x, y):
        return x + y  # here

    with pytest.raises(TypeError) as caught:
        jax.make_jaxpr(f)(jnp.ones(3), jnp.ones(4))
    assert f"test_fast.py:{f.__code__.co_firstlineno + 1}" in str(caught.value)


def test_threads_call_one_function_while_it_retraces():
    f = jax.jit(lambda d: {"s": d["x"] * 2 + d["y"]})
    wrong = []

    def work(k):
        for i in range(300):
            n = 1 + (i + k) % 5
            x = jnp.asarray(np.full(n, float(k), np.float32))
            out = f({"y": 1.0, "x": x} if i % 2 else {"x": x, "y": 1.0})["s"]
            if not np.array_equal(out, np.full(n, 2.0 * k + 1)):
                wrong.append((k, i))
            if i % 50 == 0:
                f.clear_cache()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_many_signatures_are_bounded():
    f = jax.jit(lambda d: sum(d.values()))
    for i in range(3000):
        assert f({"key " + str(i % 3): 1.0, "other": 2.0}) == 3
    assert not _fast.enabled or len(f._cache.fast) <= 1024
