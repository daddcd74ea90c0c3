"""Timing beside a peer: results compared first, runs interleaved, the machine named.

A benchmark is one program text with the module as a parameter: `f(api)` uses api.numpy, api.lax, api.grad, ... and
runs as it is with JAX and with Secant.
"""
import gc
import os
import platform
import subprocess
import sys
import time

import numpy

os.environ.setdefault("SECANT_CACHE_DIR", "off")  # what is compiled here is compiled, not read from disk

NOISE = 1.03  # two runs of the same program differ by this much; a figure within it counts as reached


def secant():
    """The module secant, as a user imports it."""
    import secant
    import secant.lax
    import secant.numpy

    return secant


def jax(x64=False):
    """The module jax if the peers are installed and wanted (SECANT_PEERS=0: not), else None."""
    if os.environ.get("SECANT_PEERS") == "0":
        return None
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", x64)
    return jax


def apis(x64=False):
    """The modules to compare, by name: secant first, then jax if there."""
    both = {"secant": secant(), "jax": jax(x64)}
    return {name: api for name, api in both.items() if api is not None}


def machine():
    """One line: processor, cores this process may use, versions."""
    cpu = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            cpu = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    words = [cpu, f"{cores()} core(s)", f"Python {platform.python_version()}", f"NumPy {numpy.__version__}"]
    if "jax" in sys.modules:
        words.append(f"JAX {sys.modules['jax'].__version__}")
    return ", ".join(words)


def cores():
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0))


def leaves(tree):
    """The arrays in nested tuples, lists and dictionaries, in order."""
    if isinstance(tree, (tuple, list)):
        return [leaf for branch in tree for leaf in leaves(branch)]
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    return [numpy.asarray(tree)]


def wait(tree):
    """`tree`, when its arrays are computed."""
    if isinstance(tree, (tuple, list)):
        for branch in tree:
            wait(branch)
    elif hasattr(tree, "block_until_ready"):
        tree.block_until_ready()
    return tree


def agree(what, results, tolerance):
    """Ends the program if any result differs from the first by more than `tolerance` of its largest number."""
    (first, want), *others = results.items()
    for name, got in others:
        for i, (a, b) in enumerate(zip(leaves(want), leaves(got), strict=True)):
            scale = numpy.max(numpy.abs(b), initial=1e-30)
            error = numpy.max(numpy.abs(a - b), initial=0) / scale
            if a.shape != b.shape or not error <= tolerance:
                sys.exit(f"{what}: result {i} of {first} and of {name} differ by {error:.1e} (allowed {tolerance:.0e})")


class Times(list):
    """Seconds of one case, one an entry."""

    @property
    def best(self):
        return min(self)

    @property
    def median(self):
        return sorted(self)[len(self) // 2]


def interleave(cases, seconds=2.0, most=200, least=5, before=None):
    """Runs each of `cases` (name -> function) once a round, for about `seconds` in all: name -> Times.

    A run shorter than 50 us is timed in a loop.  before: called with the case's name ahead of each timed run.
    """
    loops = {name: 1 if before else _loop_length(f) for name, f in cases.items()}
    times = {name: Times() for name in cases}
    gc.collect()
    gc.disable()
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < least or (rounds < most and time.perf_counter() < end):
        for name, f in cases.items():
            if before:
                before(name)
            times[name].append(_timed(f, loops[name]))
        rounds += 1
    gc.enable()
    return times


def _timed(f, loops):
    start = time.perf_counter()
    for _ in range(loops):
        f()
    return (time.perf_counter() - start) / loops


def _loop_length(f):
    f()
    return max(1, min(2000, int(50e-6 / max(_timed(f, 3), 1e-9))))


def span(seconds):
    """A time with three figures and its unit."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


class Table:
    """Lines of one benchmark: Secant, the peer, their ratio, and the ratio to reach."""

    def __init__(self, title):
        self.missed = self.judged = 0
        print(f"\n{title}\n{machine()}")
        print(f"  {'':34}{'secant':>10}{'median':>10}{'jax':>10}{'median':>10}{'ratio':>9}  reach")

    def row(self, what, times, reach):
        """times: name -> Times; reach: the largest ratio secant / jax that the project wants."""
        ours, peer = times["secant"], times.get("jax")
        line = f"  {what:34}{span(ours.best):>10}{span(ours.median):>10}"
        if peer:
            ratio = ours.best / peer.best
            line += f"{span(peer.best):>10}{span(peer.median):>10}{ratio:>8.2f}x  <= {reach}x{self._verdict(ratio, reach)}"
        print(line, flush=True)

    def limit(self, what, times, reach):
        """The same for a figure with a limit in seconds."""
        ours, peer = times["secant"], times.get("jax")
        line = f"  {what:34}{span(ours.best):>10}{span(ours.median):>10}"
        line += f"{span(peer.best):>10}{span(peer.median):>10}" if peer else " " * 20
        print(f"{line}{'':9}  <= {span(reach)}{self._verdict(ours.best, reach)}", flush=True)

    def _verdict(self, value, reach):
        missed = value > reach * NOISE
        self.judged += 1
        self.missed += missed
        return "  MISSED" if missed else ""

    def end(self):
        """The last line; the number of figures missed (benchmarks report, they do not fail)."""
        print(f"  {self.judged - self.missed} of {self.judged} figures reached")
        return self.missed


def on_core_counts(file, main):
    """Runs `main` in processes of their own, on one core and on all: thread pools ask for their size at the start."""
    if "--cores" in sys.argv:
        sys.exit(main())
    allowed = sorted(os.sched_getaffinity(0))
    for count in sorted({1, len(allowed)}):
        os.sched_setaffinity(0, allowed[:count])
        code = subprocess.call([sys.executable, file, "--cores", str(count)])
        os.sched_setaffinity(0, allowed)
        if code:
            sys.exit(code)
