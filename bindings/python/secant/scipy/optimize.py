"""Minimization, as jax.scipy.optimize: BFGS with a line search for the strong Wolfe conditions (Nocedal, Wright, Numerical
Optimization, 2nd edition, algorithms 6.1, 3.5 and 3.6)."""

from typing import NamedTuple

from secant import lax, numpy as jnp
from secant._autodiff import value_and_grad


class OptimizeResults(NamedTuple):
    """What minimize found: x, whether and why it ended there, the function and its gradient, counts."""

    x: object
    success: object
    status: object
    fun: object
    jac: object
    hess_inv: object
    nfev: object
    njev: object
    nit: object


def minimize(fun, x0, args=(), *, method, tol=None, options=None):
    """The minimum of fun(x, *args) near x0, a vector; method is "BFGS".

    options : maxiter, gtol (of the gradient, 1e-5), norm (its order), line_search_maxiter.
    """
    options = dict(options or {})
    if not isinstance(args, tuple):
        raise TypeError(f"args argument to jax.scipy.optimize.minimize must be a tuple, got {args}")
    if method.lower() != "bfgs":
        raise NotImplementedError(f"Method {method} not recognized: BFGS is available")
    if tol is not None:
        options.setdefault("gtol", tol)
    x0 = jnp.asarray(x0)
    if x0.ndim != 1:
        raise ValueError(f"minimize takes a vector x0, got shape {x0.shape}")
    return _bfgs(lambda x: fun(x, *args), x0, **options)


class _State(NamedTuple):
    done: object
    failed: object
    k: object
    calls: object
    x: object
    f: object
    g: object
    h: object
    before: object


def _bfgs(fun, x0, maxiter=None, norm=jnp.inf, gtol=1e-5, line_search_maxiter=10):
    both = value_and_grad(fun)
    n = x0.shape[0]
    maxiter = 200 * n if maxiter is None else maxiter
    f0, g0 = both(x0)
    eye = jnp.eye(n, dtype=x0.dtype)
    start = _State(
        jnp.linalg.norm(g0, ord=norm) < gtol,
        jnp.bool_(False),
        jnp.int32(0),
        jnp.int32(1),
        x0,
        f0,
        g0,
        eye,
        f0 + jnp.linalg.norm(g0) / 2,
    )

    def step(s):
        p = -(s.h @ s.g)
        length, f, g, calls, found = _line_search(both, s.x, p, s.f, s.g, s.before, line_search_maxiter)
        move = length * p
        x, y = s.x + move, g - s.g
        rho = 1 / jnp.dot(y, move)
        turn = eye - rho * jnp.outer(move, y)
        h = turn @ s.h @ turn.T + rho * jnp.outer(move, move)
        h = jnp.where(jnp.isfinite(rho), h, s.h)
        done = jnp.linalg.norm(g, ord=norm) < gtol
        return _State(done, ~found & ~done, s.k + 1, s.calls + calls, x, f, g, h, s.f)

    s = lax.while_loop(lambda s: ~s.done & ~s.failed & (s.k < maxiter), step, start)
    status = jnp.where(s.done, 0, jnp.where(s.k == maxiter, 1, jnp.where(s.failed, 3, -1)))
    return OptimizeResults(s.x, s.done & jnp.all(jnp.isfinite(s.x)), status, s.f, s.g, s.h, s.calls, s.calls, s.k)


def _cubic(a, fa, da, b, fb, db):
    """The minimum of the cubic with these values and slopes at a and b, or the middle where it has none inside."""
    d1 = da + db - 3 * (fa - fb) / (a - b)
    root = d1 * d1 - da * db
    d2 = jnp.sign(b - a) * jnp.sqrt(jnp.maximum(root, 0))
    t = b - (b - a) * (db + d2 - d1) / (db - da + 2 * d2)
    low, high = jnp.minimum(a, b), jnp.maximum(a, b)
    margin = 0.1 * (high - low)
    good = jnp.isfinite(t) & (root >= 0) & (t > low + margin) & (t < high - margin)
    return jnp.where(good, t, (a + b) / 2)


class _Search(NamedTuple):
    """The best step so far (low) and the other end (high) with values and slopes; bracketed: a minimum lies between."""

    k: object
    bracketed: object
    found: object
    low: object
    high: object
    at: object
    f: object
    g: object


def _line_search(both, x, p, f0, g0, before, maxiter, c1=1e-4, c2=0.9):
    """(step, value, gradient, evaluations, whether the Wolfe conditions hold there)."""
    slope0 = jnp.dot(g0, p)
    first = jnp.where(slope0 != 0, 1.01 * 2 * (f0 - before) / slope0, 1.0)
    first = jnp.where((first > 0) & (first < 1), first, 1.0).astype(x.dtype)
    zero = jnp.zeros((), x.dtype)

    def step(s):
        t = jnp.where(s.bracketed, _cubic(*s.low, *s.high), jnp.where(s.k == 0, first, 2 * s.at))
        f, g = both(x + t * p)
        slope = jnp.dot(g, p)
        here, low, high = (t, f, slope), s.low, s.high
        too_high = ~(f <= f0 + c1 * t * slope0) | (f >= low[1]) & (s.bracketed | (s.k > 0))
        found = ~too_high & (jnp.abs(slope) <= -c2 * slope0)
        # the minimum lies between here and the lower end: above it, or behind it
        outward = jnp.where(s.bracketed, slope * (high[0] - low[0]) >= 0, slope >= 0)

        def pick(condition, a, b):
            return tuple(jnp.where(condition, u, v) for u, v in zip(a, b))

        new_high = pick(too_high, here, pick(outward, low, high))
        new_low = pick(too_high, low, here)
        return _Search(s.k + 1, s.bracketed | too_high | outward, found, new_low, new_high, t, f, g)

    ends = (zero, f0, slope0)
    s = _Search(jnp.int32(0), jnp.bool_(False), jnp.bool_(False), ends, ends, zero, f0, g0)
    s = lax.while_loop(lambda s: ~s.found & (s.k < maxiter), step, s)
    better = s.f < f0
    return s.at, s.f, s.g, s.k, s.found | better
