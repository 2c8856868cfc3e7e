"""What shows between the lips: the presenter's own teeth where its frame has them, the drawn interior elsewhere.

No measurement is recorded for the numbers below: they are settings of a picture's look.
"""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.analysis.sharpness import sample_grain
from heygem_pipeline.lipsync.warp.articulation.lip_model import CLOSING_UPPER_SHARE
from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline.lipsync.warp.interior.bared_teeth import LipHeights, bared_teeth
from heygem_pipeline.lipsync.warp.interior.dental_arch import head_turn
from heygem_pipeline.lipsync.warp.interior.mouth_interior import OpenMouth, draw_interior
from heygem_pipeline.lipsync.warp.mouth_region import MouthRegion, height_of

CREASE_REACH = 0.03
"""IOD around the mouth's line that a drawn crease may touch."""

GRAIN = 0.7
"""Share of the skin's grain that shows on what lies in shade."""

UPPER_RIM, LOWER_RIM = 0.20, 0.08
"""How much darker the lips' rims get where they part."""

RIM_OPENING = 0.06
"""IOD by which lips part until their rims are as dark as they get."""

UPPER_RIM_HEIGHT, LOWER_RIM_HEIGHT, RIM_OVERLAP = 0.018, 0.014, 0.02
"""IOD over which a rim's shade fades into the lip, and how far it reaches into the opening."""

LEAST_OPENING_PIXELS = 0.25
"""Height of an opening, pixels, from which its inside is drawn."""

LEAST_EDGE_WIDTH, EDGE_BLURS, FULL_OPENING_EDGES = 0.010, 1.5, 2.5
"""Width of the opening's soft edge: IOD at least, in softnesses of the frame's edges; and height of an opening, in such
widths, from which its inside is seen whole."""

CREASE_WIDTH, CREASE_WIDTH_PIXELS = 0.009, 0.8
"""Half width of a drawn crease: the larger of so many IOD and so many pixels."""

CREASE_APART, CREASE_CLOSED, CREASE_END = 0.04, 0.03, 0.3
"""IOD that the frame's own lips are apart where a crease is drawn in full, IOD that the shown ones are apart where none
is, and share of the mouth's half width over which it fades toward a corner."""

CREASE_OPACITY, CREASE_TONE = 0.65, 1.15
"""How far a drawn crease covers the lips, and its colour in that of the face's crease."""

OWN_TEETH_HEIGHT, OWN_TEETH_RANGE = 0.03, 0.05
"""Height of the frame's own opening, IOD, from which its own teeth are shown, and by how much more in full."""

TEETH_GAP, TEETH_GAP_RANGE = 0.03, 0.03
"""IOD that lips brought together must still be apart for the frame's own teeth to show, and by how much more in full:
less of them is a film."""

KEPT_OPENING, KEPT_OPENING_RANGE = 0.6, 0.3
"""Share of the frame's own opening that must be left for its teeth to show however small it is: a smile."""

LEAST_INTERIOR_BLUR_PIXELS, INTERIOR_BLUR = 0.4, 1.25
"""How soft the drawn inside is: so many pixels at least, and in softnesses of the lips' edges."""

MIDLINE_SAMPLE, MIDDLE_SAMPLES = 7, slice(7, 10)
"""Of a contour's samples: the outer one on the midline, and the three inner ones in the middle."""


def paint_opening(
    warped: NDArray[np.uint8],
    region: MouthRegion,
    base: MouthContours,
    target: MouthContours,
    rounding: float,
    light: FaceLighting,
    own_teeth: float,
) -> None:
    """Paint the opening, and the crease of lips that the presenter never closed, into the warped crop.

    Args:
        own_teeth: 0..1, how far the frame's own open mouth is shown and not a drawn one.
    """
    near = (region.y > region.upper - CREASE_REACH) & (region.y < region.lower + CREASE_REACH)
    near &= (region.x > target.upper_outer[0, 0]) & (region.x < target.upper_outer[-1, 0])
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if not len(rows):
        return
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    region = region.cropped(*box)
    own = (
        height_of(base.upper_inner, base.upper_inner[[0, -1]], region.x),
        height_of(base.lower_inner, base.lower_inner[[0, -1]], region.x),
    )
    picture = warped[box].astype(np.float32)
    _shade_rims(picture, region, own)
    _draw_crease(picture, region, own, target, light)
    opening = region.lower - region.upper
    if opening.max() > LEAST_OPENING_PIXELS * region.pixel_size:
        inside = _interior(region, own, base, target, rounding, light, own_teeth)
        edge = max(region.pixel_size, LEAST_EDGE_WIDTH, EDGE_BLURS * light.blur)
        # The border lies half over the lips: behind it the warped layers hold the other lip's pixels.
        alpha = np.clip((region.y - region.upper) / edge + 0.5, 0, 1) * np.clip(
            (region.lower - region.y) / edge + 0.5, 0, 1
        )
        alpha *= smoothstep(0, FULL_OPENING_EDGES * edge, opening)
        picture += alpha[..., None] * (inside - picture)
    warped[box] = np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _shade_rims(picture: NDArray[np.float32], region: MouthRegion, own: LipHeights) -> None:
    """Lips that part turn their rims inward, out of the light: more so the upper one, which shades itself."""
    opened = np.clip((region.lower - region.upper - np.maximum(own[1] - own[0], 0)) / RIM_OPENING, 0, 1)
    above, below = region.upper - region.y, region.y - region.lower
    shade = UPPER_RIM * np.exp(-((np.maximum(above, 0) / UPPER_RIM_HEIGHT) ** 2)) * (above > -RIM_OVERLAP)
    shade += LOWER_RIM * np.exp(-((np.maximum(below, 0) / LOWER_RIM_HEIGHT) ** 2)) * (below > -RIM_OVERLAP)
    picture *= (1 - opened * shade)[..., None]


def _draw_crease(
    picture: NDArray[np.float32], region: MouthRegion, own: LipHeights, target: MouthContours, light: FaceLighting
) -> None:
    """Lips that were apart in the presenter have no dark line of their own to show when they meet."""
    left, right = float(target.upper_outer[0, 0]), float(target.upper_outer[-1, 0])
    across = (2 * region.x - left - right) / (right - left)
    apart = np.clip((own[1] - own[0]) / CREASE_APART, 0, 1)
    closing = np.clip(1 - (region.lower - region.upper) / CREASE_CLOSED, 0, 1)
    width = max(CREASE_WIDTH, CREASE_WIDTH_PIXELS * region.pixel_size)
    line = np.exp(-(((region.y - region.middle) / width) ** 2))
    ends = np.clip((1 - np.abs(across)) / CREASE_END, 0, 1)
    alpha = CREASE_OPACITY * apart * closing * line * ends
    picture += alpha[..., None] * (CREASE_TONE * light.crease - picture)


def _interior(
    region: MouthRegion,
    own: LipHeights,
    base: MouthContours,
    target: MouthContours,
    rounding: float,
    light: FaceLighting,
    own_teeth: float,
) -> NDArray[np.float32]:
    import cv2

    left, right = float(target.upper_outer[0, 0]), float(target.upper_outer[-1, 0])
    midline = float(base.upper_outer[MIDLINE_SAMPLE, 0])
    closed = base.upper_inner + CLOSING_UPPER_SHARE * (base.lower_inner - base.upper_inner)
    mouth = OpenMouth(
        centre=(left + right) / 2,
        half_width=(right - left) / 2,
        midline=midline,
        turn=head_turn(midline - float(base.upper_outer[0, 0]), float(base.upper_outer[-1, 0]) - midline),
        skull_edge=float(closed[MIDDLE_SAMPLES, 1].mean()),
        tilt=_slope(base),
        floor=float(target.lower_inner[MIDDLE_SAMPLES, 1].mean()),
        gap=target.gap,
        rounding=rounding,
    )
    own_height = float((own[1] - own[0]).max())
    shown = own_teeth * min(max((own_height - OWN_TEETH_HEIGHT) / OWN_TEETH_RANGE, 0.0), 1.0)
    kept = target.gap / max(base.gap, 1e-6)
    shown *= max(
        smoothstep(TEETH_GAP, TEETH_GAP + TEETH_GAP_RANGE, target.gap),
        smoothstep(KEPT_OPENING, KEPT_OPENING + KEPT_OPENING_RANGE, kept),
    )
    teeth = bared_teeth(region, own, light, rounding).faded(shown) if shown > 0 else None
    drawn = draw_interior(region.x, region.y, region.upper, region.lower, mouth, light, region.pixel_size, teeth)
    blur = max(LEAST_INTERIOR_BLUR_PIXELS, INTERIOR_BLUR * light.blur / region.pixel_size)
    drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), blur), np.float32)
    drawn += GRAIN * sample_grain(region)
    if teeth is not None:
        drawn += teeth.seen[..., None] * (teeth.colours - drawn)
    return drawn


def _slope(base: MouthContours) -> float:
    across = base.upper_outer[-1] - base.upper_outer[0]
    return float(across[1] / across[0])
