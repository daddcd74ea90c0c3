"""Donation and deletion: who may read an array's memory, and until when."""

import copy
import pickle
import random
import threading
import warnings

import numpy as np
import pytest

import secant as jax
import secant.numpy as jnp
from secant import lax


def fresh(n=4):
    return jnp.arange(float(n))


step = jax.jit(lambda x: x + 1, donate_argnums=0)


def test_a_donated_array_is_deleted():
    for _ in range(3):
        x = fresh()
        y = step(x)
        assert x.is_deleted() and not y.is_deleted() and y.tolist() == [1, 2, 3, 4]


USES = {
    "operator": lambda x: x + 1,
    "reflected": lambda x: 1 + x,
    "compared": lambda x: x == x,
    "index": lambda x: x[0],
    "update": lambda x: x.at[0].set(1),
    "method": lambda x: x.sum(),
    "numpy": np.asarray,
    "iteration": list,
    "text": str,
    "repr": repr,
    "format": lambda x: f"{x}",
    "jit": lambda x: jax.jit(lambda x: x * 2)(x),
    "donated again": step,
    "grad": jax.grad(lambda x: x.sum()),
    "vmap": jax.vmap(lambda x: x * 2),
    "vjp": lambda x: jax.vjp(lambda x: x * 2, x),
    "captured": lambda x: jax.jit(lambda y: y + x)(1.0),
    "scan": lambda x: lax.scan(lambda c, x: (c, x), 0.0, x),
    "copy": copy.copy,
    "pickle": pickle.dumps,
    "list": lambda x: x.tolist(),
    "dlpack": lambda x: x.__dlpack__(),
    "array": jnp.array,
    "wait": jax.block_until_ready,
    "device_put": jax.device_put,
    "device_get": jax.device_get,
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("end", [step, lambda x: x.delete()])
def test_a_deleted_array_says_so(use, end):
    x = fresh()
    end(x)
    with pytest.raises(RuntimeError, match=r"Array has been deleted with shape=float32\[4\]"):
        USES[use](x)
    assert (x.shape, x.dtype, x.ndim, len(x), x.nbytes) == ((4,), np.float32, 1, 4, 16)
    x.delete()


@pytest.mark.parametrize(
    "function, makers, donate, deleted, useless",
    [
        (lambda x: x[:2] * 2, "f", 0, [False], "float32[4]"),
        (lambda x, y: (x.sum(), y + 1.0), "fi", (0, 1), [True, False], "int32[4]"),
        (lambda x, y: x + y, "ff", (0, 1), [True, False], "float32[4]"),
        (lambda x, y: y + 1, "ff", 0, [False, False], None),
        (lambda x: x, "f", 0, [True], None),
        (lambda x: (x, x), "f", 0, [True], None),
        (lambda x, y: (y, x), "ff", (0, 1), [True, True], None),
    ],
)
def test_what_is_usable(function, makers, donate, deleted, useless):
    args = [fresh() * (i + 1) if m == "f" else jnp.arange(4) for i, m in enumerate(makers)]
    expected = [np.asarray(y).copy() for y in jax.tree_util.tree_leaves(function(*args))]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        out = jax.jit(function, donate_argnums=donate)(*args)
    assert all(np.array_equal(a, b) for a, b in zip(expected, jax.tree_util.tree_leaves(out)))
    assert [x.is_deleted() for x in args] == deleted
    assert [str(w.message) for w in seen] == ([f"Some donated buffers were not usable: {useless}."] if useless else [])
    assert all(w.category is UserWarning and w.filename == __file__ for w in seen)


def test_memory_that_others_read_stays():
    x = fresh()
    view = np.asarray(x)
    for _ in range(2):
        assert step(x).tolist() == [1, 2, 3, 4] and not x.is_deleted() and view.tolist() == [0, 1, 2, 3]
    del view
    step(x)
    assert x.is_deleted()
    x = fresh()
    view = np.asarray(x)
    x.delete()
    assert x.is_deleted() and view.tolist() == [0, 1, 2, 3]
    x = fresh()
    f = jax.jit(lambda y: y + x)
    f(1.0)
    step(x)
    assert f(1.0).tolist() == [1, 2, 3, 4]


def test_one_array_twice():
    x = fresh()
    both = jax.jit(lambda x, y: (x + y, x - y), donate_argnums=(0, 1))
    first = jax.jit(lambda x, y: x + y, donate_argnums=0)
    for f in (both, first, both, first):
        with pytest.raises(RuntimeError, match="donate a buffer that the call uses twice"):
            f(x, x)
        assert not x.is_deleted()
    assert x.tolist() == [0, 1, 2, 3]


def test_numpy_arrays_and_numbers_are_not_taken():
    n = np.arange(4, dtype=np.float32)
    for _ in range(2):
        assert step(n).tolist() == [1, 2, 3, 4] and n.tolist() == [0, 1, 2, 3] and step(1.0) == 2


@pytest.mark.parametrize("options", [{"donate_argnames": "y"}, {"donate_argnums": 1}, {"donate_argnums": -1}])
def test_names_and_places_complete_each_other(options):
    f = jax.jit(lambda x, y: x + y, **options)
    for _ in range(2):
        a, b, c = fresh(), fresh(), fresh()
        f(a, b), f(a, y=c)
        assert [x.is_deleted() for x in (a, b, c)] == [False, True, True]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"static_argnums": 1, "donate_argnums": 1}, "cannot intersect"),
        ({"static_argnames": "y", "donate_argnames": "y"}, "cannot intersect"),
        ({"donate_argnums": 5}, "only accepts 2 positional"),
        ({"donate_argnames": "q"}, "invalid argnames"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        jax.jit(lambda x, y: x + y, **options)


def test_traced_calls_and_stages():
    x = fresh()
    assert jax.jit(lambda x: step(x) + 1)(x).tolist() == [2, 3, 4, 5] and not x.is_deleted()
    assert jax.grad(lambda x: step(x).sum())(x).tolist() == [1] * 4 and not x.is_deleted()
    compiled = step.lower(x).compile()
    assert compiled.memory_analysis().alias_size_in_bytes == 16
    assert compiled(x).tolist() == [1, 2, 3, 4] and x.is_deleted()
    with pytest.raises(RuntimeError, match="deleted"):
        compiled(x)


def test_trees():
    def descend(state, g):
        return jax.tree_util.tree_map(lambda x: x - 0.1 * g, state)

    state, f = {"w": fresh(), "b": [fresh(), (fresh(),)]}, jax.jit(descend, donate_argnames="state")
    for k in range(1, 4):
        old, state = state, f(state, fresh())
        assert all(x.is_deleted() for x in jax.tree_util.tree_leaves(old))
        np.testing.assert_allclose(state["b"][1][0], np.arange(4) * (1 - 0.1 * k), rtol=1e-5)


def test_large_updates_happen_in_place():
    x = jnp.zeros(1 << 20)
    pairs = jnp.array([1, 1])
    updates = (
        lambda x: x.at[5].set(1.0),
        lambda x: x.at[7].multiply(3.0),
        lambda x: x.at[pairs].add(1.0),
        lambda x: x.at[pairs].max(0.5),
        lambda x: lax.dynamic_update_slice(x, lax.dynamic_slice(x, (3,), (9,)) + 1, (3,)),
        lambda x: x * 2 + 1,
    )
    for f in updates:
        g = jax.jit(f, donate_argnums=0)
        expected = np.asarray(f(x))
        data = x.unsafe_buffer_pointer()
        x = g(x)
        assert x.unsafe_buffer_pointer() == data and np.array_equal(x, expected)


def test_random_programs():
    ops = [
        lambda a, b, r: a + b,
        lambda a, b, r: jnp.sin(a) * b,
        lambda a, b, r: a - a.mean(-1, keepdims=True),
        lambda a, b, r: a / (1 + jnp.sum(b * b, -1, keepdims=True)),
        lambda a, b, r: jnp.flip(a, -1),
        lambda a, b, r: a - jnp.max(a),
        lambda a, b, r: a + jnp.sum(b, 0, keepdims=True),
        lambda a, b, r: a.at[..., r.randrange(a.shape[-1])].set(0.5),
        lambda a, b, r: lax.dynamic_update_slice(a, b[..., :2] * 2, (0, r.randrange(a.shape[-1] - 1))),
        lambda a, b, r: a.at[jnp.array([0, 1, 0])].add(0.25),
        lambda a, b, r: lax.fori_loop(0, r.randrange(5), lambda i, c: c * 0.5 + jnp.cos(c), a),
        lambda a, b, r: a.reshape(-1).reshape(a.shape) * 2,
    ]
    for seed in range(25):
        shape = random.Random(seed).choice([(4, 3), (6, 40), (3, 17), (300, 200)])

        def f(*values):
            r, values = random.Random(seed), list(values)
            for _ in range(r.randint(1, 8)):
                values.append(r.choice(ops)(r.choice(values), r.choice(values), r))
            return [r.choice(values) for _ in range(3)]

        draws = [np.random.default_rng([seed, i]).standard_normal(shape, np.float32) for i in range(3)]
        expected, args = jax.jit(f)(*draws), [jnp.asarray(x) for x in draws]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            out = jax.jit(f, donate_argnums=(0, 1, 2))(*args)
        for a, b in zip(expected, out):
            assert np.array_equal(a, b), seed
        for x, draw in zip(args, draws):
            assert x.is_deleted() or np.array_equal(x, draw), seed


def test_threads_that_donate_the_same_array():
    f = jax.jit(lambda x: jnp.sin(x) * 0 + 1, donate_argnums=0)
    f(jnp.zeros(100_000))
    for _ in range(20):
        x, good = jnp.zeros(100_000), []

        def work():
            try:
                good.append(bool((f(x) == 1).all()))
            except RuntimeError as error:
                good.append("deleted" in str(error))

        threads = [threading.Thread(target=work) for _ in range(3)]
        [t.start() for t in threads], [t.join() for t in threads]
        assert good == [True] * 3 and x.is_deleted()


def test_runs_beside_deletions():
    x = jnp.ones(200_000)
    f = jax.jit(lambda x: jnp.sin(x).sum())
    f(x)
    end = threading.Event()

    def work():
        while not end.is_set():
            try:
                jax.jit(lambda x: jnp.cos(x).sum())(x)
            except RuntimeError as error:
                assert "deleted" in str(error)

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(30):
        x.delete()
        x = jnp.ones(200_000)
    end.set()
    thread.join()
    assert f(x) == f(jnp.ones(200_000))
