"""The page of the main job: one HTML file with its pictures inside, light or dark as the reader's system is."""
from html import escape

import harness
import svg

STYLE = """
:root { --paper: #fbfaf7; --ink: #22262b; --soft: #6a7076; --rule: #dcdad3; --card: #ffffff;
  --c0: #c2701c; --c1: #8a7a14; --c2: #16857a; --c3: #3a5fc4; --bad: #c23b3b; --good: #2f8f4e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e6e4df; --soft: #9aa0a6; --rule: #2d3238;
  --card: #1b1f24; --c0: #f0a45a; --c1: #d9c65a; --c2: #58c9bb; --c3: #8aa8ff; --bad: #f07a7a; --good: #6fd08c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 40px 20px 64px; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .3em; }
h2 { font-size: 1.05rem; margin: 0 0 .6em; }
p { max-width: 68ch; margin: .4em 0 1em; } .soft, figcaption { color: var(--soft); font-size: .9rem; }
figcaption { margin-top: 8px; }
.grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 18px; margin: 22px 0; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 18px 20px; min-width: 0; }
svg { width: 100%; height: auto; display: block; } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .88rem; margin-bottom: 10px; }
th, td { padding: .3em .45em; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.grid { stroke: var(--rule); stroke-width: 1; fill: none; } .tick { fill: var(--soft); font-size: 12px; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; } text { fill: var(--ink); font-size: 13px; }
path.c0 { stroke: var(--c0); } path.c1 { stroke: var(--c1); } path.c2 { stroke: var(--c2); } path.c3 { stroke: var(--c3); }
.mark.c0, .bar.c0, text.c0 { fill: var(--c0); } .mark.c1, text.c1 { fill: var(--c1); } .mark.c2, text.c2 { fill: var(--c2); }
.mark.c3, .bar.c3, text.c3 { fill: var(--c3); } .bar.soft { fill: var(--soft); } .mark.sun { fill: var(--bad); }
.before { stroke-dasharray: 5 3; opacity: .65; } .ok { color: var(--good); } .off { color: var(--bad); }
.key { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: .9rem; margin: .5em 0 0; }
.key i { display: inline-block; width: 18px; height: 3px; vertical-align: middle; margin-right: 6px; border-radius: 2px; }
"""


def page(model, years, orbits, errors, steps, times, compiled, size, machine):
    """The HTML text.  errors: [before, after][planet] -> distance to JPL by time; steps: of the fit, with p and misfit."""
    masses = steps[-1]["p"][:4]
    off = max(abs(1 / m / known - 1) for m, known in zip(masses, model.KNOWN))
    verdict = f'<span class="{"ok" if off <= model.TOLERANCE else "off"}">within {off:.1e} of the known values</span>'
    sections = [
        (
            "Sixty years of four planets",
            picture_orbits(model, orbits),
            "Positions by JPL, seen from above the ecliptic; unit au.",
        ),
        (
            "Masses: Sun / planet",
            masses_table(model, masses) + steps_table(model, steps),
            "Known: IAU 2009 system of astronomical constants, moons included. "
            "Misfit: root mean square of all coordinates (au).",
        ),
        (
            "Distance between model and JPL",
            picture_errors(years, errors),
            "Dashed: at the start, when planets weigh nothing. Solid: at the end.",
        ),
        (
            "Convergence",
            picture_steps(model, steps),
            "Error of each mass at each Gauss-Newton step, relative to the known value. "
            "It stops where the inner planets, counted as part of the Sun, limit the model.",
        ),
        (
            f"The same derivative, {size[0]} x {size[1]} numbers",
            picture_times(times),
            "Best time of one Jacobian (NumPy: one run); logarithmic axis.",
        ),
        ("Times", times_table(times, compiled), machine),
    ]
    body = "".join(
        f"<section><h2>{escape(title)}</h2>{content}<figcaption>{escape(note)}</figcaption></section>"
        for title, content, note in sections
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Weighing the giant planets</title><style>{STYLE}</style></head><body><main>
<h1>Weighing the giant planets</h1>
<p>From nothing but positions (JPL DE421, 1950-2010) Secant finds the masses of Jupiter, Saturn, Uranus and Neptune:
{verdict}. The model is a loop of {len(years)} steps of 20 days; its derivative by 4 masses and 24 initial values is one
pass of 28 tangents side by side, <code>vmap</code> of <code>jvp</code> of <code>scan</code>, compiled.</p>
<p class="soft">Start: masses 0, misfit {steps[0]["misfit"]:.1e} au. End, after {len(steps) - 1} steps: {steps[-1]["misfit"]:.1e} au.</p>
<div class="grid2">{body}</div></main></body></html>
"""


def key(names):
    items = "".join(f'<span><i style="background:var(--c{i})"></i>{escape(name)}</span>' for i, name in enumerate(names))
    return f'<div class="key">{items}</div>'


def picture_orbits(model, orbits):
    axes = svg.Axes((-34, 34), (-34, 24), "x (au)", "y (au)", height=463)
    for i, (x, y) in enumerate(orbits):
        axes.path(x[::2], y[::2], f"c{i}", model.NAMES[i])
        axes.mark(x[-1], y[-1], f"c{i}", model.NAMES[i])
        axes.text(x[-1] + 1, y[-1] + 0.6, model.NAMES[i], f"c{i}")
    axes.mark(0, 0, "sun", "Sun")
    return axes.svg("orbits of the four planets")


def picture_errors(years, errors):
    axes = svg.Axes((1950, 2010), (1e-8, 1), "year", "au", log=True, height=330)
    for css, planets in zip(("before", "after"), errors):
        for i, values in enumerate(planets):
            axes.path(years[::3], values[::3], f"{css} c{i}")
    return axes.svg("distance by year, before and after") + key(("Jupiter", "Saturn", "Uranus", "Neptune"))


def picture_steps(model, steps):
    last = len(steps) - 1
    axes = svg.Axes((0, last), (1e-7, 10), "step", "relative error of the mass", log=True, height=330)
    for i, known in enumerate(model.KNOWN):
        errors = [abs(step["p"][i] * known - 1) for step in steps]
        axes.path(range(last + 1), errors, f"c{i}", model.NAMES[i])
        for k, error in enumerate(errors):
            axes.mark(k, max(error, 1e-7), f"c{i}", f"{model.NAMES[i]}, step {k}: {error:.1e}")
    return axes.svg("error of each mass by step") + key(model.NAMES)


def masses_table(model, masses):
    rows = [
        (name, f"{1 / m:.2f}", f"{known:.2f}", f"{1 / m / known - 1:+.1e}")
        for name, m, known in zip(model.NAMES, masses, model.KNOWN)
    ]
    return svg.table(("planet", "found", "known", "difference"), rows)


def steps_table(model, steps):
    rows = []
    for number, step in enumerate(steps):
        ratios = (f"{1 / m:.2f}" if m else "-" for m in step["p"][:4])
        rows.append((number, f"{step['misfit']:.1e}", *ratios))
    return svg.table(("step", "misfit", *model.NAMES), rows)


def picture_times(times):
    base = next(iter(times.values())).best
    rows = []
    for name, t in times.items():
        css = "c3" if name.startswith("Secant") else "c0" if name.startswith("JAX") else "soft"
        rows.append((name, t.best, css, f"{harness.span(t.best)}, {base / t.best:.0f}x"))
    return svg.bars(rows)


def times_table(times, compiled):
    base = next(iter(times.values())).best
    rows = [
        (name, harness.span(t.best), harness.span(t.median), f"{base / t.best:.0f}x", compile_time(name, compiled))
        for name, t in times.items()
    ]
    return svg.table(("peer", "best", "median", "vs NumPy", "compile"), rows)


def compile_time(name, compiled):
    return harness.span(compiled[name.split(",")[0]]) if name.split(",")[0] in compiled else "-"
