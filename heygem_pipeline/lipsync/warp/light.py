"""The colours of a face around its mouth, to which the drawn interior is tuned."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.curves import MouthContours
from heygem_pipeline.lipsync.warp.seam import LipLines
from heygem_pipeline.lipsync.warp.sharpness import edge_blur

FOLLOW = 0.06
"""Share of a new frame's light that is taken over: light changes slowly, noise does not."""

ENAMEL_TINT = 0.55
"""How far a tooth's hue goes from white to the skin's (median of 17 speakers; see ``interior``)."""

BRIGHTEST_ENAMEL = 214.0
"""Luma: teeth never outshine the picture."""

LIGHTEST_CREASE = 0.36
"""Luma over the skin's: what is lighter is no crease between lips but their pressed skin."""

DEEP_SHADE = np.array([0.22, 0.25, 0.50], np.float32)
"""What the lip's colour becomes between the lips, BGR."""

LEAST_TEETH = 0.12
"""Share of an opening that must look like teeth for their colour to be read."""


@dataclass(frozen=True)
class FaceLight:
    """Colours in float32 BGR, 0..255, of one frame or steadied over several.

    skin: beside the mouth. lip: of the lower lip. crease: of the dark line between closed lips.
    enamel: of a well lit tooth: measured where the frames show teeth, derived from the skin's elsewhere.
    blur: float32 (1,), how soft the sharpest edges of the mouth are: deviation of a Gaussian, IOD.
    """

    skin: NDArray[np.float32]
    lip: NDArray[np.float32]
    crease: NDArray[np.float32]
    enamel: NDArray[np.float32]
    blur: NDArray[np.float32]

    @staticmethod
    def median(lights: "list[FaceLight]") -> "FaceLight":
        """Channel-wise median of several frames' light; at least one."""
        return FaceLight(
            *(
                np.median([getattr(light, part.name) for light in lights], axis=0).astype(np.float32)
                for part in fields(FaceLight)
            )
        )


def follow_light(light: FaceLight, here: FaceLight) -> FaceLight:
    """Move a steadied light a small step toward this frame's."""

    def moved(name: str) -> NDArray[np.float32]:
        before = getattr(light, name)
        return (before + FOLLOW * (getattr(here, name) - before)).astype(np.float32)

    return FaceLight(*(moved(part.name) for part in fields(FaceLight)))


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
    # Parted lips show teeth along the seam: a crease there is the lip in deep shade.
    crease = lines.crease if lines.edge_offsets is None else lip_colour * DEEP_SHADE
    crease = crease * np.float32(min(1.0, LIGHTEST_CREASE * luma(skin_colour) / max(float(luma(crease)), 1.0)))
    return FaceLight(
        skin_colour,
        lip_colour,
        crease.astype(np.float32),
        usual_enamel(skin_colour),
        np.full(1, edge_blur(frame, to_head, contours), np.float32),
    )


def usual_enamel(skin: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colour of a well lit tooth in a face of that skin: warm, about as light as the skin."""
    brightness = max(float(luma(skin)), 1.0)
    hue = 1 + ENAMEL_TINT * (skin / np.float32(brightness) - 1)
    return (hue * min(1.04 * brightness + 10, BRIGHTEST_ENAMEL)).astype(np.float32)


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
