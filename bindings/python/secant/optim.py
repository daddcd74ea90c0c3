"""Gradient transformations in the manner of Optax: an optimizer is a pair of functions, init(params) and
update(gradients, state, params) -> (updates, state); apply_updates(params, updates) takes the step."""

from collections import namedtuple

from secant import _tree, lax, numpy as jnp

GradientTransformation = namedtuple("GradientTransformation", "init update")
TraceState = namedtuple("TraceState", "trace")
AdamState = namedtuple("AdamState", "count mu nu")
RmsState = namedtuple("RmsState", "nu")
CountState = namedtuple("CountState", "count")
_map = _tree.tree_map


def _zeros(params):
    return _map(jnp.zeros_like, params)


def _stateless(change):
    """A transformation without state of change(update, param)."""

    def update(updates, state, params=None):
        return _map(change, updates, updates if params is None else params), state

    return GradientTransformation(lambda params: (), update)


def apply_updates(params, updates):
    """params + updates, in the dtypes of the parameters."""
    return _map(lambda p, u: jnp.asarray(p + u).astype(jnp.asarray(p).dtype), params, updates)


def global_norm(updates):
    """The Euclidean norm of all leaves together."""
    return jnp.sqrt(sum(jnp.sum(jnp.square(x)) for x in _tree.tree_leaves(updates)))


# ---- parts ----
def identity():
    """Updates as they are."""
    return _stateless(lambda u, p: u)


def scale(factor):
    """Updates times a number."""
    return _stateless(lambda u, p: factor * u)


def scale_by_schedule(step_size_fn):
    """Updates times a function of the step's number, which counts from 0."""

    def update(updates, state, params=None):
        factor = step_size_fn(state.count)
        return _map(lambda u: jnp.asarray(factor, u.dtype) * u, updates), CountState(state.count + 1)

    return GradientTransformation(lambda params: CountState(jnp.zeros((), "int32")), update)


def scale_by_learning_rate(learning_rate):
    """Updates times minus the learning rate, a number or a schedule."""
    if callable(learning_rate):
        return scale_by_schedule(lambda count: -learning_rate(count))
    return scale(-learning_rate)


def trace(decay, nesterov=False):
    """A running sum of updates that decays: momentum."""

    def update(updates, state, params=None):
        total = _map(lambda g, t: g + decay * t, updates, state.trace)
        out = _map(lambda g, t: g + decay * t, updates, total) if nesterov else total
        return out, TraceState(total)

    return GradientTransformation(lambda params: TraceState(_zeros(params)), update)


def scale_by_adam(b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0):
    """Updates by running means of gradients and their squares, corrected for their start (Kingma, Ba, arXiv:1412.6980)."""

    def init(params):
        return AdamState(jnp.zeros((), "int32"), _zeros(params), _zeros(params))

    def update(updates, state, params=None):
        mu = _map(lambda g, m: (1 - b1) * g + b1 * m, updates, state.mu)
        nu = _map(lambda g, v: (1 - b2) * (g * g) + b2 * v, updates, state.nu)
        count = state.count + 1

        def step(m, v):
            m_hat = m / (1 - b1**count).astype(m.dtype)
            v_hat = v / (1 - b2**count).astype(v.dtype)
            return m_hat / (jnp.sqrt(v_hat + eps_root) + eps)

        return _map(step, mu, nu), AdamState(count, mu, nu)

    return GradientTransformation(init, update)


def scale_by_rms(decay=0.9, eps=1e-8, initial_scale=0.0):
    """Updates over the root of a running mean of their squares."""

    def update(updates, state, params=None):
        nu = _map(lambda g, v: (1 - decay) * (g * g) + decay * v, updates, state.nu)
        return _map(lambda g, v: g * lax.rsqrt(v + eps), updates, nu), RmsState(nu)

    return GradientTransformation(lambda params: RmsState(_map(lambda p: jnp.full_like(p, initial_scale), params)), update)


def add_decayed_weights(weight_decay=0.0, mask=None):
    """Updates plus the parameters times a number; `mask` is a pytree of bools (or a function that makes it of params)."""

    def update(updates, state, params=None):
        if params is None:
            raise ValueError("add_decayed_weights needs the parameters.\n  hint: call update(gradients, state, params)")
        chosen = mask(params) if callable(mask) else _map(lambda p: True, params) if mask is None else mask
        return _map(lambda u, p, m: u + weight_decay * p if m else u, updates, params, chosen), state

    return GradientTransformation(lambda params: (), update)


def clip(max_delta):
    """Updates held between -max_delta and max_delta."""
    return _stateless(lambda u, p: jnp.clip(u, -max_delta, max_delta))


def clip_by_global_norm(max_norm):
    """Updates scaled down where their global norm is above max_norm."""

    def update(updates, state, params=None):
        norm = global_norm(updates)
        return _map(lambda u: jnp.where(norm < max_norm, u, u / norm.astype(u.dtype) * max_norm), updates), state

    return GradientTransformation(lambda params: (), update)


def chain(*parts):
    """Transformations one after the other."""

    def init(params):
        return tuple(part.init(params) for part in parts)

    def update(updates, state, params=None):
        if len(state) != len(parts):
            raise ValueError(f"chain of {len(parts)} transformations was given {len(state)} states.\n  hint: call init first")
        states = []
        for part, own in zip(parts, state):
            updates, own = part.update(updates, own, params)
            states.append(own)
        return updates, tuple(states)

    return GradientTransformation(init, update)


# ---- optimizers ----
def sgd(learning_rate, momentum=None, nesterov=False):
    """Gradient descent, with momentum where it is given."""
    rate = scale_by_learning_rate(learning_rate)
    return chain(identity() if momentum is None else trace(momentum, nesterov), rate)


def momentum(learning_rate, decay=0.9, nesterov=False):
    """Gradient descent with momentum."""
    return sgd(learning_rate, decay, nesterov)


def adam(learning_rate, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0):
    """Adam (Kingma, Ba, arXiv:1412.6980)."""
    return chain(scale_by_adam(b1, b2, eps, eps_root), scale_by_learning_rate(learning_rate))


def adamw(learning_rate, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, weight_decay=1e-4, mask=None):
    """Adam with decay of the weights apart from the gradient (Loshchilov, Hutter, arXiv:1711.05101)."""
    return chain(
        scale_by_adam(b1, b2, eps, eps_root),
        add_decayed_weights(weight_decay, mask),
        scale_by_learning_rate(learning_rate),
    )


def rmsprop(learning_rate, decay=0.9, eps=1e-8, initial_scale=0.0):
    """Steps over the root of the running mean of squares."""
    return chain(scale_by_rms(decay, eps, initial_scale), scale_by_learning_rate(learning_rate))


# ---- schedules ----
def constant_schedule(value):
    """The same rate at every step."""
    return lambda count: value


def exponential_decay(init_value, transition_steps, decay_rate):
    """init_value times decay_rate to the power step / transition_steps."""
    return lambda count: init_value * decay_rate ** (count / transition_steps)


def cosine_decay_schedule(init_value, decay_steps, alpha=0.0):
    """Half a cosine from init_value down to alpha times it."""

    def schedule(count):
        share = jnp.minimum(count, decay_steps) / decay_steps
        return init_value * ((1 - alpha) * 0.5 * (1 + jnp.cos(jnp.pi * share)) + alpha)

    return schedule
