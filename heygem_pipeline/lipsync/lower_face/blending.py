"""A drawn face laid over the presenter's, so that no edge, no colour and no softness gives it away.

The network draws the whole face, Wav2Lip's 96 pixels wide. Of it only the lower face is shown, through a mask with soft
edges that follows the jaw; its colours are shifted, place by place, to the presenter's along that mask's edge.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep

FACE_SIDE = 96
"""Pixels: the network's faces. Lengths below are in their pixels, so that they grow with the face."""

MASK_FEATHER = 7.0
"""Width of the mask's soft edge, all of it inside the outline."""

CHIN_MARGIN, CHEEK_MARGIN = 5.0, -4.0
"""How far the outline lies outside the jaw: at the chin, which drops when the mouth opens, and at the cheeks."""

COLOUR_REACH = 12.0
"""Deviation of the Gaussian that spreads the colour difference along the edge into the mask."""

LEAST_COLOUR_DEVIATION = 10.0
"""Levels by which colour differences may always vary along the edge."""

COLOUR_GRID_STEP = 4
"""The colour difference is spread on a grid so much coarser: it is smooth."""

MOST_SHARPENING = 2.0
"""What the fine detail is added at most: beyond, noise and halos grow faster than the detail."""

JAW_POINTS, NOSE_BASE_POINTS, NOSE_TIP_POINT = slice(1, 16), (35, 34, 33, 32, 31), 30
NOSE_SHARE = 0.35
"""How far the outline lies from the nose's base toward its tip, so that a short upper lip is seen whole."""


@dataclass(frozen=True)
class FaceRegion:
    """Where a face lies.

    Attributes:
        pixels: uint8 (height, width, 3) BGR, the presenter's pixels of the box.
        landmarks: (68, 2), in them.
    """

    pixels: NDArray[np.uint8]
    landmarks: NDArray[np.floating]

    @cached_property
    def network_face(self) -> NDArray[np.uint8]:
        """What the network sees of it: uint8 (96, 96, 3)."""
        import cv2

        height, width = self.pixels.shape[:2]
        # Bilinear, as the network learnt it, would leave out pixels of a large face.
        shrinks = min(height, width) > FACE_SIDE
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(self.pixels, (FACE_SIDE, FACE_SIDE), interpolation=way), np.uint8)

    @property
    def network_landmarks(self) -> NDArray[np.float32]:
        """The landmarks in the pixels of ``network_face``."""
        height, width = self.pixels.shape[:2]
        scale = np.array([FACE_SIDE / width, FACE_SIDE / height])
        return ((self.landmarks + 0.5) * scale - 0.5).astype(np.float32)


def blend_face(
    place: FaceRegion,
    drawn: NDArray[np.float32],
    strength: float,
    sharpening: float,
    shown: NDArray[np.float32] | None = None,
) -> tuple[int, int, NDArray[np.uint8]] | None:
    """Return left and top within the region, and the blended pixels there; None where nothing would be seen.

    Args:
        drawn: float32 (height, width, 3) BGR, 0..255, of the whole region, in any size.
        strength: 0 = the presenter's own pixels .. 1 = the drawn face.
        sharpening: 0 = as drawn .. 1 = as sharp as the presenter, if MOST_SHARPENING reaches so far.
        shown: float32 (96, 96), 0..1, what of the region is shown at most; default, all.
    """
    mask = lower_face_mask(place.network_landmarks)
    if shown is not None:
        mask = mask * shown
    if strength <= 0 or not mask.any():
        return None
    correction = colour_correction(place.network_face, _resized(drawn, (FACE_SIDE, FACE_SIDE)), mask)
    drawn = drawn + _resized(correction, (drawn.shape[1], drawn.shape[0]))
    left, top, right, bottom = mask_bounds(mask, place.pixels.shape)
    alpha = upsample(mask, place.pixels.shape, (left, top, right, bottom), smooth=False)[..., None]
    face = upsample(drawn, place.pixels.shape, (left, top, right, bottom), smooth=True)
    own = place.pixels[top:bottom, left:right].astype(np.float32)
    if sharpening > 0:
        face = sharpen(face, own, alpha, sharpening, place.pixels.shape[1] / drawn.shape[1])
    alpha *= np.float32(strength)
    # Where the mask is 0 this is exactly the presenter's.
    blended = own + alpha * (face - own)
    return left, top, np.clip(np.rint(blended), 0, 255).astype(np.uint8)


def lower_face_mask(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """The mask, float32 (96, 96), 0..1: the face below the nose, within the jaw.

    Args:
        landmarks: (68, 2), its pixels.
    """
    import cv2

    mouth, jaw = landmarks[48:60].mean(axis=0), landmarks[JAW_POINTS]
    away = jaw - mouth
    room = CHEEK_MARGIN + (CHIN_MARGIN - CHEEK_MARGIN) * np.sin(np.linspace(0, np.pi, len(jaw)))
    outward = jaw + room[:, None] * away / np.linalg.norm(away, axis=1, keepdims=True)
    nose = landmarks[list(NOSE_BASE_POINTS)]
    outline = np.concatenate([outward, nose + NOSE_SHARE * (landmarks[NOSE_TIP_POINT] - nose)])
    inside = np.zeros((FACE_SIDE, FACE_SIDE), np.uint8)
    cv2.fillPoly(inside, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    # The box's edge is an edge as well.
    inside[[0, -1]] = 0
    inside[:, [0, -1]] = 0
    depth = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), np.float32)
    return smoothstep(0, MASK_FEATHER, depth)


def colour_correction(
    presenter: NDArray[np.uint8], drawn: NDArray[np.float32], mask: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What to add to a drawn face, float32 (96, 96, 3), so that it has the presenter's colours where the mask is soft.

    The difference there, where both show the same skin, is spread inward (normalised convolution, Knutsson and Westin
    1993): light from one side is matched too, and the mouth, which is not the same, has no say. Nor has a collar
    where the drawn chin is lower: what differs otherwise than most counts little (weights of Cauchy's distribution).
    """
    import cv2

    edge = mask * (1 - mask)
    difference = presenter - drawn
    usual = np.median(difference[edge > 0], axis=0)
    unusual = np.abs(difference - usual).max(axis=2)
    spread_of_most = max(LEAST_COLOUR_DEVIATION, float(np.median(unusual[edge > 0])))
    weight = edge / (1 + (unusual / spread_of_most) ** 2)
    both = np.dstack([weight[..., None] * difference, weight])
    coarse = cv2.resize(
        both, (FACE_SIDE // COLOUR_GRID_STEP, FACE_SIDE // COLOUR_GRID_STEP), interpolation=cv2.INTER_AREA
    )
    spread = np.asarray(
        cv2.GaussianBlur(coarse, (0, 0), COLOUR_REACH / COLOUR_GRID_STEP, borderType=cv2.BORDER_CONSTANT)
    )
    shift = spread[..., :3] / np.maximum(spread[..., 3:], 1e-6)
    return np.asarray(cv2.resize(shift, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


def sharpen(
    face: NDArray[np.float32],
    own: NDArray[np.float32],
    mask: NDArray[np.float32],
    share: float,
    enlargement: float,
) -> NDArray[np.float32]:
    """Return a face with its fine detail raised toward that of the presenter's own pixels there.

    Args:
        share: 0..1, how far.
        enlargement: pixels of the frame for one of the network's.
    """
    detail = fine_detail(face, enlargement)
    finest = fine_detail(detail, enlargement)
    weights = mask / max(float(mask.sum()) * face.shape[2], 1e-6)
    now, both, added = (
        float((weights * one * two).sum()) for one, two in ((detail, detail), (detail, finest), (finest, finest))
    )
    wanted = np.sqrt(now) + share * (sharpness(own, mask, enlargement) - np.sqrt(now))
    # The amount at which the detail's mean square, now + 2 amount both + amount^2 added, is the one wanted.
    amount = (np.sqrt(max(both**2 + added * (wanted**2 - now), 0)) - both) / max(added, 1e-6)
    return (face + np.float32(np.clip(amount, 0, MOST_SHARPENING)) * detail).astype(np.float32, copy=False)


def sharpness(picture: NDArray[np.float32], mask: NDArray[np.float32], enlargement: float) -> float:
    """Root mean square of a picture's fine detail under a mask (rows, columns, 1), levels."""
    detail = fine_detail(picture, enlargement)
    return float(np.sqrt((mask * detail**2).sum() / max(float(mask.sum()) * picture.shape[2], 1e-6)))


def fine_detail(picture: NDArray[np.float32], enlargement: float) -> NDArray[np.float32]:
    """What a Gaussian as wide as a pixel of the network takes from a picture."""
    import cv2

    return picture - np.asarray(cv2.GaussianBlur(picture, (0, 0), max(enlargement, 0.8)), np.float32)


def mask_bounds(mask: NDArray[np.float32], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (exclusive) of the region's pixels on which the mask of the small face may fall."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    down, across = shape[0] / FACE_SIDE, shape[1] / FACE_SIDE
    return (
        max(int((columns[0] - 1) * across), 0),
        max(int((rows[0] - 1) * down), 0),
        min(int((columns[-1] + 2) * across) + 1, shape[1]),
        min(int((rows[-1] + 2) * down) + 1, shape[0]),
    )


def upsample(
    small: NDArray[np.float32], shape: tuple[int, ...], bounds: tuple[int, int, int, int], smooth: bool
) -> NDArray[np.float32]:
    """A part of what ``cv2.resize`` makes of a small picture at the region's size."""
    import cv2

    left, top, right, bottom = bounds
    across, down = small.shape[1] / shape[1], small.shape[0] / shape[0]
    back = np.array([[across, 0, (left + 0.5) * across - 0.5], [0, down, (top + 0.5) * down - 0.5]])
    flags = cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR)
    size = (right - left, bottom - top)
    return np.asarray(cv2.warpAffine(small, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _resized(picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """size: (width, height)."""
    import cv2

    if size == (picture.shape[1], picture.shape[0]):
        return picture
    way = cv2.INTER_AREA if size[0] < picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.float32)
