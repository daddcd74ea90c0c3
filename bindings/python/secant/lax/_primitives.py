"""lax.NAME_p: the primitives as objects, for code that binds them."""

from secant._eager import staged
from secant._errors import placed
from secant._lib import lib
from secant._trace import lifted, results, values

# they give a list even of one result
_LISTS = {"sort", "scan", "while", "cond", "jit", "checkpoint", "custom_jvp_call", "custom_vjp_call", "host_call", "split"}
# JAX's, without a meaning here when they are None
_UNUSED = {"accuracy", "out_dtype", "out_sharding", "precision", "preferred_element_type", "sharding"}
_MOST = 4096


def _text(value):
    """A parameter as it stands in a jaxpr's text."""
    if isinstance(value, (tuple, list)):
        inner = ", ".join(_text(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, type) or type(value).__name__.endswith("dtype") or hasattr(value, "itemsize") and hasattr(value, "kind"):
        import numpy as np

        return np.dtype(value).name
    return str(value)


class Primitive:
    """One primitive: bind(*operands, **parameters) applies it."""

    __slots__ = ("name", "multiple_results")

    def __init__(self, name):
        self.name, self.multiple_results = name, name in _LISTS

    def __repr__(self):
        return self.name

    @placed
    def bind(self, *args, **params):
        kept = [f"{k}={_text(v)}" for k, v in params.items() if v is not None or k not in _UNUSED]
        text = f"[{' '.join(kept)}]".encode() if kept else b""

        def bound(*operands):
            import ctypes

            out, count = values([0] * _MOST), ctypes.c_int()
            ins = lifted(operands)
            status = lib.sec_bind_text(self.name.encode(), text, ins, len(ins), out, _MOST, ctypes.byref(count))
            return results(status, [out[i] for i in range(count.value)])

        out = staged(bound, *args)
        return out if self.multiple_results or len(out) != 1 else out[0]


_made = {}


def find(name):
    """The primitive behind lax.NAME_p, or None."""
    if not name.endswith("_p") or not lib.sec_has_primitive(name[:-2].encode()):
        return None
    return _made.setdefault(name, Primitive(name[:-2]))
