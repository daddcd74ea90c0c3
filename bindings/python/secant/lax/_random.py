"""The random bits under secant.random."""

from secant import _types
from secant._eager import op
from secant._lib import lib
from secant._trace import results, tracer, values
from secant.lax import _shape


@op(2)
def threefry2x32(key, count):
    """Threefry-2x32, 20 rounds (Salmon et al., SC 2011): u32[2] key, u32[n] counts -> u32[n] bits.

    The counts are taken as two halves, which are the two lanes; an odd size is padded.
    """
    k, c = tracer(key), tracer(count)
    for x in (k, c):
        if x.aval.code != _types.U32:
            raise TypeError(f"threefry2x32 takes uint32 operands, got {k.aval.str_short()} and {c.aval.str_short()}")
    flat = _shape.reshape(c, (c.size,))
    odd = flat.size % 2
    if odd:
        flat = _shape.concatenate([flat, _shape.full((1,), 0, "uint32")], 0)
    half = flat.size // 2
    a, b = _shape.slice(flat, (0,), (half,)), _shape.slice(flat, (half,), (2 * half,))
    out = _shape.concatenate(threefry_block(k[0], k[1], a, b), 0)
    if odd:
        out = _shape.slice(out, (0,), (c.size,))
    return _shape.reshape(out, c.shape)


@op(4)
def threefry_block(key0, key1, high, low):
    """The two words of the blocks at 64-bit counters (high, low)."""
    high, low = tracer(high), tracer(low)
    keys = [_shape.broadcast_to(k, high.shape) for k in (key0, key1)]
    operands, out = values([*(k.value for k in keys), high.value, low.value]), values([0, 0])
    return tuple(results(lib.sec_threefry2x32(operands, out), out))
