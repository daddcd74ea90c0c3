"""Weigh the giant planets: Gauss-Newton on 60 years of JPL positions, from nothing but positions.

    python planets.py [--module secant|jax]

Prints the steps, a plot and the times of the Jacobian; writes build/report.html; ends with status 1 if a mass is off
by more than 5e-4 of the known value.  With --module jax the same program runs on JAX.
"""
import argparse
import importlib
import os
import sys
import time

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import harness
import model
import model_numpy
import plot
import report

COLOURS = ("yellow", "green", "cyan", "blue")
MOST_STEPS = 8


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--module", default="secant", help="secant (default) or jax")
    options.add_argument("--report", default=os.path.join(HERE, "..", "..", "build", "report.html"))
    options = options.parse_args()

    api = module(options.module)
    seen, days = model.load()
    print("Secant: weighing the giant planets from 60 years of JPL positions (DE421, 1950-2010)")
    steps, before, after = fit(api, seen)
    print_known()
    print_plots(seen, days, before, after)
    times, compiled, columns = time_jacobian(options.module, api, seen, steps[-1])
    off = [abs(1 / mass / known - 1) for mass, known in zip(steps[-1]["p"][:4], model.KNOWN)]
    write_report(options.report, seen, days, steps, (before, after), times, compiled, columns)
    bad = [name for name, error in zip(model.NAMES, off) if not error <= model.TOLERANCE]
    print(f"\n  masses within {max(off):.1e} of the known values" + (f"; OFF: {', '.join(bad)}" if bad else ": ok"))
    print(f"  report: {os.path.relpath(options.report)}")
    return 1 if bad else 0


def module(name):
    """The module the program runs on; 64-bit numbers are a flag in JAX."""
    api = importlib.import_module(name)
    importlib.import_module(f"{name}.numpy")
    if name == "jax":
        api.config.update("jax_enable_x64", True)
    return api


def fit(api, seen):
    """Gauss-Newton until the misfit stands still: the steps, the residuals at the start and at the end [time, 3, 4]."""
    path, _, improve = (api.jit(f) for f in model.make(api, len(seen)))
    observed = api.numpy.asarray(seen)
    p = api.numpy.asarray(model.start(seen))
    steps, residuals = [], []
    print(f"  {'step':>4}{'misfit (au)':>14}" + "".join(f"{'Sun/' + name:>14}" for name in model.NAMES))
    while len(steps) <= MOST_STEPS:
        r = numpy.asarray(path(p)) - seen
        steps.append({"p": numpy.asarray(p), "misfit": float(numpy.sqrt(numpy.mean(r * r)))})
        residuals.append(r)
        print_step(len(steps) - 1, steps[-1])
        if len(steps) > 1 and abs(steps[-1]["misfit"] / steps[-2]["misfit"] - 1) < 1e-4:
            break
        p = improve(p, observed)
    return steps, residuals[0], residuals[-1]


def print_step(number, step):
    masses = step["p"][:4]
    ratios = "".join(f"{1 / m:14.2f}" if m else f"{'-':>14}" for m in masses)
    note = "   start: planets weigh nothing" if not masses.any() else ""
    print(f"  {number:>4}{step['misfit']:14.1e}{ratios}{note}", flush=True)


def print_known():
    print(f"  known{'':13}" + "".join(f"{known:14.2f}" for known in model.KNOWN) + "   (IAU 2009)\n")


def print_plots(seen, days, before, after):
    """Orbits from above the ecliptic, and the distance between model and JPL on a log axis."""
    orbits = plot.Canvas(34, 16, (-32, 32), (-32, 32))
    for i, colour in enumerate(COLOURS):
        x, y = ecliptic(seen[:, :, i])
        orbits.points(x, y, colour)
    orbits.dot(0, 0, "red")
    misfit = plot.Canvas(62, 16, (days[0], days[-1]), (-8, 0))
    for error, colour in ((before, "red"), (after, "green")):
        misfit.points(days, numpy.log10(distance(error) + 1e-12), colour)
    legend = "  orbits seen from above: " + ", ".join(plot.paint(n, c) for n, c in zip(model.NAMES, COLOURS))
    print(legend)
    words = f"{plot.paint('before', 'red')} (upper), {plot.paint('after', 'green')} (lower)"
    print(f"  distance to JPL's Jupiter, 1950-2010 (au): {words}")
    print("\n".join("  " + line for line in plot.beside(orbits.lines(), plot.decades(misfit))))


def ecliptic(xyz):
    """x and y in the plane of the Earth's orbit: equatorial coordinates turned by the obliquity of J2000."""
    angle = numpy.radians(84381.406 / 3600)
    return xyz[:, 0], numpy.cos(angle) * xyz[:, 1] + numpy.sin(angle) * xyz[:, 2]


def distance(error, planet=0):
    """Length of the residual vectors of one planet, [time]."""
    return numpy.sqrt(numpy.sum(error[:, :, planet] ** 2, axis=1))


def time_jacobian(name, api, seen, last):
    """Times of the same Jacobian by all peers, compared first.  Returns times, compile times, the number of columns."""
    cases, compiled = {}, {}
    p = last["p"]
    for label, peer, threads in peers(name, api):
        cases[label], seconds = prepare(peer, threads, p, len(seen))
        compiled.setdefault(label.split(",")[0], seconds)
    results = {label: run() for label, run in cases.items()}
    harness.agree("Jacobian", results, 1e-9)
    start = time.perf_counter()
    differences = model_numpy.jacobian(p, len(seen))
    numpy_time = time.perf_counter() - start
    harness.agree("Jacobian and differences", {"NumPy": differences, **results}, 1e-3)

    times = {"NumPy, finite differences": harness.Times([numpy_time])} | harness.interleave(cases, seconds=3, most=60)
    rows, columns = seen.size, model.UNKNOWNS
    print(f"\n  the same derivative ({rows} x {columns} numbers){'':8}{'best':>10}{'median':>10}{'vs NumPy':>10}")
    for label, t in times.items():
        print(f"    {label:38}{harness.span(t.best):>10}{harness.span(t.median):>10}{numpy_time / t.best:>9.0f}x")
    print("  compile: " + ", ".join(f"{label} {harness.span(seconds)}" for label, seconds in compiled.items()))
    print(f"  {harness.machine()}")
    return times, compiled, (rows, columns)


def peers(name, api):
    """(label, module, threads) of the compiled peers; threads None: as the module chooses."""
    title = "JAX" if name == "jax" else "Secant"
    if name == "jax":
        yield title, api, None
        return
    counts = sorted({1, harness.cores()})
    for count in counts:
        yield f"{title}, {count} core{'s' if count > 1 else ''}", api, count
    jax = harness.jax(x64=True)
    if jax:
        yield "JAX", jax, None


def prepare(api, threads, p, samples):
    """The compiled Jacobian as a function without arguments, and the seconds it took to trace and compile."""
    jacobian = model.make(api, samples)[1]
    p = api.numpy.asarray(p)
    api.clear_caches()  # the fit compiled the same kernels
    start = time.perf_counter()
    compiled = api.jit(jacobian).lower(p).compile()
    seconds = time.perf_counter() - start

    def run():
        if threads:
            api.config.update("num_threads", threads)
        return harness.wait(compiled(p))

    return run, seconds


def write_report(path, seen, days, steps, residuals, times, compiled, size):
    """One HTML file with everything printed, as pictures."""
    years = 1950 + (days - days[0]) / 365.25
    orbits = [ecliptic(seen[:, :, i]) for i in range(4)]
    errors = [[distance(r, i) for i in range(4)] for r in residuals]
    page = report.page(model, years, orbits, errors, steps, times, compiled, size, harness.machine())
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(page)


if __name__ == "__main__":
    sys.exit(main())
