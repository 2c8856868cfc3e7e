"""One frame: the template's own pixels, warped in two layers, with the drawn interior between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.warp import fields
from heygem_pipeline.lipsync.warp.curves import MouthContours
from heygem_pipeline.lipsync.warp.fields import Anchors, DisplacementGrid
from heygem_pipeline.lipsync.warp.interior import draw_interior
from heygem_pipeline.lipsync.warp.light import FaceLight

JAW_PROFILE = np.array([0.12, 0.28, 0.50, 0.78, 0.95, 1.0, 0.95, 0.78, 0.50, 0.28, 0.12])
"""Share of the jaw's drop at the landmarks 3..13."""


@dataclass(frozen=True)
class Patch:
    """Blended pixels, uint8 (h, w, 3), and where they lie in the frame."""

    left: int
    top: int
    pixels: NDArray[np.uint8]


def _anchors(
    landmarks: NDArray[np.float64], base: MouthContours, target: MouthContours, jaw: float
) -> tuple[Anchors, Anchors]:
    chin = landmarks[8]
    jaw_points = landmarks[3:14]
    down = np.array([0.0, 1.0])
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
    shared_source, shared_target = np.concatenate([pins, moving_source]), np.concatenate([pins, moving_target])

    def layer(outer_source, outer_target, inner_source, inner_target) -> Anchors:
        return Anchors(
            target=np.concatenate([outer_target, inner_target[1:-1], shared_target]),
            source=np.concatenate([outer_source, inner_source[1:-1], shared_source]),
        )

    return (
        layer(base.upper_outer, target.upper_outer, base.upper_inner, target.upper_inner),
        layer(base.lower_outer, target.lower_outer, base.lower_inner, target.lower_inner),
    )


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
        gap: float,
        rounding: float,
        light: FaceLight,
    ) -> Patch:
        """Move the mouth of a frame from base to target (head frame)."""
        import cv2

        back = np.linalg.inv(to_head[:, :2])
        pixel = float(np.sqrt(abs(np.linalg.det(to_head[:, :2]))))
        left, top, right, bottom = _bounds(frame.shape, to_head, back)
        width, height = right - left, bottom - top
        upper, lower = _anchors(landmarks, base, target, jaw)
        field = np.concatenate([self._grid.displacement(a) @ back.T.astype(np.float32) for a in (upper, lower)], axis=2)
        offset = to_head[:, :2] @ [left, top] + to_head[:, 2]
        cell = np.array(
            [(fields.RIGHT - fields.LEFT) / (fields.GRID[0] - 1), (fields.BOTTOM - fields.TOP) / (fields.GRID[1] - 1)]
        )
        to_grid = np.column_stack([to_head[:, :2], offset - [fields.LEFT, fields.TOP]]) / cell[:, None]
        dense = cv2.warpAffine(
            field,
            to_grid,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
        )
        columns, rows = np.arange(width, dtype=np.float32)[None], np.arange(height, dtype=np.float32)[:, None]
        a, b = to_head[0, :2].astype(np.float32), to_head[1, :2].astype(np.float32)
        head_x = a[0] * columns + a[1] * rows + np.float32(offset[0])
        head_y = b[0] * columns + b[1] * rows + np.float32(offset[1])

        corner_left, corner_right = target.upper_outer[0], target.upper_outer[-1]
        upper_line = _line(target.upper_inner, corner_left, corner_right, head_x)
        lower_line = _line(target.lower_inner, corner_left, corner_right, head_x)
        middle = (upper_line + lower_line) / 2
        outside = np.maximum(np.maximum(corner_left[0] - head_x, head_x - corner_right[0]), 0)
        soft = 0.02 * pixel + 0.5 * np.minimum(outside, 0.3)
        weight = np.clip((head_y - middle) / soft + 0.5, 0, 1)[..., None].astype(np.float32)
        displacement = dense[..., :2] + weight * (dense[..., 2:] - dense[..., :2])
        map_x, map_y = displacement[..., 0] + columns, displacement[..., 1] + rows
        crop = frame[top:bottom, left:right]
        warped = cv2.remap(crop, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        self._fill(warped, crop, head_x, head_y, upper_line, lower_line, base, target, pixel, gap, rounding, light)
        return Patch(left, top, warped)

    def _fill(
        self, warped, crop, head_x, head_y, upper_line, lower_line, base, target, pixel, gap, rounding, light
    ) -> None:
        opening = lower_line - upper_line
        inside = (head_y > upper_line - pixel) & (head_y < lower_line + pixel) & (opening > 0.25 * pixel)
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if not len(rows):
            return
        import cv2

        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        x, y = head_x[box], head_y[box]
        up, low = upper_line[box], lower_line[box]
        edge = max(1.0 * pixel, 0.010)
        alpha = np.clip((y - up) / edge, 0, 1) * np.clip((low - y) / edge, 0, 1)
        half_width = (target.upper_outer[-1, 0] - target.upper_outer[0, 0]) / 2
        midline = float((base.upper_outer[0, 0] + base.upper_outer[-1, 0]) / 2)
        skull_edge = float(base.upper_inner[8, 1])
        drawn = draw_interior(
            x,
            y,
            up,
            low,
            midline=midline,
            half_width=float(half_width),
            skull_edge=skull_edge,
            jaw_drop=0.0,
            gap=gap,
            rounding=rounding,
            light=light,
            pixel=pixel,
        )
        show = np.clip((np.minimum(gap, 0.2) - 0.015) / 0.05, 0, 1)
        drawn = light.crease + (drawn - light.crease) * show
        drawn = cv2.GaussianBlur(drawn, (0, 0), max(0.4, 0.006 / pixel))
        own_up = _line(base.upper_inner, base.upper_inner[0], base.upper_inner[-1], x)
        own_low = _line(base.lower_inner, base.lower_inner[0], base.lower_inner[-1], x)
        margin = 0.010
        own = np.clip((y - own_up - margin) / 0.02, 0, 1) * np.clip((own_low - margin - y) / 0.02, 0, 1)
        inner = drawn + own[..., None] * (crop[box].astype(np.float32) - drawn)
        out = warped[box].astype(np.float32)
        out += alpha[..., None] * (inner - out)
        warped[box] = np.clip(out + 0.5, 0, 255).astype(np.uint8)


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
