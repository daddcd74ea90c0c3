"""Interpolation on grids, as jax.scipy.interpolate."""

import itertools

import numpy as np

from secant import numpy as jnp


class RegularGridInterpolator:
    """A function that interpolates values on a rectangular grid.

    Parameters
    ----------
    points : for each axis its ascending (or descending) places.  values : an array; further axes go along.
    method : "linear" or "nearest".
    bounds_error : must be False.  fill_value : for points outside; None extrapolates.
    """

    def __init__(self, points, values, method="linear", bounds_error=False, fill_value=np.nan):
        if method not in ("linear", "nearest"):
            raise ValueError(f"method {method!r} is not defined")
        self.method, self.bounds_error, self.fill_value = method, bounds_error, fill_value
        if bounds_error:
            raise NotImplementedError("`bounds_error` takes no effect under JIT")
        self.values = jnp.asarray(values)
        if not self.values.aval.is_float:
            self.values = self.values.astype(float)
        if len(points) > self.values.ndim:
            raise ValueError(f"there are {len(points)} point arrays, but values has {self.values.ndim} dimensions")
        self.grid = []
        for i, p in enumerate(points):
            p = np.asarray(p)
            if p.ndim != 1:
                raise ValueError("the points must be 1-dimensional")
            if self.values.shape[i] != p.shape[0]:
                raise ValueError(f"there are {p.shape[0]} points and {self.values.shape[i]} values in dimension {i}")
            steps = np.diff(p)
            if not ((steps > 0).all() or (steps < 0).all()):
                raise ValueError(f"the points in dimension {i} must be strictly ascending or descending")
            if (steps < 0).all():
                p, self.values = p[::-1], jnp.flip(self.values, i)
            self.grid.append(jnp.asarray(p.copy()))

    def __call__(self, xi, method=None):
        """The interpolated values at points, coordinates along the last axis (or a tuple of arrays)."""
        method = self.method if method is None else method
        if method not in ("linear", "nearest"):
            raise ValueError(f"method {method!r} is not defined")
        if isinstance(xi, tuple):
            xi = jnp.stack(jnp.broadcast_arrays(*map(jnp.asarray, xi)), -1)
        xi = jnp.asarray(xi)
        n = len(self.grid)
        if xi.shape[-1] != n:
            raise ValueError(f"the requested sample points xi have dimension {xi.shape[-1]} but this RegularGridInterpolator has dimension {n}")
        shape = xi.shape[:-1] or (1,)
        xi = xi.reshape(-1, n)
        places, shares, outside = [], [], jnp.zeros(xi.shape[0], bool)
        for k, grid in enumerate(self.grid):
            x = xi[:, k]
            at = jnp.clip(jnp.searchsorted(grid, x) - 1, 0, grid.shape[0] - 2)
            places.append(at)
            shares.append((x - grid[at]) / (grid[at + 1] - grid[at]))
            outside = outside | (x < grid[0]) | (x > grid[-1])
        out = self._linear(places, shares) if method == "linear" else self._nearest(places, shares)
        rest = self.values.shape[n:]
        if self.fill_value is not None:
            out = jnp.where(outside.reshape(-1, *[1] * len(rest)), self.fill_value, out)
        return out.reshape(*shape, *rest)

    def _nearest(self, places, shares):
        return self.values[tuple(jnp.where(s <= 0.5, i, i + 1) for i, s in zip(places, shares))]

    def _linear(self, places, shares):
        total = 0.0
        extra = [1] * (self.values.ndim - len(self.grid))
        for corner in itertools.product((0, 1), repeat=len(places)):
            weight = 1.0
            for upper, s in zip(corner, shares):
                weight = weight * (s if upper else 1 - s)
            value = self.values[tuple(i + upper for i, upper in zip(places, corner))]
            total = total + value * weight.reshape(-1, *extra)
        return total
