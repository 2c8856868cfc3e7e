"""The colours of a face around its mouth, to which the drawn interior is tuned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.curves import MouthContours
from heygem_pipeline.lipsync.warp.seam import LipLines
from heygem_pipeline.lipsync.warp.sharpness import edge_blur

FOLLOW = 0.06
"""Share of a new frame's light that is taken over: light changes slowly, noise does not."""

ENAMEL_TINT = 0.60
"""How far a tooth's hue goes from white to the skin's: median of 17 speakers (quartiles 0.54, 0.87)."""

DARKEST_TEETH, LIGHTEST_TEETH = 0.8, 1.25
"""Bounds of luma for teeth as they are read, over the usual one (of the speakers' teeth, the quartiles are 0.83 and
1.03 of the skin's)."""

GAPS = (0.02, 0.05, 0.10, 0.14, 0.20)
LIGHT_INSIDE = (0.50, 0.62, 0.80, 0.95, 1.0)
"""How much of the light outside reaches the teeth through openings of those heights, IOD (see ``interior``)."""

BRIGHTEST_ENAMEL = 214.0
"""Luma: teeth never outshine the picture."""

LIGHTEST_CREASE = 0.36
"""Luma over the skin's: what is lighter is no crease between lips but their pressed skin."""

DEEP_SHADE = np.array([0.28, 0.31, 0.55], np.float32)
"""What the lip's colour becomes between the lips, BGR."""

TOUCHING = 0.045
"""Height, IOD, up to which what lies between the lips is their crease."""

LEAST_OPENING, LEAST_TEETH, LEAST_BRIGHTNESS = 0.075, 0.15, 0.55
"""An opening (IOD), the share of it that looks like teeth, and their luma over the skin's, from which they are read."""


@dataclass(frozen=True)
class FaceLight:
    """Colours in float32 BGR, 0..255, of one frame or steadied over several.

    skin: beside the mouth. lip: of the lower lip. crease: of the dark line between closed lips.
    teeth: a well lit tooth's colour over the skin's, channel by channel. teeth_seen: 1 = read from teeth that the
    template shows, 0 = what is usual for such a skin.
    blur: how soft the sharpest edges of the lips are: deviation of a Gaussian, IOD.
    """

    skin: NDArray[np.float32]
    lip: NDArray[np.float32]
    crease: NDArray[np.float32]
    teeth: NDArray[np.float32]
    teeth_seen: float
    blur: float

    @property
    def enamel(self) -> NDArray[np.float32]:
        """Colour of a well lit tooth."""
        colour = self.teeth * self.skin
        return (colour * min(1.0, BRIGHTEST_ENAMEL / max(float(luma(colour)), 1.0))).astype(np.float32)

    @staticmethod
    def median(lights: "list[FaceLight]") -> "FaceLight":
        """Channel-wise median of several frames' light; at least one. Only frames that show teeth tell their colour."""
        telling = [light for light in lights if light.teeth_seen > 0] or lights

        def middle(colours: list[NDArray[np.float32]]) -> NDArray[np.float32]:
            return np.median(colours, axis=0).astype(np.float32)

        return FaceLight(
            skin=middle([light.skin for light in lights]),
            lip=middle([light.lip for light in lights]),
            crease=middle([light.crease for light in lights]),
            teeth=middle([light.teeth for light in telling]),
            teeth_seen=float(np.median([light.teeth_seen for light in telling])),
            blur=float(np.median([light.blur for light in lights])),
        )


def follow_light(light: FaceLight, here: FaceLight) -> FaceLight:
    """Move a steadied light a small step toward this frame's; teeth once seen are not forgotten."""

    def moved(before: NDArray[np.float32], now: NDArray[np.float32], share: float = FOLLOW) -> NDArray[np.float32]:
        return (before + share * (now - before)).astype(np.float32)

    known = here.teeth_seen if light.teeth_seen > 0 else 1.0
    return FaceLight(
        skin=moved(light.skin, here.skin),
        lip=moved(light.lip, here.lip),
        crease=moved(light.crease, here.crease),
        teeth=moved(light.teeth, here.teeth, FOLLOW * known),
        teeth_seen=max(light.teeth_seen, FOLLOW * here.teeth_seen),
        blur=light.blur + FOLLOW * (here.blur - light.blur),
    )


def luma(colour: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rec. 601 luma of BGR values (the last axis)."""
    return colour[..., 0] * 0.114 + colour[..., 1] * 0.587 + colour[..., 2] * 0.299


def read_light(
    frame: NDArray[np.uint8], to_head: NDArray[np.float64], contours: MouthContours, lines: LipLines
) -> FaceLight:
    """Median colours of places above and below the lips, in the lower lip's middle, along the seam, and of teeth."""
    above, below = np.array([0, -0.07]), np.array([0, 0.10])
    skin = np.concatenate([contours.upper_outer[3:12] + above, contours.lower_outer[3:12] + below])
    lip = (contours.lower_outer[4:11] + contours.lower_inner[5:12]) / 2
    colours = _colours_at(frame, to_head, np.concatenate([skin, lip]))
    lip_colour = np.median(colours[len(skin) :], axis=0)
    skin_colour = _upper_median(colours[: len(skin)])
    inside = _inside(frame, to_head, lines)
    opening = _opening(lines)
    parted = np.float32(np.clip((opening - TOUCHING) / (LEAST_OPENING - TOUCHING), 0, 1))
    crease = lines.crease + parted * (_darkest(inside, lip_colour) - lines.crease)
    crease = crease * np.float32(min(1.0, LIGHTEST_CREASE * luma(skin_colour) / max(float(luma(crease)), 1.0)))
    teeth, seen = usual_teeth(skin_colour), 0.0
    if parted == 1:
        teeth, seen = _teeth_colour(inside[:, _middle(lines)], opening, skin_colour, lip_colour)
    return FaceLight(
        skin=skin_colour.astype(np.float32),
        lip=lip_colour.astype(np.float32),
        crease=crease.astype(np.float32),
        teeth=teeth,
        teeth_seen=seen,
        blur=edge_blur(frame, to_head, contours),
    )


def _inside(frame: NDArray[np.uint8], to_head: NDArray[np.float64], lines: LipLines) -> NDArray[np.float32]:
    """Colours between the lips, float32 (9, columns, 3)."""
    y = lines.upper + np.linspace(0.15, 0.85, 9)[:, None] * (lines.lower - lines.upper)
    return _colours_at(frame, to_head, np.stack([np.broadcast_to(lines.x, y.shape), y], axis=-1))


def _darkest(inside: NDArray[np.float32], lip: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colour of the darkest tenth of an opening; the lip's in deep shade where nothing is that dark."""
    colours = inside.reshape(-1, 3)
    bright = luma(colours)
    dark = np.median(colours[bright <= np.quantile(bright, 0.1)], axis=0)
    shade = lip * DEEP_SHADE
    return dark if luma(dark) < luma(shade) else shade


def _teeth_colour(
    colours: NDArray[np.float32], opening: float, skin: NDArray[np.float32], lip: NDArray[np.float32]
) -> tuple[NDArray[np.float32], float]:
    """Colour of the teeth in an opening, over the skin's, and how far it shows them: 0..1."""
    bright = luma(colours)
    # Teeth are paler than lips and skin: less red for their light.
    reddest = min(_redness(lip) - 0.05, _redness(skin) + 0.02)
    pale = colours[..., 2] / np.maximum(bright, 1) < reddest
    tooth = pale & (bright > LEAST_BRIGHTNESS * luma(skin))
    seen = min(max((float(tooth.mean()) - LEAST_TEETH) / LEAST_TEETH, 0.0), 1.0)
    # In a narrow opening all is shade.
    seen *= min(max((opening - LEAST_OPENING) / LEAST_OPENING, 0.0), 1.0)
    usual = usual_teeth(skin)
    if seen == 0:
        return usual, 0.0
    # The better lit half of them, and what shade the lips still cast on it.
    lit = np.median(colours[tooth & (bright >= np.median(bright[tooth]))], axis=0)
    brightness = float(luma(lit)) / light_inside(opening)
    usually = float(luma(usual * skin))
    held = np.clip(brightness, DARKEST_TEETH * usually, LIGHTEST_TEETH * usually)
    return (lit * np.float32(held / max(float(luma(lit)), 1.0)) / np.maximum(skin, 1)).astype(np.float32), seen


def _redness(colour: NDArray[np.float32]) -> float:
    return float(colour[2]) / max(float(luma(colour)), 1.0)


def light_inside(gap: float) -> float:
    """How much of the light outside reaches the teeth through an opening of that height, IOD."""
    return float(np.interp(gap, GAPS, LIGHT_INSIDE))


def _middle(lines: LipLines) -> slice:
    """The middle third of a mouth's columns."""
    third = len(lines.x) // 3
    return slice(third, len(lines.x) - third)


def _opening(lines: LipLines) -> float:
    inner = _middle(lines)
    return float((lines.lower - lines.upper)[inner].mean())


def usual_teeth(skin: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colour over the skin's of a well lit tooth in such a face: warm, about as light as the skin."""
    brightness = max(float(luma(skin)), 1.0)
    hue = 1 + ENAMEL_TINT * (skin / np.float32(brightness) - 1)
    return (hue * (1.04 * brightness + 10) / np.maximum(skin, 1)).astype(np.float32)


def _colours_at(
    frame: NDArray[np.uint8], to_head: NDArray[np.float64], places: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Colours of the pixels nearest to head-frame places (..., 2); places off the frame take its border's."""
    pixels = (places - to_head[:, 2]) @ np.linalg.inv(to_head[:, :2]).T
    last = np.array([frame.shape[1] - 1, frame.shape[0] - 1])
    place = np.clip(np.round(pixels), 0, last).astype(int)
    return frame[place[..., 1], place[..., 0]].astype(np.float32)


def _upper_median(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of the lighter half: the lower lip's shadow is not the skin's colour."""
    light = colours.sum(axis=1)
    return np.median(colours[light >= np.median(light)], axis=0)
