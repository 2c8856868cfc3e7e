"""Reading a face whose place is about known: from a detection, or from the points of the frame before."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box, box_around
from heygem_pipeline.faces.mesh_networks import CROP_SIDE, MeshNetworks
from heygem_pipeline.faces.mesh_points import IBUG_POINTS, LIP_LINES, OUTER_EYE_CORNERS

CROP_WIDTHS = 1.5
"""Side of a crop, in longer sides of the face's rectangle (MediaPipe's own)."""
LARGEST_SKIP = 1.5
"""Pixels of the frame for one of the crop; larger faces are scaled down first."""
LEAST_PRESENCE = 0.5
"""How surely a face must be in a crop to be there (MediaPipe's own)."""


class Crop(NamedTuple):
    """A square of a frame, turned.

    Attributes:
        x: its centre, pixels.
        y: its centre, pixels.
        side: pixels.
        lean: degrees by which it leans clockwise.
    """

    x: float
    y: float
    side: float
    lean: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Affine matrix (2, 3) from the frame's pixels to the crop's 256 x 256."""
        lean, scale = np.radians(self.lean), CROP_SIDE / self.side
        linear = scale * np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
        centre = (CROP_SIDE - 1) / 2
        return np.column_stack([linear, centre - linear @ np.array([self.x, self.y])])


class MeshReading(NamedTuple):
    """A face as it was read in one frame.

    Attributes:
        points: float64 (478, 2), pixels.
        presence: how surely a face is there, 0 to 1.
    """

    points: NDArray[np.float64]
    presence: float

    @property
    def landmarks(self) -> NDArray[np.float64]:
        """The 68 points, (68, 2)."""
        return self.points[IBUG_POINTS]

    @property
    def lips(self) -> NDArray[np.float64]:
        """The lips' lines, (4, 11, 2)."""
        return self.points[LIP_LINES]

    @property
    def box(self) -> Box:
        """The face's square."""
        return box_around(self.landmarks)

    @property
    def crop(self) -> Crop:
        """Where to read the next frame."""
        return crop_around(self.points)


def crop_of_box(box: Box, lean: float) -> Crop:
    """Return the crop for a face known by its box alone."""
    return Crop(*box.centre, CROP_WIDTHS * box.width, lean)


def crop_around(points: NDArray[np.floating]) -> Crop:
    """Return the crop for a face known by its points (478, 2)."""
    left, right = points[OUTER_EYE_CORNERS, :]
    lean = np.arctan2(right[1] - left[1], right[0] - left[0])
    turn = np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
    upright = points @ turn.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = turn.T @ ((low + high) / 2)
    return Crop(float(x), float(y), CROP_WIDTHS * float((high - low).max()), float(np.degrees(lean)))


def read_unread_face(
    networks: MeshNetworks, frame: NDArray[np.uint8], box: Box, lean: float, least_presence: float = LEAST_PRESENCE
) -> MeshReading | None:
    """Read a face known by its box alone, twice: the second crop is cut around the points of the first.

    Args:
        least_presence: of the first reading; None where it has less.
    """
    first = read_face(networks, frame, crop_of_box(box, lean))
    return read_face(networks, frame, first.crop) if first.presence >= least_presence else None


def read_face(networks: MeshNetworks, frame: NDArray[np.uint8], crop: Crop) -> MeshReading:
    """Read the face in a crop of a BGR frame; what lies outside the frame is black."""
    import cv2

    matrix, picture = crop.matrix, frame
    # Bilinear sampling reads four pixels: of a face much larger than the crop it would skip most, and tremble.
    step = int(crop.side / CROP_SIDE / LARGEST_SKIP)
    if step > 1:
        left, top = max(0, int(crop.x - 0.75 * crop.side)), max(0, int(crop.y - 0.75 * crop.side))
        part = frame[top : int(crop.y + 0.75 * crop.side) + 1, left : int(crop.x + 0.75 * crop.side) + 1]
        picture = cv2.resize(part, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
        pixels = np.array([[step, 0, left + (step - 1) / 2], [0, step, top + (step - 1) / 2], [0, 0, 1]])
        matrix = matrix @ pixels
    cut = cv2.warpAffine(picture, matrix, (CROP_SIDE, CROP_SIDE))
    points, presence = networks.read(np.asarray(cut, np.uint8))
    back = cv2.invertAffineTransform(crop.matrix)
    return MeshReading(points @ back[:, :2].T + back[:, 2], presence)
