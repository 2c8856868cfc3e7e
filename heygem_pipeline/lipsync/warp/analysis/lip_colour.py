"""What the lips of a face look like: their colours, against which skin, teeth, tongue and the dark are told apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.analysis.order_statistics import median

COLOUR_UPDATE_RATE = 0.1
"""Share of a new frame's colours that is taken over."""

DEVIATION_PER_MAD = 1.5
"""A normal distribution's deviation is 1.4826 times its median absolute one."""

LEAST_LAB_DEVIATION = np.array([7.0, 3.5, 3.5], np.float32)
"""Smallest deviation taken of a lip's colour, CIE L*a*b*: texture and compression are no edges."""

THIRDS = ((0.12, 0.42), (0.35, 0.65), (0.58, 0.88))
"""Shares of the mouth's width over which its left, middle and right colours are read: light comes from one side."""


@dataclass(frozen=True)
class LipColour:
    """One lip's colour, CIE L*a*b*.

    Attributes:
        thirds: float32 (3, 3), the median of its left, middle and right part.
        spread: float32 (3,), robust deviation.
    """

    thirds: NDArray[np.float32]
    spread: NDArray[np.float32]

    def toward(self, here: "LipColour") -> "LipColour":
        """Move a small step toward a new frame's colours: light changes slowly, teeth beside a lip do not stay."""
        thirds = self.thirds + COLOUR_UPDATE_RATE * (here.thirds - self.thirds)
        spread = self.spread + COLOUR_UPDATE_RATE * (here.spread - self.spread)
        return LipColour(thirds.astype(np.float32), spread.astype(np.float32))

    def distance(self, lab: NDArray[np.float32]) -> NDArray[np.float32]:
        """How many deviations colours (rows, columns, 3) across the whole mouth are from the lip's own."""
        place = np.linspace(0, 1, lab.shape[1])
        centres = [(start + end) / 2 for start, end in THIRDS]
        usual = np.stack([np.interp(place, centres, self.thirds[:, channel]) for channel in range(3)], axis=-1)
        unlike = (lab - usual.astype(np.float32)) / self.spread
        return np.sqrt(np.einsum("rcl,rcl->rc", unlike, unlike))


def measure_lip_colour(lab: NDArray[np.float32]) -> LipColour:
    """Take a lip's colour from places within it, (rows, columns, 3), CIE L*a*b*, spread over the mouth's width."""
    columns = lab.shape[1]
    width = round((THIRDS[0][1] - THIRDS[0][0]) * columns)
    starts = [round(start * columns) for start, _ in THIRDS]
    parts = np.stack([lab[:, start : start + width].reshape(-1, 3) for start in starts])
    medians = median(parts, axis=1)
    spread = DEVIATION_PER_MAD * median(np.abs(parts - medians[:, None]), axis=1)
    return LipColour(medians, np.maximum(median(spread, axis=0), LEAST_LAB_DEVIATION).astype(np.float32))


def to_lab(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIE L*a*b* of BGR pixels (rows, columns, 3)."""
    import cv2

    return np.asarray(cv2.cvtColor(colours.astype(np.float32) / 255, cv2.COLOR_BGR2LAB), np.float32)
