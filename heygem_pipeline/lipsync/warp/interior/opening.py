"""What shows between the lips: the template's own teeth where its frame has them, the drawn interior elsewhere."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLight
from heygem_pipeline.lipsync.warp.analysis.sharpness import grain_like
from heygem_pipeline.lipsync.warp.articulation.target import CLOSING_UPPER_SHARE
from heygem_pipeline.lipsync.warp.curves import MouthContours
from heygem_pipeline.lipsync.warp.interior.bared_teeth import Lines, bared_teeth
from heygem_pipeline.lipsync.warp.interior.mouth_interior import OpenMouth, draw_interior
from heygem_pipeline.lipsync.warp.interior.teeth import turn_of_head
from heygem_pipeline.lipsync.warp.view import View, height_of

CREASE_REACH = 0.03
"""IOD around the mouth's line that a drawn crease may touch."""

GRAIN = 0.7
"""Share of the skin's grain that shows on what lies in shade."""

UPPER_RIM, LOWER_RIM = 0.20, 0.08
"""How much darker the lips' rims get where they part."""


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
        edge = max(view.pixel, 0.010, 1.5 * light.blur)
        # The border lies half over the lips: behind it the warped layers hold the other lip's pixels.
        alpha = np.clip((view.y - view.upper) / edge + 0.5, 0, 1) * np.clip((view.lower - view.y) / edge + 0.5, 0, 1)
        alpha *= smoothstep(0, 2.5 * edge, opening)
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
    )
    shown = own_teeth * min(max((float((own[1] - own[0]).max()) - 0.03) / 0.05, 0.0), 1.0)
    teeth = bared_teeth(view, own, light, rounding).faded(shown) if shown > 0 else None
    drawn = draw_interior(view.x, view.y, view.upper, view.lower, mouth, light, view.pixel, teeth)
    drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), max(0.4, light.blur / view.pixel)), np.float32)
    drawn += GRAIN * grain_like(view)
    if teeth is not None:
        drawn += teeth.seen[..., None] * (teeth.colours - drawn)
    return drawn


def _slope(base: MouthContours) -> float:
    across = base.upper_outer[-1] - base.upper_outer[0]
    return float(across[1] / across[0])
