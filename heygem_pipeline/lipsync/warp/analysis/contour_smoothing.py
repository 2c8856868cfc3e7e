"""The four lines of a mouth, from what was found in the frames around it: steady where the mouth is still."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.temporal_smoothing import window_length
from heygem_pipeline.filters import convolve
from heygem_pipeline.lipsync.warp.analysis.lip_edges import LipEdges
from heygem_pipeline.lipsync.warp.analysis.minimal_paths import binomial_smooth
from heygem_pipeline.lipsync.warp.contours import INNER_SAMPLES, MouthContours

STILL_WINDOW_SECONDS = 0.6
"""Time over which the lines of a mouth that keeps its shape are averaged: 15 frames at 25 a second."""

MOVING_WINDOW_SECONDS = 0.2
"""Time over which the landmarks' error is averaged in any mouth: it changes more slowly than the mouth moves."""

SHAPE_DIFFERENCE = 0.012
"""IOD: mouths whose landmarks differ by more, over all lines, say little about each other."""

OUTLIER_DISTANCE = 0.015
"""IOD: a line this far from the others is not counted."""

LANDMARK_NOISE = 0.004
"""IOD: what landmarks move between frames of one shape without the mouth."""

PARTED_BEYOND_CREASE = 0.03
"""IOD beyond the height of a crease at which lips have parted for sure; between, the opening grows from nothing."""

CORNER_REACH, FARTHEST_CORNER = 0.2, 0.02
"""Share of the mouth's width over which lines bend to a corner that lies elsewhere, and how far from the landmarks,
IOD, it may. Halfway to the crease's end was a tenth nearer than either to the corners another predictor (MediaPipe's
attention mesh) gives for 18 presenters."""

CORNER_JOIN = 0.1
"""Share of the mouth's half width, from the corner, over which the lips join whatever is seen there."""

LEAST_OPENING_WIDTH, UNCERTAIN_OPENING = 0.2, 0.25
"""Share of the mouth's width over which parted lips are apart, and how far on average touching ones may seem to be."""

LANDMARK_GAP_WEIGHT = 0.4
"""Share of the landmarks' gap that is added to the gap seen when touching is told from parted lips."""


@dataclass(frozen=True)
class ObservedLips:
    """One frame's lips.

    Attributes:
        predicted: as the landmarks have them, head frame.
        lines: as the picture shows them.
    """

    predicted: MouthContours
    lines: LipEdges

    @cached_property
    def found(self) -> NDArray[np.float64]:
        """Heights of seam, upper and lower edge, float64 (3, columns), IOD."""
        return np.stack([self.lines.seam, self.lines.upper, self.lines.lower])

    @cached_property
    def expected(self) -> NDArray[np.float64]:
        """Where the landmarks have the same three lines."""
        upper, lower = (
            np.interp(self.lines.x, line[:, 0], line[:, 1])
            for line in (self.predicted.upper_inner, self.predicted.lower_inner)
        )
        return np.stack([(upper + lower) / 2, upper, lower])


@dataclass(frozen=True)
class ContourSmoother:
    """How many frames around one are looked at.

    Attributes:
        still: on each side.
        moving: float64, weights that sum to 1.
    """

    still: int
    moving: NDArray[np.float64]

    @classmethod
    def for_frame_rate(cls, frame_rate: Fraction) -> "ContourSmoother":
        """Return what fits a frame rate."""
        rising = np.arange(1, window_length(MOVING_WINDOW_SECONDS, frame_rate) // 2 + 2, dtype=np.float64)
        triangle = np.concatenate([rising, rising[-2::-1]])
        return cls(window_length(STILL_WINDOW_SECONDS, frame_rate) // 2, triangle / triangle.sum())

    def smoothed_contours(self, around: Sequence[tuple[int, ObservedLips]]) -> MouthContours:
        """Return the lines of a frame: inner ones on the seam where the lips touch, on their edges elsewhere.

        All four meet in the corners.

        Args:
            around: lips of frames up to ``still`` before and after, in order, each with how many frames later it is
                shown; 0, the frame itself, is among them.
        """
        borders, (seam, upper, lower), expected = self._averaged(around)
        opening = lower - upper + LANDMARK_GAP_WEIGHT * (expected[2] - expected[1])
        parted = _parted(opening, next(lips.lines.crease_height for later, lips in around if later == 0))
        left, right = borders[0, 0, 0], borders[0, -1, 0]
        x, samples = np.linspace(left, right, len(seam)), np.linspace(left, right, INNER_SAMPLES)
        corners, ends = borders[0, [0, -1], 1], seam[[0, -1]]
        met = corners + np.clip((ends - corners) / 2, -FARTHEST_CORNER, FARTHEST_CORNER)
        borders[..., 1] += _near_corners(borders[..., 0], left, right) @ (met - corners)
        bent = _near_corners(x, left, right) @ (met - ends)

        def contour(y: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.stack([samples, np.interp(samples, x, y + bent)], axis=1)

        return MouthContours(
            borders[0],
            borders[1],
            contour(seam + parted * (np.minimum(upper, seam) - seam)),
            contour(seam + parted * (np.maximum(lower, seam) - seam)),
        )

    def _averaged(
        self, around: Sequence[tuple[int, ObservedLips]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Outer borders (2, samples, 2), seam and edges (3, columns), and where the landmarks have those three.

        The lines themselves are averaged, since a still mouth's are steadier than its landmarks; of what the landmarks
        move meanwhile, only what goes beyond their noise is followed.
        """
        later = np.array([frames for frames, _ in around])
        here = int(np.flatnonzero(later == 0)[0])
        expected = np.array([lips.expected for _, lips in around])
        found = np.array([lips.found for _, lips in around])
        offsets = convolve(found - expected, self.moving)
        borders = np.array([[lips.predicted.upper_outer, lips.predicted.lower_outer] for _, lips in around])
        unlike = np.sqrt(((expected - expected[here]) ** 2).mean(axis=(1, 2))) / SHAPE_DIFFERENCE
        weights = (0.5 + 0.5 * np.cos(np.pi * later / (self.still + 1))) * np.exp(-(unlike**2))
        weights /= weights.sum()
        mean_borders = np.tensordot(weights, borders, axes=1)
        astray = (offsets - _weighted_median(offsets, weights)) / OUTLIER_DISTANCE
        trusted = weights[:, None, None] * np.exp(-(astray**2)) + 1e-9
        trusted /= trusted.sum(axis=0)
        mean_expected = (trusted * expected).sum(axis=0)
        placed = mean_expected + _beyond_noise(expected[here] - mean_expected)
        return (
            mean_borders + _beyond_noise(borders[here] - mean_borders),
            placed + (trusted * offsets).sum(axis=0),
            placed,
        )


def _near_corners(x: NDArray[np.float64], left: float, right: float) -> NDArray[np.float64]:
    """(..., 2): 1 at the left or the right corner, fading to 0."""
    from_left = (x - left) / (right - left)
    return np.clip(1 - np.stack([from_left, 1 - from_left], axis=-1) / CORNER_REACH, 0, 1) ** 2


def _parted(opening: NDArray[np.float64], crease: float) -> NDArray[np.float64]:
    """0 = the lips touch there .. 1 = they are apart. An opening that shows nowhere over some width is none."""
    from_corner = 1 - np.abs(np.linspace(-1, 1, len(opening)))
    beyond = np.clip((opening - crease) / PARTED_BEYOND_CREASE, 0, 1) * np.clip(from_corner / CORNER_JOIN, 0, 1)
    width = round(LEAST_OPENING_WIDTH * len(opening))
    widest = np.convolve(beyond, np.full(width, 1 / width), mode="valid").max()
    return binomial_smooth(beyond) * np.clip((widest - UNCERTAIN_OPENING) / (1 - 2 * UNCERTAIN_OPENING), 0, 1)


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Along the first axis; the weights sum to 1."""
    order = np.argsort(values, axis=0)
    reached = np.cumsum(weights[order], axis=0) >= 0.5
    middle = np.take_along_axis(order, reached.argmax(axis=0)[None], axis=0)
    return np.take_along_axis(values, middle, axis=0)[0]


def _beyond_noise(moved: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(moved) * np.maximum(np.abs(moved) - LANDMARK_NOISE, 0)
