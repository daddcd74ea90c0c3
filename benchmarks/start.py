"""Start-up: `import secant` beyond `import numpy`, and first compiled calls, with nothing on disk and with a warm cache."""
import os
import subprocess
import sys
import tempfile

import harness

IMPORT = "import numpy, sys, time; t = time.perf_counter(); import {0}, {0}.numpy; print(time.perf_counter() - t)"
FIRST = """
import numpy, sys, time, {0}, {0}.numpy
x = {0}.numpy.asarray(numpy.ones(8, "f4"))
t = time.perf_counter()
{0}.jit(lambda x: x * 2 + 1)(x).block_until_ready()
print(time.perf_counter() - t)
"""
MLP = """
import sys, time, {0}, {0}.numpy
sys.path.insert(0, {1!r})
import harness, programs
inputs = programs.put({0}, programs.mlp_inputs())
t = time.perf_counter()
harness.wait({0}.jit(programs.mlp({0}))(*inputs)[1])
print(time.perf_counter() - t)
"""


def main():
    names = ["secant"] + (["jax"] if harness.jax() else [])
    table = harness.Table("start: fresh processes, after NumPy is imported")
    table.limit("import", measure(names, IMPORT), 0.1)
    for what, program in (("jit of 8 f32", FIRST), ("mlp value_and_grad", MLP)):
        table.row(f"first {what}", measure(names, program), 1.0)
        with tempfile.TemporaryDirectory() as cache:
            table.row(f"first {what}, kernels on disk", measure(names, program, cache), 1.0)
    table.end()


def measure(names, program, cache=None):
    """Times of `program` in new processes; cache: a directory in which both compilers keep what they made."""
    times = {name: harness.Times() for name in names}
    here, env = os.path.dirname(os.path.abspath(__file__)), dict(os.environ, SECANT_CACHE_DIR=cache or "off")
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # compiled once, as an installed package is
    if cache:  # JAX's persistent cache, told to keep small and quick programs too
        env.update(
            JAX_COMPILATION_CACHE_DIR=os.path.join(cache, "jax"),
            JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
            JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
        )
    for round_ in range(8):
        for name in names:
            command = [sys.executable, "-c", program.format(name, here)]
            text = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
            if round_:  # the first one leaves Python's bytecode, and fills the cache
                times[name].append(float(text.stdout))
    return times


if __name__ == "__main__":
    main()
