"""Random indices against NumPy: reading, and writing through at."""

import random

import numpy as np
import pytest

import secant
import secant.numpy as jnp


def pick(rng, size, kind, common):
    if kind == "int":
        return rng.randrange(-size, size)
    if kind == "slice":
        step = rng.choice([1, 1, 2, -1, -2])
        bounds = sorted(rng.randrange(0, size + 1) for _ in range(2))
        a, b = bounds if step > 0 else [b - 1 if b else None for b in reversed(bounds)]
        return slice(rng.choice([a, None]), rng.choice([b, None]) if step > 0 else None, step)
    return np.array([rng.randrange(-size, size) for _ in range(int(np.prod(common)))], np.int32).reshape(common)


def index(rng, shape):
    common = rng.choice([(2,), (3, 1), ()])
    kinds = [rng.choice(["int", "slice", "slice", "array"]) for _ in range(rng.randrange(1, len(shape) + 1))]
    items = [pick(rng, n, kind, common) for n, kind in zip(shape, kinds)]
    if rng.random() < 0.3:
        items.insert(rng.randrange(len(items) + 1), None)
    if len(kinds) < len(shape) and rng.random() < 0.5:
        items.append(Ellipsis)
    return tuple(items)


@pytest.mark.parametrize("seed", range(60))
def test_read_and_write(seed):
    rng = random.Random(seed)
    shape = tuple(rng.randrange(2, 5) for _ in range(rng.randrange(1, 4)))
    a = np.arange(float(np.prod(shape)), dtype=np.float32).reshape(shape)
    where = index(rng, shape)
    want = a[where]
    x = jnp.asarray(a)
    assert np.array_equal(np.asarray(x[where]), want), where
    assert np.array_equal(np.asarray(secant.jit(lambda x: x[where])(x)), want), where
    update = -np.arange(1.0, want.size + 1, dtype=np.float32).reshape(want.shape)
    changed = a.copy()
    changed[where] = update
    unique = np.unique(np.arange(a.size).reshape(shape)[where]).size == want.size
    if unique:
        assert np.array_equal(np.asarray(x.at[where].set(update)), changed), where
        grown = a.copy()
        grown[where] *= update
        assert np.array_equal(np.asarray(x.at[where].multiply(update)), grown), where
    added = a.copy()
    np.add.at(added, where, update)
    assert np.array_equal(np.asarray(x.at[where].add(update)), added), where


@pytest.mark.parametrize("seed", range(20))
def test_gradient_of_reading(seed):
    """The gradient of sum(w x[index]) is w, added up at the index."""
    rng = random.Random(1000 + seed)
    a = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    where = index(rng, a.shape)
    w = np.asarray(np.random.default_rng(seed).standard_normal(a[where].shape), np.float32)
    want = np.zeros_like(a)
    np.add.at(want, where, w)
    got = secant.grad(lambda x: jnp.sum(x[where] * w))(a)
    assert np.allclose(np.asarray(got), want, atol=1e-5), where
    one_by_one = np.stack([np.asarray(jnp.asarray(b)[where]) for b in (a, -a)])
    assert np.array_equal(np.asarray(secant.vmap(lambda x: x[where])(np.stack([a, -a]))), one_by_one)
