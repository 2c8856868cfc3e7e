"""The true lines of the lips' inner edges, read from the picture.

The 68-point predictor's inner contours are its weakest: it reports an open mouth where lips touch, and misses the edge
of a lip by a tooth's rim. Where the lips touch, their line is the darkest smooth path between the corners. Where they
are apart, each edge is the smooth path along which the colour changes most from that lip's own colour to another.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.curves import MouthContours

COLUMNS = 49
ROW = 0.005
"""Distance of the strip's rows, IOD."""

REACH = 0.055
"""How far from the predicted line an edge is looked for, IOD."""

CREASE_STEP, EDGE_STEP = 0.06, 0.25
"""Cost of a path's move by one row from a column to the next, in units of its darkness or contrast."""

TEETH_NOTICED = 0.004
"""Height of a row of teeth, IOD, from which the edges of the lips are looked for whatever the landmarks say."""

EDGE_ROWS = 3
"""Rows above and below an edge whose colours are compared."""

LEAST_SPREAD = np.array([7.0, 3.5, 3.5], np.float32)
"""Smallest deviation taken of a lip's colour, CIE L*a*b*: texture and compression are no edges."""


@dataclass(frozen=True)
class LipLines:
    """Inner edges of the lips in one frame, at 49 places from corner to corner; head frame, IOD.

    x, upper, lower: float64 (49,), where the landmarks put the edges.
    seam_offsets: how far below the middle of both the crease was found.
    teeth: height of the teeth seen between the upper lip and the crease, IOD; 0 where the lips touch.
    edge_offsets: float64 (2, 49), how far below their predicted places the upper and lower edge were found; None where
        they were not looked for.
    crease: float32 (3,), median BGR along the crease.
    """

    x: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    seam_offsets: NDArray[np.float64]
    teeth: float
    edge_offsets: NDArray[np.float64] | None
    crease: NDArray[np.float32]


def find_lip_lines(
    frame: NDArray[np.uint8], to_head: NDArray[np.float64], contours: MouthContours, parted: bool
) -> LipLines:
    """Read the lips' inner edges.

    frame: uint8 (h, w, 3) BGR. to_head: (2, 3), from its pixels to the head frame. contours: the predicted lips.
    parted: the lips are known to be apart; otherwise they are taken to be where teeth show.
    """
    left, right = contours.upper_outer[0], contours.upper_outer[-1]
    x = np.linspace(left[0], right[0], COLUMNS)

    def predicted(inner: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(x, np.r_[left[0], inner[1:-1, 0], right[0]], np.r_[left[1], inner[1:-1, 1], right[1]])

    upper, lower = predicted(contours.upper_inner), predicted(contours.lower_inner)
    middle = (upper + lower) / 2
    reach = REACH + (float((lower - upper).max()) / 2 if parted else 0.0)
    half = int(reach / ROW)
    rows = ROW * np.arange(-half, half + 1, dtype=np.float64)
    strip = _sample(frame, to_head, np.broadcast_to(x, (len(rows), COLUMNS)), middle + rows[:, None])
    crease = _darkest_path(strip, rows)
    offsets = np.interp(crease, np.arange(len(rows)), rows)
    colours = strip[np.round(crease).astype(int), np.arange(COLUMNS)][12:37]
    upper_lip = _lip_colour(frame, to_head, x, _outer(contours.upper_outer, x), upper)
    lab = _lab(strip)
    teeth = _teeth_above(lab, rows, offsets, upper - middle, upper_lip)
    edges = None
    if parted or teeth > TEETH_NOTICED:
        lower_lip = _lip_colour(frame, to_head, x, lower, _outer(contours.lower_outer, x))
        edges = np.stack(
            [
                _edge(lab, rows, upper - middle, upper_lip, entering=True),
                _edge(lab, rows, lower - middle, lower_lip, entering=False),
            ]
        )
    return LipLines(x, upper, lower, offsets, teeth, edges, np.median(colours, axis=0).astype(np.float32))


def _teeth_above(
    lab: NDArray[np.float32],
    rows: NDArray[np.float64],
    crease: NDArray[np.float64],
    predicted: NDArray[np.float64],
    upper_lip: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> float:
    """Height of what is much less red than the upper lip, and no darker, between that lip and the crease.

    Only above the crease: light below it is as often the gloss of the lower lip.
    """
    median, spread = upper_lip
    inner = slice(16, 33)
    pale = lab[:, inner, 1] < median[1] - 2.5 * spread[1]
    light = lab[:, inner, 0] > median[0] - 4
    between = (rows[:, None] < crease[inner]) & (rows[:, None] > predicted[inner] - 0.035)
    return float(np.quantile((pale & light & between).sum(axis=0), 0.6) * ROW)


def _sample(
    frame: NDArray[np.uint8], to_head: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Colours at head-frame places (rows, columns)."""
    import cv2

    pixels = ((np.stack([x, y], axis=-1) - to_head[:, 2]) @ np.linalg.inv(to_head[:, :2]).T).astype(np.float32)
    return np.asarray(
        cv2.remap(frame, pixels[..., 0], pixels[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _outer(line: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.interp(x, line[:, 0], line[:, 1])


def _lab(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    import cv2

    return np.asarray(cv2.cvtColor(colours.astype(np.float32) / 255, cv2.COLOR_BGR2LAB), np.float32)


def _lip_colour(
    frame: NDArray[np.uint8],
    to_head: NDArray[np.float64],
    x: NDArray[np.float64],
    top: NDArray[np.float64],
    bottom: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Median L*a*b* and robust deviation of a lip's middle."""
    shares = np.array([0.35, 0.5, 0.65])[:, None]
    inner = slice(10, 39)
    places = top[inner] + shares * (bottom - top)[inner]
    lab = _lab(_sample(frame, to_head, np.broadcast_to(x[inner], places.shape), places)).reshape(-1, 3)
    median = np.median(lab, axis=0)
    return median, np.maximum(1.5 * np.median(np.abs(lab - median), axis=0), LEAST_SPREAD)


def _edge(
    lab: NDArray[np.float32],
    rows: NDArray[np.float64],
    predicted: NDArray[np.float64],
    lip: tuple[NDArray[np.float32], NDArray[np.float32]],
    *,
    entering: bool,
) -> NDArray[np.float64]:
    """Offsets from the predicted row offsets of the path where the strip leaves (below) or enters the lip's colour."""
    median, spread = lip
    unlike = np.clip(np.sqrt((((lab - median) / spread) ** 2).sum(axis=-1)), 0, 5)
    padded = np.pad(unlike, ((EDGE_ROWS, EDGE_ROWS), (0, 0)), mode="edge")
    sums = np.cumsum(np.vstack([np.zeros((1, COLUMNS)), padded]), axis=0)
    count = len(rows)
    above = sums[EDGE_ROWS : EDGE_ROWS + count] - sums[:count]
    below = sums[2 * EDGE_ROWS : 2 * EDGE_ROWS + count] - sums[EDGE_ROWS : EDGE_ROWS + count]
    change = (below - above) / EDGE_ROWS if entering else (above - below) / EDGE_ROWS
    # The corners stay where the landmarks are: both edges end there.
    reach = 0.04 * np.clip((1 - np.abs(np.linspace(-1, 1, COLUMNS))) / 0.12, 0.35, 1)
    cost = 0.6 * ((rows[:, None] - predicted) / reach) ** 2 - change
    path = _smooth(_cheapest_path(cost, EDGE_STEP))
    return np.interp(path, np.arange(count), rows) - predicted


def _darkest_path(strip: NDArray[np.uint8], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Row (fractional) of the darkest smooth path along a strip."""
    import cv2

    luma = np.asarray(cv2.cvtColor(strip, cv2.COLOR_BGR2GRAY), np.float32)
    low, high = np.percentile(luma, (2, 90))
    # Far rows pay a little, so that a nostril's shadow or a moustache does not win over the crease.
    cost = (luma - low) / max(float(high - low), 1.0) + 0.25 * (rows[:, None] / rows[-1]) ** 2
    path = _cheapest_path(cost, CREASE_STEP)
    centre = np.clip(path.astype(int), 1, len(rows) - 2)
    column = np.arange(luma.shape[1])
    above, here, below = luma[centre - 1, column], luma[centre, column], luma[centre + 1, column]
    curvature = above - 2 * here + below
    shift = np.where(curvature > 1e-3, 0.5 * (above - below) / np.maximum(curvature, 1e-3), 0)
    return np.clip(_smooth(path + np.clip(shift, -0.5, 0.5)), 0, len(rows) - 1)


def _cheapest_path(cost: NDArray[np.floating], step: float) -> NDArray[np.float64]:
    """Row at every column of the cheapest left-to-right path that moves at most one row a column (Viterbi)."""
    rows, columns = cost.shape
    total = np.empty((columns, rows))
    back = np.zeros((columns, rows), dtype=np.int64)
    total[0] = cost[:, 0]
    choices = np.full((3, rows), np.inf)
    for column in range(1, columns):
        before = total[column - 1]
        choices[0, 1:] = before[:-1] + step
        choices[1] = before
        choices[2, :-1] = before[1:] + step
        best = choices.argmin(axis=0)
        back[column] = best - 1
        total[column] = choices.min(axis=0) + cost[:, column]
    path = np.empty(columns)
    row = int(total[-1].argmin())
    for column in range(columns - 1, -1, -1):
        path[column] = row
        row += int(back[column, row])
    return path


def _smooth(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Binomial smoothing over five columns."""
    return np.convolve(np.pad(path, 2, mode="edge"), np.array([1, 4, 6, 4, 1]) / 16, mode="valid")
