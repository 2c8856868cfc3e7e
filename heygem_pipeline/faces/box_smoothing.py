"""Boxes smoothed in time."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box
from heygem_pipeline.faces.temporal_smoothing import present_runs

SIGMA_FRAMES = 2.0
"""Frames; boxes are smoothed by a Gaussian of this width, cut off at REACH_FRAMES frames on either side."""
REACH_FRAMES = 6

Item = TypeVar("Item")


class SmoothedBox(NamedTuple, Generic[Item]):
    """A box in a frame, and what goes with it."""

    frame: int
    box: Box
    item: Item


class BoxSmoother(Generic[Item]):
    """Holds boxes back until those on both sides of them are known; an unbroken run is smoothed by itself."""

    def __init__(self) -> None:
        self._run: list[SmoothedBox[Item]] = []
        """Those still needed: up to REACH_FRAMES that were given back, then those that wait."""
        self._waiting = 0

    def add(self, frame: int, box: Box, item: Item, begins: bool) -> list[SmoothedBox[Item]]:
        """Take the next one; return those that are now certain, in order, smoothed.

        Args:
            begins: a new run begins here.
        """
        certain = self.end_run() if begins else []
        self._run.append(SmoothedBox(frame, box, item))
        self._waiting += 1
        if self._waiting > REACH_FRAMES:
            certain.append(self._next())
        return certain

    def end_run(self) -> list[SmoothedBox[Item]]:
        """Return what still waits: nothing after it belongs to it."""
        rest = [self._next() for _ in range(self._waiting)]
        self._run.clear()
        return rest

    def _next(self) -> SmoothedBox[Item]:
        place = len(self._run) - self._waiting
        self._waiting -= 1
        now = self._run[place]
        near = self._run[max(0, place - REACH_FRAMES) : place + REACH_FRAMES + 1]
        distances = np.array([other.frame - now.frame for other in near])
        weights = np.exp(-(distances**2) / (2 * SIGMA_FRAMES**2))
        box = Box(*np.average(np.array([other.box for other in near]), axis=0, weights=weights))
        if place == REACH_FRAMES:
            del self._run[0]
        return SmoothedBox(now.frame, box, now.item)


def smooth_boxes(boxes: NDArray[np.floating], cuts: Sequence[int]) -> NDArray[np.float32]:
    """Smooth boxes (frames, 4) as BoxSmoother does, run by run; rows without a face are NaN."""
    kernel = np.exp(-(np.arange(-REACH_FRAMES, REACH_FRAMES + 1) ** 2) / (2 * SIGMA_FRAMES**2))
    smooth = np.full(boxes.shape, np.nan, np.float32)
    for run in present_runs(np.isfinite(boxes[:, 0]), cuts):
        padded = np.pad(boxes[run].astype(np.float64), ((REACH_FRAMES, REACH_FRAMES), (0, 0)))
        weight = np.convolve(np.ones(run.stop - run.start), kernel)
        sums = [np.convolve(side, kernel, mode="valid") for side in padded.T]
        smooth[run] = np.stack(sums, axis=1) / weight[REACH_FRAMES : len(weight) - REACH_FRAMES, None]
    return smooth
