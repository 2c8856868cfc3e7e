"""Blinks for a photograph: the skin above each eye is drawn down over it, the lashes leading; the eye stays still."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.demo.portraits import Eye, Point, Portrait

LASHES = 1.6
"""Height of the row of lashes, pixels of the photograph."""
EDGE_SOFTNESS = 2.0
"""Pixels over which the lid's edge passes into the eye."""


def close_eyes(person: NDArray[np.uint8], portrait: Portrait, closing: float) -> NDArray[np.uint8]:
    """``person`` (720, 1280, channels) with both lids lowered; ``closing`` 0 = as in the photograph, 1 = shut."""
    if closing <= 0 or not portrait.eyes:
        return person
    closed = person.copy()
    for eye in portrait.eyes:
        _lower_lid_over(closed, eye, portrait, closing)
    return closed


def _lower_lid_over(person: NDArray[np.uint8], eye: Eye, portrait: Portrait, closing: float) -> None:
    """Draw one lid into ``person``: its skin stretched and smoothed against streaks, its lashes as they are."""
    import cv2

    upper, lower = _in_frame(eye.upper_lid, portrait), _in_frame(eye.lower_lid, portrait)
    height, lashes = eye.lid_height * portrait.scale, LASHES * portrait.scale
    x = np.arange(int(upper[0, 0]), int(upper[-1, 0]) + 1)
    top = int(upper[:, 1].min() - height) - 1
    y = np.arange(top, int(lower[:, 1].max()) + 4)[:, None]
    upper_y, lower_y = _curve(upper, x), _curve(lower, x)
    crease = upper_y - height
    edge = upper_y + closing * np.maximum(lower_y - upper_y, 0)

    open_eye = person[y[0, 0] : y[-1, 0] + 1, x[0] : x[-1] + 1].astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(open_eye, (0, 0), 4, sigmaY=1), np.float32)
    stretch = (height - lashes) / np.maximum(edge - lashes - crease, 1e-3)
    skin_y = np.where(y < crease, y, np.minimum(crease + (y - crease) * stretch, upper_y - lashes)) - top
    skin = _sample(open_eye, skin_y) * (1 - closing) + _sample(smooth, skin_y) * closing
    eyelashes = _sample(open_eye, upper_y - (edge - y) - top)
    lid = skin + (eyelashes - skin) * _inside(y - (edge - lashes))

    from_corners = np.minimum(x - upper[0, 0], upper[-1, 0] - x) / portrait.scale - 1
    drawn = open_eye + (lid - open_eye) * _inside(edge - y) * _inside(from_corners)
    person[y[0, 0] : y[-1, 0] + 1, x[0] : x[-1] + 1] = np.rint(drawn).clip(0, 255)


def _inside(depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of a pixel that lies inside an edge ``depth`` pixels away, softened; with an axis for the channels."""
    return np.clip(depth / EDGE_SOFTNESS + 0.5, 0, 1)[..., None]


def _sample(picture: NDArray[np.float32], rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """The colours of ``picture`` at these fractional rows, column by column."""
    import cv2

    columns = np.broadcast_to(np.arange(picture.shape[1], dtype=np.float32), rows.shape)
    x, y = np.ascontiguousarray(columns), rows.astype(np.float32)
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _in_frame(points: tuple[Point, ...], portrait: Portrait) -> NDArray[np.float64]:
    return np.array(points) * portrait.scale + (portrait.left, 0)


def _curve(points: NDArray[np.float64], x: NDArray[np.int_]) -> NDArray[np.float64]:
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(points[:, 0], points[:, 1])(np.clip(x, points[0, 0], points[-1, 0])))
