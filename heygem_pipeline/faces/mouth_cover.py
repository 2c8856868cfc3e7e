"""Whether a mask, a hand or a microphone is before the mouth: the mesh draws lips on it as surely as on skin.

How surely a face is there says nothing (0.99 and more with a painted mask), and neither do the blendshapes; colours do.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.mesh_points import LIP_LINES, OUTER_EYE_CORNERS

FOREHEAD = (8, 9, 107, 336, 151, 108, 337, 168, 6)
"""Vertices between the brows and above: what a mask leaves open, and most hair too."""

AROUND = 0.1
"""Distance of the skin around the mouth from the lips' outer lines, widths of the eyes."""

LARGEST_YAW = 30.0
"""Degrees: of a face turned further, places around its mouth lie beside it."""

OF_A_MASK = 12.0
"""CIE a*, b*: how far a mask's colour is from the forehead's."""

PALE_LIPS = 2.0
"""CIE a*: so little redder than what is around them are lips drawn on a mask."""

RED_LIPS = 6.0
"""CIE a*: whose lips are usually redder by so much, of those it can be told that they are covered."""

COVERED_SHARE = 0.3
"""Of a person's usual redness of the lips, below which something is before them."""

SHORTEST_COVER = Fraction(2, 5)
"""Seconds."""


class MouthCover(NamedTuple):
    """What is before a presenter's mouth.

    Attributes:
        masked: something of another colour than the skin, over all of the lower face, most of the time.
        seconds: in which something else is before the lips.
    """

    masked: bool = False
    seconds: float = 0.0


NOTHING_BEFORE = MouthCover()


def skin_of_face(frame: NDArray[np.uint8], points: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return pixels of lips, skin around them and forehead, uint8 (45, 3) BGR.

    Args:
        frame: BGR.
        points: of the mesh, (478, 2).
    """
    lines = points[LIP_LINES[:, 1:-1]]
    lips = (lines[:2] + lines[2:]).reshape(-1, 2) / 2
    outer = lines[:2].reshape(-1, 2)
    outward = outer - outer.mean(axis=0)
    left, right = points[OUTER_EYE_CORNERS, :]
    step = AROUND * np.hypot(*(right - left)) / np.maximum(np.hypot(*outward.T), 1e-6)
    places = [lips, outer + outward * step[:, None], points[FOREHEAD, :]]
    height, width = frame.shape[:2]
    columns, rows = np.rint(np.concatenate(places)).astype(int).T
    return frame[rows.clip(0, height - 1), columns.clip(0, width - 1)]


def colours_of_skin(skin: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the colours, CIE a* and b*, of lips, skin around them and forehead, float32 (3, 2)."""
    import cv2

    lab = cv2.cvtColor(skin[None].astype(np.float32) / 255, cv2.COLOR_BGR2LAB)[0, :, 1:]
    around, forehead = LIP_LINES[:2, 1:-1].size, 2 * LIP_LINES[:2, 1:-1].size
    # Not np.median, which takes longer than all else here.
    return np.stack([np.sort(part, axis=0)[len(part) // 2] for part in np.split(lab, [around, forehead])])


def mouth_cover(colours: NDArray[np.float32], yaw: NDArray[np.floating], frame_rate: Fraction) -> MouthCover:
    """Tell from ``colours_of_skin`` of every frame, (frames, 3, 2), NaN where there is no face.

    Args:
        yaw: degrees, (frames,).
    """
    told = np.isfinite(colours[:, 0, 0]) & (np.abs(yaw) < LARGEST_YAW)
    if not told.any():
        return NOTHING_BEFORE
    lips, around, forehead = colours[told].transpose(1, 0, 2)
    redder = lips[:, 0] - around[:, 0]
    other = np.hypot(*(around - forehead).T)
    # Of a red beard too the colour is another one, but it is redder than the forehead.
    paler = np.median(lips[:, 0] - forehead[:, 0]) < -PALE_LIPS
    if np.median(redder) < PALE_LIPS and np.median(other) > OF_A_MASK and paler:
        return MouthCover(masked=True)
    usual = float(np.percentile(redder, 75))
    if usual < RED_LIPS:
        return NOTHING_BEFORE
    covered = np.zeros(len(colours), bool)
    covered[told] = redder < COVERED_SHARE * usual
    edges = np.flatnonzero(np.diff(np.concatenate([[False], covered, [False]]).astype(int)))
    lengths = edges[1::2] - edges[::2]
    return MouthCover(seconds=float(lengths[lengths >= float(SHORTEST_COVER * frame_rate)].sum() / frame_rate))
