"""Photographs bent so that their faces speak or look aside."""

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def speaking(picture: Picture, mouth: tuple[float, float], width: float, drop: float) -> Picture:
    """The face with everything around and below a mouth ``width`` wide drawn down by ``drop`` pixels."""
    x, y = _places(picture)
    near = np.exp(-(((x - mouth[0]) / width) ** 2) - ((y - mouth[1]) / width) ** 2)
    return _bent(picture, x, y - drop * near)


def looking_aside(picture: Picture, nose: tuple[float, float], width: float) -> Picture:
    """The face with its middle pushed to the viewer's right, as a turned head shows it. ``width``: of the face."""
    x, y = _places(picture)
    near = np.exp(-(((x - nose[0]) / (0.375 * width)) ** 2) - ((y - nose[1]) / (0.55 * width)) ** 2)
    return _bent(picture, x - 0.35 * width * near, y)


def _places(picture: Picture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float64)
    return x, y


def _bent(picture: Picture, x: NDArray[np.float64], y: NDArray[np.float64]) -> Picture:
    import cv2

    return np.asarray(cv2.remap(picture, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR), np.uint8)
