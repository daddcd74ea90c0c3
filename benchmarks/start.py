"""Start-up: `import secant` beyond `import numpy`, and the first compiled call of a process."""
import subprocess
import sys

import harness

IMPORT = "import numpy, sys, time; t = time.perf_counter(); import {0}, {0}.numpy; print(time.perf_counter() - t)"
FIRST = (
    "import numpy, sys, time; import {0}, {0}.numpy; x = {0}.numpy.asarray(numpy.ones(8, 'f4'));"
    "t = time.perf_counter(); {0}.jit(lambda x: x * 2 + 1)(x).block_until_ready(); print(time.perf_counter() - t)"
)


def main():
    names = ["secant"] + (["jax"] if harness.jax() else [])
    table = harness.Table("start: fresh processes, after NumPy is imported")
    table.limit("import", measure(names, IMPORT), 0.1)
    table.row("first jit of 8 f32", measure(names, FIRST), 1.0)
    table.end()


def measure(names, program):
    times = {name: harness.Times() for name in names}
    for _ in range(7):
        for name in names:
            text = subprocess.run([sys.executable, "-c", program.format(name)], capture_output=True, text=True, check=True)
            times[name].append(float(text.stdout))
    return times


if __name__ == "__main__":
    main()
