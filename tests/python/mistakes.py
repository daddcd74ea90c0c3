"""Mistakes that people make, each with its correction: one expression a row, `wrong  =>  right`.

The names are those of `names()`; the errors are kept in errors_golden.txt.
"""

import numpy as np

import secant
import secant.numpy as jnp
from secant import lax

ROWS = """
# shapes
x + jnp.ones(4)  =>  x + jnp.ones(3)
jnp.where(x > 1, x, jnp.ones(2))  =>  jnp.where(x > 1, x, jnp.ones(3))
M @ M  =>  M @ M.T
jnp.dot(M, x[:2])  =>  jnp.dot(M, x)
jnp.einsum('ij,jk', M, M)  =>  jnp.einsum('ij,kj', M, M)
jnp.reshape(x, (2, 2))  =>  jnp.reshape(x, (3, 1))
jnp.concatenate([x, M])  =>  jnp.concatenate([x[None], M])
jnp.stack([x, x[:2]])  =>  jnp.stack([x, x])
jnp.broadcast_to(x, (2, 4))  =>  jnp.broadcast_to(x, (2, 3))
jnp.squeeze(M, 0)  =>  jnp.squeeze(M[None], 0)
jnp.sum(x, axis=1)  =>  jnp.sum(x, axis=0)
jnp.transpose(M, (0, 1, 2))  =>  jnp.transpose(M, (1, 0))
jnp.linalg.solve(M, x)  =>  jnp.linalg.solve(M @ M.T, x[:2])
x.at[0].set(jnp.ones(2))  =>  x.at[0].set(1.0)
lax.dot_general(M, M, (((1,), (0,)), ((), ())))  =>  lax.dot_general(M, M, (((1,), (1,)), ((), ())))
lax.dynamic_slice(x, (0,), (4,))  =>  lax.dynamic_slice(x, (0,), (2,))
jnp.max(jnp.zeros(0))  =>  jnp.max(jnp.zeros(0), initial=-jnp.inf)
# dtypes
lax.add(x, n)  =>  lax.add(x, n.astype('float32'))
lax.sin(n)  =>  jnp.sin(n)
lax.dynamic_update_slice(x, n[:1], (0,))  =>  lax.dynamic_update_slice(x, n[:1].astype('float32'), (0,))
jnp.bitwise_and(x, x)  =>  jnp.bitwise_and(n, n)
-(x > 1)  =>  ~(x > 1)
n ** -1  =>  n.astype('float32') ** -1
x[1.5]  =>  x[1]
x[[0, 1]]  =>  x[jnp.array([0, 1])]
jnp.zeros(3, 'no_dtype')  =>  jnp.zeros(3, 'float32')
jnp.sum([1, 2])  =>  jnp.sum(jnp.array([1, 2]))
# values that are not known while tracing
jit(lambda a: a if a.sum() > 0 else -a)(x)  =>  jit(lambda a: jnp.where(a.sum() > 0, a, -a))(x)
jit(lambda a: float(a[0]) * 2)(x)  =>  jit(lambda a: a[0].astype(float) * 2)(x)
jit(lambda a: np.sin(a))(x)  =>  jit(lambda a: jnp.sin(a))(x)
jit(lambda a, k: jnp.zeros(k))(x, 3)  =>  jit(lambda a, k: jnp.zeros(k), static_argnums=1)(x, 3)
jit(lambda a: [a for _ in range(a.astype(int)[0])])(x)  =>  jit(lambda a: lax.fori_loop(0, a.astype(int)[0], lambda i, c: c, a))(x)
jit(lambda a: a[a > 1])(x)  =>  jit(lambda a: jnp.where(a > 1, a, 0))(x)
jit(lambda a, k: a[k:])(x, 1)  =>  jit(lambda a, k: lax.dynamic_slice(a, (k,), (2,)))(x, 1)
jit(lambda a: jnp.nonzero(a))(x)  =>  jnp.nonzero(x)
(leak(x), kept[-1] + 1)  =>  jit(lambda a: a + 1)(x)
vmap(lambda a: 1.0 if a > 1 else 0.0)(x)  =>  vmap(lambda a: jnp.where(a > 1, 1.0, 0.0))(x)
# in place
write(x)  =>  x.at[0].set(1.0)
jnp.put(x, 0, 1.0)  =>  jnp.put(x, 0, 1.0, inplace=False)
# memory that is gone, and devices
gone(x) + 1  =>  x + 1
jit(lambda a: a * 2)(gone(x))  =>  jit(lambda a: a * 2)(x)
np.asarray(gone(x))  =>  np.asarray(x)
jit(lambda a, b: a + b, donate_argnums=0)(x, x)  =>  jit(lambda a, b: a + b, donate_argnums=0)(x, x.copy())
put(x, 0) + put(x, 1)  =>  put(x, 0) + put(put(x, 1), 0)
jit(lambda p, q: p['a'] + q)({'a': put(x, 0)}, put(x, 1))  =>  jit(lambda p, q: p['a'] + q)({'a': put(x, 0)}, x)
secant.device_put(x, 'cpu:0')  =>  secant.device_put(x, secant.devices()[0])
secant.devices('gpu')  =>  secant.devices('cpu')
# derivatives
grad(lambda a: a * 2)(x)  =>  grad(lambda a: (a * 2).sum())(x)
grad(lambda a: (a, a))(1.0)  =>  grad(lambda a: (a, a), has_aux=True)(1.0)
grad(lambda a: a * 2.0)(3)  =>  grad(lambda a: a * 2.0)(3.0)
grad(lambda a: a, argnums=1)(1.0)  =>  grad(lambda a: a, argnums=0)(1.0)
jvp(lambda a: a * 2, (x,), (n,))  =>  jvp(lambda a: a * 2, (x,), (n.astype('float32'),))
jvp(lambda a: a * 2, (x,), (x[:2],))  =>  jvp(lambda a: a * 2, (x,), (x,))
vjp(lambda a: a * 2, x)[1](x[:2])  =>  vjp(lambda a: a * 2, x)[1](x)
grad(lambda a: lax.while_loop(lambda c: c < 9, lambda c: c * 2, a))(1.0)  =>  grad(lambda a: lax.fori_loop(0, 3, lambda i, c: c * 2, a))(1.0)
jvp(own_vjp, (1.0,), (1.0,))  =>  vjp(own_vjp, 1.0)[1](1.0)
jacfwd(lambda a: a.astype(int))(x)  =>  jacfwd(lambda a: a)(x)
# mapping
vmap(lambda a: a, in_axes=1)(x)  =>  vmap(lambda a: a, in_axes=0)(x)
vmap(lambda a, b: a + b)(x, x[:2])  =>  vmap(lambda a, b: a + b)(x, x)
vmap(lambda a, b: a + b, in_axes=(0,))(x, x)  =>  vmap(lambda a, b: a + b, in_axes=(0, 0))(x, x)
vmap(lambda a: a, in_axes=None)(x)  =>  vmap(lambda a: a, in_axes=None, axis_size=2)(x)
vmap(lambda a: a, out_axes=None)(x)  =>  vmap(lambda a: a, out_axes=0)(x)
lax.psum(x, 'i')  =>  vmap(lambda a: lax.psum(a, 'i'), axis_name='i')(x)
pmap(lambda a: a)(x)  =>  pmap(lambda a: a)(x[:2])
# loops and branches
lax.scan(lambda c, a: (c.astype('int32'), a), 0.0, x)  =>  lax.scan(lambda c, a: (c, a), 0.0, x)
lax.scan(lambda c, a: ((c, c), a), 0.0, x)  =>  lax.scan(lambda c, a: (c, a), 0.0, x)
lax.scan(lambda c, a: c + a, 0.0, x)  =>  lax.scan(lambda c, a: (c + a, None), 0.0, x)
lax.scan(lambda c, a: (c, None), 0.0, (x, M))  =>  lax.scan(lambda c, a: (c, None), 0.0, (x, M.T))
lax.cond(True, lambda: 1, lambda: 2.0)  =>  lax.cond(True, lambda: 1.0, lambda: 2.0)
lax.cond(x > 1, lambda: 1, lambda: 2)  =>  lax.cond(x[0] > 1, lambda: 1, lambda: 2)
lax.while_loop(lambda c: c, lambda c: c + 1, 1.0)  =>  lax.while_loop(lambda c: c < 3, lambda c: c + 1, 1.0)
lax.while_loop(lambda c: c < 3, lambda c: (c, c), 1.0)  =>  lax.while_loop(lambda c: c < 3, lambda c: c + 1, 1.0)
lax.fori_loop(0.0, 3, lambda i, c: c, 1)  =>  lax.fori_loop(0, 3, lambda i, c: c, 1)
lax.switch(1.5, [jnp.sin, jnp.cos], x)  =>  lax.switch(1, [jnp.sin, jnp.cos], x)
# random numbers
secant.random.normal(secant.random.split(secant.random.key(0)), (2,))  =>  secant.random.normal(secant.random.key(0), (2,))
secant.random.randint(secant.random.key(0), (2,), 0, 9, 'float32')  =>  secant.random.randint(secant.random.key(0), (2,), 0, 9)
"""

kept = []


def leak(x):
    secant.jit(lambda a: kept.append(a) or a)(x)


def write(x):
    x[0] = 1.0


def gone(x):
    """A copy of `x` after it was donated."""
    copy = x.copy()
    secant.jit(lambda a: a + 1, donate_argnums=0)(copy)
    return copy


def put(x, i):
    return secant.device_put(x, secant.devices()[i])


own_vjp = secant.custom_vjp(lambda x: x * x)
own_vjp.defvjp(lambda x: (x * x, x), lambda x, ct: (2 * x * ct,))


def names():
    """What the expressions may use."""
    return {
        "np": np,
        "jnp": jnp,
        "lax": lax,
        "secant": secant,
        **{name: getattr(secant, name) for name in ("jit", "grad", "vmap", "pmap", "jvp", "vjp", "jacfwd")},
        "x": jnp.array([1.0, 2.0, 3.0]),
        "n": jnp.array([1, 2, 3]),
        "M": jnp.arange(6.0).reshape(2, 3),
        "leak": leak,
        "gone": gone,
        "put": put,
        "write": write,
        "kept": kept,
        "own_vjp": own_vjp,
    }


def rows():
    """(wrong, right, line of the row in this file)."""
    with open(__file__) as f:
        for line, text in enumerate(f, 1):
            if "  =>  " in text and not text.startswith((" ", "The", '"')):
                wrong, right = text.rstrip("\n").split("  =>  ")
                yield wrong, right, line


def failure(expression, line):
    """The exception of an expression that stands in this file, as `Class: message`."""
    code = compile("\n" * (line - 1) + expression, __file__, "eval")
    try:
        eval(code, names())
    except Exception as exception:
        return exception
    raise AssertionError(f"no error: {expression}")
