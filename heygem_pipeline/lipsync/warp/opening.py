"""What shows between the lips: the template's own teeth where its frame has them, the drawn interior elsewhere."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.curves import MouthContours
from heygem_pipeline.lipsync.warp.interior import OpenMouth, draw_interior
from heygem_pipeline.lipsync.warp.light import FaceLight
from heygem_pipeline.lipsync.warp.sharpness import grain_like
from heygem_pipeline.lipsync.warp.target import CLOSING_UPPER_SHARE
from heygem_pipeline.lipsync.warp.teeth import turn_of_head
from heygem_pipeline.lipsync.warp.view import View, height_of

OWN_MARGIN = 0.008
"""IOD inside a parted mouth that still holds the rim of the lip."""

STILL_SHARE, LARGEST_STRETCH = 0.55, 1.35
"""Upper share of the frame's own opening that stays with the skull, and how far the rest may be stretched."""

CREASE_REACH = 0.03
"""IOD around the mouth's line that a drawn crease may touch."""

GRAIN = 0.7
"""Share of the skin's grain that shows on what lies in shade."""

UPPER_RIM, LOWER_RIM = 0.30, 0.20
"""How much darker the lips' rims get where they part."""

Lines = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Heights of the upper and lower inner lip line at every pixel of a view."""


def paint_opening(
    warped: NDArray[np.uint8],
    view: View,
    base: MouthContours,
    target: MouthContours,
    rounding: float,
    light: FaceLight,
    own_teeth: float,
) -> None:
    """Paint the opening, and the crease of lips that the template never closed, into the warped crop.

    own_teeth: 0..1, how far the frame's own open mouth is shown and not a drawn one.
    """
    near = (view.y > view.upper - CREASE_REACH) & (view.y < view.lower + CREASE_REACH)
    near &= (view.x > target.upper_outer[0, 0]) & (view.x < target.upper_outer[-1, 0])
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if not len(rows):
        return
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    view = view.cut(*box)
    own = (
        height_of(base.upper_inner, base.upper_inner[[0, -1]], view.x),
        height_of(base.lower_inner, base.lower_inner[[0, -1]], view.x),
    )
    picture = warped[box].astype(np.float32)
    _shade_rims(picture, view, own)
    _draw_crease(picture, view, own, target, light)
    opening = view.lower - view.upper
    if opening.max() > 0.25 * view.pixel:
        inside = _interior(view, own, base, target, rounding, light, own_teeth)
        edge = max(view.pixel, 0.010, 1.5 * float(light.blur[0]))
        # The border lies half over the lips: behind it the warped layers hold the other lip's pixels.
        alpha = np.clip((view.y - view.upper) / edge + 0.5, 0, 1) * np.clip((view.lower - view.y) / edge + 0.5, 0, 1)
        alpha *= np.clip(opening / (1.5 * edge), 0, 1)
        picture += alpha[..., None] * (inside - picture)
    warped[box] = np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _shade_rims(picture: NDArray[np.float32], view: View, own: Lines) -> None:
    """Lips that part turn their rims inward, out of the light: more so the upper one, which shades itself."""
    opened = np.clip((view.lower - view.upper - np.maximum(own[1] - own[0], 0)) / 0.06, 0, 1)
    above, below = view.upper - view.y, view.y - view.lower
    shade = UPPER_RIM * np.exp(-((np.maximum(above, 0) / 0.018) ** 2)) * (above > -0.02)
    shade += LOWER_RIM * np.exp(-((np.maximum(below, 0) / 0.014) ** 2)) * (below > -0.02)
    picture *= (1 - opened * shade)[..., None]


def _draw_crease(picture: NDArray[np.float32], view: View, own: Lines, target: MouthContours, light: FaceLight) -> None:
    """Lips that were apart in the template have no dark line of their own to show when they meet."""
    left, right = float(target.upper_outer[0, 0]), float(target.upper_outer[-1, 0])
    across = (2 * view.x - left - right) / (right - left)
    apart = np.clip((own[1] - own[0]) / 0.04, 0, 1)
    closing = np.clip(1 - (view.lower - view.upper) / 0.03, 0, 1)
    line = np.exp(-(((view.y - view.middle) / max(0.009, 0.8 * view.pixel)) ** 2))
    ends = np.clip((1 - np.abs(across)) / 0.3, 0, 1)
    alpha = 0.65 * apart * closing * line * ends
    picture += alpha[..., None] * (1.15 * light.crease - picture)


def _interior(
    view: View,
    own: Lines,
    base: MouthContours,
    target: MouthContours,
    rounding: float,
    light: FaceLight,
    own_teeth: float,
) -> NDArray[np.float32]:
    import cv2

    left, right = float(target.upper_outer[0, 0]), float(target.upper_outer[-1, 0])
    midline = float(base.upper_outer[7, 0])
    mouth = OpenMouth(
        centre=(left + right) / 2,
        half_width=(right - left) / 2,
        midline=midline,
        turn=turn_of_head(midline - float(base.upper_outer[0, 0]), float(base.upper_outer[-1, 0]) - midline),
        skull_edge=float(
            (base.upper_inner + CLOSING_UPPER_SHARE * (base.lower_inner - base.upper_inner))[7:10, 1].mean()
        ),
        tilt=_slope(base),
        floor=float(target.lower_inner[7:10, 1].mean()),
        gap=target.gap,
        rounding=rounding,
        fullness=float((base.upper_inner[7:10, 1] - base.upper_outer[6:9, 1]).mean()),
    )
    drawn = draw_interior(view.x, view.y, view.upper, view.lower, mouth, light, view.pixel)
    drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), max(0.4, float(light.blur[0]) / view.pixel)), np.float32)
    drawn += GRAIN * grain_like(view)
    height = own[1] - own[0]
    own_teeth *= min(max((float(height.max()) - 0.03) / 0.05, 0.0), 1.0)
    if own_teeth == 0:
        return drawn
    teeth, seen = _own_teeth(view, own)
    seen *= np.float32(own_teeth)
    return (drawn + seen[..., None] * (teeth - drawn)).astype(np.float32)


def _own_teeth(view: View, own: Lines) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The frame's own pixels where they are, in the lips' shade, and how far each is seen (0..1).

    Teeth stay with the skull while the lips uncover them. Above the frame's own opening its topmost row continues;
    where the mouth opens further, the lower part of the picture follows the lower lip a little way.
    """
    import cv2

    upper, lower = own
    centre = upper + STILL_SHARE * (lower - upper)
    stretch = np.clip((view.lower - centre) / np.maximum(lower - centre, 1e-3), 1, LARGEST_STRETCH)
    y = np.where(view.y > centre, centre + (view.y - centre) / stretch, np.maximum(view.y, upper + OWN_MARGIN))
    shift = (y - view.y) / view.pixel
    column = view.column + shift * float(view.down[0])
    row = view.row + shift * float(view.down[1])
    teeth = cv2.remap(view.crop, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    shade = 0.80 + 0.20 * np.clip((view.y - view.upper) / 0.035, 0, 1)
    shade *= 0.86 + 0.14 * np.clip((view.lower - view.y) / 0.02, 0, 1)
    margin = np.minimum(OWN_MARGIN, 0.2 * (lower - upper))
    seen = np.clip((lower - margin - y) / np.clip(0.4 * (lower - upper), 0.004, 0.02), 0, 1)
    seen *= np.clip((lower - upper) / 0.015, 0, 1)
    return (teeth * shade[..., None]).astype(np.float32), seen.astype(np.float32)


def _slope(base: MouthContours) -> float:
    across = base.upper_outer[-1] - base.upper_outer[0]
    return float(across[1] / across[0])
