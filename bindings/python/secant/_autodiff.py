"""Derivatives: a function is traced to a jaxpr, the library differentiates it, the result is applied or run."""

import ctypes

import numpy as np

from secant import _tree, _types
from secant._errors import check, placed
from secant._lib import lib
from secant._trace import Jaxpr, aval_of, call, trace_flat, trace_known, transformed
from secant._tracer import Tracer
from secant._types import float0


# ---- arguments ----
def argument_numbers(argnums, n, what):
    """(argnums as a tuple of indices >= 0, whether one bare number was given)."""
    bare = isinstance(argnums, int)
    out = []
    for i in (argnums,) if bare else tuple(argnums):
        if not -n <= i < n:
            raise TypeError(
                f"{what} with argnums={argnums} requires at least {i + 1 if i >= 0 else -i} positional arguments, got {n}.\n  hint: argnums counts the positional arguments from 0"
            )
        out.append(i % n)
    return tuple(out), bare


def _place(args, nums, subtrees):
    args = list(args)
    for i, subtree in zip(nums, subtrees):
        args[i] = subtree
    return args


def _booleans(flags):
    return (ctypes.c_bool * len(flags))(*flags)


def _integers(numbers):
    return (ctypes.c_int * len(numbers))(*numbers)


def _inputs(what, leaves, allow_int=False, holomorphic=False):
    """The avals of leaves to differentiate by; TypeError where one is no float."""
    avals = [aval_of(x) for x in leaves]
    for a in avals:
        kind = _types.KINDS[a.code]
        if holomorphic and kind != "COMPLEX":
            raise TypeError(f"{what} with holomorphic=True requires inputs with complex dtype, but got {a.dtype.name}.")
        if not a.is_float and not allow_int:
            raise TypeError(
                f"{what} requires real- or complex-valued inputs (input dtype that is a sub-dtype of np.floating), but got {a.dtype.name}.\n  hint: pass floats (3.0, astype), or allow_int=True"
            )
        if what == "jacfwd" and kind == "COMPLEX" and not holomorphic:
            raise TypeError(
                f"jacfwd requires real-valued inputs (input dtype that is a sub-dtype of np.floating), but got {a.dtype.name}. For holomorphic differentiation, pass holomorphic=True. For differentiation of non-holomorphic functions involving complex inputs or integer inputs, use jax.jvp directly."
            )
    return avals


def float0_zeros(shape):
    return np.zeros(shape, float0)


def _is_float0(x):
    return getattr(x, "dtype", None) == float0


class _Aux:
    """Auxiliary output: its traced leaves become results of the jaxpr, the rest is kept as it is."""

    def __init__(self, tree):
        leaves, self.treedef = _tree.tree_flatten(tree)
        self.fixed = [None if type(x) is Tracer else (x,) for x in leaves]
        self.traced = [x for x in leaves if type(x) is Tracer]

    def rebuild(self, results):
        results = iter(results)
        return self.treedef.unflatten([next(results) if f is None else f[0] for f in self.fixed])


def _pair(out):
    if not isinstance(out, tuple) or len(out) != 2:
        raise TypeError(f"has_aux=True needs a function that returns a pair (result, aux), got {type(out).__name__}")
    return out


def _trace_function(fun, leaves, tree, avals, has_aux, name):
    """Traces fun(*tree.unflatten(inputs)); results are those of `fun`, then the traced auxiliary leaves."""

    def traced(inputs):
        out = fun(*tree.unflatten(inputs))
        aux = None
        if has_aux:
            out, aux = _pair(out)
            aux = _Aux(aux)
        outs, out_tree = _tree.tree_flatten(out)
        for x in outs:
            aval_of(x)
        return [*outs, *(aux.traced if aux else ())], (out_tree, len(outs), aux)

    return trace_known(traced, avals, name, lambda jaxpr: call(jaxpr, leaves)[0])


def _name(fun):
    return getattr(fun, "__name__", "f")


# ---- grad ----
def value_and_grad(fun, argnums=0, has_aux=False, holomorphic=False, allow_int=False, reduce_axes=()):
    """A function that returns (value, gradient) of the scalar function `fun`.

    Parameters
    ----------
    argnums : the argument, or a tuple of arguments, to differentiate by (pytrees of floats).
    has_aux : `fun` returns (value, aux); the result is ((value, aux), gradient).
    allow_int : integer arguments are let through; their gradient has dtype float0.
    """

    @placed
    def wrapped(*args, **keywords):
        nums, bare = argument_numbers(argnums, len(args), "value_and_grad")
        leaves, tree = _tree.tree_flatten(tuple(args[i] for i in nums))
        avals = _inputs("grad", leaves, allow_int, holomorphic)

        def chosen(*subtrees):
            return fun(*_place(args, nums, subtrees), **keywords)

        jaxpr, (out_tree, n, aux) = _trace_function(chosen, leaves, tree, avals, has_aux, _name(fun))
        _check_scalar(jaxpr, out_tree, n)
        check_outputs("grad", jaxpr.out_avals[:1], holomorphic)
        wrt = [i for i, a in enumerate(avals) if a.is_float]
        derived = transformed(lib.sec_jaxpr_grad, jaxpr.handle, _integers(wrt), len(wrt), True)
        results = call(derived, leaves)
        grads = [float0_zeros(a.shape) for a in avals]
        for i, g in zip(wrt, results[jaxpr.n_out :]):
            grads[i] = g
        subtrees = tree.unflatten(grads)
        value = (results[0], aux.rebuild(results[1 : jaxpr.n_out])) if has_aux else results[0]
        return value, subtrees[0] if bare else subtrees

    return _named(wrapped, fun, "value_and_grad")


def _check_scalar(jaxpr, out_tree, n):
    if n != 1 or out_tree.spec is not _tree.LEAF:
        raise TypeError(
            f"Gradient only defined for scalar-output functions. Output was a pytree of structure {out_tree}.\n  hint: return a scalar; has_aux=True allows a second result"
        )
    out = jaxpr.out_avals[0]
    if out.shape:
        raise TypeError(f"Gradient only defined for scalar-output functions. Output had shape: {out.shape}.\n  hint: reduce the output (sum, mean), or use jacrev, or vjp with a cotangent")


def check_outputs(what, avals, holomorphic):
    """Real results, or complex ones of a holomorphic function; jacfwd takes both without the flag."""
    for a in avals:
        kind = _types.KINDS[a.code]
        if holomorphic and kind != "COMPLEX":
            raise TypeError(f"{what} with holomorphic=True requires outputs with complex dtype, but got {a.dtype.name}.")
        if kind == "COMPLEX" and not holomorphic and what != "jacfwd":
            raise TypeError(
                f"{what} requires real-valued outputs (output dtype that is a sub-dtype of np.floating), but got {a.dtype.name}. For holomorphic differentiation, pass holomorphic=True. For differentiation of non-holomorphic functions involving complex outputs, use jax.vjp directly."
            )
        if not a.is_float:
            raise TypeError(
                f"{what} requires real-valued outputs (output dtype that is a sub-dtype of np.floating), but got {a.dtype.name}.\n  hint: convert the output with astype"
            )


def grad(fun, argnums=0, has_aux=False, holomorphic=False, allow_int=False, reduce_axes=()):
    """A function that returns the gradient of the scalar function `fun`; arguments as value_and_grad."""
    both = value_and_grad(fun, argnums, has_aux, holomorphic, allow_int)

    def wrapped(*args, **keywords):
        value, gradient = both(*args, **keywords)
        return (gradient, value[1]) if has_aux else gradient

    return _named(wrapped, fun, "grad")


def _named(wrapped, fun, what):
    wrapped.__name__ = _name(fun)
    wrapped.__doc__ = f"{what} of {wrapped.__name__}."
    wrapped.__wrapped__ = fun
    return wrapped


# ---- forward mode ----
def _check_pairs(primals, tangents, what):
    """(leaves, tree, tangent leaves) after JAX's checks of a tuple of primals and a tuple of tangents."""
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError(
            f"primal and tangent arguments to {what} must be tuples or lists; found {type(primals).__name__} and {type(tangents).__name__}."
        )
    leaves, tree = _tree.tree_flatten(tuple(primals))
    dots, other = _tree.tree_flatten(tuple(tangents))
    if tree != other:
        raise TypeError(
            f"primal and tangent arguments to {what} must have the same tree structure; primals have {tree}, tangents {other}."
        )
    for p, t in zip(leaves, dots):
        check_tangent(aval_of(p), t, what)
    return leaves, tree, dots


def check_tangent(primal, t, what, error=TypeError):
    """A tangent has the primal's dtype and shape; float0 beside integers."""
    if _is_float0(t):
        if primal.is_float:
            raise error(f"{what}: a tangent of dtype float0 beside a primal {primal.str_short()}")
        return
    aval = aval_of(t)
    if not primal.is_float or aval.code != primal.code:
        wanted = primal.dtype.name if primal.is_float else "float0"
        raise error(
            f"primal and tangent arguments to {what} do not match; dtypes must be equal, or float0 for integers: got primal dtype {primal.dtype.name}, so expected tangent dtype {wanted}, but got {aval.dtype.name} instead.\n  hint: convert the tangent with astype"
        )
    if aval.shape != primal.shape:
        raise ValueError(
            f"{what} called with different primal and tangent shapes: got primal shape {primal.shape} and tangent shape {aval.shape}.\n  hint: a tangent has the shape of its primal"
        )


@placed
def jvp(fun, primals, tangents, has_aux=False):
    """(fun(*primals), the derivative of `fun` along tangents); with has_aux, aux as a third."""
    leaves, tree, dots = _check_pairs(primals, tangents, "jax.jvp")
    avals = [aval_of(x) for x in leaves]
    jaxpr, (out_tree, n, aux) = _trace_function(fun, leaves, tree, avals, has_aux, _name(fun))
    nonzero = [a.is_float for a in avals]
    pushed = transformed(lib.sec_jaxpr_jvp, jaxpr.handle, _booleans(nonzero), None)
    results = call(pushed, [*leaves, *(t for t, z in zip(dots, nonzero) if z)])
    outs, out_dots = results[: jaxpr.n_out], iter(results[jaxpr.n_out :])
    tangents_out = [next(out_dots) if a.is_float else float0_zeros(a.shape) for a in jaxpr.out_avals]
    both = out_tree.unflatten(outs[:n]), out_tree.unflatten(tangents_out[:n])
    return (*both, aux.rebuild(outs[n:])) if has_aux else both


def _linearized(fun, primals, has_aux, name):
    """What vjp and linearize share: the primal results, the linear jaxpr and its residuals."""
    leaves, tree = _tree.tree_flatten(tuple(primals))
    avals = [aval_of(x) for x in leaves]
    jaxpr, (out_tree, n, aux) = _trace_function(fun, leaves, tree, avals, has_aux, name)
    primal, linear, n_residuals = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int()
    wrt = [a.is_float for a in avals]
    pointers = [ctypes.byref(x) for x in (primal, linear, n_residuals)]
    check(lib.sec_jaxpr_linearize(jaxpr.handle, _booleans(wrt), *pointers))
    primal, linear = Jaxpr(primal.value), Jaxpr(linear.value)
    results = call(primal, leaves)
    outs, residuals = results[: jaxpr.n_out], results[jaxpr.n_out :]
    value = out_tree.unflatten(outs[:n])
    rest = aux.rebuild(outs[n:]) if has_aux else None
    return value, rest, linear, residuals, (avals, tree, jaxpr.out_avals, n, out_tree)


@placed
def linearize(fun, *primals, has_aux=False):
    """(fun(*primals), the linear function of tangents at that point)."""
    value, aux, linear, residuals, (avals, tree, out_avals, n, out_tree) = _linearized(
        fun, primals, has_aux, _name(fun)
    )

    @placed
    def pushforward(*tangents):
        dots, other = _tree.tree_flatten(tangents)
        if other != tree:
            raise ValueError(f"the linearized function takes {tree}, got {other}")
        for a, t in zip(avals, dots):
            check_tangent(a, t, "a linearized function", ValueError)
        results = iter(call(linear, [*residuals, *(t for t, a in zip(dots, avals) if a.is_float)]))
        outs = [next(results) if a.is_float else float0_zeros(a.shape) for a in out_avals[:n]]
        return out_tree.unflatten(outs)

    return (value, pushforward, aux) if has_aux else (value, pushforward)


# ---- reverse mode ----
def _cotangents(ct, out_tree, avals):
    """The cotangents of float results, after JAX's checks."""
    cts, tree = _tree.tree_flatten(ct)
    if tree != out_tree:
        raise ValueError(
            f"unexpected tree structure of argument to vjp function: got {tree}, but expected to match {out_tree}"
        )
    for a, c in zip(avals, cts):
        if _is_float0(c) or not a.is_float:
            continue
        aval = aval_of(c)
        if aval.code != a.code or aval.shape != a.shape:
            raise ValueError(
                f"unexpected JAX type (e.g. shape/dtype) for argument to vjp function: got {aval.str_short()}, but expected {a.str_short()}\n  hint: a cotangent has the type of the function's result"
            )
    return [c for a, c in zip(avals, cts) if a.is_float]


@placed
def vjp(fun, *primals, has_aux=False, reduce_axes=()):
    """(fun(*primals), function from a cotangent of the result to a tuple of cotangents of the primals)."""
    value, aux, linear, residuals, (avals, tree, out_avals, n, out_tree) = _linearized(
        fun, primals, has_aux, _name(fun)
    )
    extra = [a for a in out_avals[n:] if a.is_float]
    kept = []

    @placed
    def pullback(ct):
        cts = _cotangents(ct, out_tree, out_avals[:n])
        if not kept:
            kept.append(transformed(lib.sec_jaxpr_transpose, linear.handle, len(residuals)))
        zeros = [np.zeros(a.shape, a.dtype) for a in extra]
        results = iter(call(kept[0], [*residuals, *cts, *zeros]))
        return tree.unflatten([next(results) if a.is_float else float0_zeros(a.shape) for a in avals])

    return (value, pullback, aux) if has_aux else (value, pullback)


@placed
def linear_transpose(fun, *primals, reduce_axes=()):
    """The transpose of a linear function of arguments of these types: cotangent -> tuple of cotangents."""
    leaves, tree = _tree.tree_flatten(primals)
    avals = [aval_of(x) for x in leaves]

    def traced(inputs):
        return _tree.tree_flatten(fun(*tree.unflatten(inputs)))

    jaxpr, out_tree = trace_flat(traced, avals, _name(fun))
    turned = transformed(lib.sec_jaxpr_transpose, jaxpr.handle, 0)

    @placed
    def transposed(ct):
        return tree.unflatten(call(turned, _cotangents(ct, out_tree, jaxpr.out_avals)))

    return transposed
