"""What JAX says about the precision of products: accepted and checked; products here are always the exact-width ones."""

import enum
from typing import NamedTuple


class Precision(enum.Enum):
    """Of products on accelerators; every one is HIGHEST here."""

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2

    @classmethod
    def _missing_(cls, value):
        return _STRINGS.get(value)

    def __repr__(self):
        return f"Precision.{self.name}"

    def __str__(self):
        return self.name


_STRINGS = {
    "highest": Precision.HIGHEST,
    "float32": Precision.HIGHEST,
    "high": Precision.HIGH,
    "bfloat16_3x": Precision.HIGH,
    "tensorfloat32": Precision.HIGH,
    "default": Precision.DEFAULT,
    "bfloat16": Precision.DEFAULT,
    "fastest": Precision.DEFAULT,
    None: Precision.DEFAULT,
}


class DotAlgorithm(NamedTuple):
    """How an accelerator computes a product: accepted, the CPU's own way is taken."""

    lhs_precision_type: object
    rhs_precision_type: object
    accumulation_type: object
    lhs_component_count: int = 1
    rhs_component_count: int = 1
    num_primitive_operations: int = 1
    allow_imprecise_accumulation: bool = False


DotAlgorithmPreset = enum.Enum(
    "DotAlgorithmPreset",
    """DEFAULT ANY_F8_ANY_F8_F32 ANY_F8_ANY_F8_F32_FAST_ACCUM ANY_F8_ANY_F8_ANY ANY_F8_ANY_F8_ANY_FAST_ACCUM F16_F16_F16
    F16_F16_F32 BF16_BF16_BF16 BF16_BF16_F32 BF16_BF16_F32_X3 BF16_BF16_F32_X6 BF16_BF16_F32_X9 TF32_TF32_F32
    TF32_TF32_F32_X3 F32_F32_F32 F64_F64_F64""",
    module=__name__,
)
DotAlgorithmPreset.__doc__ = "Names of algorithms of accelerators: accepted, the CPU's own way is taken."

PrecisionLike = object
DotDimensionNumbers = object


class AccuracyMode(enum.Enum):
    """Of elementary functions; there is one."""

    HIGHEST = 1
    DEFAULT = 2


class Tolerance:
    """A bound on the error of an elementary function, asked of a compiler."""

    def __init__(self, atol=0.0, rtol=0.0, ulps=0):
        if atol < 0.0 or rtol < 0.0 or ulps < 0:
            raise ValueError("Tolerances must be non-negative.")
        self.atol, self.rtol, self.ulps = atol, rtol, ulps


def check(precision):
    """Raises for what JAX does not take as a precision."""
    if precision is None or isinstance(precision, (Precision, DotAlgorithm, DotAlgorithmPreset)):
        return
    if isinstance(precision, str) and (precision in _STRINGS or precision in DotAlgorithmPreset.__members__):
        return
    if isinstance(precision, (tuple, list)) and len(precision) == 2:
        if all(isinstance(p, Precision) or isinstance(p, str) and p in _STRINGS for p in precision):
            return
    raise ValueError(
        "Precision argument must be one of: None, a lax.Precision value, a string in "
        f"{[s for s in _STRINGS if s]}, a tuple of two of these, or a lax.DotAlgorithmPreset; but got {precision!r}."
    )
