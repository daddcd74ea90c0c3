"""Two CPU devices for pmap, a kernel cache of its own, the package from the tree, and JAX as peer where it is installed."""

import atexit
import os
import shutil
import sys
import tempfile

import pytest

os.environ.setdefault("SECANT_NUM_CPU_DEVICES", "2")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["SECANT_CACHE_DIR"] = tempfile.mkdtemp(prefix="secant-tests-")  # empty at the start; not the user's
atexit.register(shutil.rmtree, os.environ["SECANT_CACHE_DIR"], ignore_errors=True)
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for path in (os.path.join(TREE, "bindings", "python"), os.path.dirname(os.path.abspath(__file__))):
    if path not in sys.path:
        sys.path.insert(0, path)


def pytest_configure(config):
    config.addinivalue_line("markers", "peer: compares with JAX; skipped where JAX is missing")


@pytest.fixture(autouse=True, scope="module")
def forget():
    """JAX keeps all that it has compiled: gigabytes over the suite."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
