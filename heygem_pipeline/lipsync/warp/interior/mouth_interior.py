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

FILLED_GAPS, MOST_FILLED = (0.05, 0.075, 0.10, 0.14, 0.20), (0.0, 0.40, 0.55, 0.70, 0.80)
"""Share of an opening that upper teeth fill at most, by its height, IOD: about as much as they do on average. More of
them in a small opening is a film."""

MOST_LOWER_SHOWN = 0.060
"""IOD."""

DEEP_DARK = 0.16
"""Luma over the skin's of a wide dark opening."""

SLIT_TONE = 0.55
"""How dark the lip's colour is where hardly a slit is seen between lip and teeth."""

LINING_TONE = 0.62
"""How dark the lip's colour is on its inner side."""

# Lengths are IOD, opacities and tones shares of 1, pairs the beginning and end of a ramp; all of it chosen by eye.

TEETH_EDGE, TEETH_EDGE_PIXELS, LOWER_EDGE_SOFTNESS = 0.008, 0.7, 1.4
"""Half width of the teeth's soft edge: the larger of these IOD and pixels; and the lower row's, in such widths."""

ROUNDING_HIDES_TEETH = 0.25, 0.85
"""Rounding of the lips over which all teeth vanish behind them."""

TOOTH_TONE_SEEN = 0.25, 0.55
"""Tone of a tooth over which it begins to be seen: those far back on the arch are lost in the dark."""

UNDER_LIP_LIGHT, UNDER_LIP_HEIGHT = 0.50, 0.040
"""Light on the teeth right under the upper lip, and height over which it grows to all of it."""

LOWER_TEETH_LIGHT, LOWER_TEETH_GAP = 0.77, (0.13, 0.18)
"""Light on the lower teeth against the upper ones, and heights of an opening over which they appear."""

LOWER_TEETH_SHOWN = 0.010, 0.026
"""Height of the lower teeth over which they begin to be seen: less of them is a hairline along the lip."""

LOWER_LIP_LIGHT, LOWER_LIP_RANGE = 0.88, (-0.004, 0.014)
"""Light on the lower teeth right above the lower lip, and heights above it over which it grows to all of it."""

UPPER_TIP_SHADE, UPPER_TIP_HEIGHT = 0.12, 0.022
"""How much darker the upper teeth's tips are, and the height over which they get so."""

LINING_OPACITY, LINING_HEIGHT = 0.8, 0.035
"""How far the lower lip's inner side covers what is behind it, and how high it reaches."""

NARROW_OPENING = 0.020, 0.070
"""Height of an opening up to which only a slit's shade is seen, and from which none of it."""

CORNER_OPACITY, CORNER_RANGE, CORNER_DARKENING = 0.85, (0.55, 0.95), 0.15
"""How far that shade covers the corners, where they lie (share of the half width), and how much darker it is there."""

LINING_IN_CORNERS = 0.7
"""How far the lower lip's inner side keeps that shade away."""

SLIT_HEIGHT, DEEP_HEIGHT = (-0.01, 0.03), (0.02, 0.09)
"""Height of the dark between the teeth over which it goes from the rim's colour to the crease's, and on to the deep."""

TONGUE_LUMA, TONGUE_OPACITY = 0.50, 0.85
"""The tongue's luma over the skin's, and how far it covers the dark."""

TONGUE_HUE = np.array([0.92, 0.90, 1.08], np.float32)
"""Its hue against that of the lips, BGR."""

MOUND_HEIGHT, MOUND_WIDTH = 0.56, 0.80
"""Share of the opening's height that the tongue fills in the middle, and of its half width that it spans."""

TONGUE_EDGE, TONGUE_GAP = (-0.005, 0.055), (0.08, 0.18)
"""Depth below its outline, and heights of an opening, over which the tongue appears."""

TEETH_SHADE, TEETH_SHADE_DARK, TEETH_SHADE_REACH = 0.65, (0.01, 0.08), (0.0, 0.07)
"""How much the upper teeth shade what lies behind them, from which height of the dark on, and how far down."""

LEAST_HALF_WIDTH, LEAST_MOUND_HEIGHT = 1e-3, 1e-4
"""What is divided or multiplied by is taken to be at least this."""


@dataclass(frozen=True)
class OpenMouth:
    """Numbers of one open mouth, head frame, IOD.

    Attributes:
        centre: of the mouth as it is shown.
        half_width: of the mouth as it is shown.
        midline: x of the lips' middle.
        turn: tangent of the head's turn.
        skull_edge: y of the closed lips' line at the midline, from which the upper teeth hang.
        tilt: that line's slope.
        floor: y of the lower lip's edge in the middle.
        gap: the opening's height.
        rounding: 0 = spread, 1 = pursed.
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

    Args:
        x: float32 (rows, columns), place of every pixel in the head frame.
        y: float32 (rows, columns), the same.
        upper: float32 (rows, columns), the inner lip line above it.
        lower: float32 (rows, columns), the inner lip line below it.
        pixel: size of a pixel, IOD.
        bared: upper teeth that the frame shows itself: then none are drawn.
    """
    place = along_the_arch(x - np.float32(mouth.midline), mouth.turn)
    soft = max(TEETH_EDGE, TEETH_EDGE_PIXELS * pixel)
    seen = 1 - smoothstep(*ROUNDING_HIDES_TEETH, mouth.rounding)
    upper_step, upper_tone = teeth_edge_and_tone(place, UPPER_ROW, pixel)
    lower_step, lower_tone = teeth_edge_and_tone(place, LOWER_ROW, pixel)
    slope = mouth.tilt * (x - mouth.midline)
    filled = float(np.interp(mouth.gap, FILLED_GAPS, MOST_FILLED)) * mouth.gap
    hanging = min(light.teeth.upper, mouth.floor - mouth.gap + filled - mouth.skull_edge)
    upper_tips = mouth.skull_edge + slope + seen * hanging - upper_step
    drawn_upper = seen
    if bared is not None:
        drawn_upper *= 1 - bared.share
        upper_tips = upper_tips + bared.share * (bared.end - upper_tips)
    # The lower row follows the jaw, so that it ends where the lip's arc rises over it.
    rise = seen * min(
        light.teeth.lower + LOWER_TEETH_PER_GAP * max(mouth.gap - LOWER_TEETH_FROM, 0.0), MOST_LOWER_SHOWN
    )
    lower_tips = mouth.floor - rise + slope + lower_step

    across = np.abs(x - mouth.centre) / max(mouth.half_width, LEAST_HALF_WIDTH)
    # The lower lip's inner side catches light: no line is drawn along it.
    lining = LINING_OPACITY * smoothstep(-LINING_HEIGHT, 0.0, y - lower)
    picture = _behind_the_teeth(y, (upper, lower), (upper_tips, lower_tips), across, lining, mouth.gap, light)

    below_lip = smoothstep(0.0, UNDER_LIP_HEIGHT, y - upper)
    lit = light_inside(mouth.gap) * (UNDER_LIP_LIGHT + (1 - UNDER_LIP_LIGHT) * below_lip)
    lower_soft = LOWER_EDGE_SOFTNESS * soft
    row = smoothstep(-lower_soft, lower_soft, y - lower_tips) * smoothstep(*TOOTH_TONE_SEEN, lower_tone)
    above_lip = smoothstep(*LOWER_LIP_RANGE, lower - y)
    tone = LOWER_TEETH_LIGHT * lit * lower_tone * (LOWER_LIP_LIGHT + (1 - LOWER_LIP_LIGHT) * above_lip)
    alpha = seen * smoothstep(*LOWER_TEETH_GAP, mouth.gap) * smoothstep(*LOWER_TEETH_SHOWN, rise) * row
    picture += alpha[..., None] * (darkened(light.enamel, tone) - picture)
    row = smoothstep(-soft, soft, upper_tips - y) * smoothstep(*TOOTH_TONE_SEEN, upper_tone)
    tone = lit * upper_tone * (1 - UPPER_TIP_SHADE * smoothstep(-UPPER_TIP_HEIGHT, 0.0, y - upper_tips))
    picture += (drawn_upper * row)[..., None] * (darkened(light.enamel, tone) - picture)

    # Where the lips are close, and in the corners, only the shade of a slit is seen.
    narrow = 1 - smoothstep(*NARROW_OPENING, lower - upper)
    corner = CORNER_OPACITY * smoothstep(*CORNER_RANGE, across)
    closed = np.maximum(narrow, corner * (1 - LINING_IN_CORNERS * lining))
    picture += closed[..., None] * (light.crease * (1 - CORNER_DARKENING * corner)[..., None] - picture)
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

    Args:
        lips: y of both lips' edges.
        tips: y of both rows of teeth's edges.
        across: 0 in the middle .. 1 in a corner.
        lining: 0..1, how far the lower lip's inner side is seen.
    """
    upper, lower = lips
    skin, rim = float(luma(light.skin)), SLIT_TONE * light.lip
    # A thin slit is lit by the lips, a wider one is as dark as a crease, an open mouth darker.
    dark_height = (np.minimum(tips[1], lower) - np.maximum(tips[0], upper))[..., None]
    picture = rim + smoothstep(*SLIT_HEIGHT, dark_height) * (light.crease - rim)
    picture += smoothstep(*DEEP_HEIGHT, dark_height) * (_deep_colour(light) * (skin * DEEP_DARK) - picture)
    # The tongue is a low mound behind the lower teeth; the upper ones shade it.
    flesh = light.lip * (TONGUE_LUMA * skin / max(float(luma(light.lip)), 1.0)) * TONGUE_HUE
    arch = np.clip(1 - (across / MOUND_WIDTH) ** 2, 0, 1)
    mound = lower - MOUND_HEIGHT * np.maximum(lower - upper, LEAST_MOUND_HEIGHT) * arch
    tongue = smoothstep(*TONGUE_EDGE, y - mound) * smoothstep(*TONGUE_GAP, gap)
    shade = smoothstep(*TEETH_SHADE_DARK, dark_height[..., 0]) * (1 - smoothstep(*TEETH_SHADE_REACH, y - tips[0]))
    below_teeth = 1 - TEETH_SHADE * shade
    picture += (TONGUE_OPACITY * tongue)[..., None] * (darkened(flesh, below_teeth) - picture)
    picture += lining[..., None] * (darkened(LINING_TONE * light.lip, below_teeth) - picture)
    return np.asarray(picture, np.float32)


def _deep_colour(light: FaceLighting) -> NDArray[np.float32]:
    """Hue of the mouth's dark parts, of luma 1."""
    hue = light.lip * DEEP_HUE
    return (hue / max(float(luma(hue)), 1.0)).astype(np.float32)
