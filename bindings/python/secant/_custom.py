"""custom_jvp, custom_vjp and checkpoint: rules in Python, called by the library while it transforms."""

import ctypes

from secant import _errors, _tree
from secant._autodiff import _is_float0, float0_zeros
from secant._errors import keep, placed
from secant._jit import flat_result
from secant._lib import lib
from secant._trace import (
    TRACE_ID,
    Frame,
    aval_of,
    call,
    lift,
    lifted,
    local,
    results,
    trace_flat,
    trace_known,
    tracer,
    values,
)
from secant._tracer import Tracer

_CALL = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_uint64),
    ctypes.c_int,
)
_DESTROY = ctypes.CFUNCTYPE(None, ctypes.c_size_t)
_CALLBACK = 1 + [cls.__name__ for cls in _errors.CLASSES[1:]].index("CallbackError")
_rules = {}  # id -> Python function from tracers to results; alive while the library holds the callable


@_CALL
def _call(user, ins, n_in, outs, n_out):
    """Runs a Python rule in the library's open trace."""
    frame = Frame(lib.sec_trace_current(), None)
    frame.id = (ins[0] if n_in else lib.sec_scalar(0.0)) & TRACE_ID
    local.frames.append(frame)
    try:
        out = [lift(x) for x in _rules[user]([Tracer(ins[i]) for i in range(n_in)])]
        if len(out) != n_out:
            raise TypeError(f"a custom rule gave {len(out)} results where {n_out} are needed")
        for i, v in enumerate(out):
            outs[i] = v
        return 0
    except BaseException as exception:
        keep(exception)
        return lib.sec_error_set(_CALLBACK, None, b"a custom rule raised an exception")
    finally:
        local.frames.pop()


@_DESTROY
def _destroy(user):
    _rules.pop(user, None)


class _Callable:
    """A counted sec_callable * for a Python rule."""

    __slots__ = ("handle",)

    def __init__(self, name, rule):
        user = id(rule)
        _rules[user] = rule
        self.handle = _errors.check_pointer(lib.sec_callable_create(name.encode(), _call, _destroy, user))

    def __del__(self, release=lib.sec_callable_release):
        handle = getattr(self, "handle", None)
        if handle:
            release(handle)


def _positional(fun, args, keywords):
    """Keyword arguments and defaults put at their places."""
    if not keywords:
        return args
    import inspect

    bound = inspect.signature(fun).bind(*args, **keywords)
    bound.apply_defaults()
    return bound.args


def _measuring():
    """The custom_vjp functions whose residuals this thread is about to count."""
    found = getattr(local, "measuring", None)
    if found is None:
        found = local.measuring = set()
    return found


class _Custom:
    """A function with a rule of its own."""

    def __init__(self, fun, nondiff_argnums=(), **options):
        self.fun = self.__wrapped__ = fun
        self.nondiff_argnums = tuple(sorted(nondiff_argnums))
        self.__name__ = getattr(fun, "__name__", "f")
        self.__qualname__ = getattr(fun, "__qualname__", self.__name__)
        self.__doc__ = getattr(fun, "__doc__", None)
        self.__module__ = getattr(fun, "__module__", None)
        self._measured = {}

    def __get__(self, instance, owner=None):
        from types import MethodType

        return self if instance is None else MethodType(self, instance)

    @placed
    def __call__(self, *args, **keywords):
        self._ready()
        args = _positional(self.fun, args, keywords)
        if not local.frames or id(self) in _measuring():
            return self.fun(*args)
        fixed = [args[i] for i in self.nondiff_argnums if i < len(args)]
        dynamic = tuple(a for i, a in enumerate(args) if i not in self.nondiff_argnums)
        leaves, tree = _tree.tree_flatten(dynamic)
        avals = [aval_of(x) for x in leaves]

        def whole(*dynamic):
            rest, given = iter(dynamic), iter(fixed)
            return self.fun(*[next(given) if i in self.nondiff_argnums else next(rest) for i in range(len(args))])

        def traced(inputs):
            return flat_result(whole(*tree.unflatten(inputs)))

        body, out_tree = trace_known(traced, avals, self.__name__, lambda jaxpr: call(jaxpr, leaves)[0])
        out = values([0] * body.n_out)
        status = self._bind(body, fixed, tree, out_tree, args, lifted(leaves), out)
        return out_tree.unflatten(results(status, out))


class custom_jvp(_Custom):
    """A function with its own forward-mode rule, which serves both modes.

    Parameters
    ----------
    fun : the function.  nondiff_argnums : arguments that the rule gets first, as they are.

    Give the rule with `defjvp` (a function of (nondiff..., primals, tangents) to (result, tangent)) or `defjvps` (one
    function (tangent, result, *primals) an argument, or None).
    """

    jvp = None

    def defjvp(self, jvp, symbolic_zeros=False):
        self.jvp = jvp
        return jvp

    def defjvps(self, *jvps):
        if self.nondiff_argnums:
            raise TypeError("Can't use ``defjvps`` with ``nondiff_argnums``.")

        def jvp(primals, tangents):
            out = self(*primals)
            terms = [f(t, out, *primals) for f, t in zip(jvps, tangents) if f is not None]
            if not terms:
                import secant.numpy as jnp

                return out, _tree.tree_map(jnp.zeros_like, out)
            total = terms[0]
            for term in terms[1:]:
                total = _tree.tree_map(lambda a, b: a + b, total, term)
            return out, total

        self.defjvp(jvp)

    def _ready(self):
        if self.jvp is None:
            raise AttributeError(f"No JVP defined for custom_jvp function {self.__name__} using defjvp.")

    def _bind(self, body, fixed, tree, out_tree, args, operands, out):
        avals, out_avals, n = body.in_avals, body.out_avals, body.n_in

        def rule(ins):
            primals = tree.unflatten(ins[:n])
            dots = [t if a.is_float else float0_zeros(a.shape) for t, a in zip(ins[n:], avals)]
            pair = self.jvp(*fixed, primals, tree.unflatten(dots))
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(
                    f"Custom JVP rule for {self.__name__} must produce a pair (list or tuple of length two) representing primal and tangent outputs, but got {pair!r}."
                )
            outs, primal_tree = _tree.tree_flatten(pair[0])
            out_dots, dot_tree = _tree.tree_flatten(pair[1])
            if primal_tree != out_tree or dot_tree != out_tree:
                raise TypeError(
                    f"Custom JVP rule for {self.__name__} must produce primal and tangent outputs with the function's structure {out_tree}, but got {primal_tree} and {dot_tree}."
                )
            return [*(_fit(x, a) for x, a in zip(outs, out_avals)), *(_fit(t, a) for t, a in zip(out_dots, out_avals))]

        kept = _Callable(getattr(self.jvp, "__name__", "jvp"), rule)
        return lib.sec_custom_jvp_call(body.handle, kept.handle, operands, n, out)


def _fit(x, aval):
    """A rule's result as exactly the type it must have; float0 as zeros."""
    if _is_float0(x):
        return tracer(_zeros(aval))
    t = tracer(x)
    if t.aval is aval:
        return t
    if t.aval.shape != aval.shape or t.aval.is_float != aval.is_float:
        raise TypeError(f"a custom rule gave {t.aval.str_short()} where {aval.str_short()} is needed")
    return Tracer(lib.sec_convert(t.value, aval.code, aval.weak_type))


def _zeros(aval):
    import secant.numpy as jnp

    return jnp.zeros(aval.shape, aval.dtype)


class custom_vjp(_Custom):
    """A function with its own reverse-mode rule; forward mode raises.

    Parameters
    ----------
    fun : the function.  nondiff_argnums : arguments that `bwd` gets first, as they are.

    Give the rule with `defvjp(fwd, bwd)`: fwd(*args) -> (result, residuals); bwd(nondiff..., residuals, cotangent) -> a
    tuple with one cotangent an argument, None for zero.
    """

    fwd = bwd = None

    def defvjp(self, fwd, bwd, symbolic_zeros=False, optimize_remat=False):
        self.fwd, self.bwd = fwd, bwd

    def _ready(self):
        if self.fwd is None:
            raise AttributeError(f"No VJP defined for custom_vjp function {self.__name__} using defvjp.")

    def _bind(self, body, fixed, tree, out_tree, args, operands, out):
        avals, out_avals = body.in_avals, body.out_avals

        def forward(ins):
            rest, given = iter(tree.unflatten(ins)), iter(fixed)
            pair = self.fwd(*[next(given) if i in self.nondiff_argnums else next(rest) for i in range(len(args))])
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(
                    f"Custom VJP fwd rule for {self.__name__} must produce a pair (list or tuple of length two) representing primal outputs and residuals, but got {pair!r}."
                )
            outs, fwd_tree = _tree.tree_flatten(pair[0])
            if fwd_tree != out_tree:
                raise TypeError(
                    f"Custom VJP fwd rule for {self.__name__} must produce the function's structure {out_tree}, but got {fwd_tree}."
                )
            residuals, res_tree = _tree.tree_flatten(pair[1])
            return [*(_fit(x, a) for x, a in zip(outs, out_avals)), *residuals], res_tree

        n_res, res_tree = self._measure(forward, tree, avals, fixed, len(out_avals))

        def backward(ins):
            cts = self.bwd(*fixed, res_tree.unflatten(ins[:n_res]), out_tree.unflatten(ins[n_res:]))
            return self._gather(cts, tree, avals)

        fwd = _Callable(getattr(self.fwd, "__name__", "fwd"), lambda ins: forward(ins)[0])
        bwd = _Callable(getattr(self.bwd, "__name__", "bwd"), backward)
        return lib.sec_custom_vjp_call(body.handle, fwd.handle, bwd.handle, n_res, operands, body.n_in, out)

    def _measure(self, forward, tree, avals, fixed, n_out):
        """(how many residuals fwd gives, their structure): it is traced once for that, with inner calls of this function
        taken without their rule."""
        try:
            key = (tree, tuple(avals), tuple(fixed))
            hash(key)
        except TypeError:
            key = None
        found = self._measured.get(key) if key is not None else None
        if found is None:
            measuring = _measuring()
            measuring.add(id(self))
            try:
                jaxpr, res_tree = trace_flat(forward, avals, self.__name__)
            finally:
                measuring.discard(id(self))
            found = jaxpr.n_out - n_out, res_tree
            if key is not None:
                self._measured[key] = found
        return found

    def _gather(self, cts, tree, avals):
        """The leaves of what bwd gave: None stands for zeros of a whole subtree."""
        children = tree.children()
        if not isinstance(cts, (tuple, list)):
            raise TypeError(
                f"Custom VJP bwd rule for {self.__name__} must produce a tuple of length equal to the primal args tuple, but got output with type {type(cts).__name__}."
            )
        if len(cts) != len(children):
            raise TypeError(
                f"Custom VJP bwd rule for {self.__name__} must produce a tuple of length {len(children)}, one an argument, but got one of length {len(cts)}."
            )
        out, at = [], 0
        for ct, child in zip(cts, children):
            wanted = avals[at : at + child.num_leaves]
            at += child.num_leaves
            if ct is None:
                out += map(_zeros, wanted)
                continue
            leaves, other = _tree.tree_flatten(ct, is_leaf=lambda x: x is None)
            if other != child:
                raise TypeError(
                    f"Custom VJP bwd rule for {self.__name__} must produce cotangents with the structure of the arguments: expected {child}, got {other}."
                )
            out += [self._cotangent(x, a) for x, a in zip(leaves, wanted)]
        return out

    def _cotangent(self, x, aval):
        if x is None or _is_float0(x) or not aval.is_float:
            return _zeros(aval)
        if aval_of(x).shape != aval.shape:
            raise ValueError(
                f"Custom VJP bwd rule for {self.__name__} gave a cotangent {aval_of(x).str_short()} for an argument {aval.str_short()}."
            )
        return _fit(x, aval)


# ---- checkpoint ----
class checkpoint_policies:
    """What a checkpoint may keep: nothing (the default), or everything."""

    @staticmethod
    def everything_saveable(*args, **keywords):
        return True

    @staticmethod
    def nothing_saveable(*args, **keywords):
        return False


def checkpoint(fun=None, *, prevent_cse=True, policy=None, static_argnums=(), concrete=False):
    """`fun`, whose intermediate values are computed again in the backward pass instead of kept.

    policy : None (or checkpoint_policies.nothing_saveable), or everything_saveable, which makes it an ordinary call.
    static_argnums : arguments that are no arrays.
    """
    if fun is None:
        return lambda f: checkpoint(f, prevent_cse=prevent_cse, policy=policy, static_argnums=static_argnums)
    if policy not in (None, checkpoint_policies.nothing_saveable, checkpoint_policies.everything_saveable):
        raise NotImplementedError(
            "checkpoint: this version knows the policies None, nothing_saveable and everything_saveable"
        )
    statics = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)

    def wrapped(*args, **keywords):
        if not local.frames or policy is checkpoint_policies.everything_saveable:
            return fun(*args, **keywords)
        fixed = {i % len(args): args[i] for i in statics}
        leaves, tree = _tree.tree_flatten((tuple(None if i in fixed else a for i, a in enumerate(args)), keywords))

        def traced(inputs):
            inner, named = tree.unflatten(inputs)
            return flat_result(fun(*[fixed.get(i, a) for i, a in enumerate(inner)], **named))

        avals = [aval_of(x) for x in leaves]
        body, out_tree = trace_known(traced, avals, wrapped.__name__, lambda jaxpr: call(jaxpr, leaves)[0])
        out = values([0] * body.n_out)
        return out_tree.unflatten(results(lib.sec_remat(body.handle, lifted(leaves), out), out))

    wrapped.__name__ = getattr(fun, "__name__", "checkpoint")
    wrapped.__doc__, wrapped.__wrapped__ = getattr(fun, "__doc__", None), fun
    return wrapped
