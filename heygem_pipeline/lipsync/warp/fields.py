"""Smooth displacement of the face around a mouth: thin-plate splines that fade to nothing at the patch's border."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 2e-4
"""Lambda of the spline: small enough that the lips land within 0.003 IOD, large enough to forgive a noisy landmark."""

LEFT, RIGHT = -1.25, 1.25
TOP, BOTTOM = -0.15, 2.55
GRID = (48, 48)
"""Columns and rows of the coarse field over that box of the head frame."""


@dataclass(frozen=True)
class Anchors:
    """Points of a layer: where they are in the output and where their pixels lie in the template, head frame, (points, 2)."""

    target: NDArray[np.float64]
    source: NDArray[np.float64]


def _fade() -> NDArray[np.float32]:
    """(rows, columns, 1): 1 over the lower face, exactly 0 along the border and above the eyes' lower rim."""
    columns, rows = GRID
    x, y = np.linspace(LEFT, RIGHT, columns), np.linspace(TOP, BOTTOM, rows)

    def ramp(distance: NDArray[np.float64], length: float) -> NDArray[np.float64]:
        share = np.clip(distance / length, 0, 1)
        return share * share * (3 - 2 * share)

    step = max((RIGHT - LEFT) / (columns - 1), (BOTTOM - TOP) / (rows - 1))
    sides = ramp(np.minimum(x - LEFT, RIGHT - x) - step, 0.25)
    down = ramp(y - 0.30, 0.30) * ramp(BOTTOM - y - step, 0.30)
    return (down[:, None] * sides[None, :])[..., None].astype(np.float32)


class DisplacementGrid:
    """Evaluates splines on one fixed coarse grid of the head frame."""

    def __init__(self) -> None:
        columns, rows = GRID
        self.x = np.linspace(LEFT, RIGHT, columns, dtype=np.float32)
        self.y = np.linspace(TOP, BOTTOM, rows, dtype=np.float32)
        grid_x, grid_y = np.meshgrid(self.x, self.y)
        self._points = np.stack([grid_x.ravel(), grid_y.ravel()], axis=1)
        self._fade = _fade()

    def displacement(self, anchors: Anchors) -> NDArray[np.float32]:
        """float32 (rows, columns, 2): what to add to an output place to find its place in the template."""
        target = anchors.target
        count = len(target)
        system = np.zeros((count + 3, count + 3))
        system[:count, :count] = _kernel(_squared_distances(target, target)) + SMOOTHING * np.eye(count)
        system[:count, count] = system[count, :count] = 1
        system[:count, count + 1 :] = target
        system[count + 1 :, :count] = target.T
        values = np.zeros((count + 3, 2))
        values[:count] = anchors.source - target
        weights = np.linalg.solve(system, values).astype(np.float32)
        basis = _kernel(_squared_distances(self._points, target.astype(np.float32)))
        field = basis @ weights[:count] + weights[count] + self._points @ weights[count + 1 :]
        columns, rows = GRID
        return field.reshape(rows, columns, 2) * self._fade


def _squared_distances(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    dx = a[:, :1] - b[:, 0]
    dy = a[:, 1:] - b[:, 1]
    return dx * dx + dy * dy


def _kernel(squared: NDArray[np.floating]) -> NDArray[np.floating]:
    """r^2 log r, the thin plate's fundamental solution (Bookstein 1989)."""
    return squared * np.log(squared + 1e-12) * squared.dtype.type(0.5)
