"""A program's face laid over the presenter's at full resolution: only what has changed, with soft edges."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.lower_face.blending import (
    FACE_SIDE,
    FaceRegion,
    colour_correction,
    lower_face_mask,
    mask_bounds,
    upsample,
)


def lay_face(
    place: FaceRegion, returned: NDArray[np.float32], changed: NDArray[np.float32], strength: float
) -> tuple[int, int, NDArray[np.uint8]] | None:
    """Return left and top within the region, and the blended pixels there; None where nothing would be seen.

    Args:
        place: the presenter's pixels of the face's box.
        returned: float32, the program's of the same box, as large, in the presenter's colours.
        changed: float32 (96, 96), 0..1, what of the box is shown at most.
        strength: 0 = the presenter's own pixels .. 1 = the program's.
    """
    mask = lower_face_mask(place.network_landmarks) * changed
    if strength <= 0 or float(mask.max()) < 0.01:
        return None
    import cv2

    way = cv2.INTER_AREA if min(returned.shape[:2]) > FACE_SIDE else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(returned, (FACE_SIDE, FACE_SIDE), interpolation=way), np.float32)
    shape = place.pixels.shape
    bounds = mask_bounds(mask, shape)
    left, top, right, bottom = bounds
    shift = upsample(colour_correction(place.network_face, small, mask), shape, bounds, smooth=True)
    alpha = upsample(mask, shape, bounds, smooth=False)[..., None] * np.float32(strength)
    own = place.pixels[top:bottom, left:right].astype(np.float32)
    # Where the mask is 0 this is exactly the presenter's.
    blended = own + alpha * (returned[top:bottom, left:right] + shift - own)
    return left, top, np.clip(np.rint(blended), 0, 255).astype(np.uint8)
