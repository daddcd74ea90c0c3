"""The model of the giant planets: one text for NumPy, JAX and Secant.

Sun and four planets attract each other; positions are seen from the Sun.  The unknowns are one vector p of 28:
four masses (Sun = 1), then the positions [au] and the velocities [au/day] of the first day, each [xyz, planet].
Arrays are [xyz, planet], so that the innermost loops run over planets.
"""
import os

import numpy

NAMES = ("Jupiter", "Saturn", "Uranus", "Neptune")
KNOWN = (1047.348644, 3497.9018, 22902.98, 19412.26)  # Sun / planet with moons: IAU 2009 system of constants
TOLERANCE = 5e-4  # relative, of each mass
STEP = 20.0  # days
UNKNOWNS = 28

# Gauss's constant squared is the Sun's GM in au^3/day^2 (exactly so in DE421).  The inner planets are not
# modelled one by one: their masses (IAU 2009) are added to the Sun's.
INNER = 1 / 6023600.0 + 1 / 408523.719 + 1 / 328900.5596 + 1 / 3098703.59
GM_SUN = 0.01720209895**2
GM_CENTRE = GM_SUN * (1 + INNER)

# Forest-Ruth: drift, kick, drift, kick, drift, kick, drift, with these shares of the step.
# E. Forest, R. D. Ruth, Physica D 43 (1990) 105, eq. 4.8.
THETA = 1 / (2 - 2 ** (1 / 3))
DRIFTS = (THETA / 2, (1 - THETA) / 2, (1 - THETA) / 2, THETA / 2)
KICKS = (THETA, 1 - 2 * THETA, THETA)


def load():
    """The positions by JPL as f64[time, 3, 4] and their Julian days."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "planets.csv")
    with open(path) as file:
        rows = [line for line in file if line[0].isdigit()]
    table = numpy.array([[float(x) for x in row.split(",")] for row in rows])
    return table[:, 1:].reshape(-1, 3, 4), table[:, 0]


def start(seen):
    """The first guess: planets weigh nothing; velocities from the first five positions by differences."""
    velocity = numpy.tensordot([-25 / 12, 4, -3, 4 / 3, -1 / 4], seen[:5], 1) / STEP
    return numpy.concatenate([numpy.zeros(4), seen[0].ravel(), velocity.ravel()])


def acceleration(np, x, gm, near):
    """Seen from the Sun: its pull, the planets' pull, less the planets' pull on the Sun.

    x: [3, 4]; gm: [4]; near: the identity [4, 4], which keeps the distance of a planet to itself from being 0.
    """
    d = x[:, None, :] - x[:, :, None]  # d[:, i, j]: from planet i to planet j
    r2 = np.sum(d * d, axis=0) + near
    s2 = np.sum(x * x, axis=0)
    sun = x / (s2 * np.sqrt(s2))
    pull = np.sum(d * (gm / (r2 * np.sqrt(r2))), axis=2)
    return pull - GM_CENTRE * sun - np.sum(gm * sun, axis=1, keepdims=True)


def step(np, x, v, gm, near):
    """One step of Forest and Ruth's symplectic integrator of 4th order."""
    for drift, kick in zip(DRIFTS, KICKS):
        x = x + (drift * STEP) * v
        v = v + (kick * STEP) * acceleration(np, x, gm, near)
    return x + (DRIFTS[3] * STEP) * v, v


def unpack(p):
    """gm [4], x [3, 4], v [3, 4] out of the vector of unknowns."""
    return GM_SUN * p[:4], p[4:16].reshape(3, 4), p[16:].reshape(3, 4)


def make(api, samples):
    """The functions of the fit from `api`, JAX's or Secant's: api.numpy, api.lax, api.vmap, api.jvp."""
    np = api.numpy

    def path(p):
        """The positions at every step, [samples, 3, 4]."""
        gm, x, v = unpack(p)
        near = np.eye(4, dtype=p.dtype)

        def advance(state, _):
            return step(np, *state, gm, near), state[0]

        return api.lax.scan(advance, (x, v), None, length=samples)[1]

    def jacobian(p):
        """The path and its derivative [28, samples, 3, 4]: one pass with 28 tangents side by side."""

        def along(direction):
            return api.jvp(path, (p,), (direction,))

        return api.vmap(along, out_axes=(None, 0))(np.eye(UNKNOWNS, dtype=p.dtype))

    def improve(p, seen):
        """One step of Gauss and Newton; the unknowns are scaled to columns of length one."""
        here, j = jacobian(p)
        r, j = (here - seen).reshape(-1), j.reshape(UNKNOWNS, -1)
        scale = np.sqrt(np.sum(j * j, axis=1))
        j = j / scale[:, None]
        return p - np.linalg.solve(j @ j.T, j @ r) / scale

    return path, jacobian, improve
