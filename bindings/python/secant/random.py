"""Random numbers from explicit keys, bit for bit those of jax.random (threefry2x32, partitionable).

A key made by `key` prints with dtype key<fry>; `PRNGKey` gives its two words as a uint32 array.  Both are accepted everywhere.
"""

import builtins
import math

import numpy as np

from secant import _tree, _types, lax, numpy as jnp
from secant._eager import op
from secant._errors import placed
from secant._operators import Array
from secant._trace import tracer
from secant._tracer import Tracer


class KeyArray:
    """Typed keys: their words are a uint32 array with a last axis of size two."""

    __slots__ = ("_words",)

    def __init__(self, words):
        self._words = words

    shape = property(lambda self: self._words.shape[:-1])
    ndim = property(lambda self: self._words.ndim - 1)
    size = property(lambda self: self._words.size // 2)
    dtype = property(lambda self: _KEY_DTYPE)

    def __getitem__(self, index):
        index = index if isinstance(index, tuple) else (index,)
        if Ellipsis not in index:
            index = (*index, Ellipsis)
        return KeyArray(self._words[(*index, builtins.slice(None))])

    def __len__(self):
        return self._words.shape[0]

    def __iter__(self):
        return (KeyArray(self._words[i]) for i in range(len(self)))

    def reshape(self, *shape):
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return KeyArray(self._words.reshape(*shape, 2))

    def __repr__(self):
        return f"Array({self.shape}, dtype=key<fry>) overlaying:\n{self._words}"

    def _no_arithmetic(self, *others):
        raise TypeError("arithmetic on keys is not defined; use random.bits or random.key_data")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _no_arithmetic


class _KeyType:
    name = "key<fry>"

    def __repr__(self):
        return self.name


_KEY_DTYPE = _KeyType()
_tree.register(KeyArray, lambda k: ((k._words,), None), lambda _, children: KeyArray(children[0]))


def _words(key):
    """The uint32[..., 2] of a key."""
    if isinstance(key, KeyArray):
        return key._words
    if not isinstance(key, (Array, np.ndarray)):
        raise TypeError(f"unexpected PRNG key type {type(key)}")
    if key.shape[-1:] != (2,) or key.dtype != np.uint32:
        raise TypeError(
            f"JAX encountered invalid PRNG key data: expected key_data.dtype = uint32 and a last axis of 2; got {key.dtype} of shape {key.shape}"
        )
    return key


def _like(key, words):
    return KeyArray(words) if isinstance(key, KeyArray) else words


# ---- keys ----
def PRNGKey(seed, *, impl=None):
    """The two words of a seed, as uint32[2]."""
    _check_impl(impl)
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        seed = int(seed) % 2**64
        high = seed >> 32 if _types.x64() else 0
        return jnp.asarray(np.array([high, seed & 0xFFFFFFFF], np.uint32))
    return _seeded(seed)


@op(1)
def _seeded(seed):
    seed = tracer(seed)
    if not _types.is_integer(seed.aval.code):
        raise TypeError(f"PRNG key seed must be an integer; got {seed!r}")
    if seed.ndim:
        raise TypeError(f"PRNG key seed must be a scalar; got shape {seed.shape}")
    low = lax.convert_element_type(seed, "uint32")
    wide = _types.SIZES[seed.aval.code] == 8
    high = (
        lax.convert_element_type(lax.shift_right_logical(seed, jnp.asarray(32, seed.dtype)), "uint32")
        if wide
        else low * 0
    )
    return jnp.stack([high, low])


def _check_impl(impl):
    if impl not in (None, "threefry2x32", "fry"):
        raise NotImplementedError(f"random: the generator {impl!r} is not available in this version; threefry2x32 is")


def key(seed, *, impl=None, dtype=None):
    """A typed key of a seed."""
    _check_impl(impl)
    return KeyArray(PRNGKey(seed))


def key_data(keys):
    """The words of keys, uint32[..., 2]."""
    return _words(keys)


def key_dtype(impl_spec=None):
    """The dtype of typed keys."""
    _check_impl(impl_spec)
    return key(0).dtype


def wrap_key_data(key_bits_array, *, impl=None, dtype=None):
    """Typed keys of words, uint32[..., 2]."""
    _check_impl(impl)
    return KeyArray(_words(key_bits_array))


def key_impl(keys):
    return "threefry2x32"


def clone(key):
    return key


def _counts(shape):
    """(high, low) words of the counters 0, 1, ... of a shape."""
    n = int(np.prod(shape, dtype=np.int64))
    if n >= 2**32:
        raise ValueError(f"random: {n} numbers at once; at most 2**32 - 1 are possible")
    low = lax.reshape(lax.iota("uint32", n), shape)
    return lax.full(shape, 0, "uint32"), low


def _blocks(words, shape):
    return lax.threefry_block(words[0], words[1], *_counts(shape))


def _check_scalar(words, name):
    if words.ndim != 1:
        raise TypeError(
            f"{name} accepts a single key, but was given a key array of shape {words.shape[:-1]}\n  hint: take one key (keys[0]), or vmap over them"
        )


@placed
def split(key, num=2):
    """New keys: block(key, n) of n = 0 .. num - 1."""
    shape = (num,) if isinstance(num, (int, np.integer)) else tuple(num)
    words = _words(key)
    _check_scalar(words, "split")
    return _like(key, _split(words, tuple(int(s) for s in shape)))


@op(1)
def _split(words, shape):
    return jnp.stack(_blocks(tracer(words), shape), -1)


@placed
def fold_in(key, data):
    """A new key of a key and an integer: block(key, data)."""
    words = _words(key)
    _check_scalar(words, "fold_in")
    if isinstance(data, (int, np.integer)):
        data = np.uint32(int(data) % 2**32)
    return _like(key, _fold_in(words, data))


@op(2)
def _fold_in(words, data):
    words, data = tracer(words), tracer(data)
    if data.ndim:
        raise TypeError(f"fold_in accepts a scalar, got an array of shape {data.shape}")
    low = lax.convert_element_type(data, "uint32")
    return jnp.stack(lax.threefry_block(words[0], words[1], low * 0, low))


# ---- bits ----
def _dtype(dtype, kind, what, complex_too=False):
    code = _types.default_code(kind) if dtype is None else _types.code_of(dtype)
    if complex_too and _types.KINDS[code] == "COMPLEX":
        return code
    if _types.KINDS[code] not in ((kind, "INT", "UINT") if kind == "INT" else (kind,)):
        raise TypeError(f"{what}: dtype {_types.NAMES[code]} does not fit")
    return code


def _shape(shape):
    return (shape,) if isinstance(shape, int) else tuple(int(d) for d in shape)


def bits(key, shape=(), dtype=None, *, out_sharding=None):
    """Uniformly random bits as unsigned integers."""
    code = _types.default_code("UINT") if dtype is None else _types.code_of(dtype)
    if _types.KINDS[code] != "UINT":
        raise ValueError(f"dtype argument to `bits` must be an unsigned int dtype, got {_types.NAMES[code]}")
    return _on_key(_bits_public, key, _shape(shape), code)


@op(1)
def _bits_public(words, shape, code):
    return _bits(tracer(words), shape, 8 * _types.SIZES[code])


@placed
def _on_key(function, key, *args):
    words = _words(key)
    _check_scalar(words, function.__name__.strip("_"))
    return function(words, *args)


def _bits(words, shape, width):
    high, low = _blocks(words, shape)
    if width == 64:
        high, low = (lax.convert_element_type(x, "uint64") for x in (high, low))
        return lax.bitwise_or(lax.shift_left(high, lax.full(shape, 32, "uint64")), low)
    out = lax.bitwise_xor(high, low)
    return out if width == 32 else lax.convert_element_type(out, f"uint{width}")


# ---- distributions ----
_MANTISSA = {_types.F16: 10, _types.BF16: 7, _types.F32: 23, _types.F64: 52}


def uniform(key, shape=(), dtype=None, minval=0.0, maxval=1.0, *, out_sharding=None):
    """Uniform floats in [minval, maxval)."""
    return _on_key(_uniform_public, key, minval, maxval, _shape(shape), _dtype(dtype, "FLOAT", "uniform"))


@op(3)
def _uniform_public(words, minval, maxval, shape, code):
    return _uniform(tracer(words), shape, code, minval, maxval)


def _uniform(words, shape, code, minval=0.0, maxval=1.0):
    """(bits | exponent of 1) - 1, stretched to the range and held above its lower end."""
    width, mantissa = 8 * _types.SIZES[code], _MANTISSA[code]
    draw = 8 if mantissa < 8 else width
    raw = _bits(words, shape, draw)
    if draw < width:
        raw = lax.convert_element_type(raw, f"uint{width}")
    unsigned = np.dtype(f"uint{width}")
    one = int(np.array(1, _types.numpy_dtype(code)).view(unsigned)[()])
    shifted = lax.shift_right_logical(raw, lax.full(shape, draw - mantissa, unsigned))
    unit = lax.bitcast_convert_type(lax.bitwise_or(shifted, lax.full(shape, one, unsigned)), _types.numpy_dtype(code))
    floats = lax.sub(unit, lax.full(shape, 1, _types.numpy_dtype(code)))
    low, high = (jnp.broadcast_to(jnp.astype(tracer(b), _types.numpy_dtype(code)), shape) for b in (minval, maxval))
    return lax.max(low, lax.add(lax.mul(floats, lax.sub(high, low)), low))


def normal(key, shape=(), dtype=None, *, out_sharding=None):
    """Standard normal floats."""
    return _on_key(_normal, key, _shape(shape), _dtype(dtype, "FLOAT", "normal", complex_too=True))


@op(1)
def _normal(words, shape, code):
    if _types.KINDS[code] == "COMPLEX":
        part = _types.F32 if code == _types.CODES["complex64"] else _types.F64
        keys = _split(tracer(words), (2,))
        re, im = (_normal(keys[i], shape, part) for i in range(2))
        root = lax.full(shape, np.sqrt(2), _types.numpy_dtype(part))
        return lax.complex(lax.div(re, root), lax.div(im, root))
    dtype = _types.numpy_dtype(code)
    low = np.nextafter(np.array(-1, dtype), np.array(0, dtype), dtype=dtype if code != _types.BF16 else None)
    u = _uniform(tracer(words), shape, code, float(low), 1.0)
    return lax.mul(lax.full(shape, math.sqrt(2), dtype), lax.erf_inv(u))


@placed
def randint(key, shape, minval, maxval, dtype=None, *, out_sharding=None):
    """Integers in [minval, maxval)."""
    code = _types.default_code("INT") if dtype is None else _types.code_of(dtype)
    if not _types.is_integer(code):
        raise TypeError(f"randint only accepts integer dtypes, got {_types.NAMES[code]}\n  hint: use uniform for floats")
    if _types.SIZES[code] >= 4:
        return _on_key(_randint, key, minval, maxval, _shape(shape), code)
    # narrow types are drawn in 32 bits
    info = np.iinfo(_types.numpy_dtype(code))
    minval = jnp.clip(jnp.asarray(minval).astype("int32"), int(info.min), int(info.max))
    maxval = jnp.clip(jnp.asarray(maxval).astype("int32"), int(info.min), int(info.max) + 1)
    return _on_key(_randint, key, minval, maxval, _shape(shape), _types.I32).astype(_types.numpy_dtype(code))


@op(3)
def _randint(words, minval, maxval, shape, code):
    width = 8 * _types.SIZES[code]
    dtype, unsigned = _types.numpy_dtype(code), np.dtype(f"uint{width}")
    info = np.iinfo(dtype)
    low, high = tracer(minval), tracer(maxval)
    beyond = high > info.max if _types.SIZES[high.aval.code] > _types.SIZES[code] else None
    low, high = (jnp.broadcast_to(_clamped(x, dtype), shape) for x in (low, high))
    keys = _split(words, (2,))
    top, bottom = (_bits(keys[i], shape, width) for i in range(2))
    span = lax.convert_element_type(lax.sub(high, low), unsigned)
    span = jnp.where(high <= low, jnp.ones((), unsigned), span)
    if beyond is not None:
        span = jnp.where(beyond & (high > low), span + jnp.ones((), unsigned), span)
    half = lax.full(shape, 2 ** (width // 2), unsigned)
    multiplier = lax.rem(half, span)
    multiplier = lax.rem(lax.mul(multiplier, multiplier), span)
    offset = lax.add(lax.mul(lax.rem(top, span), multiplier), lax.rem(bottom, span))
    return lax.add(low, lax.convert_element_type(lax.rem(offset, span), dtype))


def _clamped(x, dtype):
    """An integer bound in the dtype, at its ends where it does not fit."""
    if np.dtype(dtype).itemsize < x.dtype.itemsize or np.dtype(dtype).kind != x.dtype.kind:
        info, own = np.iinfo(dtype), np.iinfo(x.dtype)
        x = jnp.clip(x, max(info.min, own.min), min(info.max, own.max))
    return jnp.astype(x, dtype)


def bernoulli(key, p=0.5, shape=None, mode="low", *, out_sharding=None):
    """True with probability p."""
    shape = np.shape(p) if shape is None else _shape(shape)
    return _on_key(_bernoulli, key, p, shape)


@op(2)
def _bernoulli(words, p, shape):
    p = tracer(p)
    code = p.aval.code if p.aval.is_float else _types.default_code("FLOAT")
    return _uniform(tracer(words), shape, code) < p


def exponential(key, shape=(), dtype=None, *, out_sharding=None):
    """Exponential floats of rate one."""
    return _on_key(_exponential, key, _shape(shape), _dtype(dtype, "FLOAT", "exponential"))


@op(1)
def _exponential(words, shape, code):
    return -jnp.log1p(-_uniform(tracer(words), shape, code))


def gumbel(key, shape=(), dtype=None, mode=None, *, out_sharding=None):
    """Gumbel floats."""
    return _on_key(_gumbel_public, key, _shape(shape), _dtype(dtype, "FLOAT", "gumbel"))


@op(1)
def _gumbel_public(words, shape, code):
    return _gumbel(tracer(words), shape, code)


def _gumbel(words, shape, code):
    tiny = float(np.finfo(_types.numpy_dtype(code)).tiny)
    return -jnp.log(-jnp.log(_uniform(words, shape, code, tiny, 1.0)))


@placed
def categorical(key, logits, axis=-1, shape=None, replace=True, mode=None, *, out_sharding=None):
    """Indices drawn with probabilities softmax(logits) along an axis."""
    if not replace:
        raise NotImplementedError(
            "categorical without replacement needs a sort, which is not available in this version"
        )
    logits = jnp.asarray(logits)
    axis = axis % logits.ndim
    rest = logits.shape[:axis] + logits.shape[axis + 1 :]
    shape = rest if shape is None else _shape(shape)
    return _on_key(_categorical, key, logits, axis, shape)


@op(2)
def _categorical(words, logits, axis, shape):
    logits = tracer(logits)
    prefix = shape[: len(shape) - (logits.ndim - 1)]
    full = (*prefix, *logits.shape)
    noise = _gumbel(tracer(words), full, logits.aval.code)
    return jnp.argmax(noise + logits, axis + len(prefix))


def permutation(key, x, axis=0, independent=False, *, out_sharding=None):
    """A random order of `x` along an axis, or of arange(x)."""
    from secant._permutation import permutation as permuted  # it stands on this module

    return permuted(key, x, axis, independent, out_sharding=out_sharding)


def choice(key, a, shape=(), replace=True, p=None, axis=0, mode=None):
    """Elements of `a` (or of arange(a)), with replacement."""
    if not replace:
        from secant._permutation import choice_without_replacement  # it stands on this module

        return choice_without_replacement(key, a, _shape(shape), p, axis)
    n = int(a) if np.ndim(a) == 0 and not isinstance(a, Tracer) else a.shape[axis]
    shape = _shape(shape)
    if p is None:
        index = randint(key, shape, 0, n)
    else:
        index = _on_key(_drawn, key, jnp.asarray(p), shape)
    return index if np.ndim(a) == 0 and not isinstance(a, Array) else jnp.take(a, index, axis, mode="clip")


@op(2)
def _drawn(words, p, shape):
    """The first index whose cumulated probability reaches p_sum (1 - u)."""
    p = jnp.cumsum(tracer(p))
    r = p[-1] * (1 - _uniform(tracer(words), shape, p.aval.code))
    return jnp.sum((p < r[..., None]).astype(int), -1)


from secant._distributions import *  # noqa: E402,F401,F403
from secant._counts import binomial, multinomial  # noqa: E402,F401
