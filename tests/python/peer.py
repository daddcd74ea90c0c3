"""Programs that run on JAX and on Secant, and what must agree: structure, dtypes, weak types, elements."""

import numpy as np
import pytest

import secant
import secant.flatten_util  # noqa: F401
import secant.nn  # noqa: F401
import secant.random  # noqa: F401

try:
    import jax
    import jax.flatten_util  # noqa: F401
    import jax.nn  # noqa: F401
    import jax.scipy.linalg  # noqa: F401
    import jax.scipy.special  # noqa: F401
    import jax.scipy.stats  # noqa: F401
except ImportError:
    jax = None

needs_jax = pytest.mark.skipif(jax is None, reason="JAX is not installed")

# The error of either side, relative to the largest element: a few rounding errors of a short chain of operations (f32: XLA's
# tanh alone is wrong by 2e-6 where derivatives cancel).
TOLERANCE = {"float16": 4e-3, "float32": 5e-6, "float64": 1e-13, "complex64": 5e-6, "complex128": 1e-13}


def names(api):
    """What programs may use, from one of the two."""

    def f(*a):
        return api.numpy.array(a, dtype="float32")

    def i(*a):
        return api.numpy.array(a, dtype="int32")

    return {
        "api": api,
        "np": np,
        "jnp": api.numpy,
        "lax": api.lax,
        "nn": api.nn,
        "random": api.random,
        "special": api.scipy.special,
        "stats": api.scipy.stats,
        "linalg": api.scipy.linalg,
        "ops": api.ops,
        "flatten_util": api.flatten_util,
        "grad": api.grad,
        "jit": api.jit,
        "vmap": api.vmap,
        "jvp": api.jvp,
        "vjp": api.vjp,
        "c": lambda *a: api.numpy.array(a, dtype="complex64"),
        "f": f,
        "i": i,
        "x": f(1, 2, 3, 4, 5),
        "y": f(0.5, -1, 2, -0.25, 3),
        "M": api.numpy.arange(6.0).reshape(2, 3),
        "S": f(4, 1, 0, 1, 3, 1, 0, 1, 2).reshape(3, 3),
    }


def leaves(result):
    """Flat arrays of a result, with JAX's or Secant's trees."""
    if isinstance(result, (tuple, list)):
        return [leaf for part in result for leaf in leaves(part)]
    if isinstance(result, dict):
        return [leaf for key in sorted(result) for leaf in leaves(result[key])]
    return [] if result is None else [result]


def compare(got, want, weak=True):
    """Asserts that two results agree."""
    got, want = leaves(got), leaves(want)
    assert len(got) == len(want)
    for g, w in zip(got, want):
        if isinstance(w, float) and not isinstance(w, np.floating):
            w = np.asarray(w, np.asarray(g).dtype)  # JAX hands some Python numbers through
        if weak and hasattr(w, "weak_type") and w.dtype != bool:  # JAX marks some bools as weak; nothing depends on it
            assert bool(getattr(g, "weak_type", False)) == bool(w.weak_type), "weak types differ"
        g, w = np.asarray(g), np.asarray(w)
        assert g.shape == w.shape
        assert g.dtype == w.dtype
        if w.dtype.kind not in "fc":
            assert (g == w).all() or w.dtype.kind == "V"
            continue
        assert (np.isnan(g) == np.isnan(w)).all()
        finite = np.isfinite(w)
        infinite = ~finite & ~np.isnan(w)
        assert (np.isinf(g[infinite]) if w.dtype.kind == "c" else g[infinite] == w[infinite]).all()
        if finite.any():
            wide = "complex128" if w.dtype.kind == "c" else "float64"
            scale = max(float(np.abs(w[finite].astype(wide)).max()), 1e-30)
            error = np.abs(g[finite].astype(wide) - w[finite].astype(wide)).max()
            assert error <= TOLERANCE[w.dtype.name] * scale, f"error {error / scale:.1e}"


def agree(program, weak=True):
    """Evaluates one expression on both and compares."""
    compare(eval(program, names(secant)), eval(program, names(jax)), weak)
