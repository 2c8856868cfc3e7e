"""How far a drawn face is seen in each output frame."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.compositing import visibility_fade
from heygem_pipeline.speech.features import FEATURE_RATE


def speaking_at_frames(
    envelope: NDArray[np.float64], frame_rate: Fraction, count: int, moment: float = 0.0
) -> NDArray[np.float64]:
    """Float64 (count,): 1 in output frames in which somebody speaks, 0 in silence, with ramps of 100 ms between.

    Args:
        envelope: as ``speech_envelope`` returns it.
        moment: of a frame's time on the screen, 0 = its beginning .. 1 = its end.
    """
    rows = (np.arange(count) + moment) * float(FEATURE_RATE / frame_rate)
    return np.interp(rows, np.arange(len(envelope)), envelope, right=0)


def blend_strengths(
    speaking: NDArray[np.float64], parted: NDArray[np.floating], usable: NDArray[np.bool_], frame_rate: Fraction
) -> NDArray[np.float64]:
    """Float64 (count,): 0 = the presenter's own pixels .. 1 = the drawn face.

    Not where there is no face. In silence a presenter whose lips touch is seen as it is, for no drawing is as good; one
    whose lips are apart gets its mouth drawn there too, from silence, which shuts it.

    Args:
        speaking: as ``speaking_at_frames`` returns it.
        parted: 1 where the presenter's own lips are apart in an output frame, 0 where they touch.
        usable: whether an output frame shows a face to draw on.
    """
    return np.maximum(speaking, parted) * visibility_fade(usable, frame_rate)
