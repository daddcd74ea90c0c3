"""The peer without transforms: NumPy steps in a Python loop, the Jacobian by finite differences."""
import numpy as np

import model

# The differences are this share of the size of the unknowns: masses, positions [au], velocities [au/day].
SHARE = 1e-7
SIZES = np.concatenate([np.full(4, 1e-3), np.full(12, 10.0), np.full(12, 5e-3)])


def path(p, samples):
    """The positions at every step, [samples, 3, 4]."""
    gm, x, v = model.unpack(p)
    near = np.eye(4)
    positions = np.empty((samples, 3, 4))
    for t in range(samples):
        positions[t] = x
        x, v = model.step(np, x, v, gm, near)
    return positions


def jacobian(p, samples):
    """The path and its derivative [28, samples, 3, 4] by forward differences: 29 simulations."""
    here = path(p, samples)
    rows = [(path(p + h * e, samples) - here) / h for h, e in zip(SHARE * SIZES, np.eye(model.UNKNOWNS))]
    return here, np.stack(rows)
