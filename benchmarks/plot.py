"""Plots for a terminal, of braille characters: 2 x 4 dots each."""
import math
import os
import sys

DOT = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # [row][column] of a character
COLOURS = {"blue": 34, "cyan": 36, "green": 32, "yellow": 33, "red": 31, "magenta": 35, "grey": 90}


def paint(text, colour):
    """`text` in `colour`, if the output is a terminal and the user has not set NO_COLOR."""
    if colour is None or "NO_COLOR" in os.environ or not sys.stdout.isatty():
        return text
    return f"\033[{COLOURS[colour]}m{text}\033[0m"


class Canvas:
    """A grid of dots over the rectangle x = (x0, x1), y = (y0, y1); y grows upwards."""

    def __init__(self, width, height, x, y):
        self.width, self.height, self.x, self.y = width, height, x, y
        self.bits = [[0] * width for _ in range(height)]
        self.colour = [[None] * width for _ in range(height)]

    def dot(self, x, y, colour=None):
        """Sets the dot at (x, y); outside the rectangle nothing happens."""
        column = self._place(x, self.x, 2 * self.width)
        row = self._place(y, self.y, 4 * self.height)
        if column is None or row is None:
            return
        row = 4 * self.height - 1 - row
        self.bits[row // 4][column // 2] |= DOT[row % 4][column % 2]
        self.colour[row // 4][column // 2] = colour

    def points(self, xs, ys, colour=None):
        for x, y in zip(xs, ys):
            self.dot(x, y, colour)

    def lines(self):
        """The picture, one string a line."""
        return [
            "".join(paint(chr(0x2800 + bits), colour) for bits, colour in zip(*row))
            for row in zip(self.bits, self.colour)
        ]

    @staticmethod
    def _place(value, limits, count):
        low, high = limits
        if not math.isfinite(value) or not low <= value <= high:
            return None
        return min(int((value - low) / (high - low) * count), count - 1)


def decades(canvas, colour=None):
    """The lines of `canvas`, whose y is a power of ten, with labels on the left."""
    low, high = canvas.y
    labels = {}
    for power in range(math.ceil(low), math.floor(high) + 1):
        row = canvas.height - 1 - min(int((power - low) / (high - low) * canvas.height), canvas.height - 1)
        labels[row] = f"1e{power:+03d}"
    return [paint(f"{labels.get(i, ''):>6} ", colour) + line for i, line in enumerate(canvas.lines())]


def beside(left, right, gap=3):
    """Two pictures side by side."""
    return [a + " " * gap + b for a, b in zip(left, right)]
