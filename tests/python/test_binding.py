"""The binding table against the library and against the headers."""

import os
import subprocess
import sys

import pytest

from conftest import TREE
from secant import _capi
from secant._lib import lib


def test_table_is_what_the_library_exports():
    text = subprocess.run(["nm", "-D", "--defined-only", lib.path], capture_output=True, text=True, check=True).stdout
    exported = {line.split()[-1] for line in text.splitlines() if " T " in line}
    # sec_py_* need the GIL and Python objects: _fast.py binds them by hand, as PyDLL
    public = {name for name in exported if name.startswith("sec_") and not name.startswith("sec_py_")}
    assert public == set(_capi.PROTOTYPES)
    assert {name for name in exported if not name.startswith("sec_")} == set()


def test_table_is_generated_from_the_headers(tmp_path):
    out = tmp_path / "_capi.py"
    generator = os.path.join(TREE, "bindings", "gen", "gen_capi.py")
    subprocess.run([sys.executable, generator, TREE, str(out)], check=True)
    with open(_capi.__file__) as file:
        assert out.read_text() == file.read()


def test_an_unknown_type_ends_the_generator(tmp_path):
    for folder in ("core", "transforms", "backends", "bindings/c"):
        include = tmp_path / folder / "include" / "secant"
        include.mkdir(parents=True)
    (tmp_path / "core/include/secant/x.h").write_text("SEC_API int sec_f(strange x);\n")
    generator = os.path.join(TREE, "bindings", "gen", "gen_capi.py")
    run = subprocess.run(
        [sys.executable, generator, str(tmp_path), str(tmp_path / "o")], capture_output=True, text=True
    )
    assert run.returncode != 0 and "unknown type strange" in run.stderr


def test_import_is_light():
    """No heavy module of the standard library comes with `import secant`; NumPy's own imports do not count."""
    script = "import numpy, sys; before = set(sys.modules); import secant; print(*(set(sys.modules) - before))"
    path = os.path.join(TREE, "bindings", "python")
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    loaded = set(run.stdout.split())
    assert not loaded & {"dataclasses", "inspect", "secant.numpy", "secant.lax"}


@pytest.mark.parametrize("name", ["sec_add", "sec_execute", "sec_jaxpr_grad"])
def test_functions_bind_on_use(name):
    assert getattr(lib, name).argtypes == _capi.PROTOTYPES[name][1]
