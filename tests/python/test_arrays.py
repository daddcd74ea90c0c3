"""Concrete arrays: NumPy and Python on either side, text, copies."""

import copy
import pickle

import numpy as np
import pytest

import secant
import secant.numpy as jnp


def test_numpy_reads_the_memory():
    x = jnp.arange(6.0).reshape(2, 3)
    a = np.asarray(x)
    assert a.shape == (2, 3) and a.dtype == np.float32 and not a.flags.writeable
    assert np.shares_memory(a, np.asarray(x))
    del x
    assert a.sum() == 15
    assert np.asarray(jnp.ones((0, 3))).shape == (0, 3)
    assert np.asarray(jnp.ones(2), dtype="float64").dtype == np.float64
    assert (np.from_dlpack(jnp.arange(3.0)) == [0, 1, 2]).all()


@pytest.mark.parametrize(
    "dtype", "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()
)
def test_dtypes_go_both_ways(dtype):
    a = np.array([[0, 1], [1, 0]], dtype)
    x = jnp.asarray(a)
    assert x.dtype == np.dtype(dtype)
    assert (np.asarray(x) == a).all() and np.asarray(x).dtype == a.dtype
    assert (np.asarray(secant.jit(lambda v: v.T)(a)) == a.T).all()


def test_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = jnp.asarray([1.5, 2.0], dtype=jnp.bfloat16)
    assert x.dtype == ml_dtypes.bfloat16
    assert np.asarray(x * 2).astype("float32").tolist() == [3, 4]


def test_strides_and_byte_order():
    a = np.arange(24.0).reshape(2, 3, 4)
    assert (np.asarray(jnp.asarray(a[:, ::-1, ::2])) == a[:, ::-1, ::2]).all()
    assert (np.asarray(jnp.asarray(a.T)) == a.T).all()
    assert (np.asarray(jnp.asarray(a.astype(">f8"))) == a).all()
    a[0] = 7
    kept = jnp.asarray(a)
    a[0] = 0
    assert float(kept[0, 0, 0]) == 7  # copied


def test_python_numbers():
    x = jnp.float32(1.5)
    assert float(x) == 1.5 and x.item() == 1.5 and bool(x) and int(jnp.int32(3)) == 3
    assert [10, 20, 30][jnp.int32(1)] == 20
    assert list(range(jnp.int32(3))) == [0, 1, 2]
    with pytest.raises(TypeError):
        float(jnp.ones(2))
    with pytest.raises(TypeError):
        int(jnp.array([1.9]))
    with pytest.raises(ValueError):
        bool(jnp.ones(2))
    with pytest.raises(TypeError):
        [1, 2][jnp.float32(1)]
    assert bool(jnp.ones(1))
    assert jnp.arange(3).tolist() == [0, 1, 2]
    assert [float(v) for v in jnp.arange(3.0)] == [0, 1, 2]
    assert len(jnp.ones((4, 2))) == 4
    assert 2 in jnp.arange(3)


def test_text():
    assert repr(jnp.array([1.0, 2.0])) == "Array([1., 2.], dtype=float32)"
    assert repr(jnp.asarray(1.0)) == "Array(1., dtype=float32, weak_type=True)"
    assert repr(jnp.zeros((0, 2))) == "Array([], shape=(0, 2), dtype=float32)"
    assert repr(jnp.array([[1, 2], [3, 4]])) == "Array([[1, 2],\n       [3, 4]], dtype=int32)"
    assert str(jnp.array([1, 2])) == "[1 2]"
    assert f"{jnp.float32(1.25):.1f}" == "1.2"


def test_numpy_on_the_left():
    out = np.ones(3, np.float32) + jnp.ones(3)
    assert isinstance(out, secant.Array) and out.tolist() == [2, 2, 2]
    assert isinstance(np.float32(2) * jnp.ones(2), secant.Array)
    assert isinstance(np.sin(jnp.ones(2)), np.ndarray)


def test_copies_and_pickles():
    x = jnp.arange(3.0)
    assert copy.copy(x) is x and copy.deepcopy([x])[0] is x
    y = pickle.loads(pickle.dumps(x))
    assert y.tolist() == [0, 1, 2] and y.dtype == x.dtype
    assert pickle.loads(pickle.dumps(jnp.asarray(1.0))).weak_type


def test_immutable():
    x = jnp.arange(3.0)
    with pytest.raises(TypeError):
        x[0] = 1
    with pytest.raises(TypeError):
        hash(x)
    y = x
    y += 1
    assert x.tolist() == [0, 1, 2] and y.tolist() == [1, 2, 3]


def test_lists_are_refused():
    for bad in (
        lambda: jnp.sum([1, 2]),
        lambda: jnp.ones(2) + [1, 2],
        lambda: jnp.ones(3)[[0, 1]],
        lambda: jnp.add([1], 2),
    ):
        with pytest.raises(TypeError):
            bad()
    with pytest.raises(ValueError):
        jnp.array(None)


def test_devices():
    assert secant.default_backend() == "cpu"
    assert secant.local_device_count() == 2 == len(secant.devices())
    x = secant.device_put({"a": np.ones(2)})
    assert isinstance(x["a"], secant.Array)
    assert isinstance(secant.device_get(x)["a"], np.ndarray)
    assert secant.block_until_ready(x) is x
    assert x["a"].block_until_ready() is x["a"]
    assert secant.devices()[0] in x["a"].devices()


def test_memory_is_given_back():
    import gc
    import resource

    f = secant.jit(lambda x: x + 1)
    x = jnp.zeros(1 << 18)
    f(x)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2000):
        f(x)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB; 2000 results are 2 GB
