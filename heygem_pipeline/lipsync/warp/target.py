"""From the mouth a frame has to the mouth it shall have."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.curves import MouthContours

UPPER_SHARE = 0.24
"""Share of an opening that the upper lip's rise makes; the rest is the lower lip's and the jaw's."""

CLOSING_UPPER_SHARE = 0.38
"""The same when parted lips are brought together: a smile has drawn the upper lip up."""

CORNER_DROP = 0.14
"""How far the corners follow the lower lip's drop."""

JAW_FOLLOWS = 0.8
"""The jaw's drop against the lower lip's."""

PURSED = 0.12
"""Pursed lips come forward: how much thicker they look."""

WIDEST_OPENING = 0.41
"""IOD: half the width over which lips part in speech."""

NARROWED_BY_OPENING = 0.25
"""Relative loss of width an IOD of opening: the cheeks draw the corners in as the jaw drops."""

ROUNDED_WIDTH = 0.16
"""Relative loss of width of fully rounded lips."""

THINNEST, THICKEST = 0.80, 1.25
"""Bounds of a lip's thickness against the frame's own."""


@dataclass(frozen=True)
class Articulation:
    """What speech asks of the mouth in one frame.

    gap: height of the opening, IOD, 0 = lips touch.
    width: relative change of the mouth's width, -0.16 (rounded) .. 0.15 (spread).
    jaw: how far the jaw drops, IOD.
    """

    gap: float
    width: float
    jaw: float

    @property
    def still(self) -> bool:
        """The mouth stays as it rests."""
        return self.gap == 0 and self.width == 0 and self.jaw == 0

    @property
    def rounding(self) -> float:
        """0 = spread or neutral, 1 = fully rounded."""
        return float(np.clip(-self.width / ROUNDED_WIDTH, 0, 1))


def jaw_drop(gap: float) -> float:
    """How far the jaw usually drops for an opening, IOD."""
    return JAW_FOLLOWS * (1 - UPPER_SHARE) * gap


def _share_of_width(x: NDArray[np.float64], left: float, right: float) -> NDArray[np.float64]:
    """-1 at the left corner, 1 at the right one."""
    return np.clip((2 * x - left - right) / (right - left), -1, 1)


def opening_profile(s: NDArray[np.float64], gap: float, rounding: float, half_width: float) -> NDArray[np.float64]:
    """Height of the opening along the mouth against its height in the middle.

    Lips part in the middle first and unzip toward the corners as the mouth opens; rounded lips open as an ellipse. What
    a smile adds to the width stays closed.
    """
    reach = min(0.66 + 0.26 * min(1.0, gap / 0.14), WIDEST_OPENING / half_width)
    inside = np.clip(1 - (np.abs(s) / reach) ** 2.2, 0, 1)
    return inside ** (0.85 - 0.3 * rounding)


def outer_profile(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a lip's outer border follows its inner one, along the mouth."""
    return np.clip(1 - np.abs(s) ** 2.0, 0, 1) ** 0.8


def at_rest(frame: MouthContours, corner_shift: NDArray[np.float64]) -> MouthContours:
    """Bring the lips of a frame together: the shape the mouth has between words. Unchanged where they touch already.

    corner_shift: (2, 2), by how much the left and the right corner lie elsewhere at rest, IOD.
    """
    return _shift_corners(_bring_together(frame), corner_shift)


def speaking(frame: MouthContours, corner_shift: NDArray[np.float64], wanted: Articulation) -> MouthContours:
    """Shape of the mouth that speaks: opened from its rest, as far as it goes the way the frame itself opens it.

    A frame whose mouth is open as wide as asked thus keeps its own lips.
    """
    rest, own = at_rest(frame, corner_shift), max(frame.gap, 0.0)
    if own == 0:
        return articulate(rest, wanted)
    share = min(1.0, wanted.gap / own)
    return articulate(between(rest, _shift_corners(frame, corner_shift), share), wanted, share * own)


def _shift_corners(frame: MouthContours, shift: NDArray[np.float64]) -> MouthContours:
    if not shift.any():
        return frame
    left, right = frame.upper_outer[0, 0], frame.upper_outer[-1, 0]

    def moved(line: NDArray[np.float64]) -> NDArray[np.float64]:
        s = _share_of_width(line[:, 0], left, right)[:, None]
        sideways = (1 - s) / 2 * shift[0, 0] + (1 + s) / 2 * shift[1, 0]
        # A corner's rise or fall is its own; the middle of the lips stays.
        upright = np.where(s < 0, shift[0, 1], shift[1, 1]) * np.abs(s) ** 2
        return line + np.concatenate([sideways, upright], axis=1)

    return MouthContours(*(moved(line) for line in _lines(frame)))


def _bring_together(frame: MouthContours) -> MouthContours:
    height = frame.lower_inner[:, 1] - frame.upper_inner[:, 1]
    if not height.any():
        return frame
    upper_inner, lower_inner = frame.upper_inner.copy(), frame.lower_inner.copy()
    upper_inner[:, 1] += CLOSING_UPPER_SHARE * height
    lower_inner[:, 1] -= (1 - CLOSING_UPPER_SHARE) * height
    upper_inner[:, 0] = lower_inner[:, 0] = (upper_inner[:, 0] + lower_inner[:, 0]) / 2
    upper_outer, lower_outer = frame.upper_outer.copy(), frame.lower_outer.copy()
    span = frame.upper_inner[:, 0]
    upper_height = np.interp(upper_outer[:, 0], span, height, left=0, right=0)
    lower_height = np.interp(lower_outer[:, 0], span, height, left=0, right=0)
    upper_outer[:, 1] += 0.85 * CLOSING_UPPER_SHARE * upper_height
    lower_outer[:, 1] -= 0.95 * (1 - CLOSING_UPPER_SHARE) * lower_height
    return MouthContours(upper_outer, lower_outer, upper_inner, lower_inner)


def articulate(rest: MouthContours, wanted: Articulation, opened_by: float = 0.0) -> MouthContours:
    """Open, spread or round a mouth. opened_by: the part of the opening, IOD, that ``rest`` has already."""
    if wanted.still:
        return rest
    left, right = rest.upper_outer[0], rest.upper_outer[-1]
    centre, half_width = (left[0] + right[0]) / 2, (right[0] - left[0]) / 2
    rounding = wanted.rounding
    growth = wanted.gap - opened_by
    scale = 1 + wanted.width - NARROWED_BY_OPENING * growth
    upper, lower = UPPER_SHARE * growth, (1 - UPPER_SHARE) * growth

    def moved(line: NDArray[np.float64], profile: NDArray[np.float64], drop: float) -> NDArray[np.float64]:
        s = _share_of_width(line[:, 0], left[0], right[0])
        x = centre + (line[:, 0] - centre) * scale
        return np.stack([x, line[:, 1] + drop * profile + CORNER_DROP * lower * np.abs(s) ** 3], axis=1)

    def opened(line: NDArray[np.float64], drop: float) -> NDArray[np.float64]:
        s = _share_of_width(line[:, 0], left[0], right[0])
        return moved(line, opening_profile(s, wanted.gap, rounding, half_width), drop)

    def rounded(line: NDArray[np.float64]) -> NDArray[np.float64]:
        """Only the upper lip keeps its cupid's bow when the mouth opens; the lower lip's edge is a plain arc."""
        s = _share_of_width(line[:, 0], left[0], right[0])
        arc = np.polynomial.Polynomial.fit(s, line[:, 1], 2)(s)
        arc += (1 - s) / 2 * (line[0, 1] - arc[0]) + (1 + s) / 2 * (line[-1, 1] - arc[-1])
        share = 0.8 * min(1.0, growth / 0.08) * opening_profile(s, wanted.gap, rounding, half_width)
        return np.stack([line[:, 0], line[:, 1] + share * (arc - line[:, 1])], axis=1)

    def followed(outer: NDArray[np.float64], inner: NDArray[np.float64], drop: float) -> NDArray[np.float64]:
        s = _share_of_width(outer[:, 0], left[0], right[0])
        line = moved(outer, outer_profile(s), drop)
        line[:, 1] += PURSED * rounding * (outer[:, 1] - np.interp(outer[:, 0], inner[:, 0], inner[:, 1]))
        return line

    upper_inner, lower_inner = opened(rest.upper_inner, -upper), opened(rounded(rest.lower_inner), lower)
    return MouthContours(
        upper_outer=keep_thickness(
            followed(rest.upper_outer, rest.upper_inner, -0.8 * upper), upper_inner, rest.upper_outer, rest.upper_inner
        ),
        lower_outer=keep_thickness(
            followed(rest.lower_outer, rest.lower_inner, 0.93 * lower), lower_inner, rest.lower_outer, rest.lower_inner
        ),
        upper_inner=upper_inner,
        lower_inner=lower_inner,
    )


def keep_thickness(
    outer: NDArray[np.float64],
    inner: NDArray[np.float64],
    rest_outer: NDArray[np.float64],
    rest_inner: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Hold a lip's outer border so that the lip keeps within its bounds of thickness; the corners stay as they are.

    outer, rest_outer: (15, 2), the border as asked for and at rest. inner, rest_inner: (17, 2), the lip's other edge.
    """
    edge = np.interp(outer[1:-1, 0], inner[:, 0], inner[:, 1])
    rest = rest_outer[1:-1, 1] - np.interp(rest_outer[1:-1, 0], rest_inner[:, 0], rest_inner[:, 1])
    bounds = np.sort([THINNEST * rest, THICKEST * rest], axis=0)
    kept = outer.copy()
    kept[1:-1, 1] = edge + np.clip(outer[1:-1, 1] - edge, bounds[0], bounds[1])
    return kept


def between(a: MouthContours, b: MouthContours, share: float) -> MouthContours:
    """Shape that lies ``share`` (0..1) of the way from ``a`` to ``b``."""
    return MouthContours(*(start + share * (end - start) for start, end in zip(_lines(a), _lines(b), strict=True)))


def largest_move(a: MouthContours, b: MouthContours) -> float:
    """Return the largest distance between the same point of two shapes, IOD."""
    return max(float(np.abs(start - end).max()) for start, end in zip(_lines(a), _lines(b), strict=True))


def _lines(shape: MouthContours) -> tuple[NDArray[np.float64], ...]:
    return shape.upper_outer, shape.lower_outer, shape.upper_inner, shape.lower_inner
