"""The four lines of a mouth, as smooth curves through the points a tracker reads."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.filters import natural_cubic

OUTER_SAMPLES = 15
INNER_SAMPLES = 17

UPPER_OUTER = [48, 49, 50, 51, 52, 53, 54]
LOWER_OUTER = [48, 59, 58, 57, 56, 55, 54]
UPPER_INNER = [60, 61, 62, 63, 64]
LOWER_INNER = [60, 67, 66, 65, 64]

# Where the points lie along the lip, as shares of its length: means of what the mesh reads on recorded speakers.
_OUTER_KNOTS = (0.0, 0.064, 0.141, 0.242, 0.367, 0.5, 0.633, 0.758, 0.859, 0.936, 1.0)
_INNER_KNOTS = (0.0, 0.083, 0.158, 0.252, 0.366, 0.5, 0.634, 0.748, 0.842, 0.917, 1.0)
# The same of the few among the 68 landmarks, by which whole mouths are moved.
_FEW_OUTER_KNOTS = (0.0, 0.18, 0.37, 0.5, 0.63, 0.82, 1.0)
_FEW_INNER_KNOTS = (0.0, 0.29, 0.5, 0.71, 1.0)

DESCRIPTOR_OUTER = [0, 3, 6, 7, 8, 11, 14]
DESCRIPTOR_INNER = [0, 5, 8, 11, 16]
"""Samples of the lines that stand for the 20 points of the iBUG mouth."""

WIDTH_WEIGHT = 1.0
"""Of the width, against the points, in the descriptor."""


@dataclass(frozen=True)
class MouthContours:
    """Lines of the lips in the head frame, each float64 (samples, 2) from the picture's left corner to its right one.

    Attributes:
        upper_outer: (15, 2), the upper lip's border with the skin.
        lower_outer: (15, 2), the lower lip's; they share their ends.
        upper_inner: (17, 2), the upper border of the opening.
        lower_inner: (17, 2), its lower border; equal to the upper one where the lips touch.
    """

    upper_outer: NDArray[np.float64]
    lower_outer: NDArray[np.float64]
    upper_inner: NDArray[np.float64]
    lower_inner: NDArray[np.float64]

    @property
    def gap(self) -> float:
        """Height of the opening over its middle third, IOD."""
        height = self.lower_inner[6:11, 1] - self.upper_inner[6:11, 1]
        return float(height.mean())

    @property
    def width(self) -> float:
        """Distance between the corners, IOD."""
        return float(np.linalg.norm(self.upper_outer[-1] - self.upper_outer[0]))


@cache
def _natural_cubic(knots: tuple[float, ...], samples: int) -> NDArray[np.float64]:
    """(samples, knots) matrix that turns values at the knots into samples of the natural cubic spline through them."""
    return natural_cubic(np.array(knots), np.linspace(0, 1, samples))


def contours_from_lips(lips: NDArray[np.floating]) -> MouthContours:
    """Draw the four lines through a tracker's (4, 11, 2), see LIP_LINES; crossing inner lines are made to touch."""
    outer = _natural_cubic(_OUTER_KNOTS, OUTER_SAMPLES)
    inner = _natural_cubic(_INNER_KNOTS, INNER_SAMPLES)
    upper_inner, lower_inner = inner @ lips[2], inner @ lips[3]
    middle = (upper_inner[:, 1] + lower_inner[:, 1]) / 2
    upper_inner[:, 1] = np.minimum(upper_inner[:, 1], middle)
    lower_inner[:, 1] = np.maximum(lower_inner[:, 1], middle)
    return MouthContours(outer @ lips[0], outer @ lips[1], upper_inner, lower_inner)


def displace_contours(lines: MouthContours, shift: NDArray[np.floating]) -> MouthContours:
    """Move the four lines as landmarks 48..67 move by ``shift`` (20, 2); crossing inner lines are made to touch."""
    landmarks = np.zeros((68, 2))
    landmarks[48:] = shift
    outer = _natural_cubic(_FEW_OUTER_KNOTS, OUTER_SAMPLES)
    inner = _natural_cubic(_FEW_INNER_KNOTS, INNER_SAMPLES)
    upper_inner = lines.upper_inner + inner @ landmarks[UPPER_INNER]
    lower_inner = lines.lower_inner + inner @ landmarks[LOWER_INNER]
    middle = (upper_inner[:, 1] + lower_inner[:, 1]) / 2
    upper_inner[:, 1] = np.minimum(upper_inner[:, 1], middle)
    lower_inner[:, 1] = np.maximum(lower_inner[:, 1], middle)
    return MouthContours(
        lines.upper_outer + outer @ landmarks[UPPER_OUTER],
        lines.lower_outer + outer @ landmarks[LOWER_OUTER],
        upper_inner,
        lower_inner,
    )


def shape_descriptor(contours: MouthContours) -> NDArray[np.float64]:
    """Return 20 points about their own middle and the width, (41,), IOD."""
    points = np.concatenate(
        [
            contours.upper_outer[DESCRIPTOR_OUTER],
            contours.lower_outer[DESCRIPTOR_OUTER[1:-1]],
            contours.upper_inner[DESCRIPTOR_INNER],
            contours.lower_inner[DESCRIPTOR_INNER[1:-1]],
        ]
    )
    return np.r_[(points - points.mean(axis=0)).ravel(), WIDTH_WEIGHT * contours.width]
