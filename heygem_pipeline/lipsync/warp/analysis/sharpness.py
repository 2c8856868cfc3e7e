"""How soft and how grainy a frame is around the mouth, so that what is drawn there is as soft and as grainy."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import HeadFrame
from heygem_pipeline.lipsync.warp.analysis.order_statistics import quantile
from heygem_pipeline.lipsync.warp.contours import MouthContours
from heygem_pipeline.lipsync.warp.mouth_region import MouthRegion

AROUND_THE_LIPS = 0.04
"""IOD around the lips in which edges are looked for."""

EDGE_QUANTILE, SHARP_EDGES_SHARE = 0.97, 0.15
"""Quantile of the gradient from which it is an edge, and share of the edges taken to be sharp in truth."""

LEAST_GRADIENT = 8.0
"""Of Sobel's filters, in levels: what is less steep is no edge, however flat the rest is."""

USUAL_BLUR, LARGEST_BLUR = 0.006, 0.03
"""IOD: of lips without edges, and the bound."""

GRAIN_BELOW = 0.26
"""IOD below the opening from which grain is taken: the chin."""

GRAIN_SIGMA = 1.2
"""Pixels: what a Gaussian of this deviation takes away is grain."""

LARGEST_GRAIN = 5.0
"""Levels: what is larger is a pore or a hair, and no grain."""


def edge_blur(frame: NDArray[np.uint8], head: HeadFrame, contours: MouthContours) -> float:
    """Deviation of the Gaussian that softens the sharpest edges of the lips, IOD, 0..0.03.

    From how much less steep they get by a further Gaussian of 1 pixel (Zhuo and Sim 2011, Defocus map estimation from a
    single image). Lips without edges count as a little soft.
    """
    import cv2

    points = head.to_pixels(np.concatenate([contours.upper_outer, contours.lower_outer]))
    around = AROUND_THE_LIPS / head.scale
    left, top = np.maximum(points.min(axis=0) - around, 0).astype(int)
    right, bottom = np.maximum(points.max(axis=0) + around, 0).astype(int)
    crop = frame[top:bottom, left:right]
    if min(crop.shape[:2]) < 8:
        return USUAL_BLUR
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), np.float32)
    before, after = _gradient(grey), _gradient(np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0), np.float32))
    strong = before >= max(float(quantile(before, EDGE_QUANTILE)), LEAST_GRADIENT)
    if not strong.any():
        return USUAL_BLUR
    ratio = before[strong] / np.maximum(after[strong], 1e-3)
    blur = 1 / np.sqrt(np.maximum(ratio**2 - 1, 1e-2))
    return min(float(quantile(blur, SHARP_EDGES_SHARE)) * head.scale, LARGEST_BLUR)


def sample_grain(region: MouthRegion) -> NDArray[np.float32]:
    """Fine texture of the skin below, for every pixel of a region: float32 (rows, columns, 3), levels, mean about 0."""
    import cv2

    rows, columns = region.x.shape
    height, width = region.crop.shape[:2]
    shift = region.down * GRAIN_BELOW / region.pixel_size
    top = int(np.clip(region.row[0, 0] + shift[1], 0, max(height - rows, 0)))
    left = int(np.clip(region.column[0, 0] + shift[0], 0, max(width - columns, 0)))
    skin = region.crop[top : top + rows, left : left + columns].astype(np.float32)
    grain = np.zeros((rows, columns, 3), np.float32)
    grain[: len(skin)] = skin - cv2.GaussianBlur(skin, (0, 0), GRAIN_SIGMA)
    return np.clip(grain, -LARGEST_GRAIN, LARGEST_GRAIN)


def _gradient(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    return np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
