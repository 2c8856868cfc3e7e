"""A coloured cut of one face at a fixed size: what is kept of a frame until FAN may read it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.boxes import Box, square_box

FAN_SIDE = 256
"""Side of the picture FAN reads, pixels."""
FAN_WIDTHS = 400 / 195
FAN_RISE = 0.12
"""How large and how high FAN's picture lies around S3FD's box: what it was trained with (Bulat, Tzimiropoulos 2017)."""
CROP_ROOM = 1.25
"""Side of a cut, in sides of FAN's picture: its place is known exactly only when later boxes are."""
STORED_SIDE = round(CROP_ROOM * FAN_SIDE)


@dataclass(frozen=True)
class FaceCrop:
    """A square cut of a frame.

    Attributes:
        pixels: uint8 (STORED_SIDE, STORED_SIDE, 3) BGR, black outside the frame.
        left: where it was cut, frame pixels, edges.
        top: the same, from above.
        side: of the square that was cut, frame pixels.
    """

    pixels: NDArray[np.uint8]
    left: int
    top: int
    side: int

    def fan_input(self, box: Box) -> NDArray[np.uint8]:
        """Return what FAN reads of the face in ``box`` (frame pixels): uint8 (256, 256, 3) RGB."""
        import cv2

        crop = fan_square(box)
        scale = STORED_SIDE / self.side
        step = crop.width * scale / FAN_SIDE
        left, top = (crop.left - self.left) * scale, (crop.top - self.top) * scale
        placed = np.array([[step, 0, left + step / 2 - 0.5], [0, step, top + step / 2 - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        picture = cv2.warpAffine(self.pixels, placed, (FAN_SIDE, FAN_SIDE), flags=flags)
        return np.ascontiguousarray(picture[:, :, ::-1], np.uint8)


def fan_square(box: Box) -> Box:
    """Return the square that FAN reads for a face's box."""
    x, y = box.centre
    return square_box(x, y - FAN_RISE * box.height, FAN_WIDTHS * (box.width + box.height) / 2)


def points_to_frame(points: NDArray[np.floating], box: Box) -> NDArray[np.float32]:
    """Map points (68, 2) from the crop around ``box`` (0..256, edges) to frame pixels, whose centres are whole."""
    crop = fan_square(box)
    return (points * (crop.width / FAN_SIDE) + (crop.left - 0.5, crop.top - 0.5)).astype(np.float32)


def crop_face(frame: NDArray[np.uint8], box: Box) -> FaceCrop:
    """Cut the surroundings of ``box`` out of a BGR frame (height, width, 3)."""
    import cv2

    crop = fan_square(box)
    side = max(2, round(CROP_ROOM * crop.width))
    x, y = crop.centre
    left, top = round(x - side / 2), round(y - side / 2)
    height, width = frame.shape[:2]
    inside = frame[max(0, top) : max(0, min(height, top + side)), max(0, left) : max(0, min(width, left + side))]
    cut = np.zeros((side, side, 3), np.uint8)
    if inside.size:
        row, column = max(0, -top), max(0, -left)
        cut[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
    interpolation = cv2.INTER_AREA if side > STORED_SIDE else cv2.INTER_LINEAR
    return FaceCrop(
        np.asarray(cv2.resize(cut, (STORED_SIDE, STORED_SIDE), interpolation=interpolation), np.uint8), left, top, side
    )
