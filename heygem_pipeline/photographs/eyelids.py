"""The lids of a photograph's eyes drawn down: the skin above each eye slides over it, the lashes leading."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep

Points = NDArray[np.float64]
Pixels = NDArray[np.uint8]

UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (362, 398, 384, 385, 386, 387, 388, 466, 263))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (362, 382, 381, 380, 374, 373, 390, 249, 263))
"""Vertices of the lids' edges, each from the picture's left to its right, of the eye on its left and of the other."""

BROWS = ((46, 53, 52, 65, 55), (285, 295, 282, 283, 276))
"""Vertices at the lower edges of the brows, likewise."""

LASHES, LASHES_BELOW = 0.055, 0.025
"""Shares of an eye's width: the row of lashes above the edge of the lid, and below it."""

OVERLAP = 0.06
"""Share of an eye's width by which a closed upper lid lies over the wet edge of the lower one."""

SLIDING = 0.8
"""Share of the skin between lid and brow that slides."""

LONGEST_SKIN = 0.5
"""Shares of an eye's width: skin further above it rests."""

LEAST_SKIN = 0.2
"""Shares of an eye's width: of less, nothing can be drawn out."""

RIM_CONTRAST, RIM_SHARE = 0.17, 0.2
"""A step of light within a twenty-fifth of an eye's width, of the light around, and the share of columns with one."""

CURVE_DEGREE = 4


@dataclass(frozen=True)
class Eye:
    """One eye in its own axes: x from corner to corner, y across and down, pixels from the middle of its corners.

    Attributes:
        middle: of the corners, pixels of the picture.
        right: unit vector along the eye.
        width: from corner to corner.
        upper: polynomial of the upper lid's edge, y over x / width.
        lower: of the lower lid's.
        skin: pixels above the upper edge within which skin slides.
    """

    middle: Points
    right: Points
    width: float
    upper: Points
    lower: Points
    skin: float

    @property
    def opening(self) -> float:
        """Pixels between the lids, where they are furthest apart."""
        x = np.linspace(-0.4, 0.4, 17)
        return float((np.polyval(self.lower, x) - np.polyval(self.upper, x)).max())


def eyes_of(picture: Pixels, points: Points) -> tuple[Eye, Eye]:
    """The eyes of a face's mesh (478, 2), the one on the picture's left first."""
    lines = zip(UPPER_LIDS, LOWER_LIDS, BROWS, strict=True)
    left, right = (_without_rim(picture, _eye(points, *one)) for one in lines)
    return left, right


def _without_rim(picture: Pixels, eye: Eye) -> Eye:
    """The eye, its skin ending below what crosses it: the rim of spectacles, or hair, which must not slide along."""
    import cv2

    x = np.linspace(-0.48, 0.48, 21)[None] * eye.width
    heights = np.arange(LEAST_SKIN + 0.04, eye.skin / eye.width + 0.08, 0.02)[:, None]
    if len(heights) < 4:
        return eye
    y = np.polyval(eye.upper, x / eye.width) - heights * eye.width
    across, along = np.broadcast_arrays(x, y)
    column = (eye.middle[0] + across * eye.right[0] - along * eye.right[1]).astype(np.float32)
    row = (eye.middle[1] + across * eye.right[1] + along * eye.right[0]).astype(np.float32)
    light = cv2.remap(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), column, row, cv2.INTER_LINEAR).astype(np.float64)
    steps = np.abs(light[2:] - light[:-2]) / (light.mean() + 16)
    is_edge = steps > RIM_CONTRAST
    crossed = is_edge.any(axis=0)
    if crossed.mean() < RIM_SHARE:
        return eye
    lowest = heights[np.argmax(is_edge, axis=0)[crossed], 0]
    return replace(eye, skin=min(eye.skin, max(LEAST_SKIN, float(np.quantile(lowest, 0.2)) - 0.04) * eye.width))


def _eye(points: Points, upper: tuple[int, ...], lower: tuple[int, ...], brow: tuple[int, ...]) -> Eye:
    first, last = points[upper[0]], points[upper[-1]]
    width = float(np.hypot(*(last - first)))
    right = (last - first) / width
    middle = (first + last) / 2
    axes = np.stack([right, [-right[1], right[0]]])

    def own(vertices: tuple[int, ...]) -> Points:
        return (points[list(vertices)] - middle) @ axes.T

    lines = []
    for vertices in (upper, lower):
        x, y = own(vertices).T
        # Both lids end in the corners.
        weights = np.where(np.abs(x) > 0.49 * width, 20.0, 1.0)
        lines.append(np.polyfit(x / width, y, CURVE_DEGREE, w=weights))
    below_brow = own(brow)[1:4]
    height = np.polyval(lines[0], below_brow[:, 0] / width) - below_brow[:, 1]
    skin = min(SLIDING * float(height.min()), LONGEST_SKIN * width)
    return Eye(middle, right, width, lines[0], lines[1], skin)


def lower_lid(picture: Pixels, drawn: Pixels, eye: Eye, closing: float) -> None:
    """Draw a lid of ``picture`` into ``drawn``, which is like it.

    Args:
        closing: 0 = as in the picture, 1 = shut.
    """
    import cv2

    left, top, right, bottom = _surroundings(eye, picture.shape[1], picture.shape[0])
    if closing <= 0 or left >= right or top >= bottom:
        return
    column, row = np.meshgrid(np.arange(left, right) - eye.middle[0], np.arange(top, bottom) - eye.middle[1])
    x = column * eye.right[0] + row * eye.right[1]
    y = row * eye.right[0] - column * eye.right[1]
    inner = np.clip(x / eye.width, -0.5, 0.5)
    upper, lower = np.polyval(eye.upper, inner), np.polyval(eye.lower, inner)
    fall = (np.maximum(lower - upper, 0) + OVERLAP * eye.width * (1 - (2 * inner) ** 2)) * closing
    edge, crease = upper + fall, upper - eye.skin
    lashes, below = LASHES * eye.width, LASHES_BELOW * eye.width

    # Skin is drawn out from the crease to the lashes, most where it is nearest to them.
    share = np.clip((y - crease) / np.maximum(edge - lashes - crease, 1e-3), 0, 1)
    length = eye.skin - lashes
    drawn_out = crease + length * share
    led = y - fall
    is_led = smoothstep(-lashes, -0.3 * lashes, y - edge)
    source = np.where(y <= crease, y, drawn_out * (1 - is_led) + np.minimum(led, upper + below) * is_led)

    def sampled(of: NDArray[np.float32]) -> NDArray[np.float32]:
        back_x = eye.middle[0] + x * eye.right[0] - source * eye.right[1] - left
        back_y = eye.middle[1] + x * eye.right[1] + source * eye.right[0] - top
        return np.asarray(
            cv2.remap(
                of,
                back_x.astype(np.float32),
                back_y.astype(np.float32),
                cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.float32,
        )

    around = picture[top:bottom, left:right].astype(np.float32)
    lid = sampled(around)
    # What is drawn out far would show streaks.
    blurred = cv2.GaussianBlur(around, (0, 0), 0.07 * eye.width, sigmaY=0.015 * eye.width)
    far = np.clip(1.6 * fall / np.maximum(length + fall, 1) - 0.2, 0, 0.9) * (1 - is_led) * (y > crease)
    lid += (sampled(np.asarray(blurred, np.float32)) - lid) * far[..., None]
    skin = _skin_around(around, y - upper, lower - upper, eye, lashes)
    covered = smoothstep(0, 1, (y - crease) / np.maximum(edge - crease, 1e-3)) * (1 - is_led) * (fall > 0)
    # What lay in the shade of the brow comes into the light.
    share_of_skin = (0.8 * covered * np.clip(fall / np.maximum(0.5 * eye.skin, 1), 0, 1))[..., None]
    lid = lid + (skin * (1 - 0.06 * share[..., None]) - lid) * share_of_skin
    # What was seen of the eye below the edge of the lid is no lash.
    lid = np.where((y > edge - 0.5 * lashes)[..., None], np.minimum(lid, 0.7 * skin), lid)
    softness = max(1.0, 0.03 * eye.width)
    opaque = np.clip((edge + below - y) / softness + 0.5, 0, 1) * smoothstep(0, 0.04, 0.5 - np.abs(x) / eye.width)
    mixed = around + (lid - around) * opaque[..., None]
    drawn[top:bottom, left:right] = np.rint(mixed).clip(0, 255)


def _skin_around(
    around: NDArray[np.float32], height: Points, depth: Points, eye: Eye, lashes: float
) -> NDArray[np.float32]:
    """The colours of the skin above an eye, without its lines, and carried on over the eye."""
    import cv2

    mask = ((height < -1.6 * lashes) & (height > -eye.skin)).astype(np.float32)
    beneath = height - depth
    mask = np.maximum(mask, ((beneath > 2.5 * lashes) & (beneath < 6 * lashes)).astype(np.float32))
    light = around @ np.array([0.114, 0.587, 0.299], np.float32)
    if mask.any():
        # Lines and lashes are darker than the skin.
        mask *= light >= np.quantile(light[mask > 0], 0.5)
    sigma = 0.2 * eye.width
    weight = cv2.GaussianBlur(mask, (0, 0), sigma) + 1e-5
    return np.asarray(cv2.GaussianBlur(around * mask[..., None], (0, 0), sigma) / weight[..., None], np.float32)


def _surroundings(eye: Eye, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what may change."""
    down = np.array([-eye.right[1], eye.right[0]])
    reach = 0.55 * eye.width * eye.right
    depth = eye.opening + 0.25 * eye.width
    corners = np.array(
        [
            eye.middle + side * reach + across * down
            for side in (-1, 1)
            for across in (-eye.skin - 0.4 * eye.width, depth)
        ]
    )
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, (width, height)).astype(int)
    return int(left), int(top), int(right), int(bottom)
