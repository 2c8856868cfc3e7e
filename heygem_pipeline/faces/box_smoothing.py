"""Boxes smoothed in time while they stream by."""

from typing import Generic, NamedTuple, TypeVar

import numpy as np

from heygem_pipeline.faces.boxes import Box

SIGMA = 2.0
"""Frames; boxes are smoothed by a Gaussian of this width, cut off at REACH frames on either side."""
REACH = 6

Item = TypeVar("Item")


class Boxed(NamedTuple, Generic[Item]):
    """A box in a frame, and what goes with it."""

    frame: int
    box: Box
    item: Item


class SteadyBoxes(Generic[Item]):
    """Holds boxes back until those on both sides of them are known; an unbroken run is smoothed by itself."""

    def __init__(self) -> None:
        self._run: list[Boxed[Item]] = []
        """Those still needed: up to REACH that were given back, then those that wait."""
        self._waiting = 0

    def add(self, frame: int, box: Box, item: Item, begins: bool) -> list[Boxed[Item]]:
        """Take the next one; return those that are now certain, in order, smoothed. begins: a new run begins here."""
        certain = self.end_run() if begins else []
        self._run.append(Boxed(frame, box, item))
        self._waiting += 1
        if self._waiting > REACH:
            certain.append(self._next())
        return certain

    def end_run(self) -> list[Boxed[Item]]:
        """Return what still waits: nothing after it belongs to it."""
        rest = [self._next() for _ in range(self._waiting)]
        self._run.clear()
        return rest

    def _next(self) -> Boxed[Item]:
        place = len(self._run) - self._waiting
        self._waiting -= 1
        now = self._run[place]
        near = self._run[max(0, place - REACH) : place + REACH + 1]
        distances = np.array([other.frame - now.frame for other in near])
        weights = np.exp(-(distances**2) / (2 * SIGMA**2))
        box = Box(*np.average(np.array([other.box for other in near]), axis=0, weights=weights))
        if place == REACH:
            del self._run[0]
        return Boxed(now.frame, box, now.item)
