"""What shows between the lips: the template's own teeth where its frame has them, the drawn interior elsewhere."""

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


def paint_opening(
    warped: NDArray[np.uint8],
    region: MouthRegion,
    base: MouthContours,
    target: MouthContours,
    rounding: float,
    light: FaceLighting,
    own_teeth: float,
) -> None:
    """Paint the opening, and the crease of lips that the template never closed, into the warped crop.

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
    if opening.max() > 0.25 * region.pixel_size:
        inside = _interior(region, own, base, target, rounding, light, own_teeth)
        edge = max(region.pixel_size, 0.010, 1.5 * light.blur)
        # The border lies half over the lips: behind it the warped layers hold the other lip's pixels.
        alpha = np.clip((region.y - region.upper) / edge + 0.5, 0, 1) * np.clip(
            (region.lower - region.y) / edge + 0.5, 0, 1
        )
        alpha *= smoothstep(0, 2.5 * edge, opening)
        picture += alpha[..., None] * (inside - picture)
    warped[box] = np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _shade_rims(picture: NDArray[np.float32], region: MouthRegion, own: LipHeights) -> None:
    """Lips that part turn their rims inward, out of the light: more so the upper one, which shades itself."""
    opened = np.clip((region.lower - region.upper - np.maximum(own[1] - own[0], 0)) / 0.06, 0, 1)
    above, below = region.upper - region.y, region.y - region.lower
    shade = UPPER_RIM * np.exp(-((np.maximum(above, 0) / 0.018) ** 2)) * (above > -0.02)
    shade += LOWER_RIM * np.exp(-((np.maximum(below, 0) / 0.014) ** 2)) * (below > -0.02)
    picture *= (1 - opened * shade)[..., None]


def _draw_crease(
    picture: NDArray[np.float32], region: MouthRegion, own: LipHeights, target: MouthContours, light: FaceLighting
) -> None:
    """Lips that were apart in the template have no dark line of their own to show when they meet."""
    left, right = float(target.upper_outer[0, 0]), float(target.upper_outer[-1, 0])
    across = (2 * region.x - left - right) / (right - left)
    apart = np.clip((own[1] - own[0]) / 0.04, 0, 1)
    closing = np.clip(1 - (region.lower - region.upper) / 0.03, 0, 1)
    line = np.exp(-(((region.y - region.middle) / max(0.009, 0.8 * region.pixel_size)) ** 2))
    ends = np.clip((1 - np.abs(across)) / 0.3, 0, 1)
    alpha = 0.65 * apart * closing * line * ends
    picture += alpha[..., None] * (1.15 * light.crease - picture)


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
    midline = float(base.upper_outer[7, 0])
    mouth = OpenMouth(
        centre=(left + right) / 2,
        half_width=(right - left) / 2,
        midline=midline,
        turn=head_turn(midline - float(base.upper_outer[0, 0]), float(base.upper_outer[-1, 0]) - midline),
        skull_edge=float(
            (base.upper_inner + CLOSING_UPPER_SHARE * (base.lower_inner - base.upper_inner))[7:10, 1].mean()
        ),
        tilt=_slope(base),
        floor=float(target.lower_inner[7:10, 1].mean()),
        gap=target.gap,
        rounding=rounding,
    )
    shown = own_teeth * min(max((float((own[1] - own[0]).max()) - 0.03) / 0.05, 0.0), 1.0)
    teeth = bared_teeth(region, own, light, rounding).faded(shown) if shown > 0 else None
    drawn = draw_interior(region.x, region.y, region.upper, region.lower, mouth, light, region.pixel_size, teeth)
    drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), max(0.4, light.blur / region.pixel_size)), np.float32)
    drawn += GRAIN * sample_grain(region)
    if teeth is not None:
        drawn += teeth.seen[..., None] * (teeth.colours - drawn)
    return drawn


def _slope(base: MouthContours) -> float:
    across = base.upper_outer[-1] - base.upper_outer[0]
    return float(across[1] / across[0])
