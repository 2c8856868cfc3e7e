"""A program's colours brought back to the presenter's: another matrix, another range, a tint over the whole picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 128
"""Pictures are compared so wide: what encoding does to single pixels does not count."""

ROUNDS = 3
OUTLIERS = 2.5
"""Deviations beyond which a pixel shows something else, such as the mouth."""

LEAST_DEVIATION = 1.0

CAUTION = 40.0
"""Levels: as if so much had been seen of colours that do not change, for pictures of few colours."""

Colours = NDArray[np.float64]
"""(4, 3): what a program's B, G, R and 1 are multiplied with."""

UNCHANGED: Colours = np.vstack([np.eye(3), np.zeros((1, 3))])


@dataclass(frozen=True)
class ComparedPicture:
    """The presenter's picture and the program's of the same place.

    Attributes:
        valid: where the program's has something to show.
    """

    own: NDArray[np.uint8]
    returned: NDArray[np.uint8]
    valid: NDArray[np.bool_]


def match_colours(pictures: Sequence[ComparedPicture]) -> Colours:
    """What makes most pixels of a program's pictures those of the presenter's; least squares without the outliers."""
    own, seen = (np.concatenate(pixels) for pixels in zip(*map(_pixels, pictures), strict=True))
    if not len(own):
        return UNCHANGED
    known = np.column_stack([seen, np.ones(len(seen))])
    # Only the change is made small: colours that were never seen are changed like those that were.
    away, kept = own - seen, np.ones(len(own), bool)
    gains = np.diag([CAUTION**2 * 10] * 3 + [1e-3])
    change = np.zeros((4, 3))
    for _ in range(ROUNDS):
        here, wanted = known[kept], away[kept]
        change = np.linalg.solve(here.T @ here + gains, here.T @ wanted)
        apart = np.abs(away - known @ change).max(axis=1)
        kept = apart < OUTLIERS * max(LEAST_DEVIATION, float(np.median(apart)) * 1.5)
    return UNCHANGED + change


def with_colours(pixels: NDArray[np.uint8], colours: Colours) -> NDArray[np.float32]:
    """Pixels, (rows, columns, 3), with the colours brought back; floats that may lie a little beyond 0..255."""
    if np.array_equal(colours, UNCHANGED):
        return pixels.astype(np.float32)
    return pixels.astype(np.float32) @ colours[:3].astype(np.float32) + colours[3].astype(np.float32)


def _pixels(picture: ComparedPicture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import cv2

    height, width = picture.own.shape[:2]
    size = (WIDTH, max(1, round(WIDTH * height / width)))

    def small(whole: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float64)

    inside = small(picture.valid.astype(np.uint8) * 255) > 254
    own, seen = small(picture.own)[inside], small(picture.returned)[inside]
    # A clipped colour says nothing of what it was.
    clear = ((seen > 4) & (seen < 251)).all(axis=1)
    return own[clear], seen[clear]
