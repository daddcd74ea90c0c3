"""lax.fft: discrete Fourier transforms of the last axes."""

import enum

from secant import _types
from secant._eager import op
from secant._lib import int64s, lib
from secant._trace import tracer
from secant._tracer import made


class FftType(enum.IntEnum):
    """Which transform: of complex numbers, back, of real numbers to half of the result, and back from that."""

    FFT, IFFT, RFFT, IRFFT = range(4)


def _type_of(fft_type):
    if isinstance(fft_type, str):
        if fft_type not in FftType.__members__:
            raise ValueError(f"Unknown FFT type '{fft_type}'\n  hint: one of {', '.join(FftType.__members__)}")
        return FftType[fft_type]
    return FftType(fft_type)


def fft(x, fft_type, fft_lengths):
    """The transform of the last len(fft_lengths) axes of x; inverse ones divide by the number of elements."""
    return _fft(x, int(_type_of(fft_type)), tuple(int(n) for n in fft_lengths))


@op(1)
def _fft(x, kind, lengths):
    x = tracer(x)
    shape, n = x.shape, len(lengths)
    if kind == FftType.RFFT:
        if _types.KINDS[x.aval.code] == "COMPLEX":
            raise ValueError("only real valued inputs supported for rfft")
        if not x.aval.is_float:
            x = made(lib.sec_convert(x.value, _types.default_code("FLOAT"), False))
        if x.aval.code not in (_types.F32, _types.F64):
            raise ValueError(f"RFFT input must be float32 or float64, got {x.dtype.name}\n  hint: convert it with astype")
    elif _types.KINDS[x.aval.code] != "COMPLEX":
        wide = x.aval.code == _types.F64 or (not x.aval.is_float and _types.x64())
        x = made(lib.sec_convert(x.value, _types.CODES["complex128" if wide else "complex64"], False))
    if n > len(shape):
        raise ValueError(f"FFT input shape {shape} must have at least as many input dimensions as fft_lengths {lengths}.")
    if kind == FftType.IRFFT:
        if shape[len(shape) - n : -1] != lengths[:-1] or shape[-1] != lengths[-1] // 2 + 1:
            raise ValueError(
                f"IRFFT input shape {shape} minor dimensions must be equal to all except the last fft_length, and the last to fft_lengths[-1] // 2 + 1, got fft_lengths={lengths}"
            )
    elif shape[len(shape) - n :] != lengths:
        name = "RFFT" if kind == FftType.RFFT else "FFT"
        raise ValueError(f"{name} input shape {shape} minor dimensions must be equal to fft_lengths {lengths}")
    return made(lib.sec_fft(x.value, int(kind), int64s(lengths), n))
