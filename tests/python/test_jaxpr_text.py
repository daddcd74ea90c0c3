"""make_jaxpr writes what jax.make_jaxpr writes: primitives, their order, parameters, names and line breaks."""

import pytest
from peer import jax, names, needs_jax

import secant

# function @ arguments
CASES = """
lambda a: jnp.sin(a)*2. @ f(1,2,3)
lambda a: jnp.tanh(a)+jnp.exp(a)-jnp.log(a) @ f(1,2,3)
lambda a: -a/2 @ f(1,2,3)
lambda a: jnp.floor(a) @ f(1,2,3)
lambda a: jnp.round(a) @ f(1,2,3)
lambda a: a**3 @ f(1,2,3)
lambda a,b: a**b @ f(1,2,3),f(1,2,3)
lambda a: jnp.abs(a) @ f(1,2,3)
lambda a: jnp.sign(a) @ f(1,2,3)
lambda a: jnp.square(a) @ f(1,2,3)
lambda a: jnp.sqrt(a) @ f(1,2,3)
lambda a: lax.rsqrt(a) @ f(1,2,3)
lambda a: jnp.maximum(a,0.) @ f(1,2,3)
lambda a: jnp.minimum(a,a) @ f(1,2,3)
lambda a: jnp.clip(a,0,1) @ f(1,2,3)
lambda a: jnp.where(a>0,a,0.) @ f(1,2,3)
lambda a: jnp.where(a>0,a,-a) @ f(1,2,3)
lambda a: jnp.logical_and(a>0,a<2) @ f(1,2,3)
lambda a: (a>0)&(a<2) @ f(1,2,3)
lambda a: ~(a>0) @ f(1,2,3)
lambda a: jnp.isnan(a) @ f(1,2,3)
lambda a: jnp.isfinite(a) @ f(1,2,3)
lambda a: jnp.sum(a) @ M
lambda a: jnp.sum(a,0) @ M
lambda a: jnp.sum(a,axis=1,keepdims=True) @ M
lambda a: jnp.mean(a,0) @ M
lambda a: jnp.max(a) @ M
lambda a: jnp.min(a,1) @ M
lambda a: jnp.prod(a) @ M
lambda a: jnp.any(a>0) @ M
lambda a: jnp.all(a>0) @ M
lambda a: jnp.argmax(a) @ f(1,2,3)
lambda a: jnp.argmin(a,1) @ M
lambda a: jnp.cumsum(a) @ f(1,2,3)
lambda a: jnp.cumprod(a) @ f(1,2,3)
lambda a: lax.cumsum(a,0,reverse=True) @ f(1,2,3)
lambda a: lax.cummax(a) @ f(1,2,3)
lambda a: jnp.sort(a) @ f(1,2,3)
lambda a: jnp.argsort(a) @ f(1,2,3)
lambda a: lax.sort(a) @ f(1,2,3)
lambda a: lax.top_k(a,2) @ f(1,2,3)
lambda a,b: a@b @ M,M.T
lambda a,b: jnp.dot(a,b) @ f(1,2,3),f(1,2,3)
lambda a,b: jnp.matmul(a,b) @ M,f(1,2,3)
lambda a,b: jnp.einsum('ij,jk->ik',a,b) @ M,M.T
lambda a,b: jnp.tensordot(a,b,1) @ M,M.T
lambda a: a.T @ M
lambda a: a.reshape(3,2) @ M
lambda a: a.ravel() @ M
lambda a: a[None] @ f(1,2,3)
lambda a: jnp.expand_dims(a,1) @ f(1,2,3)
lambda a: jnp.squeeze(a[None]) @ f(1,2,3)
lambda a: jnp.broadcast_to(a,(2,3)) @ f(1,2,3)
lambda a: jnp.flip(a) @ f(1,2,3)
lambda a,b: jnp.concatenate([a,b]) @ f(1,2,3),f(1,2)
lambda a: a[0] @ f(1,2,3)
lambda a: a[1:] @ f(1,2,3)
lambda a: a[::2] @ f(1,2,3)
lambda a: a[-1] @ f(1,2,3)
lambda a: a[::-1] @ f(1,2,3)
lambda a: a[:,0] @ M
lambda a: a[...,None] @ M
lambda a,k: a[k] @ f(1,2,3),0
lambda a,k: a[k] @ f(1,2,3),i(0,1)
lambda a: a.at[0].add(1.) @ f(1,2,3)
lambda a: a.at[0].set(1.) @ f(1,2,3)
lambda a,k: a.at[k].set(1.) @ f(1,2,3),i(0,1)
lambda a,k: a.at[k].add(1.) @ f(1,2,3),i(0,1)
lambda a: a.at[0].mul(2.) @ f(1,2,3)
lambda a: a.at[1:].set(0.) @ f(1,2,3)
lambda a,b: lax.dynamic_slice(a,(b,),(2,)) @ f(1,2,3),1
lambda a,b,k: lax.dynamic_update_slice(a,b,(k,)) @ f(1,2,3),f(1,2),1
lambda a: lax.slice(a,(0,),(2,)) @ f(1,2,3)
lambda a: lax.pad(a,0.,[(1,1,0)]) @ f(1,2,3)
lambda: jnp.arange(3) @ 
lambda: jnp.zeros(3) @ 
lambda: jnp.eye(3) @ 
lambda a: jnp.zeros_like(a) @ f(1,2,3)
lambda a: jnp.ones_like(a) @ f(1,2,3)
lambda a: jnp.full_like(a,2) @ f(1,2,3)
lambda a: a.astype(int) @ f(1,2,3)
lambda a: a.astype('float16') @ f(1,2,3)
lambda a: a+1 @ i(1,2,3)
lambda a,b: a+b @ i(1,2,3),f(1,2,3)
lambda a,b: a*b @ M,1.
lambda a,b: a+b @ M,F(1)
lambda a: api.nn.relu(a) @ f(1,2,3)
lambda a: api.nn.sigmoid(a) @ f(1,2,3)
lambda a: api.nn.gelu(a) @ f(1,2,3)
lambda a: api.nn.silu(a) @ f(1,2,3)
lambda a: lax.erf(a) @ f(1,2,3)
lambda a: lax.stop_gradient(a)*a @ f(1,2,3)
lambda a: lax.clamp(0.,a,1.) @ f(1,2,3)
lambda a: lax.select(a>0,a,-a) @ f(1,2,3)
lambda a: lax.bitcast_convert_type(a,'int32') @ f(1,2,3)
lambda a: jnp.bitwise_xor(a,a) @ i(1,2,3)
lambda a: a<<1 @ i(1,2,3)
lambda a: a>>1 @ i(1,2,3)
lambda a: lax.scan(lambda c,y:(c+y,c),0.,a) @ f(1,2,3)
lambda a: lax.map(jnp.sin,a) @ f(1,2,3)
lambda a: lax.fori_loop(0,3,lambda k,c:c*a,a) @ 1.
lambda n: lax.fori_loop(0,n,lambda k,c:c+1,0) @ 3
lambda a: lax.while_loop(lambda c:c<10,lambda c:c*2,a) @ 1.
lambda a,b: lax.while_loop(lambda c:c<b,lambda c:c*b,a) @ 1.,3.
lambda a: lax.cond(a>0,jnp.sin,jnp.cos,a) @ 1.
lambda k,a: lax.switch(k,[jnp.sin,jnp.cos],a) @ 0,1.
lambda a: fj(a)+1 @ f(1,2,3)
lambda a: fj(fj(a)) @ f(1,2,3)
lambda a: jit(lambda b:b*2)(a) @ 1.
lambda a: jit(lambda b,c:(b*c,c))(a,a) @ 1.
cj @ 1.
cv @ 1.
lambda a: G(cj)(a) @ 1.
lambda a: G(cv)(a) @ 1.
G(lambda a: a*a) @ 1.
G(lambda a: jnp.sin(a)*a) @ 1.
G(lambda a: jnp.sum(a*a)) @ f(1,2,3)
G(lambda a: jnp.sum(jnp.sin(a))) @ f(1,2,3)
G(lambda a: jnp.mean(jnp.exp(a))) @ f(1,2,3)
G(lambda a: lax.scan(lambda c,y:(c*y,c),1.,a)[0]) @ f(1,2,3)
G(api.checkpoint(lambda a: jnp.sin(jnp.sin(a)))) @ 1.
api.checkpoint(lambda a: jnp.sin(jnp.sin(a))) @ 1.
lambda a: jvp(jnp.sin,(a,),(a,)) @ 1.
lambda a: api.vjp(jnp.sin,a)[1](a) @ 1.
vmap(jnp.sin) @ f(1,2,3)
vmap(lambda a: a*2+1) @ f(1,2,3)
vmap(lambda a,b: a@b,in_axes=(0,None)) @ M,f(1,2,3)
vmap(lambda a,b: jnp.dot(a,b)) @ M,M
vmap(lambda a,k: a[k],in_axes=(None,0)) @ f(1,2,3),i(0,1)
vmap(G(lambda a: a*a*a)) @ f(1,2,3)
G(G(lambda a: a*a*a)) @ 1.
lambda a: a+x @ f(1,2,3,4,5)
lambda a: 3. @ 1.
lambda a: (a,a,[a*2,{'b':a}]) @ 1.
lambda a: jnp.cumsum(a,1) @ M
lambda a: jnp.diff(a) @ f(1,2,3)
lambda a: jnp.swapaxes(a,0,1) @ M
lambda a: jnp.moveaxis(a,0,1) @ M
lambda a: jnp.cross(a,a) @ f(1,2,3)
lambda a: jnp.nan_to_num(a) @ f(1,2,3)
lambda a: lax.convert_element_type(a,'int32') @ f(1,2,3)
lambda a: lax.broadcast(a,(2,)) @ f(1,2,3)
lambda a: lax.rev(a,(0,)) @ f(1,2,3)
lambda a: lax.argmax(a,0,'int32') @ f(1,2,3)
lambda a: lax.integer_pow(a,3) @ f(1,2,3)
lambda a: lax.nextafter(a,a) @ f(1,2,3)
lambda a: lax.iota('float32',3)+a @ f(1,2,3)
lambda a: lax.expand_dims(a,(0,)) @ f(1,2,3)
lambda a: jnp.sin(jnp.cos(jnp.tan(jnp.exp(jnp.log(jnp.sqrt(jnp.tanh(jnp.sinh(a)))))))) @ f(1,2,3)
lambda *a: sum(a) @ F(1),F(1),F(1),F(1),F(1),F(1),F(1),F(1),F(1),F(1),F(1),F(1)
"""
PROGRAMS = """
A = f(4, 2, 2, 3).reshape(2, 2)
M = M.astype("float32")
lin = jnp.linalg
F = jnp.float32
G, K = grad, random.key


def fn(x):
    return x * 2


fj = jit(fn)


@api.custom_jvp
def cj(x):
    return x * x


cj.defjvp(lambda p, t: (cj(p[0]), 100.0 * t[0]))


@api.custom_vjp
def cv(x):
    return x * x


cv.defvjp(lambda x: (cv(x), x), lambda r, ct: (7.0 * ct,))
"""


def text(api, case):
    scope = names(api)
    exec(PROGRAMS, scope)
    function, arguments = case.rsplit(" @", 1)
    printed = api.make_jaxpr(eval(function, scope))(*eval(f"[{arguments}]", scope))
    return "\n".join(line.rstrip() for line in str(printed).split("\n"))


@needs_jax
@pytest.mark.peer
@pytest.mark.parametrize("case", CASES.strip().split("\n"))
def test_text(case):
    assert text(secant, case) == text(jax, case)


@pytest.mark.parametrize("case", CASES.strip().split("\n"))
def test_read_back(case):
    """What is printed is read and printed again the same."""
    from secant._lib import context, lib
    from secant._trace import transformed

    printed = text(secant, case)
    again = transformed(lib.sec_jaxpr_parse, context, printed.encode())
    assert "\n".join(line.rstrip() for line in str(again).split("\n")) == printed


def test_calls_are_shown_by_make_jaxpr_alone():
    """A function that is a jit of its own in JAX is one equation of make_jaxpr, and traced in place elsewhere."""
    import secant.numpy as jnp

    traces = []

    @secant.jit
    def f(x):
        traces.append(1)
        return jnp.where(x > 0, x, 0.0)

    x = jnp.ones(3)
    assert f(x).tolist() == [1.0, 1.0, 1.0]
    assert "name=_where" not in str(f.trace(x).jaxpr) and len(traces) == 1
    assert "name=_where" in str(secant.make_jaxpr(f)(x)) and len(traces) == 2
    assert "name=_where" not in str(f.trace(x).jaxpr) and len(traces) == 2


def test_primitives_bind():
    """lax.NAME_p.bind applies a primitive by JAX's parameters, outside and inside a trace."""
    import secant.numpy as jnp
    from secant import lax

    x = jnp.arange(6.0).reshape(2, 3)
    assert lax.add_p.bind(x, x).tolist() == (x + x).tolist()
    assert lax.exp_p.bind(jnp.float32(0), accuracy=None) == 1
    assert lax.dynamic_slice_p.bind(x[0], jnp.int32(-1), slice_sizes=(2,)).tolist() == [0, 1]
    assert lax.reduce_sum_p.bind(x, axes=(0,), out_sharding=None).tolist() == [3, 5, 7]
    assert lax.broadcast_in_dim_p.bind(jnp.float32(2), shape=(2,), broadcast_dimensions=()).tolist() == [2, 2]
    assert lax.convert_element_type_p.bind(x, new_dtype=jnp.int32, weak_type=False).dtype == "int32"
    values, places = lax.top_k_p.bind(x, k=2, axis=1)
    assert values.tolist() == [[2, 1], [5, 4]] and places.tolist() == [[2, 1], [2, 1]]
    assert secant.grad(lambda a: lax.mul_p.bind(a, a))(3.0) == 6
    (sorted_,) = lax.sort_p.bind(-x, dimension=1, is_stable=True, num_keys=1)
    assert sorted_[0].tolist() == [-2, -1, 0]
    for bad in (lambda: lax.no_such_p, lambda: lax.no_such):
        with pytest.raises(AttributeError):
            bad()
    with pytest.raises(TypeError):
        lax.add_p.bind(x, x[0])
    with pytest.raises(ValueError):
        lax.add_p.bind(x)
