"""The colours of a face around its mouth, to which the drawn interior is tuned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp.curves import MouthContours
from heygem_pipeline.lipsync.warp.seam import LipLines

FOLLOW = 0.06
"""Share of a new frame's light that is taken over: light changes slowly, noise does not."""


@dataclass(frozen=True)
class FaceLight:
    """Colours in float32 BGR, 0..255.

    skin: beside the mouth. lip: of the lower lip. crease: of the dark line between closed lips.
    """

    skin: NDArray[np.float32]
    lip: NDArray[np.float32]
    crease: NDArray[np.float32]

    @staticmethod
    def median(lights: "list[FaceLight]") -> "FaceLight":
        """Channel-wise median of several frames' light; at least one."""
        return FaceLight(
            np.median([light.skin for light in lights], axis=0).astype(np.float32),
            np.median([light.lip for light in lights], axis=0).astype(np.float32),
            np.median([light.crease for light in lights], axis=0).astype(np.float32),
        )


def follow_light(light: FaceLight, here: FaceLight) -> FaceLight:
    """Move a steadied light a small step toward this frame's."""
    return FaceLight(
        (light.skin + FOLLOW * (here.skin - light.skin)).astype(np.float32),
        (light.lip + FOLLOW * (here.lip - light.lip)).astype(np.float32),
        (light.crease + FOLLOW * (here.crease - light.crease)).astype(np.float32),
    )


def read_light(
    frame: NDArray[np.uint8], to_head: NDArray[np.float64], contours: MouthContours, lines: LipLines
) -> FaceLight:
    """Median colours of places above and below the lips, in the lower lip's middle, and along the seam."""
    above, below = np.array([0, -0.07]), np.array([0, 0.10])
    skin = np.concatenate([contours.upper_outer[3:12] + above, contours.lower_outer[3:12] + below])
    lip = (contours.lower_outer[4:11] + contours.lower_inner[5:12]) / 2
    places = np.concatenate([skin, lip])
    pixels = (places - to_head[:, 2]) @ np.linalg.inv(to_head[:, :2]).T
    last = np.array([frame.shape[1] - 1, frame.shape[0] - 1])
    column, row = np.clip(np.round(pixels), 0, last).astype(int).T
    colours = frame[row, column].astype(np.float32)
    lip_colour = np.median(colours[len(skin) :], axis=0)
    # Parted lips show teeth along the seam: a crease is never lighter than the lip in deep shade.
    crease = np.minimum(lines.crease, lip_colour * np.array([0.17, 0.19, 0.42], np.float32))
    return FaceLight(_upper_median(colours[: len(skin)]), lip_colour, crease.astype(np.float32))


def _upper_median(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of the lighter half: the lower lip's shadow is not the skin's colour."""
    light = colours.sum(axis=1)
    return np.median(colours[light >= np.median(light)], axis=0)
