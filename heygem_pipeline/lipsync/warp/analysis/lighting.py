"""The colours of a face around its mouth, to which the drawn interior is tuned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.analysis.lip_edges import LipEdges
from heygem_pipeline.lipsync.warp.analysis.order_statistics import median, quantile
from heygem_pipeline.lipsync.warp.analysis.sharpness import edge_blur
from heygem_pipeline.lipsync.warp.analysis.visible_teeth import TeethAppearance, default_teeth, luma, measure_teeth
from heygem_pipeline.lipsync.warp.contours import MouthContours

LIGHTING_UPDATE_RATE = 0.06
"""Share of a new frame's light that is taken over: light changes slowly, noise does not."""

SKIN_ABOVE, SKIN_BELOW = 0.07, 0.10
"""IOD above the upper lip and below the lower one at which the skin's colour is read."""

OPENING_ROWS = np.linspace(0.06, 0.94, 11)
"""Shares of the way from the upper to the lower lip at which an opening's colours are read: not on the lips' edges."""

DARKEST_QUANTILE = 0.1
"""Of an opening's lumas: what is no lighter is its dark."""

BRIGHTEST_ENAMEL = 214.0
"""Luma: teeth never outshine the picture."""

LIGHTEST_CREASE = 0.36
"""Luma over the skin's: what is lighter is no crease between lips but their pressed skin."""

DEEP_SHADE = np.array([0.28, 0.31, 0.55], np.float32)
"""What the lip's colour becomes between the lips, BGR."""

LARGEST_CREASE_HEIGHT, LEAST_OPENING_HEIGHT = 0.045, 0.075
"""Height, IOD, up to which what lies between the lips is their crease, and from which it is an opening."""


@dataclass(frozen=True)
class FaceLighting:
    """Colours in float32 BGR, 0..255, of one frame or steadied over several.

    Attributes:
        skin: beside the mouth.
        lip: of the lower lip.
        crease: of the dark line between closed lips.
        teeth: their colour over the skin's, and how much of them shows.
        blur: how soft the sharpest edges of the lips are: deviation of a Gaussian, IOD.
    """

    skin: NDArray[np.float32]
    lip: NDArray[np.float32]
    crease: NDArray[np.float32]
    teeth: TeethAppearance
    blur: float

    @property
    def enamel(self) -> NDArray[np.float32]:
        """Colour of a well lit tooth."""
        colour = self.teeth.colour * self.skin
        return (colour * min(1.0, BRIGHTEST_ENAMEL / max(float(luma(colour)), 1.0))).astype(np.float32)

    @staticmethod
    def median(lights: "list[FaceLighting]") -> "FaceLighting":
        """Channel-wise median of several frames' light; at least one."""

        def middle(colours: list[NDArray[np.float32]]) -> NDArray[np.float32]:
            return np.median(colours, axis=0).astype(np.float32)

        return FaceLighting(
            skin=middle([light.skin for light in lights]),
            lip=middle([light.lip for light in lights]),
            crease=middle([light.crease for light in lights]),
            teeth=TeethAppearance.median([light.teeth for light in lights]),
            blur=float(np.median([light.blur for light in lights])),
        )


def update_lighting(light: FaceLighting, here: FaceLighting) -> FaceLighting:
    """Move a steadied light a small step toward this frame's; teeth once seen are not forgotten."""

    def moved(before: NDArray[np.float32], now: NDArray[np.float32]) -> NDArray[np.float32]:
        return (before + LIGHTING_UPDATE_RATE * (now - before)).astype(np.float32)

    return FaceLighting(
        skin=moved(light.skin, here.skin),
        lip=moved(light.lip, here.lip),
        crease=moved(light.crease, here.crease),
        teeth=light.teeth.toward(here.teeth, LIGHTING_UPDATE_RATE),
        blur=light.blur + LIGHTING_UPDATE_RATE * (here.blur - light.blur),
    )


def measure_lighting(
    frame: NDArray[np.uint8], head: HeadFrame, contours: MouthContours, lines: LipEdges
) -> FaceLighting:
    """Median colours of places above and below the lips, in the lower lip's middle, along the seam, and of teeth."""
    above, below = np.array([0, -SKIN_ABOVE]), np.array([0, SKIN_BELOW])
    skin = np.concatenate([contours.upper_outer[3:12] + above, contours.lower_outer[3:12] + below])
    lip = (contours.lower_outer[4:11] + contours.lower_inner[5:12]) / 2
    colours = _colours_at(frame, head, np.concatenate([skin, lip]))
    lip_colour = median(colours[len(skin) :], axis=0)
    skin_colour = _upper_median(colours[: len(skin)])
    inside = _inside(frame, head, lines)
    opening = _opening(lines)
    parted = np.float32(
        np.clip((opening - LARGEST_CREASE_HEIGHT) / (LEAST_OPENING_HEIGHT - LARGEST_CREASE_HEIGHT), 0, 1)
    )
    crease = lines.crease + parted * (_darkest(inside, lip_colour) - lines.crease)
    crease = crease * np.float32(min(1.0, LIGHTEST_CREASE * luma(skin_colour) / max(float(luma(crease)), 1.0)))
    lip_height = float((contours.upper_inner[7:10, 1] - contours.upper_outer[6:9, 1]).mean())
    usual = default_teeth(skin_colour, lip_height)
    return FaceLighting(
        skin=skin_colour.astype(np.float32),
        lip=lip_colour.astype(np.float32),
        crease=crease.astype(np.float32),
        teeth=measure_teeth(inside[:, _middle(lines)], opening, skin_colour, lip_colour, usual),
        blur=edge_blur(frame, head, contours),
    )


def _inside(frame: NDArray[np.uint8], head: HeadFrame, lines: LipEdges) -> NDArray[np.float32]:
    """Colours between the lips, float32 (rows, columns, 3)."""
    y = lines.upper + OPENING_ROWS[:, None] * (lines.lower - lines.upper)
    return _colours_at(frame, head, np.stack([np.broadcast_to(lines.x, y.shape), y], axis=-1))


def _darkest(inside: NDArray[np.float32], lip: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colour of the darkest tenth of an opening; the lip's in deep shade where nothing is that dark."""
    colours = inside.reshape(-1, 3)
    bright = luma(colours)
    dark = median(colours[bright <= quantile(bright, DARKEST_QUANTILE)], axis=0)
    shade = lip * DEEP_SHADE
    return dark if luma(dark) < luma(shade) else shade


def _middle(lines: LipEdges) -> slice:
    """The middle third of a mouth's columns."""
    third = len(lines.x) // 3
    return slice(third, len(lines.x) - third)


def _opening(lines: LipEdges) -> float:
    inner = _middle(lines)
    return float((lines.lower - lines.upper)[inner].mean())


def _colours_at(frame: NDArray[np.uint8], head: HeadFrame, places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Colours of the pixels nearest to head-frame places (..., 2); places off the frame take its border's."""
    last = np.array([frame.shape[1] - 1, frame.shape[0] - 1])
    place = np.clip(np.round(head.to_pixels(places)), 0, last).astype(int)
    return frame[place[..., 1], place[..., 0]].astype(np.float32)


def _upper_median(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of the lighter half: the lower lip's shadow is not the skin's colour."""
    light = colours.sum(axis=1)
    return median(colours[light >= median(light)], axis=0)
