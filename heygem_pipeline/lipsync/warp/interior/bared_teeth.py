"""Teeth that a presenter's own frame bares: its own pixels stay where they are while the lips move over them.

No measurement is recorded for the numbers below: they are settings of a picture's look.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.analysis.visible_teeth import luma
from heygem_pipeline.lipsync.warp.mouth_region import MouthRegion

LIP_RIM_MARGIN = 0.008
"""IOD inside a parted mouth that still holds the rim of the lip."""

SKULL_FIXED_SHARE = 0.55
"""Upper share of the frame's own opening that stays with the skull."""

LARGEST_DARK_STRETCH = 1.5
"""How far the rest is stretched where it is dark; teeth keep their size."""

ROUNDED_LIPS_SHADE = 0.40
"""How much darker teeth get behind fully rounded lips."""

SHADE_HUE = np.array([1.35, 1.18, 0.85], np.float32)
"""Exponents by which shade darkens blue, green and red: inside a mouth it is warm."""

JUDGED_AT, LEAST_JUDGED_HEIGHT = 0.8, 0.03
"""Where in an opening it is judged whether it shows teeth or the dark: share of its height from above, and the height,
IOD, from which a column counts."""

TEETH_BRIGHTNESS, DARKNESS_RANGE = 0.75, 0.3
"""Luma over the skin's from which that is teeth, and how much less it is where all is dark."""

LIP_RIM_SHARE = 0.2
"""Share of an opening that its lip's rim takes at most."""

UPPER_LIP_TONE, UPPER_LIP_SHADE_HEIGHT = 0.72, 0.035
"""Tone right under the upper lip, and height, IOD, over which its shade ends."""

LOWER_LIP_TONE, LOWER_LIP_SHADE_HEIGHT = 0.88, 0.02
"""The same at the lower lip."""

FADE_SHARE, LEAST_FADE, LARGEST_FADE = 0.25, 0.004, 0.014
"""Height over which the frame's own pixels fade at the lower lip: share of the opening, and its bounds, IOD."""

FULLY_SEEN_HEIGHT = 0.04
"""IOD: height of an opening from which it is shown whole."""

MASK_BLUR, LEAST_MASK_BLUR_PIXELS = 1.2, 0.8
"""Softness of the mask's edge: in softnesses of the frame's edges, and at least so many pixels."""

LEAST_TONE, LEAST_DIVISOR = 1e-3, 1e-3
"""What is raised to a power or divided by is taken to be at least this."""

LipHeights = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Heights of the upper and lower inner lip line at every pixel of a region."""


@dataclass(frozen=True)
class BaredTeeth:
    """The inside of a frame's own open mouth, for every pixel of a region.

    Attributes:
        colours: float32 (rows, columns, 3) BGR.
        seen: float32 (rows, columns), 0..1.
        end: y where it ends.
        share: 0..1, how far it is shown at all and not a drawn one.
    """

    colours: NDArray[np.float32]
    seen: NDArray[np.float32]
    end: NDArray[np.float32]
    share: float = 1.0

    def faded(self, share: float) -> "BaredTeeth":
        """Return the same, shown by that share."""
        return replace(self, seen=np.asarray(share * self.seen, np.float32), share=share)


def darkened(colour: NDArray[np.float32], tone: NDArray[np.floating]) -> NDArray[np.float32]:
    """Darken by a tone (rows, columns), 0..1: the darker, the warmer, for flesh lights it."""
    return np.asarray(colour * np.maximum(tone, LEAST_TONE)[..., None] ** SHADE_HUE, np.float32)


def bared_teeth(region: MouthRegion, own: LipHeights, light: FaceLighting, rounding: float) -> BaredTeeth:
    """Take the opening from the frame's own pixels.

    Teeth stay with the skull while the lips uncover them. Above the frame's own opening its topmost row continues;
    where the mouth opens further, a dark lower part follows the lower lip a little way. Rounded lips (1) come forward
    and shade it all.
    """
    import cv2

    upper, lower = own
    height = lower - upper
    centre = upper + SKULL_FIXED_SHARE * height
    largest = 1 + (LARGEST_DARK_STRETCH - 1) * _darkness(region, upper + JUDGED_AT * height, height, light)
    stretch = np.clip((region.lower - centre) / np.maximum(lower - centre, LEAST_DIVISOR), 1, largest)
    y = np.where(
        region.y > centre, centre + (region.y - centre) / stretch, np.maximum(region.y, upper + LIP_RIM_MARGIN)
    )
    margin = np.minimum(LIP_RIM_MARGIN, LIP_RIM_SHARE * height)
    colours = _sample_rows(region, np.minimum(y, lower - margin / 2))
    below_upper_lip = np.clip((region.y - region.upper) / UPPER_LIP_SHADE_HEIGHT, 0, 1)
    above_lower_lip = np.clip((region.lower - region.y) / LOWER_LIP_SHADE_HEIGHT, 0, 1)
    shade = (1 - ROUNDED_LIPS_SHADE * rounding) * (UPPER_LIP_TONE + (1 - UPPER_LIP_TONE) * below_upper_lip)
    shade *= LOWER_LIP_TONE + (1 - LOWER_LIP_TONE) * above_lower_lip
    fade = np.clip(FADE_SHARE * height, LEAST_FADE, LARGEST_FADE)
    seen = np.clip((lower - margin - y) / fade, 0, 1) * np.clip(height / FULLY_SEEN_HEIGHT, 0, 1)
    blur = max(LEAST_MASK_BLUR_PIXELS, MASK_BLUR * light.blur / region.pixel_size)
    seen = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), blur)
    end = centre + stretch * (lower - margin - fade / 2 - centre)
    return BaredTeeth(darkened(colours, shade), np.asarray(seen, np.float32), np.asarray(end, np.float32))


def _darkness(
    region: MouthRegion, line: NDArray[np.floating], height: NDArray[np.floating], light: FaceLighting
) -> float:
    """0..1: how far what lies along a line of the frame is dark, and no teeth."""
    middle = len(line) // 2
    row = slice(middle, middle + 1)
    colours = _sample_rows(region.cropped(row, slice(None)), line[row])
    weight = np.clip(height[row] - LEAST_JUDGED_HEIGHT, 0, None)
    if weight.sum() == 0:
        return 0.0
    bright = float((luma(colours) * weight).sum() / weight.sum()) / max(float(luma(light.skin)), 1.0)
    return float(np.clip((TEETH_BRIGHTNESS - bright) / DARKNESS_RANGE, 0, 1))


def _sample_rows(region: MouthRegion, y: NDArray[np.floating]) -> NDArray[np.float32]:
    """Colours of the presenter's frame above or below every pixel, at the height ``y`` of the head frame."""
    import cv2

    shift = (y - region.y) / region.pixel_size
    column = np.asarray(region.column + shift * float(region.down[0]), np.float32)
    row = np.asarray(region.row + shift * float(region.down[1]), np.float32)
    found = cv2.remap(region.crop, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)
