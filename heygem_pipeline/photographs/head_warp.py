"""A photograph's head turned a little: its picture is bent within the head and around it, and untouched beyond."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.faces.mesh_points import OUTER_EYE_CORNERS

Points = NDArray[np.float64]
Pixels = NDArray[np.uint8]

FOREHEAD, CHIN, TEMPLES = 10, 152, (234, 454)
"""Vertices at the face's top, at its bottom, and at its sides."""
NOSE_TIP = 4

HAIR = (0.30, 1.32, 1.45)
"""The head with its hair, in halves of the face: its middle lies so far up, and so wide and high it is."""

FADE = 0.75
"""Size of the head beyond it within which the movement dies."""

PIVOT = NECK = 0.9
"""Eye distances below the chin on which a head leans, and where it ends."""

BULGE, NOSE = 0.85, 0.22
"""Eye distances by which the middle of a face lies before its rim, and the tip of the nose before that."""

EDGE = 0.35
"""Eye distances from the picture's edge within which the movement dies: nothing comes in from beyond it."""

CELLS = 7
"""Points of the grid for an eye distance: all movement is smooth."""


class Placement(NamedTuple):
    """How a head is held: angles in radians, growth as a share, shifts in eye distances, to the right and up."""

    yaw: float
    pitch: float
    roll: float
    lean: float
    sway: float
    breath: float


class HeadWarp:
    """Bends one photograph."""

    def __init__(self, picture: Pixels, points: Points) -> None:
        """Work out what moves how much.

        Args:
            points: of the face's mesh, (478, 2).
        """
        height, width = picture.shape[:2]
        right = points[OUTER_EYE_CORNERS[1]] - points[OUTER_EYE_CORNERS[0]]
        right /= np.hypot(*right)
        down = np.array([-right[1], right[0]])
        tall = float((points[CHIN] - points[FOREHEAD]) @ down)
        wide = max(float((points[TEMPLES[1]] - points[TEMPLES[0]]) @ right), 0.6 * tall)
        self.unit = tall / 2.1
        """Pixels: the distance of the eyes of a face so tall, also where it is turned."""
        middle = (points[CHIN] + points[FOREHEAD]) / 2
        head = middle - HAIR[0] * tall / 2 * down
        reach = np.array([HAIR[1] * wide / 2, HAIR[2] * tall / 2]) * (1 + FADE)
        half = np.abs(reach[0] * right) + np.abs(reach[1] * down) + 2 * self.unit / CELLS
        # A clip stores the colours of 2 x 2 pixels together: at even places none is mixed of what moves and what rests.
        self.left, self.top = (int(edge) for edge in np.clip((head - half) // 2 * 2, 0, (width, height)))
        self.right, self.bottom = (int(edge) for edge in np.clip((head + half) // 2 * 2 + 2, 0, (width, height)))
        self._size = self.right - self.left, self.bottom - self.top
        columns, rows = (max(2, round(side / self.unit * CELLS)) for side in self._size)
        # Where the middles of the grid's cells lie, as cv2.resize understands it.
        x = (np.arange(columns) + 0.5) * self._size[0] / columns - 0.5 + self.left
        y = (np.arange(rows) + 0.5) * self._size[1] / rows - 0.5 + self.top
        at = np.stack(np.meshgrid(x, y), axis=-1)
        from_head, from_face = (np.stack([(at - one) @ right, (at - one) @ down]) for one in (head, middle))
        self._weight = 1 - _smooth((_ellipse(from_head, HAIR[1] * wide, HAIR[2] * tall) - 1) / FADE)
        below_chin = ((at - points[CHIN]) @ down) / self.unit
        self._weight *= 1 - _smooth((below_chin + 0.2) / (0.2 + NECK))
        to_edge = np.minimum(
            np.minimum(at[..., 0], width - 1 - at[..., 0]), np.minimum(at[..., 1], height - 1 - at[..., 1])
        )
        # A whole cell within the edge it is nought: the grid is interpolated.
        inside = _smooth((to_edge * CELLS / self.unit - 1) / (EDGE * CELLS - 1))
        self._weight *= inside
        rim = _ellipse(from_face, 1.12 * wide, 1.12 * tall)
        nose = np.square((at - points[NOSE_TIP]) / (0.3 * self.unit)).sum(axis=-1)
        self._depth = inside * (BULGE * np.maximum(0, 1 - rim**2) ** 1.5 + NOSE * np.exp(-nose / 2))
        self._from_pivot = np.stack([(at - points[CHIN] - PIVOT * self.unit * down) @ axis for axis in (right, down)])
        self._axes = right, down
        grid = np.meshgrid(np.arange(self._size[0], dtype=np.float32), np.arange(self._size[1], dtype=np.float32))
        self._columns, self._rows = grid[0] + np.float32(self.left), grid[1] + np.float32(self.top)

    def bent(self, picture: Pixels, placement: Placement) -> Pixels:
        """What is seen between ``left``, ``top``, ``right`` and ``bottom``, a new array."""
        import cv2

        yaw, pitch, roll, lean, sway, breath = placement
        across, along = self._from_pivot
        # Only what lies above the pivot leans with the head.
        along = np.minimum(along, 0)
        depth = self.unit * self._depth
        to_right = self._weight * (lean * across - roll * along + sway * self.unit) + np.sin(yaw) * depth
        to_down = self._weight * (lean * along + roll * across - breath * self.unit) - np.sin(pitch) * depth
        right, down = self._axes
        moved = to_right[..., None] * right + to_down[..., None] * down
        columns, rows = (
            places - cv2.resize(shift.astype(np.float32), self._size, interpolation=cv2.INTER_LINEAR)
            for places, shift in ((self._columns, moved[..., 0]), (self._rows, moved[..., 1]))
        )
        # Lanczos would take six times as long, and is no sharper to the eye.
        bent = cv2.remap(picture, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(bent, np.uint8)


def _ellipse(place: Points, width: float, height: float) -> Points:
    """Distance of places (2, ...) from the middle, 1 on the rim."""
    return np.hypot(place[0] / (width / 2), place[1] / (height / 2))


def _smooth(share: Points) -> Points:
    return np.asarray(smoothstep(0.0, 1.0, share))
