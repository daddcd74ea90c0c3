"""Functions of SciPy on Secant's arrays: special, linalg, stats."""

from secant.scipy import linalg, special, stats  # noqa: F401
