"""Secant: composable transformations of pure functions, under JAX's names.

`import secant` in place of `import jax`; `secant.numpy`, `secant.lax`, `secant.random`, `secant.nn` and the other modules are
loaded on first use.
"""

from secant import _tracer_operators, errors  # noqa: F401
from secant._api import (  # noqa: F401
    block_until_ready,
    cache_stats,
    clear_caches,
    config,
    device_get,
    doctor,
    enable_x64,
    eval_shape,
    make_jaxpr,
    named_call,
    typeof,
)
from secant._autodiff import (  # noqa: F401
    grad,
    jvp,
    linear_transpose,
    linearize,
    value_and_grad,
    vjp,
)
from secant._closures import closure_convert, custom_gradient, fwd_and_bwd  # noqa: F401
from secant._callbacks import effects_barrier, pure_callback  # noqa: F401
from secant._contexts import disable_jit, ensure_compile_time_eval, named_scope  # noqa: F401
from secant._custom import checkpoint, checkpoint_policies, custom_jvp, custom_vjp  # noqa: F401
from secant._devices import (  # noqa: F401
    Device,
    default_backend,
    default_device,
    device_count,
    device_put,
    devices,
    live_arrays,
    local_device_count,
    local_devices,
    process_count,
    process_index,
)
from secant._errors import SecantError  # noqa: F401
from secant._jacobian import hessian, jacfwd, jacrev  # noqa: F401
from secant._jit import jit  # noqa: F401
from secant._lib import lib as _library
from secant._operators import Array  # noqa: F401
from secant._types import ShapeDtypeStruct, float0  # noqa: F401
from secant._vmap import pmap, vmap  # noqa: F401

jacobian = jacrev
remat = checkpoint
__version__ = _library.sec_version().decode()

_MODULES = (
    "numpy",
    "lax",
    "random",
    "nn",
    "scipy",
    "optim",
    "ops",
    "tree",
    "tree_util",
    "flatten_util",
    "debug",
    "experimental",
    "dtypes",
    "sharding",
    "ad_checkpoint",
    "core",
    "custom_derivatives",
    "image",
    "typing",
)


def __getattr__(name):
    if name in _MODULES:
        from importlib import import_module

        return import_module("secant." + name)
    raise AttributeError(f"module 'secant' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_MODULES])
