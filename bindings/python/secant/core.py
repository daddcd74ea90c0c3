"""What programs take from jax.core: the classes of values and types, and the evaluation of jaxprs."""

from secant._contexts import ensure_compile_time_eval  # noqa: F401
from secant._errors import placed
from secant._trace import Jaxpr, call  # noqa: F401
from secant._tracer import Tracer  # noqa: F401
from secant._types import Aval as ShapedArray  # noqa: F401

AbstractValue = ShapedArray


@placed
def eval_jaxpr(jaxpr, consts, *args, propagate_source_info=True):
    """The results of a jaxpr on operands; it holds what it captured: consts are its own, or empty."""
    jaxpr = getattr(jaxpr, "jaxpr", jaxpr)
    if len(args) != jaxpr.n_in:
        raise TypeError(f"eval_jaxpr: the jaxpr takes {jaxpr.n_in} operands, got {len(args)}")
    return call(jaxpr, list(args))
