"""How much of a drawn motion is shown near frames without a face."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep

FADE_SECONDS = 0.16
"""Time in which motion grows after the face appears and dies before it goes."""


def presence_strength(present: NDArray[np.bool_], frame_rate: Fraction) -> NDArray[np.float64]:
    """How much of the motion is shown in each output frame: 0 without a face, growing to 1 away from such frames."""
    count = len(present)
    distance = np.full(count, np.inf)
    absent = np.flatnonzero(~present)
    if len(absent):
        after = np.searchsorted(absent, np.arange(count))
        before = absent[np.clip(after - 1, 0, None)]
        following = absent[np.clip(after, None, len(absent) - 1)]
        distance = np.minimum(np.abs(np.arange(count) - before), np.abs(following - np.arange(count)))
    return smoothstep(0, FADE_SECONDS * float(frame_rate) + 1, distance)
