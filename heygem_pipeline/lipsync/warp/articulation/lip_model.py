"""From the mouth a frame has to the mouth it shall have."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.analysis.rest_pose import NO_OFFSET, RestOffset
from heygem_pipeline.lipsync.warp.contours import MouthContours, displace_contours

# Shares of an opening: medians over 26 talking people (none used for evaluation) of regressions on the tracked gap.

FloatOrArray = TypeVar("FloatOrArray", float, NDArray[np.floating])

UPPER_SHARE = 0.22
"""Share of an opening that the upper lip's rise makes; the rest is the lower lip's and the jaw's."""

UPPER_BORDER, LOWER_BORDER = 0.75, 1.0
"""How far a lip's border with the skin follows its inner edge."""

CLOSING_UPPER_SHARE = 0.38
"""Share of the upper lip when parted lips are brought together: a smile has drawn it up."""

CLOSING_NARROWING = 0.49
"""Relative loss of width for an opening that is closed."""

CORNER_DROP = 0.18
"""How far the corners sink for an opening."""

CORNER_RISE = 0.17
"""How far the corners rise for a relative change of width: they sink as lips are rounded."""

JAW_SHARE = 0.5
"""The chin's drop for an opening. Quartiles 0.20 and 0.54; the noise of the chin's landmarks lowers them."""

RAISED_LIP_CARRY, LOWERED_LIP_CARRY = 0.70, 0.25
"""How far the line between the lips goes along when the upper lip is raised, or the lower one lowered, by itself."""

PURSED_THICKENING = 0.12
"""Pursed lips come forward: how much thicker they look."""

WIDEST_OPENING = 0.41
"""IOD: half the width over which lips part in speech."""

LEAST_REACH, FURTHER_REACH, FURTHEST_AT = 0.66, 0.26, 0.14
"""Share of the mouth's half width over which lips part at first, what is added, and the opening (IOD) with it all."""

UNZIPPING, FLATTENING, ROUNDED_FLATTENING = 2.2, 0.85, 0.3
"""Powers: how steeply an opening ends at its sides, how flat it is between, and how much less so in rounded lips."""

BORDER_FLATTENING = 0.8
"""Power: how flat the border's share of an opening is along the mouth."""

CLOSING_UPPER_BORDER, CLOSING_LOWER_BORDER = 0.85, 0.95
"""How far a lip's border goes along when parted lips are brought together."""

LOWER_ARC, LOWER_ARC_AT = 0.8, 0.08
"""How far the lower lip's edge becomes a plain arc, and the opening (IOD) from which."""

ROUNDED_WIDTH = 0.16
"""Relative loss of width of fully rounded lips."""

THINNEST, THICKEST = 0.72, 1.25
"""Bounds of a lip's thickness against the frame's own."""


@dataclass(frozen=True)
class Articulation:
    """What speech asks of the mouth in one frame.

    Attributes:
        gap: height of the opening, IOD, 0 = lips touch.
        width: relative change of the mouth's width, -0.16 (rounded) .. 0.15 (spread).
        jaw: how far the jaw drops, IOD.
        raised: how far the upper lip rises beyond what the opening brings, IOD; negative where the lips are pressed
            together (m, b, p).
        lowered: how far the lower lip sinks beyond it; negative there too, and where it meets the teeth (f, v).
    """

    gap: float
    width: float
    jaw: float
    raised: float = 0.0
    lowered: float = 0.0

    @property
    def still(self) -> bool:
        """The mouth stays as it rests."""
        return not (self.gap or self.width or self.jaw or self.raised or self.lowered)

    @property
    def rounding(self) -> float:
        """0 = spread or neutral, 1 = fully rounded."""
        return float(np.clip(-self.width / ROUNDED_WIDTH, 0, 1))


def jaw_drop(gap: FloatOrArray) -> FloatOrArray:
    """How far the jaw usually drops for an opening, IOD."""
    return JAW_SHARE * gap


def _share_of_width(x: NDArray[np.float64], left: float, right: float) -> NDArray[np.float64]:
    """-1 at the left corner, 1 at the right one."""
    return np.clip((2 * x - left - right) / (right - left), -1, 1)


def opening_profile(s: NDArray[np.float64], gap: float, rounding: float, half_width: float) -> NDArray[np.float64]:
    """Height of the opening along the mouth against its height in the middle.

    Lips part in the middle first and unzip toward the corners as the mouth opens; rounded lips open as an ellipse. What
    a smile adds to the width stays closed.
    """
    reach = min(LEAST_REACH + FURTHER_REACH * min(1.0, gap / FURTHEST_AT), WIDEST_OPENING / half_width)
    inside = np.clip(1 - (np.abs(s) / reach) ** UNZIPPING, 0, 1)
    return inside ** (FLATTENING - ROUNDED_FLATTENING * rounding)


def outer_profile(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a lip's outer border follows its inner one, along the mouth."""
    return np.clip(1 - np.abs(s) ** 2.0, 0, 1) ** BORDER_FLATTENING


def closed_contours(frame: MouthContours, rest: RestOffset = NO_OFFSET) -> MouthContours:
    """Bring the lips of a frame together: the shape the mouth has between words. Unchanged where they touch already.

    Args:
        rest: where this mouth would be if it did not move of its own.
    """
    return _close(displace_contours(frame, rest.shift) if rest.motion else frame)


def spoken_contours(frame: MouthContours, wanted: Articulation, rest: RestOffset = NO_OFFSET) -> MouthContours:
    """Shape of the mouth that speaks: opened from its rest, as far as it goes the way the frame itself opens it.

    A frame whose mouth stands open as wide as asked thus keeps its own lips; one that moves of its own does not.
    """
    closed, own = closed_contours(frame, rest), (1 - rest.motion) * max(frame.gap, 0.0)
    if own == 0:
        return articulate(closed, wanted)
    share = (1 - rest.motion) * min(1.0, wanted.gap / own)
    return articulate(interpolate_contours(closed, frame, share), wanted, share * max(frame.gap, 0.0))


def _close(frame: MouthContours) -> MouthContours:
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
    upper_outer[:, 1] += CLOSING_UPPER_BORDER * CLOSING_UPPER_SHARE * upper_height
    lower_outer[:, 1] -= CLOSING_LOWER_BORDER * (1 - CLOSING_UPPER_SHARE) * lower_height
    centre = (upper_outer[0, 0] + upper_outer[-1, 0]) / 2
    for line in (upper_outer, lower_outer, upper_inner, lower_inner):
        line[:, 0] = centre + (line[:, 0] - centre) * (1 - CLOSING_NARROWING * max(frame.gap, 0.0))
    return MouthContours(upper_outer, lower_outer, upper_inner, lower_inner)


def articulate(rest: MouthContours, wanted: Articulation, opened_by: float = 0.0) -> MouthContours:
    """Open, spread or round a mouth.

    Args:
        opened_by: the part of the opening, IOD, that ``rest`` has already.
    """
    if wanted.still:
        return rest
    left, right = rest.upper_outer[0], rest.upper_outer[-1]
    centre, half_width = (left[0] + right[0]) / 2, (right[0] - left[0]) / 2
    rounding = wanted.rounding
    growth = wanted.gap - opened_by
    upper, lower = UPPER_SHARE * growth, (1 - UPPER_SHARE) * growth
    corners = CORNER_DROP * growth - CORNER_RISE * wanted.width
    carried = LOWERED_LIP_CARRY * wanted.lowered - RAISED_LIP_CARRY * wanted.raised

    def moved(line: NDArray[np.float64], profile: NDArray[np.float64], drop: float, own: float) -> NDArray[np.float64]:
        s = _share_of_width(line[:, 0], left[0], right[0])
        x = centre + (line[:, 0] - centre) * (1 + wanted.width)
        return np.stack([x, line[:, 1] + drop * profile + own * outer_profile(s) + corners * np.abs(s) ** 3], axis=1)

    def opened(line: NDArray[np.float64], drop: float) -> NDArray[np.float64]:
        s = _share_of_width(line[:, 0], left[0], right[0])
        return moved(line, opening_profile(s, wanted.gap, rounding, half_width), drop, carried)

    def rounded(line: NDArray[np.float64]) -> NDArray[np.float64]:
        """Only the upper lip keeps its cupid's bow when the mouth opens; the lower lip's edge is a plain arc."""
        s = _share_of_width(line[:, 0], left[0], right[0])
        arc = np.polynomial.Polynomial.fit(s, line[:, 1], 2)(s)
        arc += (1 - s) / 2 * (line[0, 1] - arc[0]) + (1 + s) / 2 * (line[-1, 1] - arc[-1])
        share = LOWER_ARC * min(1.0, growth / LOWER_ARC_AT) * opening_profile(s, wanted.gap, rounding, half_width)
        return np.stack([line[:, 0], line[:, 1] + share * (arc - line[:, 1])], axis=1)

    def followed(
        outer: NDArray[np.float64], inner: NDArray[np.float64], drop: float, own: float
    ) -> NDArray[np.float64]:
        s = _share_of_width(outer[:, 0], left[0], right[0])
        line = moved(outer, outer_profile(s), drop, own)
        line[:, 1] += PURSED_THICKENING * rounding * (outer[:, 1] - np.interp(outer[:, 0], inner[:, 0], inner[:, 1]))
        return line

    upper_inner, lower_inner = opened(rest.upper_inner, -upper), opened(rounded(rest.lower_inner), lower)
    return MouthContours(
        upper_outer=limit_thickness(
            followed(rest.upper_outer, rest.upper_inner, -UPPER_BORDER * upper, -wanted.raised),
            upper_inner,
            rest.upper_outer,
            rest.upper_inner,
        ),
        lower_outer=limit_thickness(
            followed(rest.lower_outer, rest.lower_inner, LOWER_BORDER * lower, wanted.lowered),
            lower_inner,
            rest.lower_outer,
            rest.lower_inner,
        ),
        upper_inner=upper_inner,
        lower_inner=lower_inner,
    )


def limit_thickness(
    outer: NDArray[np.float64],
    inner: NDArray[np.float64],
    rest_outer: NDArray[np.float64],
    rest_inner: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Hold a lip's outer border so that the lip keeps within its bounds of thickness; the corners stay as they are.

    Args:
        outer: (15, 2), the border as asked for.
        inner: (17, 2), the lip's other edge as asked for.
        rest_outer: (15, 2), the border at rest.
        rest_inner: (17, 2), the other edge at rest.
    """
    edge = np.interp(outer[1:-1, 0], inner[:, 0], inner[:, 1])
    rest = rest_outer[1:-1, 1] - np.interp(rest_outer[1:-1, 0], rest_inner[:, 0], rest_inner[:, 1])
    bounds = np.sort([THINNEST * rest, THICKEST * rest], axis=0)
    kept = outer.copy()
    kept[1:-1, 1] = edge + np.clip(outer[1:-1, 1] - edge, bounds[0], bounds[1])
    return kept


def interpolate_contours(a: MouthContours, b: MouthContours, share: float) -> MouthContours:
    """Shape that lies ``share`` (0..1) of the way from ``a`` to ``b``."""
    return MouthContours(*(start + share * (end - start) for start, end in zip(_lines(a), _lines(b), strict=True)))


def largest_displacement(a: MouthContours, b: MouthContours) -> float:
    """Return the largest distance between the same point of two shapes, IOD."""
    return max(float(np.abs(start - end).max()) for start, end in zip(_lines(a), _lines(b), strict=True))


def _lines(shape: MouthContours) -> tuple[NDArray[np.float64], ...]:
    return shape.upper_outer, shape.lower_outer, shape.upper_inner, shape.lower_inner
