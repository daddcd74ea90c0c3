"""Distributions, as jax.scipy.stats."""

from secant.scipy.stats import (  # noqa: F401
    bernoulli,
    beta,
    cauchy,
    expon,
    gamma,
    laplace,
    logistic,
    norm,
    poisson,
    t,
    uniform,
)
