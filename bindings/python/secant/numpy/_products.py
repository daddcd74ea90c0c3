"""Products of vectors, matrices and tensors."""

import builtins

from secant import lax
from secant._eager import op
from secant._lib import lib
from secant._tracer import made
from secant.lax._precision import check as check_precision
from secant.numpy._common import arraylike, axes_of, promoted


def _general(x, y, contract, batch=((), ()), preferred=None, precision=None):
    x, y = promoted(x, y)
    return lax.dot_general(x, y, (contract, batch), precision, preferred)


@op(2)
def dot(a, b, *, precision=None, preferred_element_type=None, out_sharding=None):
    """Scalars: product; else sum over the last axis of `a` and the last but one (or only) of `b`."""
    x, y = arraylike("dot", a, b)
    if not x.ndim or not y.ndim:
        return x * y
    if y.ndim == 1:
        return _general(x, y, ((x.ndim - 1,), (0,)), preferred=preferred_element_type, precision=precision)
    return _general(x, y, ((x.ndim - 1,), (y.ndim - 2,)), preferred=preferred_element_type, precision=precision)


@op(2)
def matmul(a, b, *, precision=None, preferred_element_type=None, out_sharding=None):
    """Matrix product, over stacks in front."""
    x, y = arraylike("matmul", a, b)
    for i, z in enumerate((x, y)):
        if not z.ndim:
            raise ValueError(f"matmul input operand {i} must have ndim at least 1, but it has ndim 0")
    if x.aval.code != y.aval.code:
        x, y = promoted(x, y)
    out = made(lib.sec_matmul(x.value, y.value))
    return out if preferred_element_type is None else out.astype(preferred_element_type)


@op(2)
def vdot(a, b, *, precision=None, preferred_element_type=None):
    """Product of two arrays as vectors."""
    x, y = arraylike("vdot", a, b)
    x = x.conj()
    return dot(x.reshape(-1), y.reshape(-1), preferred_element_type=preferred_element_type)


@op(2)
def vecdot(x1, x2, /, *, axis=-1, precision=None, preferred_element_type=None):
    """Products of vectors along an axis."""
    from secant.numpy._reductions import sum

    return sum(arraylike("vecdot", x1).conj() * arraylike("vecdot", x2), axis)


@op(2)
def inner(a, b, *, precision=None, preferred_element_type=None):
    """Sum over the last axes of both."""
    x, y = arraylike("inner", a, b)
    if not x.ndim or not y.ndim:
        return x * y
    return _general(x, y, ((x.ndim - 1,), (y.ndim - 1,)), preferred=preferred_element_type, precision=precision)


@op(2)
def outer(a, b, out=None):
    """All products of two vectors."""
    x, y = arraylike("outer", a, b)
    return x.reshape(-1, 1) * y.reshape(1, -1)


@op(2)
def kron(a, b):
    """Kronecker product."""
    x, y = arraylike("kron", a, b)
    n = builtins.max(x.ndim, y.ndim)
    x, y = (z.reshape((1,) * (n - z.ndim) + z.shape) for z in (x, y))
    left = x.reshape([d for s in x.shape for d in (s, 1)])
    right = y.reshape([d for s in y.shape for d in (1, s)])
    return (left * right).reshape([s * t for s, t in zip(x.shape, y.shape)])


@op(2, call="cross")
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """Vector product in three dimensions (or two: its third component)."""
    from secant.numpy._shape import moveaxis, stack

    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = arraylike("cross", a, b)
    x, y = moveaxis(x, axisa, -1), moveaxis(y, axisb, -1)
    if x.shape[-1] == y.shape[-1] == 2:
        return x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
    u, v = ([z[..., i] if i < z.shape[-1] else z[..., 0] * 0 for i in range(3)] for z in (x, y))
    out = stack([u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]], -1)
    return moveaxis(out, -1, axisc)


@op(2)
def tensordot(a, b, axes=2, *, precision=None, preferred_element_type=None, out_sharding=None):
    """Sum over axes: the last n of `a` with the first n of `b`, or pairs of lists."""
    x, y = arraylike("tensordot", a, b)
    if isinstance(axes, int):
        left, right = tuple(range(x.ndim - axes, x.ndim)), tuple(range(axes))
    else:
        left, right = (axes_of(t, z.ndim) for t, z in zip(axes, (x, y)))
    return _general(x, y, (left, right), preferred=preferred_element_type, precision=precision)


def einsum(subscripts, /, *operands, out=None, optimize="auto", precision=None, preferred_element_type=None, _dot_general=None, out_sharding=None):
    """Einstein's summation: "ij,jk->ik"; `...` stands for axes that are broadcast."""
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.einsum is not supported.")
    check_precision(precision)
    if not isinstance(subscripts, str):
        subscripts, operands = _from_lists(subscripts, operands)
    return _einsum(list(operands), subscripts.replace(" ", ""), preferred_element_type)


def _from_lists(first, rest):
    """einsum(x, [0, 1], y, [1, 2], [0, 2]) as subscripts and operands."""
    given = [first, *rest]
    if len(given) < 2:
        raise TypeError("einsum: the subscripts must be a string, or a list behind each operand")
    last = [given.pop()] if len(given) % 2 else []
    lists, operands = [*given[1::2], *last], given[::2]

    def text(axes):
        return "".join("..." if a is Ellipsis else chr((97 if a < 26 else 39) + a) for a in axes)

    parts = [text(axes) for axes in lists]
    return (",".join(parts[:-1]) + "->" + parts[-1] if last else ",".join(parts)), operands


def einsum_path(subscripts, /, *operands, optimize="auto"):
    """(the order of contractions of an einsum, a report), from NumPy."""
    import numpy as np

    if not isinstance(subscripts, str):
        subscripts, operands = _from_lists(subscripts, operands)
    views = [np.broadcast_to(np.float32(0), np.shape(x)) for x in operands]
    optimize = {True: "optimal", "auto": "optimal"}.get(optimize, optimize) if not isinstance(optimize, (list, tuple)) else ["einsum_path", *optimize]
    path, report = np.einsum_path(subscripts, *views, optimize=optimize)
    return [tuple(step) for step in path[1:]], report


def _labels(subscripts, ndims):
    """(labels of each operand, labels of the result); axes under an ellipsis have integer labels."""
    left, arrow, right = subscripts.partition("->")
    parts = left.split(",")
    if len(parts) != len(ndims):
        raise ValueError(f"einsum: {len(parts)} subscripts for {len(ndims)} operands")
    width = builtins.max([n - len(p.replace("...", "")) for p, n in zip(parts, ndims) if "..." in p], default=0)
    spread = lambda n: list(range(width - n, width))  # noqa: E731

    def expand(p, n):
        if "..." not in p:
            return list(p)
        head, _, tail = p.partition("...")
        return [*head, *spread(n - len(head) - len(tail)), *tail]

    ins = [expand(p, n) for p, n in zip(parts, ndims)]
    for p, labels, n in zip(parts, ins, ndims):
        if len(labels) != n:
            raise ValueError(f"einsum: subscript {p!r} has {len(labels)} labels for an operand of {n} dimensions")
    if arrow:
        return ins, expand(right, width + len(right.replace("...", "")))
    letters = [c for labels in ins for c in labels if isinstance(c, str)]
    return ins, spread(width) + sorted(c for c in set(letters) if letters.count(c) == 1)


@op(1)
def _einsum(operands, subscripts, preferred):
    from secant.numpy._common import broadcast
    from secant.numpy._reductions import sum

    xs = [arraylike("einsum", x) for x in operands]
    ins, out = _labels(subscripts, [x.ndim for x in xs])
    sizes = {}
    for x, labels in zip(xs, ins):
        for label, d in zip(labels, x.shape):
            if sizes.setdefault(label, d) in (1, d) or d == 1:
                sizes[label] = builtins.max(sizes[label], d)
            else:
                raise ValueError(f"einsum: label {label!r} has sizes {sizes[label]} and {d}\n  hint: give axes of different size different labels")
    xs = promoted(*xs)
    terms = [
        _single(x, labels, sizes, [*out, *(c for j, o in enumerate(ins) if j != i for c in o)])
        for i, (x, labels) in enumerate(zip(xs, ins))
    ]
    while len(terms) > 1:
        (x, a), (y, b), *terms = terms
        later = {*out, *(c for _, labels in terms for c in labels)}
        terms.insert(0, _pair(x, a, y, b, later, preferred))
    x, labels = terms[0]
    extra = [i for i, c in enumerate(labels) if c not in out]
    if extra:
        x, labels = sum(x, tuple(extra)), [c for c in labels if c in out]
    missing = [c for c in out if c not in labels]
    if missing:
        x = broadcast(x.reshape((1,) * len(missing) + x.shape), tuple(sizes[c] for c in missing) + x.shape)
        labels = missing + labels
    x = lax.transpose(x, [labels.index(c) for c in out])
    return x if preferred is None else x.astype(preferred)


def _single(x, labels, sizes, needed):
    """One operand with repeated labels taken as diagonals, sizes stretched, and labels of no one else summed."""
    from secant.numpy._common import broadcast
    from secant.numpy._picking import diagonal
    from secant.numpy._reductions import sum

    labels = list(labels)
    for c in set(labels):
        while labels.count(c) > 1:
            i = labels.index(c)
            j = labels.index(c, i + 1)
            x = diagonal(x, 0, i, j)
            labels = [d for k, d in enumerate(labels) if k not in (i, j)] + [c]
    shape = tuple(sizes[c] for c in labels)
    if shape != x.shape:
        x = broadcast(x, shape)
    gone = tuple(i for i, c in enumerate(labels) if c not in needed)
    if gone:
        x, labels = sum(x, gone, x.dtype), [c for c in labels if c in needed]
    return x, labels


def _pair(x, a, y, b, later, preferred):
    """Two operands contracted over the labels that nothing later needs."""
    contract = [c for c in a if c in b and c not in later]
    batch = [c for c in a if c in b and c in later]
    out = _general(
        x,
        y,
        (tuple(a.index(c) for c in contract), tuple(b.index(c) for c in contract)),
        (tuple(a.index(c) for c in batch), tuple(b.index(c) for c in batch)),
        preferred,
    )
    free = [c for c in a if c not in contract + batch] + [c for c in b if c not in contract + batch]
    return out, batch + free


@op(2)
def polyval(p, x, *, unroll=16):
    """The polynomial with coefficients `p`, the highest first, at x (Horner)."""
    p, x = arraylike("polyval", p, x)
    out = x * 0 + p[0] * 0
    for i in range(p.shape[0]):
        out = out * x + p[i]
    return out


@op(1)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral by the trapezoidal rule."""
    from secant.numpy._picking import diff
    from secant.numpy._reductions import sum
    from secant.numpy._shape import moveaxis

    y = moveaxis(arraylike("trapezoid", y), axis, -1)
    step = dx if x is None else diff(arraylike("trapezoid", x))
    return sum(step * (y[..., 1:] + y[..., :-1]), -1) * 0.5
