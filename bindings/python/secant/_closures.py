"""Functions that close over traced values: closure_convert, custom_gradient, and a pullback as a function of its own."""

from secant import _tree
from secant._custom import custom_vjp
from secant._errors import placed
from secant._jit import flat_result, jit
from secant._trace import aval_of, call, closed, trace_flat
from secant._tree import tree_flatten


def _name(fun):
    return getattr(fun, "__name__", "f")


def _traced(fun, leaves, tree):
    """(Jaxpr, structure of the result) of fun(*tree.unflatten(inputs))."""
    return trace_flat(lambda ins: flat_result(fun(*tree.unflatten(ins))), [aval_of(x) for x in leaves], _name(fun))


@placed
def closure_convert(fun, *example_args):
    """(a function of the arguments and of the floats that `fun` closes over while they are traced, these floats).

    What the function returns with them as further arguments is what `fun` returns; its derivatives by them can be taken.
    """
    leaves, tree = tree_flatten(example_args)
    jaxpr, out_tree = _traced(fun, leaves, tree)
    outer = [x is None for x in jaxpr.consts]
    if not any(outer):
        return _converted(fun, jaxpr, out_tree, tree, lambda hoisted: [], 0), []
    whole, uses = closed(jaxpr)
    moved = [i for i, x in enumerate(uses) if outer[i] and x.aval.is_float]

    def put(hoisted):
        given = dict(zip(moved, hoisted))
        return [given.get(i, x) for i, x in enumerate(uses)]

    return _converted(fun, whole, out_tree, tree, put, len(moved)), [uses[i] for i in moved]


def _converted(fun, jaxpr, out_tree, tree, put, n):
    def converted(*args):
        own, hoisted = args[: len(args) - n], args[len(args) - n :]
        leaves, given = tree_flatten(tuple(own))
        if given != tree:
            raise TypeError(f"{_name(fun)}: closure_convert was given arguments {tree}, not {given}")
        return out_tree.unflatten(call(jaxpr, [*put(hoisted), *leaves]))

    converted.__name__ = _name(fun)
    return converted


class _Pullback:
    """A traced pullback and the values that it uses: a node whose leaves are these."""

    def __init__(self, jaxpr, out_tree, uses):
        self.jaxpr, self.out_tree, self.uses = jaxpr, out_tree, uses

    def __call__(self, ct):
        return self.out_tree.unflatten(call(self.jaxpr, [*self.uses, *tree_flatten(ct)[0]]))


_tree.register(
    _Pullback, lambda p: (tuple(p.uses), (p.jaxpr, p.out_tree)), lambda aux, uses: _Pullback(*aux, list(uses))
)


def custom_gradient(fun):
    """A function whose derivative comes with it: fun(*args) -> (result, function from its cotangent to those of args)."""

    @custom_vjp
    def wrapped(*args):
        return fun(*args)[0]

    def forward(*args):
        out, pullback = fun(*args)
        leaves, tree = tree_flatten((out,))
        jaxpr, out_tree = _traced(pullback, leaves, tree)
        whole, uses = closed(jaxpr)
        return out, _Pullback(whole, out_tree, uses)

    def backward(pullback, ct):
        cts = pullback(ct)
        return tuple(cts) if isinstance(cts, (tuple, list)) else (cts,)

    wrapped.defvjp(forward, backward)
    wrapped.__name__, wrapped.__doc__ = _name(fun), getattr(fun, "__doc__", None)
    return wrapped


def fwd_and_bwd(fun, argnums, has_aux=False, jitted=True):
    """(fwd, bwd): fwd(*args) gives (result, residuals), and aux behind them; bwd(residuals, cotangent) the cotangents of
    the arguments that argnums names."""
    from secant._autodiff import vjp

    nums = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def fwd(*args):
        def chosen(*moved):
            given = dict(zip((i % len(args) for i in nums), moved))
            return fun(*[given.get(i, a) for i, a in enumerate(args)])

        out = vjp(chosen, *[args[i] for i in nums], has_aux=has_aux)
        value, pullback = out[0], out[1]
        leaves, tree = tree_flatten((value,))
        jaxpr, out_tree = _traced(pullback, leaves, tree)
        whole, uses = closed(jaxpr)
        kept = _Pullback(whole, out_tree, uses)
        return (value, kept, out[2]) if has_aux else (value, kept)

    def bwd(pullback, ct):
        cts = pullback(ct)
        return cts[0] if isinstance(argnums, int) else cts

    return (jit(fwd), jit(bwd)) if jitted else (fwd, bwd)
