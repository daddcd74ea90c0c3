"""Functions of SciPy on Secant's arrays: special, linalg, signal, stats."""

from secant.scipy import linalg, signal, special, stats  # noqa: F401
