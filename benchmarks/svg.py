"""Pictures as SVG text for one self-contained HTML page; colours are classes of the page's style."""
import math
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 560, 300, 58, 36, 12, 14


class Axes:
    """A picture with axes over x = (x0, x1), y = (y0, y1); `log` takes the logarithm of y."""

    def __init__(self, x, y, xlabel="", ylabel="", log=False, width=WIDTH, height=HEIGHT):
        self.log = log
        self.x, self.y = x, (tuple(map(math.log10, y)) if log else y)
        self.width, self.height = width, height
        self.parts = []
        self._grid(xlabel, ylabel)

    def path(self, xs, ys, css, label=None):
        """A line through the points; values that the axis cannot show break it."""
        text, pen = [], "M"
        for x, y in zip(xs, ys):
            if not math.isfinite(y) or (self.log and y <= 0):
                pen = "M"
                continue
            text.append(f"{pen}{self._x(x):.1f} {self._y(math.log10(y) if self.log else y):.1f}")
            pen = "L"
        self.parts.append(f'<path class="line {css}" d="{"".join(text)}">{_title(label)}</path>')

    def mark(self, x, y, css, label=None, radius=3.5):
        y = math.log10(y) if self.log else y
        self.parts.append(
            f'<circle class="mark {css}" cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="{radius}">{_title(label)}</circle>'
        )

    def text(self, x, y, words, css=""):
        y = math.log10(y) if self.log else y
        self.parts.append(f'<text class="{css}" x="{self._x(x):.1f}" y="{self._y(y):.1f}">{escape(words)}</text>')

    def svg(self, title):
        body = "".join(self.parts)
        return f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(title)}">{body}</svg>'

    def _x(self, value):
        return LEFT + (value - self.x[0]) / (self.x[1] - self.x[0]) * (self.width - LEFT - RIGHT)

    def _y(self, value):
        return self.height - BOTTOM - (value - self.y[0]) / (self.y[1] - self.y[0]) * (self.height - BOTTOM - TOP)

    def _grid(self, xlabel, ylabel):
        for value in _ticks(*self.x):
            at = f"{self._x(value):.1f}"
            self.parts.append(f'<path class="grid" d="M{at} {TOP}V{self.height - BOTTOM}"/>')
            self.parts.append(f'<text class="tick" text-anchor="middle" x="{at}" y="{self.height - 20}">{value:g}</text>')
        for value in self._y_ticks():
            at = self._y(value)
            self.parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{self.width - RIGHT}"/>')
            label = f"1e{value:g}" if self.log else f"{value:g}"
            self.parts.append(f'<text class="tick" text-anchor="end" x="{LEFT - 6}" y="{at + 4:.1f}">{label}</text>')
        middle = (LEFT + self.width - RIGHT) / 2
        self.parts.append(
            f'<text class="tick" text-anchor="middle" x="{middle}" y="{self.height - 4}">{escape(xlabel)}</text>'
        )
        at = (self.height - BOTTOM + TOP) / 2
        self.parts.append(
            f'<text class="tick" text-anchor="middle" transform="translate(13 {at}) rotate(-90)">{escape(ylabel)}</text>'
        )

    def _y_ticks(self):
        if not self.log:
            return _ticks(*self.y)
        low, high = math.ceil(self.y[0]), math.floor(self.y[1])
        return range(low, high + 1, max(1, (high - low) // 7))


def bars(rows, width=WIDTH):
    """Horizontal bars on a logarithmic axis from (label, value, css, text): for times that differ by thousands."""
    low = math.log10(min(value for _, value, _, _ in rows)) - 0.5
    high = math.log10(max(value for _, value, _, _ in rows))
    parts = []
    for i, (label, value, css, text) in enumerate(rows):
        length = (math.log10(value) - low) / (high - low) * (width - 330)
        y = 8 + 34 * i
        parts.append(f'<text class="tick" text-anchor="end" x="170" y="{y + 16}">{escape(label)}</text>')
        parts.append(f'<rect class="bar {css}" x="180" y="{y}" width="{length:.1f}" height="22" rx="3"/>')
        parts.append(f'<text class="tick" x="{188 + length:.1f}" y="{y + 16}">{escape(text)}</text>')
    return f'<svg viewBox="0 0 {width} {12 + 34 * len(rows)}" role="img">{"".join(parts)}</svg>'


def table(head, rows, css=""):
    """An HTML table; the first column is text, the others are figures."""
    cells = "".join(f"<th>{escape(str(word))}</th>" for word in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table class="{css}"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _title(label):
    return f"<title>{escape(label)}</title>" if label else ""


def _ticks(low, high):
    """About six round numbers between low and high."""
    raw = (high - low) / 6
    power = 10 ** math.floor(math.log10(raw))
    size = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.ceil(low / size)
    return [round(i * size, 10) for i in range(first, math.floor(high / size + 1e-9) + 1)]
