"""Memory shared with NumPy: arrays as read-only buffers, NumPy's arrays as operands without a copy."""

import gc
import sys

import numpy as np
import pytest

import secant as jax
import secant.numpy as jnp
from secant import _fast

DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()
buffers = pytest.mark.skipif(not _fast.enabled and sys.version_info < (3, 12), reason="the plain path has buffers from 3.12 on")


@buffers
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (2, 1, 4)])
def test_arrays_are_buffers(dtype, shape):
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    view = memoryview(jnp.asarray(x))
    like = memoryview(x)
    assert (view.shape, view.itemsize, view.nbytes, view.strides) == (like.shape, like.itemsize, like.nbytes, like.strides)
    assert np.dtype(view.format) == x.dtype and view.readonly and view.c_contiguous
    assert bytes(view) == bytes(like) and (dtype == "float16" or view.tolist() == x.tolist())


@buffers
def test_buffers_hold_the_memory():
    x = jnp.arange(5.0)
    view = memoryview(x)
    x.delete()
    assert view.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="deleted"):
        memoryview(x)
    x = jnp.arange(5.0)
    view = memoryview(x)
    del x
    gc.collect()
    assert view.tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(BufferError):
        memoryview(jnp.arange(3).astype(jnp.bfloat16))
    with pytest.raises((TypeError, BufferError)):
        view.cast("B")[0] = 1


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
def test_numpy_reads_without_a_copy(dtype):
    x = jnp.arange(6).astype(dtype).reshape(2, 3)
    a, b = np.asarray(x), np.asarray(x)
    assert a.dtype == x.dtype and a.shape == (2, 3) and np.shares_memory(a, b) and not a.flags.writeable
    assert a.ctypes.data == x.unsafe_buffer_pointer()
    c = np.array(x)
    assert c.flags.writeable and not np.shares_memory(a, c)
    assert np.asarray(x, np.float64).dtype == np.float64


f = jax.jit(lambda *xs: tuple(x + x for x in xs))
BASE = np.arange(24).reshape(4, 6)
LAYOUTS = {
    "plain": lambda a: a,
    "transposed": lambda a: a.T,
    "strided": lambda a: a[::2, ::3],
    "reversed": lambda a: a[::-1],
    "a row": lambda a: a[1],
    "scalar": lambda a: a[1, 2, ...],
    "empty": lambda a: a[:0],
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "fortran": lambda a: np.asfortranarray(a),
    "broadcast": lambda a: np.broadcast_to(a[0], (3, 6)),
}


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "int64", "uint64", "float16", "float32", "float64", "bfloat16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_numpy_operands_of_any_layout(dtype, layout):
    if dtype == "bfloat16" and layout == "big-endian":
        pytest.skip("ml_dtypes has none")
    a = LAYOUTS[layout](BASE.astype(jnp.dtype(dtype)))
    native = a.astype(a.dtype.newbyteorder("="))
    expected = (native | native) if dtype == "bool" else native + native
    for _ in range(3):
        (out,) = f(a)
        assert out.dtype == native.dtype and out.shape == a.shape and np.array_equal(np.asarray(out), expected)
        assert np.array_equal(np.asarray(jnp.add(a, a)), expected)


def test_many_numpy_operands():
    for n in (1, 4, 5, 40, 100):
        xs = [np.full(3, i, np.float32) for i in range(n)]
        for _ in range(3):
            assert [y.tolist() for y in f(*xs)] == [[2.0 * i] * 3 for i in range(n)]
            assert [y.tolist() for y in jax.jit(lambda d: [d[k] + d[k] for k in d])({str(i): x for i, x in enumerate(xs)})]


def test_numpy_operands_are_let_go():
    x = np.ones(1000)
    count = sys.getrefcount(x)
    for _ in range(50):
        f(x), jnp.sin(x)
        with pytest.raises(TypeError):
            jax.jit(lambda a, b: a @ b)(x, np.ones(3))
    x.resize(2000, refcheck=False)  # refused while a buffer is exported
    assert sys.getrefcount(x) == count


def test_values_are_read_at_the_call():
    x = np.ones(3, np.float32)
    for i in range(4):
        x[:] = i
        assert f(x)[0].tolist() == [2 * i] * 3
    y = f(x)[0]
    x[:] = 100
    assert y.tolist() == [6] * 3


def test_subclasses_and_masks_go_another_way():
    class Sub(np.ndarray):
        pass

    for _ in range(3):
        assert f(np.ones(3, np.float32).view(Sub))[0].tolist() == [2] * 3
    with pytest.raises(TypeError):
        f(np.array([None, 1], object))
    with pytest.raises(TypeError):
        f(np.array(["a"]))


@pytest.mark.skipif(not hasattr(np.ndarray, "__dlpack__") or np.lib.NumpyVersion(np.__version__) < "2.1.0", reason="read-only capsules")
def test_dlpack_shares_read_only():
    x = jnp.arange(4.0)
    a = np.from_dlpack(x)
    assert a.ctypes.data == x.unsafe_buffer_pointer() and not a.flags.writeable
    assert jax.jit(lambda x: x + 1, donate_argnums=0)(x).tolist() == [1, 2, 3, 4] and not x.is_deleted()  # it is read elsewhere
    x.delete()
    assert a.tolist() == [0, 1, 2, 3]
    old = jnp.arange(4.0).__dlpack__()
    assert type(old).__name__ == "PyCapsule"
    assert np.from_dlpack(jnp.arange(3)).tolist() == [0, 1, 2] and jnp.from_dlpack(np.arange(3.0)).tolist() == [0, 1, 2]
