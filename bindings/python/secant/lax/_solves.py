"""Systems that functions of the user solve, differentiated as what they are: custom_linear_solve and custom_root."""

import ctypes

from secant import _tree
from secant._custom import custom_jvp
from secant._eager import staged
from secant._errors import placed
from secant._lib import lib
from secant._trace import aval_of, call, closed, lifted, results, values
from secant.lax._control import _body


def _same_tree(name, got, expected_name, expected, has_aux=False):
    """A function's result has the structure of what it was given (beside an auxiliary part)."""
    if has_aux:
        parts = got.children()
        if len(parts) != 2:
            raise ValueError(f"{name}() produced a pytree with structure {got}, but a pair (result, aux) was expected.")
        got = parts[0]
    if got != expected:
        raise TypeError(f"{name}() output pytree structure must match {expected_name}, got {got} and {expected}.")


def _same_shapes(name, jaxpr, expected_name, avals):
    got, want = ([a.shape for a in x] for x in (jaxpr.out_avals[: len(avals)], avals))
    if got != want:
        raise ValueError(f"{name}() output shapes must match {expected_name}, got {got} and {want}")


@placed
def custom_linear_solve(matvec, b, solve, transpose_solve=None, symmetric=False, has_aux=False):
    """x = solve(matvec, b), with the derivatives of the solution of matvec(x) = b.

    Parameters
    ----------
    matvec : a linear function.  b : the right side, a pytree.
    solve : (matvec, b) -> x; it need not have a derivative.
    transpose_solve : the same for the transpose of matvec: reverse mode needs it, or symmetric=True.
    has_aux : solve returns (x, aux).
    """
    if transpose_solve is None and symmetric:
        transpose_solve = solve
    return staged(lambda b: _linear_solve(matvec, b, solve, transpose_solve, symmetric, has_aux), b)


def _linear_solve(matvec, b, solve, transpose_solve, symmetric, has_aux):
    from secant._autodiff import linear_transpose

    leaves, tree = _tree.tree_flatten(b)
    avals, args = [aval_of(x) for x in leaves], _tree.tree_structure((b,))

    def traced(name, function, aux=False):
        jaxpr, out_tree = _body(function, args, avals, name)
        _same_tree(name, out_tree, "b", tree, aux)
        _same_shapes(name, jaxpr, "b", avals)
        return jaxpr, out_tree

    forward, _ = traced("matvec", matvec)
    solved, out_tree = traced("solve", lambda x: solve(matvec, x), has_aux)
    backward = turned = None
    if transpose_solve is not None:
        vecmat = matvec if symmetric else (lambda ct: linear_transpose(matvec, b)(ct)[0])
        backward, _ = traced("vecmat", vecmat)
        turned, _ = traced("transpose_solve", lambda x: transpose_solve(vecmat, x), has_aux)
    out = values([0] * solved.n_out)
    handles = [j.handle if j else None for j in (forward, backward, solved, turned)]
    status = lib.sec_custom_linear_solve(*handles, lifted(leaves), len(leaves), out)
    return out_tree.unflatten(results(status, out))


@placed
def custom_root(f, initial_guess, solve, tangent_solve, has_aux=False):
    """x = solve(f, initial_guess), with the derivatives of the root of f by what f closes over.

    Parameters
    ----------
    f : a function of one pytree with results of its structure.
    solve : (f, initial_guess) -> x; it need not have a derivative.
    tangent_solve : (g, y) -> x with g(x) = y, for the linear function g that f is at its root.
    has_aux : solve returns (x, aux).
    """
    return staged(lambda guess: _root(f, guess, solve, tangent_solve, has_aux), initial_guess)


def _root(f, guess, solve, tangent_solve, has_aux):
    from secant._autodiff import jvp, linearize

    leaves, tree = _tree.tree_flatten(guess)
    avals, n = [aval_of(x) for x in leaves], len(leaves)
    args, pair = _tree.tree_structure((guess,)), _tree.tree_structure((guess, guess))
    valued, f_tree = _body(f, args, avals, "f")
    _same_tree("f", f_tree, "initial_guess", tree)
    solved, out_tree = _body(lambda x: solve(f, x), args, avals, "solve")
    _same_tree("solve", out_tree, "initial_guess", tree, has_aux)
    tangent, tangent_tree = _body(lambda x, b: tangent_solve(linearize(f, x)[1], b), pair, avals * 2, "tangent_solve")
    _same_tree("tangent_solve", tangent_tree, "initial_guess", tree)
    (valued, f_uses), (solved, solve_uses), (tangent, tangent_uses) = map(closed, (valued, solved, tangent))

    @custom_jvp
    def root(f_uses, solve_uses, tangent_uses, leaves):
        return call(solved, [*solve_uses, *leaves])

    @root.defjvp
    def rule(primals, tangents):
        out = root(*primals)
        solution = out[:n]
        _, moved = jvp(lambda *uses: call(valued, [*uses, *solution]), tuple(primals[0]), tuple(tangents[0]))
        dots = call(tangent, [*primals[2], *solution, *moved])
        return out, [*(-d for d in dots), *(0 * x for x in out[n:])]

    return out_tree.unflatten(root(f_uses, solve_uses, tangent_uses, leaves))
