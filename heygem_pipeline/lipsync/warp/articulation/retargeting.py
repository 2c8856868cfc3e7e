"""From predicted mouth shapes in standard units to what this presenter's mouth shall do, one articulation a frame."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.mouth_measure import MouthShape
from heygem_pipeline.lipsync.warp.analysis.calibration import Calibration
from heygem_pipeline.lipsync.warp.articulation.lip_model import Articulation, jaw_drop

JAW_WEIGHT = 0.4
"""How much the predicted jaw, and not the opening alone, decides the chin's drop."""

RAISED_UNIT, LOWERED_UNIT = 0.28, 1.05
"""A wide opening's rise of the upper lip's border, and drop of the lower one's, against its gap (medians of the talking
people measured)."""

LIPS_WEIGHT = 0.5
"""How much of what is predicted of the lips beyond the opening is shown: the prediction knows part of it."""

PRESSED_LIPS = 0.012
"""IOD by which each lip is drawn in where lips meet in the middle of speech, its jaw still down: m, b, p."""

MEETING_GAP, MEETING_JAW = 0.1, 0.3
"""Standard units: up to this gap lips meet, from this jaw or lower lip on they do so in the middle of speech."""

FREE_LIPS_GAP = 0.3
"""Standard units of gap from which the lips' own moves are shown whole."""

LARGEST_WIDTH = 3.0
"""Standard units of width toward which larger ones are drawn: people do not go further."""

DRAWN_OPENING = 1.12
"""Lips are drawn so many times as far apart as asked for: drawn openings of 0.105 IOD are read as 0.095 in finished
clips, those of 0.165 as 0.135 (medians of 22 clips of 6 presenters)."""

LARGEST_GAP, LARGEST_LIP_MOVE = 0.32, 0.04
"""IOD: bounds of what the warp can show without tearing."""

REST_GAP, REST_WIDTH = 0.006, 0.006
"""Smaller articulations are not shown, so that silence leaves the presenter untouched."""


def retarget(shape: MouthShape, calibration: Calibration) -> list[Articulation]:
    """Scale a predicted shape (standard units) to the presenter's mouth."""
    opening = DRAWN_OPENING * calibration.opening
    gap = np.clip(_shrunk(shape.gap * opening, REST_GAP), 0, LARGEST_GAP)
    width = _shrunk(_width(shape.width, calibration), REST_WIDTH)
    blend = (1 - JAW_WEIGHT) * shape.gap + JAW_WEIGHT * shape.jaw
    jaw = jaw_drop(np.clip(_shrunk(blend * opening, REST_GAP), 0, LARGEST_GAP))
    raised = _lip_move(shape.upper, shape.gap, RAISED_UNIT * calibration.opening)
    lowered = _lip_move(shape.lower, shape.gap, LOWERED_UNIT * calibration.opening)
    meeting = np.clip(1 - shape.gap / MEETING_GAP, 0, 1)
    pressed = PRESSED_LIPS * meeting * np.clip(np.maximum(shape.jaw, shape.lower) / MEETING_JAW, 0, 1)
    numbers = np.stack([gap, width, jaw, raised - pressed, lowered - pressed], axis=1)
    return [Articulation(*(float(number) for number in row)) for row in numbers]


def _width(width: NDArray[np.floating], calibration: Calibration) -> NDArray[np.floating]:
    """Relative change of the mouth's width, drawn toward what this mouth does."""
    wide = calibration.widening * LARGEST_WIDTH
    most = np.where(width < 0, min(wide, calibration.narrowing), wide)
    return most * np.tanh(calibration.widening * width / most)


def _lip_move(lip: NDArray[np.floating], gap: NDArray[np.floating], unit: float) -> NDArray[np.floating]:
    """A lip's move that its opening does not explain, IOD; lips that touch have none but being pressed."""
    own = LIPS_WEIGHT * unit * (lip - gap) * np.clip(gap / FREE_LIPS_GAP, 0, 1)
    return LARGEST_LIP_MOVE * np.tanh(own / LARGEST_LIP_MOVE)


def _shrunk(values: NDArray[np.floating], rest: float) -> NDArray[np.floating]:
    """Values shrunk toward zero by ``rest``: small ones vanish and nothing jumps."""
    return np.sign(values) * np.maximum(np.abs(values) - rest, 0)
