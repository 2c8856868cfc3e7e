"""The points that carry a face from the mouth it has to the mouth it shall have."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline.lipsync.warp.deformation.thin_plate_spline import ControlPoints

JAW = slice(3, 14)
"""The landmarks of the jaw that drop with it."""

JAW_PROFILE = np.array([0.12, 0.28, 0.50, 0.78, 0.95, 1.0, 0.95, 0.78, 0.50, 0.28, 0.12])
"""Share of the jaw's drop at the landmarks 3..13: it turns about the ears."""

CHIN_PAD_SHARE = 0.85
"""Share of the jaw's drop that the flesh between lip and chin makes."""

CHIN_PAD_HEIGHTS, CHIN_PAD_WIDTH = (0.35, 0.7), 0.16
"""Where that flesh is held: shares of the way from lip to chin; and to both sides at the upper one, IOD."""

UPPER_EDGE_INSIDE, UPPER_OWN_EDGE_INSIDE = (0.007, 0.15), (0.006, 0.15)
LOWER_EDGE_INSIDE, LOWER_OWN_EDGE_INSIDE = (0.022, 0.40), (0.010, 0.15)
"""How far inside a lip its edge is taken: IOD at most, and a share of the opening that is asked for, or of the frame's
own."""


def face_control_points(
    landmarks: NDArray[np.float64], base: MouthContours, target: MouthContours, jaw: float
) -> tuple[ControlPoints, list[ControlPoints], NDArray[np.float64]]:
    """Return the anchors of both layers together, those of the upper and of the lower lip's layer, and the face's
    outline, (17, 2).

    Args:
        landmarks: (68, 2), head frame.
        base: the mouth's lines in the presenter.
        target: the mouth's lines in the output.
        jaw: how far the jaw drops, IOD; negative where it rises.
    """
    base = _inside_the_lips(base, target)
    still, moving = _still_points(landmarks), np.concatenate([landmarks[JAW], _chin_pad(landmarks, base)])
    share = np.full(len(moving), CHIN_PAD_SHARE)
    share[: len(JAW_PROFILE)] = JAW_PROFILE
    dropped = moving + np.outer(share, [0.0, jaw])
    upper = ControlPoints(
        target=np.concatenate([target.upper_outer, target.upper_inner[1:-1]]),
        source=np.concatenate([base.upper_outer, base.upper_inner[1:-1]]),
    )
    lower = ControlPoints(
        target=np.concatenate([target.lower_outer, target.lower_inner[1:-1]]),
        source=np.concatenate([base.lower_outer, base.lower_inner[1:-1]]),
    )
    outline = landmarks[:17].copy()
    outline[JAW] = dropped[: len(JAW_PROFILE)]
    return ControlPoints(np.concatenate([still, dropped]), np.concatenate([still, moving])), [upper, lower], outline


def _still_points(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ears' side of the jaw, nose, eyes, cheeks."""
    cheeks = (landmarks[[2, 14]] + landmarks[[31, 35]]) / 2
    return np.concatenate([landmarks[[0, 1, 2, 14, 15, 16]], landmarks[27:48], cheeks])


def _chin_pad(landmarks: NDArray[np.float64], base: MouthContours) -> NDArray[np.float64]:
    lip, chin = base.lower_outer[7], landmarks[8]
    high, low = (lip + share * (chin - lip) for share in CHIN_PAD_HEIGHTS)
    aside = np.array([CHIN_PAD_WIDTH, 0.0])
    return np.stack([high, low, high + aside, high - aside])


def _inside_the_lips(base: MouthContours, target: MouthContours) -> MouthContours:
    """Take the lips' edges a little inside the lips where they part.

    The dark line of closed lips, or the rim of teeth between parted ones, would otherwise stay at the edge of the lip.
    """
    opened = target.lower_inner[:, 1] - target.upper_inner[:, 1]
    own = base.lower_inner[:, 1] - base.upper_inner[:, 1]
    upper_inner, lower_inner = base.upper_inner.copy(), base.lower_inner.copy()
    upper_inner[:, 1] -= np.maximum(_inside(UPPER_EDGE_INSIDE, opened), _inside(UPPER_OWN_EDGE_INSIDE, own))
    lower_inner[:, 1] += np.maximum(_inside(LOWER_EDGE_INSIDE, opened), _inside(LOWER_OWN_EDGE_INSIDE, own))
    return MouthContours(base.upper_outer, base.lower_outer, upper_inner, lower_inner)


def _inside(bounds: tuple[float, float], opened: NDArray[np.float64]) -> NDArray[np.float64]:
    most, share = bounds
    return np.minimum(most, share * opened)
