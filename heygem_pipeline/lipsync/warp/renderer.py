"""One frame: the template's own pixels, warped in two layers, with the drawn interior between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp import fields
from heygem_pipeline.lipsync.warp.curves import MouthContours
from heygem_pipeline.lipsync.warp.fields import Anchors, DisplacementGrid
from heygem_pipeline.lipsync.warp.interior import OpenMouth, draw_interior
from heygem_pipeline.lipsync.warp.light import FaceLight

JAW_PROFILE = np.array([0.12, 0.28, 0.50, 0.78, 0.95, 1.0, 0.95, 0.78, 0.50, 0.28, 0.12])
"""Share of the jaw's drop at the landmarks 3..13."""


OWN_MARGIN = 0.008
"""IOD inside a parted mouth that still holds the rim of the lip."""

CREASE_REACH = 0.03
"""IOD around the mouth's line that a drawn crease may touch."""


@dataclass(frozen=True)
class Patch:
    """Blended pixels, uint8 (h, w, 3), and where they lie in the frame."""

    left: int
    top: int
    pixels: NDArray[np.uint8]


def _anchors(
    landmarks: NDArray[np.float64], base: MouthContours, target: MouthContours, jaw: float
) -> tuple[Anchors, list[Anchors]]:
    chin = landmarks[8]
    jaw_points = landmarks[3:14]
    down = np.array([0.0, 1.0])
    base = _without_crease(base, target)
    mouth_low = base.lower_outer[7]
    pad = np.array([mouth_low + (chin - mouth_low) * share for share in (0.35, 0.7)])
    pad = np.concatenate([pad, pad[:1] + [0.16, 0.0], pad[:1] - [0.16, 0.0]])
    centre = (landmarks[0] + landmarks[16]) / 2
    ring = centre + (landmarks[[1, 3, 5, 11, 13, 15]] - centre) * 1.33
    below = chin + np.stack([np.linspace(-0.7, 0.7, 5), np.full(5, 0.62)], axis=1)
    cheeks = np.array([(landmarks[2] + landmarks[31]) / 2, (landmarks[14] + landmarks[35]) / 2])
    pins = np.concatenate([landmarks[[0, 1, 2, 14, 15, 16]], landmarks[27:48], cheeks, ring, below])

    moving_source = np.concatenate([jaw_points, pad])
    moving_target = np.concatenate([jaw_points + JAW_PROFILE[:, None] * jaw * down, pad + 0.85 * jaw * down])
    shared = Anchors(np.concatenate([pins, moving_target]), np.concatenate([pins, moving_source]))

    upper = Anchors(
        target=np.concatenate([target.upper_outer, target.upper_inner[1:-1]]),
        source=np.concatenate([base.upper_outer, base.upper_inner[1:-1]]),
    )
    lower = Anchors(
        target=np.concatenate([target.lower_outer, target.lower_inner[1:-1]]),
        source=np.concatenate([base.lower_outer, base.lower_inner[1:-1]]),
    )
    return shared, [upper, lower]


def _without_crease(base: MouthContours, target: MouthContours) -> MouthContours:
    """Take the lips' edges a little inside the lips where they part.

    The dark line of closed lips (or the rim of teeth of parted ones) would otherwise stay at the edge of the lip.
    """
    opened = target.lower_inner[:, 1] - target.upper_inner[:, 1]
    own = base.lower_inner[:, 1] - base.upper_inner[:, 1]
    upper_inner, lower_inner = base.upper_inner.copy(), base.lower_inner.copy()
    upper_inner[:, 1] -= np.maximum(np.minimum(0.006, 0.15 * opened), np.minimum(0.006, 0.15 * own))
    lower_inner[:, 1] += np.maximum(np.minimum(0.016, 0.40 * opened), np.minimum(0.010, 0.15 * own))
    return MouthContours(base.upper_outer, base.lower_outer, upper_inner, lower_inner)


@dataclass(frozen=True)
class _View:
    """A crop of the frame and, for each of its pixels (rows, columns), where it lies in the head frame.

    crop: uint8 (rows, columns, 3). x, y: place. upper, lower: heights of the target's inner lip lines there.
    column (1, columns), row (rows, 1): place in the whole patch, pixels. down: the head frame's y axis in pixels, unit length.
    pixel: size of a pixel, IOD.
    """

    crop: NDArray[np.uint8]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    upper: NDArray[np.float32]
    lower: NDArray[np.float32]
    column: NDArray[np.float32]
    row: NDArray[np.float32]
    down: NDArray[np.float64]
    pixel: float

    @property
    def middle(self) -> NDArray[np.float32]:
        """Height of the line between the lips."""
        return (self.upper + self.lower) / 2

    def cut(self, box: tuple[slice, slice]) -> "_View":
        """The same over a part of the pixels; ``crop`` and the places in it stay whole."""
        return _View(
            crop=self.crop,
            x=self.x[box],
            y=self.y[box],
            upper=self.upper[box],
            lower=self.lower[box],
            column=self.column[:, box[1]],
            row=self.row[box[0]],
            down=self.down,
            pixel=self.pixel,
        )


def _view(
    crop: NDArray[np.uint8], to_head: NDArray[np.float64], offset: NDArray[np.float64], target: MouthContours
) -> _View:
    rows, columns = crop.shape[:2]
    column, row = np.arange(columns, dtype=np.float32)[None], np.arange(rows, dtype=np.float32)[:, None]
    matrix, origin = to_head[:, :2].astype(np.float32), offset.astype(np.float32)
    x = matrix[0, 0] * column + matrix[0, 1] * row + origin[0]
    y = matrix[1, 0] * column + matrix[1, 1] * row + origin[1]
    left, right = target.upper_outer[0], target.upper_outer[-1]
    down = np.linalg.inv(to_head[:, :2]) @ [0.0, 1.0]
    return _View(
        crop=crop,
        x=x,
        y=y,
        upper=_line(target.upper_inner, left, right, x),
        lower=_line(target.lower_inner, left, right, x),
        column=column,
        row=row,
        down=down / np.linalg.norm(down),
        pixel=float(np.sqrt(abs(np.linalg.det(to_head[:, :2])))),
    )


def _to_pixels(
    field: NDArray[np.float32], to_head: NDArray[np.float64], offset: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Spread the coarse grid's displacements (rows, columns, 4) over the pixels of a patch of ``size`` (width, height)."""
    import cv2

    corner = np.array([fields.LEFT, fields.TOP])
    cell = (np.array([fields.RIGHT, fields.BOTTOM]) - corner) / (np.array(fields.GRID) - 1)
    to_grid = np.column_stack([to_head[:, :2], offset - corner]) / cell[:, None]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    dense = cv2.warpAffine(field, to_grid, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0))
    return np.asarray(dense, np.float32)


class MouthRenderer:
    """Holds what is the same for every frame of a template."""

    def __init__(self) -> None:
        self._grid = DisplacementGrid()

    def render(
        self,
        frame: NDArray[np.uint8],
        to_head: NDArray[np.float64],
        landmarks: NDArray[np.float64],
        base: MouthContours,
        target: MouthContours,
        *,
        jaw: float,
        rounding: float,
        light: FaceLight,
    ) -> Patch:
        """Move the mouth of a frame from base to target (head frame)."""
        import cv2

        back = np.linalg.inv(to_head[:, :2])
        left, top, right, bottom = _bounds(frame.shape, to_head, back)
        width, height = right - left, bottom - top
        field = self._grid.displacement(*_anchors(landmarks, base, target, jaw))
        field = (field.reshape(-1, 2) @ back.T.astype(np.float32)).reshape(field.shape)
        offset = to_head[:, :2] @ [left, top] + to_head[:, 2]
        dense = _to_pixels(field, to_head, offset, (width, height))
        view = _view(frame[top:bottom, left:right], to_head, offset, target)

        corner_left, corner_right = float(target.upper_outer[0, 0]), float(target.upper_outer[-1, 0])
        outside = np.maximum(np.maximum(corner_left - view.x, view.x - corner_right), 0)
        soft = 0.02 * view.pixel + 0.5 * np.minimum(outside, 0.3)
        share = np.clip((view.y - view.middle) / soft + 0.5, 0, 1)[..., None]
        displacement = dense[..., :2] + share * (dense[..., 2:] - dense[..., :2])
        warped = np.asarray(
            cv2.remap(
                view.crop,
                displacement[..., 0] + view.column,
                displacement[..., 1] + view.row,
                cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.uint8,
        )
        self._fill(warped, view, base, target, rounding, light)
        return Patch(left, top, warped)

    def _fill(
        self,
        warped: NDArray[np.uint8],
        view: _View,
        base: MouthContours,
        target: MouthContours,
        rounding: float,
        light: FaceLight,
    ) -> None:
        """Paint the opening, and the crease of lips that the template never closed, into the warped crop."""
        near = (view.y > view.upper - CREASE_REACH) & (view.y < view.lower + CREASE_REACH)
        near &= (view.x > target.upper_outer[0, 0]) & (view.x < target.upper_outer[-1, 0])
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        if not len(rows):
            return
        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        view = view.cut(box)
        own = _own_lines(view, base)
        out = warped[box].astype(np.float32)
        _draw_crease(out, view, own, target, light)
        opening = view.lower - view.upper
        if opening.max() > 0.25 * view.pixel:
            inside = _interior(view, own, base, target, rounding, light)
            edge = max(view.pixel, 0.010)
            alpha = np.clip((view.y - view.upper) / edge, 0, 1) * np.clip((view.lower - view.y) / edge, 0, 1)
            out += alpha[..., None] * (inside - out)
        warped[box] = np.clip(out + 0.5, 0, 255).astype(np.uint8)


def _own_lines(view: _View, base: MouthContours) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Heights of the template's own inner lip lines at every pixel of a view."""
    return (
        _line(base.upper_inner, base.upper_inner[0], base.upper_inner[-1], view.x),
        _line(base.lower_inner, base.lower_inner[0], base.lower_inner[-1], view.x),
    )


def _draw_crease(
    out: NDArray[np.float32],
    view: _View,
    own: tuple[NDArray[np.float32], NDArray[np.float32]],
    target: MouthContours,
    light: FaceLight,
) -> None:
    """Lips that were apart in the template have no dark line of their own to show when they meet."""
    left, right = target.upper_outer[0, 0], target.upper_outer[-1, 0]
    centre, half_width = float(left + right) / 2, float(right - left) / 2
    across = (view.x - centre) / half_width
    apart = np.clip((own[1] - own[0]) / 0.04, 0, 1)
    closing = np.clip(1 - (view.lower - view.upper) / 0.03, 0, 1)
    breadth = max(0.009, 0.8 * view.pixel)
    line = np.exp(-(((view.y - view.middle) / breadth) ** 2))
    ends = np.clip((1 - np.abs(across)) / 0.3, 0, 1)
    alpha = 0.65 * apart * closing * line * ends
    out += alpha[..., None] * (1.15 * light.crease - out)


def _interior(
    view: _View,
    own: tuple[NDArray[np.float32], NDArray[np.float32]],
    base: MouthContours,
    target: MouthContours,
    rounding: float,
    light: FaceLight,
) -> NDArray[np.float32]:
    """Colour of the opening: the template's own teeth where its frame shows them, the drawing elsewhere."""
    import cv2

    left, right = target.upper_outer[0, 0], target.upper_outer[-1, 0]
    midline = float(base.upper_outer[7, 0])
    mouth = OpenMouth(
        centre=float(left + right) / 2,
        half_width=float(right - left) / 2,
        midline=midline,
        foreshortening=_foreshortening(base, midline),
        skull_edge=float(base.upper_inner[8, 1]),
        gap=target.gap,
        rounding=rounding,
    )
    drawn = draw_interior(view.x, view.y, view.upper, view.lower, mouth, light, view.pixel)
    show = np.clip((target.gap - 0.015) / 0.05, 0, 1)
    drawn = light.crease + np.float32(show) * (drawn - light.crease)
    drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), max(0.4, 0.006 / view.pixel)), np.float32)
    own_upper, own_lower = own
    if (own_lower - own_upper).max() < 2 * OWN_MARGIN:
        return drawn
    # The teeth stay with the skull: the lips uncover them. Above the frame's own opening its topmost row continues.
    raised = np.maximum(own_upper + OWN_MARGIN - view.y, 0) / view.pixel
    up = -view.down
    column = view.column - raised * float(up[0])
    row = view.row - raised * float(up[1])
    teeth = cv2.remap(view.crop, column.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR).astype(np.float32)
    shade = 0.80 + 0.20 * np.clip((view.y - view.upper) / 0.035, 0, 1)
    shade = shade * (0.86 + 0.14 * np.clip((view.lower - view.y) / 0.02, 0, 1))
    seen = np.clip((own_lower - OWN_MARGIN - view.y) / 0.02, 0, 1) * np.clip(
        (own_lower - own_upper - 0.03) / 0.05, 0, 1
    )
    return drawn + seen[..., None] * (teeth * shade[..., None] - drawn)


def _foreshortening(base: MouthContours, midline: float) -> tuple[np.float32, np.float32]:
    """A head turned aside shows one half of the mouth narrower: the teeth behind it too."""
    left, right = midline - base.upper_outer[0, 0], base.upper_outer[-1, 0] - midline
    mean = (left + right) / 2
    near, far = np.clip([mean / max(left, 1e-3), mean / max(right, 1e-3)], 0.7, 1.6).astype(np.float32)
    return near, far


def _bounds(shape, to_head, back) -> tuple[int, int, int, int]:
    corners = np.array([[x, y] for x in (fields.LEFT, fields.RIGHT) for y in (0.30, fields.BOTTOM)])
    places = (corners - to_head[:, 2]) @ back.T
    height, width = shape[:2]
    left, top = np.floor(places.min(axis=0)).astype(int)
    right, bottom = np.ceil(places.max(axis=0)).astype(int) + 1
    return max(0, left), max(0, top), min(width, right), min(height, bottom)


def _line(inner, left, right, x) -> NDArray[np.float32]:
    """Height of an inner contour at every x, its ends held beyond the corners."""
    return np.interp(x, np.r_[left[0], inner[1:-1, 0], right[0]], np.r_[left[1], inner[1:-1, 1], right[1]]).astype(
        np.float32
    )
