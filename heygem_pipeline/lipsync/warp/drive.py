"""From predicted mouth shapes in standard units to what this template's mouth shall do, one articulation a frame."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.mouth import MouthShape
from heygem_pipeline.lipsync.warp.calibration import Calibration
from heygem_pipeline.lipsync.warp.target import Articulation, jaw_drop

WIDTH_UNIT = 0.06
"""Relative change of width for one standard unit (a standard deviation of the width in speech; median of the talking
people measured: 0.04 IOD on mouths 0.78 IOD wide)."""

JAW_SHARE = 0.4
"""How much the predicted jaw, and not the opening alone, decides the chin's drop."""

LARGEST_WIDTH = 3.0
"""Standard units of width toward which larger ones are drawn: people do not go further."""

LARGEST_GAP = 0.32
"""IOD: bound of what the warp can show without tearing."""

REST_GAP, REST_WIDTH = 0.006, 0.006
"""Smaller articulations are not shown, so that silence leaves the template untouched."""

FADE_FRAMES = 4
"""Frames over which motion grows after the face appears and dies before it goes."""


def drive(shape: MouthShape, calibration: Calibration) -> list[Articulation]:
    """Scale a predicted shape (standard units) to the template's mouth."""
    gap = np.clip(_beyond(shape.gap * calibration.opening, REST_GAP), 0, LARGEST_GAP)
    width = _beyond(WIDTH_UNIT * LARGEST_WIDTH * np.tanh(shape.width / LARGEST_WIDTH), REST_WIDTH)
    blend = (1 - JAW_SHARE) * shape.gap + JAW_SHARE * shape.jaw
    jaw = np.clip(_beyond(blend * calibration.opening, REST_GAP), 0, LARGEST_GAP)
    return [Articulation(float(g), float(w), jaw_drop(float(j))) for g, w, j in zip(gap, width, jaw, strict=True)]


def _beyond(values: NDArray[np.floating], rest: float) -> NDArray[np.floating]:
    """Values shrunk toward zero by ``rest``: small ones vanish and nothing jumps."""
    return np.sign(values) * np.maximum(np.abs(values) - rest, 0)


def presence_strength(present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much of the motion is shown in each output frame: 0 without a face, growing to 1 away from such frames."""
    count = len(present)
    distance = np.full(count, np.inf)
    absent = np.flatnonzero(~present)
    if len(absent):
        after = np.searchsorted(absent, np.arange(count))
        before = absent[np.clip(after - 1, 0, None)]
        following = absent[np.clip(after, None, len(absent) - 1)]
        distance = np.minimum(np.abs(np.arange(count) - before), np.abs(following - np.arange(count)))
    share = np.clip(distance / (FADE_FRAMES + 1), 0, 1)
    return share * share * (3 - 2 * share)
