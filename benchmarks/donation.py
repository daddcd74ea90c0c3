"""Donation: a large array updated in a loop, by calls that make a new array and by calls that may write over the old one."""
import os
import subprocess
import sys

import harness

MEGABYTES = 64
PROGRAM = """
import resource, time, {0} as api, {0}.numpy as jnp
x = api.jit(lambda: jnp.full({1} << 18, 1.0))().block_until_ready()
f = api.jit({2}, donate_argnums={3})
times = []
for turn in range(22):
    start = time.perf_counter()
    x = f(x).block_until_ready()
    times.append(time.perf_counter() - start)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, *times[2:])
"""
STEPS = (("x * 0.999 + 0.5", "lambda x: x * 0.999 + 0.5"), ("x.at[5].set(1.0)", "lambda x: x.at[5].set(1.0)"))


def main():
    names = ["secant"] + (["jax"] if harness.jax() else [])
    table = harness.Table(f"donation: {MEGABYTES} MB of f32")
    for what, step in STEPS:
        for label, donated in (("", ()), (", donated", (0,))):
            times, peaks = measure(names, step, donated)
            table.row(what + label, times, 1.0)
            print("    peak of the process: " + ", ".join(f"{name} {peak:.0f} MB" for name, peak in peaks.items()))
    table.end()


def measure(names, step, donated):
    """(times, peak resident memory in MB) by name, each in a process of its own."""
    times, peaks = {}, {}
    for name in names:
        command = [sys.executable, "-c", PROGRAM.format(name, MEGABYTES, step, donated)]
        env = dict(os.environ, JAX_PLATFORMS="cpu")
        peak, *seconds = map(float, subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout.split())
        times[name], peaks[name] = harness.Times(seconds), peak
    return times, peaks


if __name__ == "__main__":
    main()
