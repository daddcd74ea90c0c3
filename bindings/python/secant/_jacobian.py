"""Jacobians and Hessians: derivatives mapped over a basis."""

import numpy as np

from secant import _array, _tree
from secant._autodiff import _booleans, _inputs, _integers, _name, _named, _place, _trace_function, argument_numbers, check_outputs
from secant._errors import placed
from secant._lib import lib
from secant._trace import call, trace_flat, transformed


def _basis(avals):
    """For each aval, the rows of an identity of all their elements, [n, *shape]."""
    total, at, out = sum(a.size for a in avals), 0, []
    for a in avals:
        rows = np.zeros((total, a.size), a.dtype)
        rows[at : at + a.size] = np.eye(a.size, dtype=a.dtype)
        out.append(_array.from_numpy(rows.reshape(total, *a.shape)))
        at += a.size
    return out


def _jacobian(what, fun, argnums, has_aux, holomorphic, allow_int, derive):
    """The frame of jacfwd and jacrev: derive(jaxpr, inputs, avals, out avals) gives one row of blocks an output leaf."""

    @placed
    def wrapped(*args, **keywords):
        nums, bare = argument_numbers(argnums, len(args), what)
        leaves, tree = _tree.tree_flatten(tuple(args[i] for i in nums))
        avals = _inputs(what, leaves, allow_int, holomorphic)

        def chosen(*subtrees):
            return fun(*_place(args, nums, subtrees), **keywords)

        jaxpr, (out_tree, n, aux) = _trace_function(chosen, leaves, tree, avals, has_aux, _name(fun))
        check_outputs(what, jaxpr.out_avals[:n], holomorphic)
        whole, _ = trace_flat(lambda ins: (derive(jaxpr, ins, avals, n), None), avals, _name(fun))
        results = call(whole, leaves)
        blocks, rest = results[: n * len(leaves)], results[n * len(leaves) :]
        rows = []
        for o in range(n):
            subtrees = tree.unflatten(blocks[o * len(leaves) : (o + 1) * len(leaves)])
            rows.append(subtrees[0] if bare else subtrees)
        out = out_tree.unflatten(rows)
        return (out, aux.rebuild(rest[n:])) if has_aux else out

    return _named(wrapped, fun, what)


def _split(x, axis, avals, shape_of):
    """Blocks of `x` along the axis of all input (or output) elements, reshaped by shape_of(aval)."""
    from secant import lax

    blocks, at = [], 0
    for a in avals:
        blocks.append(lax.reshape(lax.slice_in_dim(x, at, at + a.size, 1, axis), shape_of(a)))
        at += a.size
    return blocks


def _mapped(jaxpr, in_axes, out_axes, size):
    return transformed(lib.sec_jaxpr_vmap, jaxpr.handle, _integers(in_axes), _integers(out_axes), size, None)


NOT_MAPPED = -1000  # SEC_NOT_MAPPED


def _forward(jaxpr, ins, avals, n):
    pushed = transformed(lib.sec_jaxpr_jvp, jaxpr.handle, _booleans([True] * len(avals)), None)
    outs = jaxpr.out_avals
    n_dots = sum(a.is_float for a in outs)
    in_axes = [NOT_MAPPED] * len(avals) + [0] * len(avals)
    mapped = _mapped(pushed, in_axes, [NOT_MAPPED] * len(outs) + [-1] * n_dots, sum(a.size for a in avals))
    results = call(mapped, [*ins, *_basis(avals)])
    blocks = []
    for a, columns in zip(outs[:n], results[len(outs) : len(outs) + n]):
        blocks += _split(columns, len(a.shape), avals, lambda b, a=a: a.shape + b.shape)
    return [*blocks, *results[: len(outs)]]


def _reverse(jaxpr, ins, avals, n):
    pulled = transformed(lib.sec_jaxpr_vjp, jaxpr.handle, _booleans([a.is_float for a in avals]))
    outs = jaxpr.out_avals
    floats = [a for a in outs if a.is_float]
    size = sum(a.size for a in outs[:n])
    n_cts = sum(a.is_float for a in avals)
    basis = _basis(outs[:n]) + [_array.from_numpy(np.zeros((size, *a.shape), a.dtype)) for a in floats[n:]]
    in_axes = [NOT_MAPPED] * len(avals) + [0] * len(floats)
    mapped = _mapped(pulled, in_axes, [NOT_MAPPED] * len(outs) + [0] * n_cts, size)
    results = call(mapped, [*ins, *basis])
    columns = [
        _split(rows, 0, outs[:n], lambda a, b=b: a.shape + b.shape) for rows, b in zip(results[len(outs) :], avals)
    ]
    return [*(columns[i][o] for o in range(n) for i in range(len(avals))), *results[: len(outs)]]


def jacfwd(fun, argnums=0, has_aux=False, holomorphic=False):
    """The Jacobian of `fun` by forward mode: tree of the result over tree of the argument, shapes result + argument."""
    return _jacobian("jacfwd", fun, argnums, has_aux, holomorphic, False, _forward)


def jacrev(fun, argnums=0, has_aux=False, holomorphic=False, allow_int=False):
    """The Jacobian of `fun` by reverse mode; see jacfwd."""
    return _jacobian("jacrev", fun, argnums, has_aux, holomorphic, False, _reverse)


def hessian(fun, argnums=0, has_aux=False, holomorphic=False):
    """The Hessian of `fun`: jacfwd of jacrev."""
    return jacfwd(jacrev(fun, argnums, has_aux, holomorphic), argnums, has_aux, holomorphic)
