"""Functions with rules of their own, as jax.custom_derivatives."""

from secant._closures import closure_convert, custom_gradient  # noqa: F401
from secant._custom import custom_jvp, custom_vjp  # noqa: F401


def zero_from_primal(val, symbolic_zeros=False):
    """The zero of a value's tangent space: zeros of its shape, or float0 beside integers."""
    from secant import _tree
    from secant._autodiff import float0_zeros
    from secant._trace import aval_of
    from secant.numpy import zeros_like

    if symbolic_zeros:
        raise NotImplementedError("zero_from_primal: symbolic zeros are not available in this version")
    return _tree.tree_map(lambda x: zeros_like(x) if aval_of(x).is_float else float0_zeros(aval_of(x).shape), val)
