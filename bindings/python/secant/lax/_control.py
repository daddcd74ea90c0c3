"""Loops and branches.  Bodies are traced once; what they use from outside becomes operands."""

import ctypes

from secant import _tree, _types
from secant._array import ArrayImpl
from secant._contexts import jit_disabled
from secant._eager import staged
from secant._errors import placed
from secant._jit import flat_result
from secant._lib import lib
from secant._trace import aval_of, call, lifted, results, trace_flat, tracer, values
from secant._tracer import Tracer, made


def _body(function, tree, avals, name):
    """(Jaxpr, structure of the result) of function(*tree.unflatten(inputs))."""
    return trace_flat(lambda ins: flat_result(function(*tree.unflatten(ins))), avals, name)


def _name(function, default):
    return getattr(function, "__name__", default)


def _settle(trace, avals, n_carry, what):
    """Traces a loop body until the types of the carry stay: a weak carry is promoted to the body's type."""
    while True:
        jaxpr, out_tree = trace(avals)
        changed, again = list(avals), False
        for i, (a, b) in enumerate(zip(avals[:n_carry], jaxpr.out_avals[:n_carry])):
            if a is b:
                continue
            if a.shape != b.shape or (a.code != b.code and not a.weak_type):
                raise TypeError(
                    f"{what} body function carry input and carry output must have equal types, but they differ: "
                    f"input leaf {i} is {a.str_short()}, output leaf {i} is {b.str_short()}\n  hint: keep the type, or convert with astype"
                )
            if a.code == b.code and b.weak_type:
                continue
            again = again or a.code != b.code
            code, _ = _types.promote(a, b)
            if code != b.code:
                raise TypeError(
                    f"{what} body function carry input and carry output must have equal types, but they differ: "
                    f"input leaf {i} is {a.str_short()} (weak), output leaf {i} is {b.str_short()}\n  hint: keep the type, or convert with astype"
                )
            changed[i] = _types.aval(code, a.shape)
        if changed == list(avals):
            return jaxpr, out_tree
        if not again:  # a carry that only stops being weak: the same equations
            body = jaxpr
            trace = lambda avals: (trace_flat(lambda ins: (call(body, ins), None), avals, "body")[0], out_tree)  # noqa: E731
        avals = changed


def _cast(x, aval):
    """`x` as a value of exactly `aval`."""
    x = tracer(x)
    return x if x.aval is aval else made(lib.sec_convert(x.value, aval.code, aval.weak_type))


def _with_out_avals(jaxpr, avals):
    """The jaxpr with results converted to `avals`."""
    if list(jaxpr.out_avals[: len(avals)]) == list(avals):
        return jaxpr

    def cast(ins):
        outs = call(jaxpr, ins)
        return [*(_cast(o, a) for o, a in zip(outs, avals)), *outs[len(avals) :]], None

    return trace_flat(cast, jaxpr.in_avals, "body")[0]


# ---- scan ----
@placed
def scan(f, init, xs=None, length=None, reverse=False, unroll=1, _split_transpose=False):
    """Folds `f` over the leading axis of `xs` and stacks what it gives.

    Parameters
    ----------
    f : (carry, x) -> (carry, y); the carry keeps its structure, shapes and dtypes.
    init : the first carry.  xs : pytree of arrays of equal leading size, or None with `length`.
    reverse : from the last x to the first; ys keep their places.

    Returns
    -------
    (the last carry, ys)
    """
    x_leaves = _tree.tree_leaves(xs)
    sizes = {aval_of(x).shape[0] if aval_of(x).ndim else None for x in x_leaves}
    if None in sizes:
        raise ValueError("scan got value with no leading axis to scan over")
    if length is not None:
        sizes.add(int(length))
    if len(sizes) != 1:
        what = "scan got values with different leading axis sizes: " + ", ".join(str(n) for n in sorted(sizes))
        raise ValueError(
            what + "\n  hint: the leading axes of xs are scanned together"
            if sizes
            else "scan got no values to scan over and `length` not provided.\n  hint: give xs, or length"
        )
    (size,) = sizes
    if jit_disabled() and size:
        return _plain_scan(f, init, xs, size, reverse)
    return staged(lambda init, xs: _scan(f, init, xs, size, bool(reverse)), init, xs)


def _plain_scan(f, init, xs, length, reverse):
    """The loop in Python, under disable_jit."""
    import secant.numpy as jnp

    carry, ys = init, [None] * length
    for i in reversed(range(length)) if reverse else range(length):
        carry, ys[i] = f(carry, _tree.tree_map(lambda x: jnp.asarray(x)[i], xs))
    return carry, _tree.tree_map(lambda *column: jnp.stack([jnp.asarray(y) for y in column]), *ys)


def _scan(f, init, xs, length, reverse):
    carry, carry_tree = _tree.tree_flatten(init)
    x_leaves, _ = _tree.tree_flatten(xs)
    tree = _tree.tree_structure((init, xs))
    n = len(carry)
    x_avals = [_types.aval(a.code, a.shape[1:], a.weak_type) for a in [aval_of(x) for x in x_leaves]]

    def body(c, x):
        out = f(c, x)
        if not isinstance(out, tuple) or len(out) != 2:
            raise TypeError(f"scan body output must be a pair, got {type(out).__name__}: {out!r}\n  hint: return (carry, y); y may be None")
        if _tree.tree_structure(out[0]) != carry_tree:
            raise TypeError(
                "scan body function carry input and carry output must have the same pytree structure, but they differ: "
                f"the input carry is {carry_tree}, the output carry is {_tree.tree_structure(out[0])}\n  hint: return a carry of the structure of init"
            )
        return out

    jaxpr, out_tree = _settle(
        lambda avals: _body(body, tree, avals, _name(f, "scan")), [*[aval_of(c) for c in carry], *x_avals], n, "scan"
    )
    carry_avals = jaxpr.in_avals[:n]
    body_jaxpr = _with_out_avals(jaxpr, carry_avals)
    operands = lifted([*(_cast(c, a) for c, a in zip(carry, carry_avals)), *x_leaves])
    out = values([0] * jaxpr.n_out)
    status = lib.sec_scan(body_jaxpr.handle, 0, n, length, reverse, operands, len(operands), out)
    return out_tree.unflatten(results(status, out))


# ---- while and fori ----
@placed
def while_loop(cond_fun, body_fun, init_val):
    """Repeats val = body_fun(val) while cond_fun(val) holds.  No reverse-mode derivative: see fori_loop and scan."""
    if jit_disabled():
        value = init_val
        while cond_fun(value):
            value = body_fun(value)
        return value
    return staged(lambda init: _while(cond_fun, body_fun, init), init_val)


def _while(cond_fun, body_fun, init):
    leaves, tree = _tree.tree_flatten(init)
    args = _tree.tree_structure((init,))

    def body(v):
        out = body_fun(v)
        if _tree.tree_structure(out) != tree:
            raise TypeError(
                f"while_loop body_fun output and input must have the same type structure, got {_tree.tree_structure(out)} and {tree}.\n  hint: return a value of the structure of init_val"
            )
        return out

    jaxpr, _ = _settle(
        lambda avals: _body(body, args, avals, _name(body_fun, "body")),
        [aval_of(x) for x in leaves],
        len(leaves),
        "while_loop",
    )
    avals = jaxpr.in_avals
    test, test_tree = _body(cond_fun, args, avals, _name(cond_fun, "cond"))
    if test_tree.spec is not _tree.LEAF or test.out_avals[0].shape or test.out_avals[0].code != _types.BOOL:
        raise TypeError(f"cond_fun must return a boolean scalar, but got {[a.str_short() for a in test.out_avals]}.\n  hint: compare, or reduce with all or any")
    jaxpr = _with_out_avals(jaxpr, avals)
    operands = lifted([_cast(x, a) for x, a in zip(leaves, avals)])
    out = values([0] * jaxpr.n_out)
    status = lib.sec_while(test.handle, 0, jaxpr.handle, 0, operands, len(operands), out)
    return tree.unflatten(results(status, out))


def _known(bound):
    """A loop bound as a Python integer, or None where it is traced."""
    return None if isinstance(bound, Tracer) else int(bound.item() if isinstance(bound, ArrayImpl) else bound)


@placed
def fori_loop(lower, upper, body_fun, init_val, *, unroll=None):
    """val = body_fun(i, val) for i in lower .. upper - 1.

    With bounds known while tracing it is a scan, which has a reverse-mode derivative; else a while loop.
    """
    low, high = _known(lower), _known(upper)
    avals = [aval_of(lower), aval_of(upper)]
    for a in avals:
        if not _types.is_integer(a.code):
            raise TypeError(
                f"lower and upper arguments to fori_loop must have integer types, got {avals[0].dtype} and {avals[1].dtype}\n  hint: convert the bounds with astype(int)"
            )
    code, _ = _types.promote(*avals)
    if jit_disabled() and low is not None and high is not None:
        value = init_val
        for i in range(low, high):
            value = body_fun(i, value)
        return value
    if low is None or high is None:
        return staged(lambda *args: _fori_while(code, body_fun, *args), lower, upper, init_val)

    def step(state, _):
        i, value = state
        return (i + 1, body_fun(i, value)), None

    def loop(init):
        first = made(lib.sec_literal_of(code, False, 0.0, low))
        return _scan(step, (first, init), None, max(high - low, 0), False)[0][1]

    return staged(loop, init_val)


def _fori_while(code, body_fun, lower, upper, init):
    lower, upper = (b if aval_of(b).code == code else _cast(b, _types.aval(code)) for b in (lower, upper))
    return _while(lambda s: s[0] < s[1], lambda s: (s[0] + 1, s[1], body_fun(s[0], s[2])), (lower, upper, init))[2]


# ---- cond and switch ----
@placed
def cond(pred, true_fun, false_fun, *operands, operand=None, linear=None):
    """true_fun(*operands) where the scalar `pred` holds, else false_fun(*operands); both are traced, one runs."""
    if not (callable(true_fun) and callable(false_fun)):
        raise TypeError("lax.cond: true_fun and false_fun arguments should be callable.\n  hint: hand over functions, not their results")
    if operand is not None:
        operands = (operand,)
    aval = aval_of(pred)
    if aval.ndim:
        raise TypeError(f"Pred must be a scalar, got {aval.str_short()}\n  hint: reduce it with all or any, or use where")

    if jit_disabled():
        return (true_fun if pred else false_fun)(*operands)

    def branches(pred, operands):
        p = tracer(pred)
        if p.aval.code != _types.BOOL:
            p = made(lib.sec_ne(p.value, lib.sec_literal_of(p.aval.code, False, 0.0, 0)))
        return _switch(p, (false_fun, true_fun), operands)

    return staged(branches, pred, operands)


@placed
def switch(index, branches, *operands, operand=None):
    """branches[index](*operands); the index is clamped."""
    if operand is not None:
        operands = (operand,)
    branches = list(branches)
    if not branches:
        raise ValueError("Empty branch sequence")
    aval = aval_of(index)
    if aval.ndim or not _types.is_integer(aval.code):
        raise TypeError(f"Index must be an integer scalar, got {aval.str_short()}.\n  hint: convert the index with astype(int)")
    if len(branches) == 1:
        return branches[0](*operands)
    if jit_disabled() and not isinstance(index, Tracer):
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)

    def choose(index, operands):
        return _switch(_cast(index, _types.aval(_types.I32)), branches, operands)

    return staged(choose, index, operands)


def _switch(index, functions, operands):
    leaves, tree = _tree.tree_flatten(operands)
    avals = [aval_of(x) for x in leaves]
    traced = [_body(f, tree, avals, _name(f, "branch")) for f in functions]
    jaxprs, trees = [j for j, _ in traced], [t for _, t in traced]
    for i, t in enumerate(trees[1:], 1):
        if t != trees[0]:
            raise TypeError(
                f"cond branch outputs must have the same pytree structure, but branch 0 has {trees[0]} and branch {i} {t}."
            )
    avals_out = [_join(i, column) for i, column in enumerate(zip(*[j.out_avals for j in jaxprs]))]
    jaxprs = [_with_out_avals(j, avals_out) for j in jaxprs]
    handles = (ctypes.c_void_p * len(jaxprs))(*[j.handle for j in jaxprs])
    out = values([0] * len(avals_out))
    status = lib.sec_cond(index.value, handles, len(jaxprs), lifted(leaves), len(leaves), out)
    return trees[0].unflatten(results(status, out))


def _join(i, avals):
    """The common type of one result of all branches; only weakness may differ."""
    first = avals[0]
    for a in avals[1:]:
        if (a.code, a.shape) != (first.code, first.shape):
            raise TypeError(
                f"cond branches must have equal output types but they differ: output {i} is {first.str_short()} in branch 0 "
                f"and {a.str_short()} in another\n  hint: convert one with astype"
            )
    return _types.aval(first.code, first.shape, any(a.weak_type for a in avals))


# ---- built on these ----
def map(f, xs, *, batch_size=None):
    """`f` over the leading axis, one place at a time."""
    return scan(lambda _, x: ((), f(x)), (), xs)[1]


@placed
def associative_scan(fn, elems, reverse=False, axis=0):
    """Prefixes under an associative function of two pytrees, in logarithmic depth (Blelloch's odd-even form)."""
    from secant.lax import _shape as shape

    leaves, tree = _tree.tree_flatten(elems)

    def combine(a, b):
        return _tree.tree_leaves(fn(tree.unflatten(a), tree.unflatten(b)))

    def part(xs, start, stop, step=1):
        return [shape.slice_in_dim(x, start, stop, step, axis) for x in xs]

    def interleave(evens, odds):
        out = []
        for e, o in zip(evens, odds):
            n, m = e.shape[axis], o.shape[axis]
            zero = made(lib.sec_literal_of(e.aval.code, False, 0.0, 0))
            spread = [
                shape.pad(
                    x,
                    zero,
                    [
                        (low, n + m - (2 * x.shape[axis] - 1) - low, 1) if d == axis else (0, 0, 0)
                        for d in range(x.ndim)
                    ],
                )
                for low, x in ((0, e), (1, o))
            ]
            merge = lib.sec_or if e.aval.code == _types.BOOL else lib.sec_add
            out.append(made(merge(spread[0].value, spread[1].value)))
        return out

    def prefixes(xs):
        n = xs[0].shape[axis]
        if n < 2:
            return xs
        reduced = combine(part(xs, 0, n - 1, 2), part(xs, 1, None, 2))
        odd = prefixes(reduced)
        even = combine(part(odd, 0, -1) if n % 2 == 0 else odd, part(xs, 2, None, 2)) if n > 2 else []
        first = part(xs, 0, 1)
        even = [shape.concatenate([a, b], axis) for a, b in zip(first, even)] if even else first
        return interleave(even, odd)

    def run(leaves):
        xs = [tracer(x) for x in leaves]
        if reverse:
            xs = [shape.rev(x, (axis,)) for x in xs]
        out = prefixes(xs)
        return [shape.rev(x, (axis,)) for x in out] if reverse else out

    return tree.unflatten(staged(run, leaves))
