"""The inside of an open mouth, drawn: teeth, tongue and shade in the face's own light.

Its tones were measured on open mouths of 19 people who speak in public addresses (24 clips, 1 332 frames; luma over the
skin's). Openings up to 0.05 IOD show 0.45 throughout, in the lip's hue; the lightest spots reach 0.76 at 0.05 to 0.08,
0.84 at 0.08 to 0.12, 1.13 at 0.12 to 0.16, 1.2 beyond. Under the upper lip it is 0.46. Dark parts are 0.16, and as red
as deep lips. Teeth fill 0.3, 0.4, 0.55 and 0.6 of those openings. Numbers without a source were
chosen by eye beside those mouths, three times enlarged.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.analysis.visible_teeth import (
    LOWER_TEETH_FROM,
    LOWER_TEETH_PER_GAP,
    light_inside,
    luma,
)
from heygem_pipeline.lipsync.warp.interior.bared_teeth import BaredTeeth, darkened
from heygem_pipeline.lipsync.warp.interior.dental_arch import LOWER_ROW, UPPER_ROW, along_the_arch, teeth_edge_and_tone

DEEP_HUE = np.array([0.64, 0.71, 1.47], np.float32)
"""Hue of a mouth's dark parts against that of the lips, BGR (measured, see above)."""

MOST_LOWER_SHOWN = 0.060
"""IOD."""

DEEP_DARK = 0.16
"""Luma over the skin's of a wide dark opening."""

SLIT_TONE = 0.55
"""How dark the lip's colour is where hardly a slit is seen between lip and teeth."""

LINING_TONE = 0.62
"""How dark the lip's colour is on its inner side."""


@dataclass(frozen=True)
class OpenMouth:
    """Numbers of one open mouth, head frame, IOD.

    centre, half_width: of the mouth as it is shown. midline: x of the lips' middle. turn: tangent of the head's turn.
    skull_edge: y of the closed lips' line at the midline, from which the upper teeth hang. tilt: that line's slope.
    floor: y of the lower lip's edge in the middle.
    gap: the opening's height. rounding: 0 = spread, 1 = pursed.
    """

    centre: float
    half_width: float
    midline: float
    turn: float
    skull_edge: float
    tilt: float
    floor: float
    gap: float
    rounding: float


def draw_interior(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    upper: NDArray[np.float32],
    lower: NDArray[np.float32],
    mouth: OpenMouth,
    light: FaceLighting,
    pixel: float,
    bared: BaredTeeth | None = None,
) -> NDArray[np.float32]:
    """Return the colour of the opening, float32 (rows, columns, 3) BGR.

    x, y, upper, lower: float32 (rows, columns), head-frame place of every pixel, the inner lip lines above and below.
    pixel: size of a pixel, IOD. bared: upper teeth that the frame shows itself: then none are drawn.
    """
    place = along_the_arch(x - np.float32(mouth.midline), mouth.turn)
    soft = max(0.008, 0.7 * pixel)
    seen = 1 - smoothstep(0.25, 0.85, mouth.rounding)
    upper_step, upper_tone = teeth_edge_and_tone(place, UPPER_ROW, pixel)
    lower_step, lower_tone = teeth_edge_and_tone(place, LOWER_ROW, pixel)
    slope = mouth.tilt * (x - mouth.midline)
    upper_tips = mouth.skull_edge + slope + seen * light.teeth.upper - upper_step
    drawn_upper = seen
    if bared is not None:
        drawn_upper *= 1 - bared.share
        upper_tips = upper_tips + bared.share * (bared.end - upper_tips)
    # The lower row follows the jaw, so that it ends where the lip's arc rises over it.
    rise = seen * min(
        light.teeth.lower + LOWER_TEETH_PER_GAP * max(mouth.gap - LOWER_TEETH_FROM, 0.0), MOST_LOWER_SHOWN
    )
    lower_tips = mouth.floor - rise + slope + lower_step

    across = np.abs(x - mouth.centre) / max(mouth.half_width, 1e-3)
    # The lower lip's inner side catches light: no line is drawn along it.
    lining = 0.85 * smoothstep(-0.045, 0.0, y - lower)
    picture = _behind_the_teeth(y, (upper, lower), (upper_tips, lower_tips), across, lining, mouth.gap, light)

    lit = light_inside(mouth.gap) * (0.50 + 0.50 * smoothstep(0.0, 0.040, y - upper))
    row = smoothstep(-1.4 * soft, 1.4 * soft, y - lower_tips) * smoothstep(0.25, 0.55, lower_tone)
    tone = 0.82 * lit * lower_tone * (0.88 + 0.12 * smoothstep(-0.004, 0.014, lower - y))
    picture += (seen * smoothstep(0.06, 0.11, mouth.gap) * row)[..., None] * (darkened(light.enamel, tone) - picture)
    row = smoothstep(-soft, soft, upper_tips - y) * smoothstep(0.25, 0.55, upper_tone)
    tone = lit * upper_tone * (1 - 0.12 * smoothstep(-0.022, 0.0, y - upper_tips))
    picture += (drawn_upper * row)[..., None] * (darkened(light.enamel, tone) - picture)

    # Where the lips are close, and in the corners, only the shade of a slit is seen.
    narrow = 1 - smoothstep(0.020, 0.070, lower - upper)
    corner = 0.85 * smoothstep(0.55, 0.95, across)
    closed = np.maximum(narrow, corner * (1 - 0.7 * lining))
    picture += closed[..., None] * (light.crease * (1 - 0.35 * corner)[..., None] - picture)
    return np.asarray(picture, np.float32)


def _behind_the_teeth(
    y: NDArray[np.float32],
    lips: tuple[NDArray[np.float32], NDArray[np.float32]],
    tips: tuple[NDArray[np.floating], NDArray[np.floating]],
    across: NDArray[np.floating],
    lining: NDArray[np.floating],
    gap: float,
    light: FaceLighting,
) -> NDArray[np.float32]:
    """The dark of the mouth, the tongue in it and the lower lip's inner side.

    lips, tips: y of both lips' and of both rows of teeth's edges. across: 0 in the middle .. 1 in a corner.
    lining: 0..1, how far the lower lip's inner side is seen.
    """
    upper, lower = lips
    skin, rim = float(luma(light.skin)), SLIT_TONE * light.lip
    # A thin slit is lit by the lips, a wider one is as dark as a crease, an open mouth darker.
    dark_height = (np.minimum(tips[1], lower) - np.maximum(tips[0], upper))[..., None]
    picture = rim + smoothstep(-0.01, 0.03, dark_height) * (light.crease - rim)
    picture += smoothstep(0.02, 0.09, dark_height) * (_deep_colour(light) * (skin * DEEP_DARK) - picture)
    # The tongue is a low mound behind the lower teeth; the upper ones shade it.
    flesh = light.lip * (0.50 * skin / max(float(luma(light.lip)), 1.0)) * np.array([0.92, 0.90, 1.08], np.float32)
    mound = lower - 0.56 * np.maximum(lower - upper, 1e-4) * np.clip(1 - (across / 0.80) ** 2, 0, 1)
    tongue = smoothstep(-0.005, 0.055, y - mound) * smoothstep(0.08, 0.18, gap)
    shade = smoothstep(0.01, 0.08, dark_height[..., 0]) * (1 - smoothstep(0.0, 0.07, y - tips[0]))
    below_teeth = 1 - 0.65 * shade
    picture += (0.85 * tongue)[..., None] * (darkened(flesh, below_teeth) - picture)
    picture += lining[..., None] * (darkened(LINING_TONE * light.lip, below_teeth) - picture)
    return np.asarray(picture, np.float32)


def _deep_colour(light: FaceLighting) -> NDArray[np.float32]:
    """Hue of the mouth's dark parts, of luma 1."""
    hue = light.lip * DEEP_HUE
    return (hue / max(float(luma(hue)), 1.0)).astype(np.float32)
