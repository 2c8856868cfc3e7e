"""Smooth displacement of the face around a mouth: thin-plate splines that fade to nothing outside the face."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep

FloatT = TypeVar("FloatT", bound=np.floating)

SPLINE_SMOOTHING = 2e-4
"""Lambda of the spline: small enough that the lips land within 0.003 IOD, large enough to forgive a noisy landmark."""

LEFT, RIGHT = -1.25, 1.25
TOP, BOTTOM = -0.15, 2.55
FADED_ABOVE = 0.30
"""Height (IOD below the eyes) above which nothing moves."""

FADE_ACROSS, FADE_DOWN = 0.25, 0.30
"""IOD over which the movement fades at the sides of that box, and at its top and bottom."""

GRID = (48, 48)
"""Columns and rows of the coarse field over that box of the head frame."""

TOP_OF_MOTION = FADED_ABOVE - (BOTTOM - TOP) / (GRID[1] - 1)
"""Height above which no box of what is displaced reaches: a cell more than what moves."""

JAW_FALLOFF, CHIN_FALLOFF = 0.12, 0.28
"""Share of the face's radius outside its outline within which the movement dies: what stands behind a face keeps still,
while the skin under a chin follows it a little way."""


JAW_TO_CHIN = [0.75 * np.pi, np.pi, 1.25 * np.pi]
"""Angles from straight up: of one jaw, the chin, and the other jaw."""

INVISIBLE_DISPLACEMENT = 1e-4
"""IOD: what moves less shows the same pixels (0.01 px of a 100 px IOD)."""


@dataclass(frozen=True)
class ControlPoints:
    """Points of the face, head frame.

    Attributes:
        target: float64 (points, 2), where they shall be.
        source: float64 (points, 2), where the presenter has them.
    """

    target: NDArray[np.float64]
    source: NDArray[np.float64]


def _fade() -> NDArray[np.float32]:
    """(rows, columns, 1): 1 over the lower face, exactly 0 along the border and above the eyes' lower rim."""
    columns, rows = GRID
    x, y = np.linspace(LEFT, RIGHT, columns), np.linspace(TOP, BOTTOM, rows)
    step = max((RIGHT - LEFT) / (columns - 1), (BOTTOM - TOP) / (rows - 1))
    sides = smoothstep(0, FADE_ACROSS, np.minimum(x - LEFT, RIGHT - x) - step)
    down = smoothstep(0, FADE_DOWN, y - FADED_ABOVE) * smoothstep(0, FADE_DOWN, BOTTOM - y - step)
    return (down[:, None] * sides[None, :])[..., None].astype(np.float32)


class DisplacementGrid:
    """Evaluates splines on one fixed coarse grid of the head frame."""

    def __init__(self) -> None:
        columns, rows = GRID
        x, y = np.linspace(LEFT, RIGHT, columns, dtype=np.float32), np.linspace(TOP, BOTTOM, rows, dtype=np.float32)
        points, fade = np.stack([a.ravel() for a in np.meshgrid(x, y)], axis=1), _fade().ravel()
        self._moving = np.flatnonzero(fade)
        self._points, self._fade = points[self._moving], fade[self._moving]

    def displacement(
        self, shared: ControlPoints, layers: Sequence[ControlPoints], outline: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return what to add to an output place to find its place in the presenter, for each of the layers.

        Args:
            shared: control points that hold in every layer.
            outline: (17, 2), the face's border from ear to ear by the chin.

        Returns:
            Float32 (rows, columns, 2 x layers), IOD.
        """
        columns, rows = GRID
        share = self._fade * self._within(outline)
        # Outside the face, about half of the grid, nothing moves whatever the splines say.
        moving = np.flatnonzero(share)
        points, share = self._points[moving], share[moving, None]
        common = _basis(points, shared)
        field = np.zeros((rows * columns, 2 * len(layers)), np.float32)
        field[self._moving[moving]] = np.concatenate(
            [_field(points, shared, common, layer) * share for layer in layers], axis=1
        )
        return field.reshape(rows, columns, -1)

    def _within(self, outline: NDArray[np.float64]) -> NDArray[np.float32]:
        """(points,): 1 inside the face, falling to 0 outside it."""
        centre = (outline[0] + outline[-1]) / 2
        border, place = outline - centre, self._points - centre.astype(np.float32)
        # Angles from straight down; an outline that turns back on itself is taken as it comes, ear to ear.
        angle = np.maximum.accumulate(np.arctan2(-border[:, 0], -border[:, 1]) % (2 * np.pi))
        here = np.arctan2(-place[:, 0], -place[:, 1]) % (2 * np.pi)
        radius = np.interp(here, angle, np.hypot(border[:, 0], border[:, 1]))
        downward = np.interp(here, JAW_TO_CHIN, [0, 1, 0])
        width = JAW_FALLOFF + (CHIN_FALLOFF - JAW_FALLOFF) * downward
        outside = np.hypot(place[:, 0], place[:, 1]) / radius - 1
        return (1 - smoothstep(0, width, outside)).astype(np.float32)


def _basis(points: NDArray[np.float32], anchors: ControlPoints) -> NDArray[np.float32]:
    return _kernel(_squared_distances(points, anchors.target.astype(np.float32)))


def _field(
    points: NDArray[np.float32], shared: ControlPoints, common: NDArray[np.float32], layer: ControlPoints
) -> NDArray[np.float32]:
    """What a layer's spline says at the points, (points, 2); ``common`` is the basis of what it shares with others."""
    target = np.concatenate([shared.target, layer.target])
    source = np.concatenate([shared.source, layer.source])
    weights, affine = _solve(target, source - target)
    split = len(shared.target)
    bent = common @ weights[:split] + _basis(points, layer) @ weights[split:]
    return bent + affine[0] + points @ affine[1:]


def displaced_box(
    field: NDArray[np.float32], spots: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return least and greatest x and y, (2,) each, IOD, of what a field moves, widened by ``spots`` (points, 2)."""
    columns, rows = GRID
    x, y = np.linspace(LEFT, RIGHT, columns), np.linspace(TOP, BOTTOM, rows)
    moves = np.any(np.abs(field) > INVISIBLE_DISPLACEMENT, axis=2)
    across, down = np.flatnonzero(np.any(moves, axis=0)), np.flatnonzero(np.any(moves, axis=1))
    (left, top), (right, bottom) = spots.min(axis=0), spots.max(axis=0)
    if len(across):
        # A cell more on each side: between the grid's points the field is a straight line.
        left, right = min(left, x[max(across[0] - 1, 0)]), max(right, x[min(across[-1] + 1, columns - 1)])
        top, bottom = min(top, y[max(down[0] - 1, 0)]), max(bottom, y[min(down[-1] + 1, rows - 1)])
    return np.array([left, top], np.float64), np.array([right, bottom], np.float64)


def _solve(target: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (points, 2) and affine part (3, 2) of the smoothing spline that takes ``values`` at the targets."""
    count = len(target)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(_squared_distances(target, target)) + SPLINE_SMOOTHING * np.eye(count)
    system[:count, count] = system[count, :count] = 1
    system[:count, count + 1 :] = target
    system[count + 1 :, :count] = target.T
    solution = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))])).astype(np.float32)
    return solution[:count], solution[count:]


def _squared_distances(a: NDArray[FloatT], b: NDArray[FloatT]) -> NDArray[FloatT]:
    squared = a @ b.T
    squared *= -2
    squared += (a * a).sum(axis=1)[:, None]
    squared += (b * b).sum(axis=1)
    return np.maximum(squared, 0, out=squared)


def _kernel(squared: NDArray[FloatT]) -> NDArray[FloatT]:
    """r^2 log r, the thin plate's fundamental solution (Bookstein 1989)."""
    squared_log = np.log(squared + squared.dtype.type(1e-12))
    squared_log *= squared
    squared_log *= 0.5
    return squared_log
