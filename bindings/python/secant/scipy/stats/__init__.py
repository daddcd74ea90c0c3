"""Distributions, as jax.scipy.stats."""

from secant.scipy.stats import (  # noqa: F401
    bernoulli,
    beta,
    betabinom,
    binom,
    cauchy,
    chi2,
    dirichlet,
    expon,
    gamma,
    geom,
    laplace,
    logistic,
    multinomial,
    nbinom,
    norm,
    poisson,
    t,
    uniform,
)
