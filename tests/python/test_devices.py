"""Devices as places: where results live, and what may not be mixed."""

import copy
import gc
import pickle
import threading

import numpy as np
import pytest

import secant as jax
import secant.numpy as jnp
from secant import lax
from secant.sharding import Sharding, SingleDeviceSharding

D0, D1 = jax.devices()[:2]


def on(d, n=3):
    return jax.device_put(jnp.arange(float(n)), d)


def where(tree):
    return [(x.device, x.committed) for x in jax.tree_util.tree_leaves(tree)]


def test_devices_and_shardings():
    assert [repr(D0), str(D1), D1.platform, D1.id] == ["CpuDevice(id=0)", "cpu:1", "cpu", 1]
    assert jax.devices("cpu") == jax.local_devices() and jax.device_count() == 2 and pickle.loads(pickle.dumps(D1)) is D1
    x = on(D1)
    s = x.sharding
    assert s == SingleDeviceSharding(D1) != SingleDeviceSharding(D0) and hash(s) == hash(SingleDeviceSharding(D1))
    assert isinstance(s, Sharding) and s.device_set == {D1} == x.devices() and s.is_fully_addressable and s.num_devices == 1
    assert repr(s) == "SingleDeviceSharding(device=CpuDevice(id=1), memory_kind=device)"
    assert s.shard_shape((2, 3)) == (2, 3) and s.devices_indices_map((3,)) == {D1: (slice(None),)}
    (shard,) = x.addressable_shards
    assert shard.device is D1 and shard.index == (slice(None),) and shard.replica_id == 0 and shard.data is x
    assert x.is_fully_addressable and x.is_fully_replicated and x.addressable_data(0) is x and x.platform() == "cpu"
    assert x.on_device_size_in_bytes() == 12 and x.is_ready() and x.copy_to_host_async() is None
    assert where([jnp.ones(2), np.float32(1) + jnp.ones(2), x]) == [(D0, False), (D0, False), (D1, True)]


RESULTS = {
    "operator": lambda x: x + 1,
    "with an uncommitted one": lambda x: x + jnp.ones(3),
    "with NumPy's": lambda x: x * np.ones(3, np.float32),
    "index": lambda x: x[0],
    "reduction": lambda x: x.sum(),
    "comparison": lambda x: x == x,
    "joined": lambda x: jnp.concatenate([jnp.ones(2), x]),
    "stacked": lambda x: jnp.stack([x, x]),
    "update": lambda x: x.at[0].set(5.0),
    "copy": jnp.array,
    "view": jnp.asarray,
    "reshape": lambda x: x.reshape(3, 1),
    "zeros_like": jnp.zeros_like,
    "full_like": lambda x: jnp.full_like(x, 2),
    "jit": jax.jit(lambda x: (x, {"a": x * 2, "b": jnp.zeros(2)})),
    "donated": lambda x: jax.jit(lambda x: x * 2, donate_argnums=0)(x + 1),
    "grad": jax.grad(lambda x: (x * x).sum()),
    "vmap": jax.vmap(lambda x: x * x),
    "jvp": lambda x: jax.jvp(jnp.sin, (x,), (x,)),
    "vjp": lambda x: jax.vjp(jnp.sin, x)[0],
    "scan": lambda x: lax.scan(lambda c, x: (c + x, c), 0.0, x),
    "copied": copy.copy,
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_live_with_their_operands(name):
    for _ in range(2):
        assert set(where(RESULTS[name](on(D1)))) == {(D1, True)}
        assert set(where(RESULTS[name](jnp.arange(3.0)))) == {(D0, False)}
        assert set(where(RESULTS[name](on(D0)))) == {(D0, True)}


def test_captured_arrays_do_not_decide():
    a = on(D1)
    f = jax.jit(lambda y: y + a)
    assert where(f(jnp.ones(3))) == [(D0, False)] and where(f(on(D0))) == [(D0, True)]


def test_putting():
    x = jnp.arange(3.0)
    tree = jax.device_put({"a": x, "b": [1, 2.5]}, D1)
    assert where(tree) == [(D1, True)] * 3 and tree["b"][1].weak_type and tree["b"][0].dtype == np.int32
    tree = jax.device_put({"a": x, "b": [1, 2.5]}, {"a": D1, "b": SingleDeviceSharding(D0)})
    assert where(tree) == [(D1, True), (D0, True), (D0, True)]
    assert where([jax.device_put(x), jax.device_put(on(D1)), on(D1).to_device(D0)]) == [(D0, False), (D1, True), (D0, True)]
    assert x.device is D0 and not x.committed
    for make in (jnp.zeros, jnp.ones, jnp.arange, jnp.eye, lambda n, **k: jnp.full(n, 1, **k), jnp.array, jnp.asarray):
        assert where(make(3, device=D1)) == [(D1, True)]
    assert jax.jit(lambda x: jax.device_put(x, D1) + 1)(x).tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="only accepts"):
        jax.device_put(x, "cpu")
    with pytest.raises(TypeError, match="not a valid JAX type"):
        jax.device_put("a", D1)
    y = on(D1)
    y.delete()
    assert y.device is D1
    with pytest.raises(RuntimeError, match="deleted"):
        jax.device_put(y, D0)


def test_two_devices_do_not_mix():
    mixed = jax.jit(lambda x, y: x + y)
    for _ in range(2):
        mixed(jnp.ones(3), jnp.ones(3))
        for f in (mixed, jnp.add, lambda a, b: a + b):
            with pytest.raises(ValueError, match=r"Received incompatible devices for jitted computation. Got argument x of \S+ with shape "
                               r"float32\[3\] and with device ids \[0\] .*argument y of \S+ with shape float32\[3\] and with device ids \[1\]"):
                f(on(D0), on(D1))
        with pytest.raises(ValueError, match=r"argument p\['a'\]\[1\] of .* \[1\] .* and argument q of"):
            jax.jit(lambda p, q: p["a"][1] + q)({"a": [jnp.ones(3), on(D1)]}, on(D0))
        with pytest.raises(ValueError, match="incompatible devices"):
            jax.vmap(lambda a, b: a + b)(on(D0), on(D1))


def test_the_default_device():
    def both():
        return where([jnp.arange(3.0), jax.jit(lambda x: x + 1)(jnp.ones(2)), jnp.asarray(np.ones(2)), jax.jit(lambda: jnp.ones(2))()])

    before = both()
    with jax.default_device(D1):
        assert both() == [(D1, False)] * 4
        u = jnp.arange(3.0)
        assert where([u + on(D0), u + 1]) == [(D0, True), (D1, False)]
        with jax.default_device(D0):
            assert both() == before
        other = []
        thread = threading.Thread(target=lambda: other.append(both()))
        thread.start(), thread.join()
        assert other == [before]
    assert both() == before == [(D0, False)] * 4 and where([u, u + 1, u + jnp.ones(3)]) == [(D1, False), (D0, False), (D0, False)]
    jax.config.update("jax_default_device", D1)
    try:
        assert both() == [(D1, False)] * 4 and jax.config.jax_default_device is D1
    finally:
        jax.config.update("jax_default_device", None)
    assert both() == before
    with pytest.raises(ValueError, match="default_device"):
        jax.default_device("foo")


def test_live_arrays():
    gc.collect()
    x, y = jnp.ones(1234), on(D1, 1234)
    live = jax.live_arrays()
    assert any(a is x for a in live) and any(a is y for a in D1.live_buffers()) and not any(a is x for a in D1.live_buffers())
    n = len(live)
    del live
    more = jax.jit(lambda x: [x + i for i in range(7)])(x)
    assert len(jax.live_arrays()) == n + 7
    del more[:3]
    more[0].delete()
    assert len(jax.live_arrays()) == n + 3


def test_stages_know_their_arguments():
    lowered = jax.jit(lambda s, x: {"a": s["w"] * 2, "b": x.sum()}, donate_argnames="s").lower({"w": jnp.ones((2, 3))}, 1.0)
    compiled = lowered.compile()
    for stage in (lowered, compiled):
        ((info, x), keywords) = stage.args_info
        assert info["w"].donated and info["w"].shape == (2, 3) and not x.donated and keywords == {} and stage.donate_argnums == (0,)
        assert stage.in_avals[0][0]["w"].shape == (2, 3) and stage.in_tree.num_leaves == 2 and stage.out_tree.num_leaves == 2
    assert "func" in lowered.compiler_ir() and compiled.runtime_executable() is not None
    assert compiled.input_shardings[0][0]["w"] == SingleDeviceSharding(D0) == compiled.output_shardings["b"]
    assert compiled.memory_analysis().alias_size_in_bytes == 24
