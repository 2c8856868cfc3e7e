"""One frame: the presenter's own pixels, warped in two layers, with the opening painted between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.analysis.lighting import FaceLighting
from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline.lipsync.warp.deformation import thin_plate_spline
from heygem_pipeline.lipsync.warp.deformation.control_points import face_control_points
from heygem_pipeline.lipsync.warp.deformation.thin_plate_spline import DisplacementGrid
from heygem_pipeline.lipsync.warp.exemplars.collection import Exemplar
from heygem_pipeline.lipsync.warp.exemplars.overlay import chin_reach, corner_reach, overlay_exemplars
from heygem_pipeline.lipsync.warp.interior.opening import paint_opening
from heygem_pipeline.lipsync.warp.mouth_region import MouthRegion, locate_mouth_region

LAYER_BLEND_PIXELS, LAYER_BLEND_GROWTH, LAYER_BLEND_REACH = 0.02, 0.5, 0.3
"""The two layers run into each other over a band: its height between the corners, pixels; how much an IOD it widens
beyond them, and up to how many IOD."""

CHIN = 8
"""The landmark at its tip."""

PATCH_MARGIN = 0.3
"""IOD around the lips that is drawn on, whatever else moves."""


@dataclass(frozen=True)
class ExemplarOverlay:
    """Mouths of the presenter laid over the warped face.

    Attributes:
        mouths: with their shares.
        closing: mouths whose lips touch, likewise; the shares of both sum to 1.
        lines: the lips wanted, as the landmarks would tell them, head frame.
        visibility: 0 = not seen .. 1 = nothing else is seen.
    """

    mouths: Sequence[tuple[Exemplar, float]]
    closing: Sequence[tuple[Exemplar, float]]
    lines: MouthContours
    visibility: float


@dataclass(frozen=True)
class Patch:
    """Blended pixels, uint8 (rows, columns, 3) BGR, and where they lie in the frame."""

    left: int
    top: int
    pixels: NDArray[np.uint8]

    def laid_on(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The frame, a new one, with it."""
        finished = frame.copy()
        rows, columns = self.pixels.shape[:2]
        finished[self.top : self.top + rows, self.left : self.left + columns] = self.pixels
        return finished

    def with_later(self, later: "Patch", frame: NDArray[np.uint8]) -> "Patch":
        """This patch and one drawn over it, as one; ``frame`` has this one on it."""
        sides = [
            (one.left, one.top, one.left + one.pixels.shape[1], one.top + one.pixels.shape[0]) for one in (self, later)
        ]
        left, top = np.min(sides, axis=0)[:2]
        right, bottom = np.max(sides, axis=0)[2:]
        return Patch(int(left), int(top), later.laid_on(frame)[top:bottom, left:right].copy())


class FrameRenderer:
    """Holds what is the same for every frame."""

    def __init__(self) -> None:
        self._grid = DisplacementGrid()

    def render(
        self,
        frame: NDArray[np.uint8],
        head: HeadFrame,
        landmarks: NDArray[np.float64],
        base: MouthContours,
        target: MouthContours,
        *,
        jaw: float,
        rounding: float,
        light: FaceLighting,
        own_teeth: float,
        overlay: ExemplarOverlay | None = None,
    ) -> Patch | None:
        """Move the mouth of a frame from ``base`` to ``target``. None if the lower face lies outside the frame.

        Args:
            frame: uint8 (h, w, 3) BGR.
            head: of the frame.
            landmarks: (68, 2), head frame.
            jaw: how far the jaw drops, IOD.
            rounding: 0 = spread .. 1 = pursed.
            own_teeth: 0..1, how far the frame's own open mouth is shown and not a drawn one.
            overlay: mouths of the presenter's own to lay over the warped face.
        """
        field = self._grid.displacement(*face_control_points(landmarks, base, target, jaw))
        below = 0.0 if overlay is None else chin_reach(base, target, float(landmarks[CHIN, 1]) + jaw)
        low, high = thin_plate_spline.displaced_box(field, _patch_corners(target, below))
        left, top, right, bottom = head.pixel_box(low, high, (frame.shape[1], frame.shape[0]))
        if right - left < 2 or bottom - top < 2:
            return None
        head = head.cropped(left, top)
        rows, region = locate_mouth_region(frame[top:bottom, left:right], head, target)
        dense = _upsample(field, head, (right - left, bottom - top), rows.stop)
        warped = _warp(region, rows, dense, target)
        if overlay is None or overlay.visibility < 1:
            paint_opening(warped[rows], region, base, target, rounding, light, own_teeth)
        if overlay is not None:
            overlay_exemplars(
                warped,
                head,
                overlay.lines,
                target,
                overlay.mouths,
                overlay.closing,
                overlay.visibility,
                light,
                below,
                corner_reach(base, target),
            )
        return Patch(left, top, warped)


def _patch_corners(target: MouthContours, below: float) -> NDArray[np.float64]:
    lips = np.concatenate([target.upper_outer, target.lower_outer])
    return np.concatenate([lips - PATCH_MARGIN, lips + np.array([PATCH_MARGIN, max(PATCH_MARGIN, below)])])


def _upsample(
    field: NDArray[np.float32], head: HeadFrame, size: tuple[int, int], upper_rows: int
) -> list[NDArray[np.float32]]:
    """Spread the coarse grid's displacements (IOD) over a patch: four of float32 (rows, columns), pixels.

    Map by map, each in one piece of memory: a quarter of the time of all four side by side. Those of the upper layer
    have so many rows, for it shows no further down.
    """
    import cv2

    in_pixels = (field.reshape(-1, 2) @ head.inverse.astype(np.float32).T).reshape(field.shape)
    corner = np.array([thin_plate_spline.LEFT, thin_plate_spline.TOP])
    cell = (np.array([thin_plate_spline.RIGHT, thin_plate_spline.BOTTOM]) - corner) / (
        np.array(thin_plate_spline.GRID) - 1
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    to_grid = head.to_grid(corner, cell)
    width, height = size
    return [
        np.asarray(cv2.warpAffine(one, to_grid, (width, rows), flags=flags, borderValue=0), np.float32)
        if rows
        else np.zeros((0, width), np.float32)
        for one, rows in zip(
            np.ascontiguousarray(in_pixels.transpose(2, 0, 1)), (upper_rows, upper_rows, height, height), strict=True
        )
    ]


def _warp(
    region: MouthRegion, rows: slice, dense: list[NDArray[np.float32]], target: MouthContours
) -> NDArray[np.uint8]:
    """Move the crop's pixels: the upper layer above the mouth's line, the lower one below it."""
    import cv2

    left, right = float(target.upper_outer[0, 0]), float(target.upper_outer[-1, 0])
    outside = np.maximum(np.maximum(left - region.x, region.x - right), 0)
    band = LAYER_BLEND_PIXELS * region.pixel_size + LAYER_BLEND_GROWTH * np.minimum(outside, LAYER_BLEND_REACH)
    lower = np.clip((region.y - region.middle) / band + 0.5, 0, 1)
    upper_column, upper_row, lower_column, lower_row = dense
    column = _joined(upper_column, lower_column, rows, lower)
    column += np.arange(column.shape[1], dtype=np.float32)
    row = _joined(upper_row, lower_row, rows, lower)
    row += np.arange(row.shape[0], dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(region.crop, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _joined(
    upper: NDArray[np.float32], lower: NDArray[np.float32], rows: slice, share: NDArray[np.floating]
) -> NDArray[np.float32]:
    """The upper layer above some rows, the lower one, in place, below them, and between them the lower one's share."""
    here = upper[rows]
    between = lower[rows]
    between -= here
    between *= share
    between += here
    lower[: rows.start] = upper[: rows.start]
    return lower
