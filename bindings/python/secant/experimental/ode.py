"""Ordinary differential equations, as jax.experimental.ode."""

from functools import partial

import numpy as np

from secant import _tree, lax, numpy as jnp
from secant._autodiff import vjp
from secant._closures import closure_convert
from secant._custom import custom_vjp
from secant._errors import placed
from secant.flatten_util import ravel_pytree

# Dormand, Prince, J. Comput. Appl. Math. 6 (1980): stages, the fifth-order solution, its error, the middle of the step.
_NODES = np.array([1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0])
_STAGES = [
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
_SOLUTION = [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0]
_ERROR = [
    35 / 384 - 1951 / 21600,
    0,
    500 / 1113 - 22642 / 50085,
    125 / 192 - 451 / 720,
    -2187 / 6784 + 12231 / 42400,
    11 / 84 - 649 / 6300,
    -1 / 60,
]
_MIDDLE = [
    6025192743 / 30085553152 / 2,
    0,
    51252292925 / 65400821598 / 2,
    -2691868925 / 45128329728 / 2,
    187940372067 / 1594534317056 / 2,
    -1776094331 / 19743644256 / 2,
    11237099 / 235043384 / 2,
]


def _mixed(weights, ks):
    return sum(w * k for w, k in zip(weights, ks) if w)


def _step(func, y, f, t, dt):
    """(y at t + dt, its slope, the error, the slopes of all stages)."""
    ks = [f]
    for node, row in zip(_NODES, _STAGES):
        ks.append(func(y + dt * _mixed(row, ks), t + dt * float(node)))
    return y + dt * _mixed(_SOLUTION, ks), ks[-1], dt * _mixed(_ERROR, ks), ks


def _quartic(y0, y1, ks, dt):
    """Coefficients of the polynomial through both ends with their slopes and through the middle."""
    middle = y0 + dt * _mixed(_MIDDLE, ks)
    d0, d1 = ks[0], ks[-1]
    a = -2 * dt * d0 + 2 * dt * d1 - 8 * y0 - 8 * y1 + 16 * middle
    b = 5 * dt * d0 - 3 * dt * d1 + 18 * y0 + 14 * y1 - 32 * middle
    c = -4 * dt * d0 + dt * d1 - 11 * y0 - 5 * y1 + 16 * middle
    return jnp.stack([a, b, c, dt * d0, y0])


def _size(x):
    return jnp.sqrt(jnp.mean(jnp.square(x)))


def _first_step(func, t0, y0, f0, rtol, atol):
    """Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, II.4."""
    scale = atol + jnp.abs(y0) * rtol
    d0, d1 = jnp.linalg.norm(y0 / scale), jnp.linalg.norm(f0 / scale)
    h0 = jnp.where((d0 < 1e-5) | (d1 < 1e-5), 1e-6, 0.01 * d0 / d1)
    f1 = func(y0 + h0 * f0, t0 + h0)
    d2 = jnp.linalg.norm((f1 - f0) / scale) / h0
    h1 = jnp.where((d1 <= 1e-15) & (d2 <= 1e-15), jnp.maximum(1e-6, h0 * 1e-3), (0.01 / jnp.maximum(d1, d2)) ** (1 / 5))
    return jnp.minimum(100.0 * h0, h1)


@partial(custom_vjp, nondiff_argnums=(0, 1, 2, 3, 4))
def _odeint(func, rtol, atol, mxstep, hmax, y0, ts, *args):
    def slope(y, t):
        return func(y, t, *args)

    def to(carry, target):
        def going(state):
            i, _, _, t, dt, *_ = state
            return (t < target) & (i < mxstep) & (dt > 0)

        def step(state):
            i, y, f, t, dt, last, coefficients = state
            new_y, new_f, error, ks = _step(slope, y, f, t, dt)
            ratio = _size(error / (atol + rtol * jnp.maximum(jnp.abs(y), jnp.abs(new_y))))
            taken = ratio <= 1.0
            factor = jnp.where(ratio > 0, 0.9 * ratio ** (-1 / 5), 10.0)
            next_dt = jnp.clip(dt * jnp.clip(factor, jnp.where(taken, 1.0, 0.2), 10.0), 0.0, hmax)
            chosen = [new_y, new_f, t + dt, t, _quartic(y, new_y, ks, dt)]
            y, f, new_t, last, coefficients = (
                jnp.where(taken, a, b) for a, b in zip(chosen, [y, f, t, last, coefficients])
            )
            return i + 1, y, f, new_t, next_dt.astype(dt.dtype), last, coefficients

        state = lax.while_loop(going, step, (jnp.int32(0), *carry))
        _, y, f, t, dt, last, coefficients = state
        share = (target - last) / (t - last)
        return state[1:], jnp.polyval(coefficients, share)

    f0 = slope(y0, ts[0])
    dt = jnp.clip(_first_step(slope, ts[0], y0, f0, rtol, atol), 0.0, hmax).astype(ts.dtype)
    start = (y0, f0, ts[0], dt, ts[0], jnp.stack([y0] * 5))
    _, ys = lax.scan(to, start, ts[1:])
    return jnp.concatenate([y0[None], ys])


def _forward(func, rtol, atol, mxstep, hmax, y0, ts, *args):
    ys = _odeint(func, rtol, atol, mxstep, hmax, y0, ts, *args)
    return ys, (ys, ts, args)


def _backward(func, rtol, atol, mxstep, hmax, kept, g):
    """The adjoint equation, backward through the output times (Pontryagin; Chen et al., NeurIPS 2018)."""
    ys, ts, args = kept
    flat, restore = ravel_pytree((ys[0], ys[0], ts[0], args))

    def adjoint(state, t, *args):
        y, y_bar, _, _ = restore(state)
        dy, pull = vjp(lambda y, t, args: func(y, t, *args), y, -t, args)
        moved_y, moved_t, moved_args = pull(y_bar)
        return ravel_pytree((-dy, moved_y, moved_t, moved_args))[0]

    def back(carry, i):
        y_bar, t_bar, args_bar = carry
        end_bar = jnp.dot(func(ys[i], ts[i], *args), g[i])
        state = ravel_pytree((ys[i], y_bar, t_bar - end_bar, args_bar))[0]
        times = jnp.stack([-ts[i], -ts[i - 1]])
        state = _odeint(adjoint, rtol, atol, mxstep, hmax, state, times, *args)[1]
        _, y_bar, t_bar, args_bar = restore(state)
        return (y_bar + g[i - 1], t_bar, args_bar), end_bar

    start = (g[-1], jnp.zeros((), ts.dtype), _tree.tree_map(jnp.zeros_like, args))
    (y_bar, t_bar, args_bar), ends = lax.scan(back, start, jnp.arange(ts.shape[0] - 1, 0, -1))
    return (y_bar, jnp.concatenate([t_bar[None], ends[::-1]]), *args_bar)


_odeint.defvjp(_forward, _backward)


@placed
def odeint(func, y0, t, *args, rtol=1.4e-8, atol=1.4e-8, mxstep=np.inf, hmax=np.inf):
    """The solution of dy/dt = func(y, t, *args) at increasing times, by adaptive Dormand-Prince steps.

    y0 : a pytree, the value at t[0].  The result has a leading axis of times.  Derivatives by the adjoint equation.
    """
    for leaf in _tree.tree_leaves((y0, t, *args)):
        if not jnp.asarray(leaf).aval.is_float:
            raise TypeError("odeint: y0, t and further arguments must be floats\n  hint: convert with astype(float)")
    y0, t = _tree.tree_map(jnp.asarray, y0), jnp.asarray(t)
    args = _tree.tree_map(jnp.asarray, args)
    flat, restore = ravel_pytree(y0)

    def field(y, t, *args):
        return ravel_pytree(func(restore(y), t, *args))[0]

    converted, uses = closure_convert(field, flat, t[0], *args)
    limit = 2**31 - 1 if mxstep == np.inf else int(mxstep)
    out = _odeint(converted, rtol, atol, limit, hmax, flat, t, *args, *uses)
    from secant._vmap import vmap

    return vmap(restore)(out)
