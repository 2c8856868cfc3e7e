"""The mouth's shape in numbers, frame by frame: what the speech model learns and the engine drives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.faces.head_frame import transform_points
from heygem_pipeline.faces.mesh_points import MOUTH_BLENDSHAPES
from heygem_pipeline.faces.temporal_smoothing import savitzky_golay, window_length
from heygem_pipeline.faces.tracks import FaceTracks

MOUTH_SMOOTHING_SECONDS = 0.2
"""5 frames at 25 a second."""
SPEAKING_SPAN = 0.04
"""IOD between the usual small and large openings (10th and 90th percentile) of a mouth that speaks: a smile that lasts
is one mouth, not many. Of 50 clips those of people who speak had 0.045 and more, presenters who keep still up to
0.026."""
INNER_UPPER_POINTS = [61, 62, 63]
INNER_LOWER_POINTS = [67, 66, 65]
LOWER_LIP_POINTS = [56, 57, 58]
UPPER_LIP_POINTS = [50, 51, 52]
CHIN_POINTS = [7, 8, 9]
_BLENDSHAPES = list(MOUTH_BLENDSHAPES)
ROUNDING_BLENDSHAPES = [_BLENDSHAPES.index("mouthFunnel"), _BLENDSHAPES.index("mouthPucker")]
ROLLING_BLENDSHAPE = _BLENDSHAPES.index("mouthRollLower")


@dataclass(frozen=True)
class MouthShape:
    """Seven numbers a frame, float32 (frames,) each. Measured ones are NaN where there is no face.

    Attributes:
        gap: height of the opening between the inner lips (mean of three pairs), IOD as the next four.
        width: distance of the mouth's corners.
        jaw: how far the chin (points 7-9) lies below its place in the clip's median shape.
        lower: how far the lower edge of the lower lip lies below the origin of the head frame.
        upper: how far the upper edge of the upper lip lies below the origin of the head frame.
        rounding: how far the lips come forward and round, by the blendshapes (u, o); NaN where the tracker reads none.
        rolling: how far the lower lip lies under the teeth (f, v) or is rolled in, likewise.
    """

    gap: NDArray[np.float32]
    width: NDArray[np.float32]
    jaw: NDArray[np.float32]
    lower: NDArray[np.float32]
    upper: NDArray[np.float32]
    rounding: NDArray[np.float32]
    rolling: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.gap)


def measure_mouth(tracks: FaceTracks) -> MouthShape:
    """Return the mouth's shape in every frame, smoothed over 0.2 s (Savitzky-Golay, order 2) within runs of frames."""
    points = transform_points(tracks.raw_head, tracks.landmarks)
    heights = points[:, :, 1]
    corners = points[:, 54] - points[:, 48]
    measured = np.stack(
        [
            (heights[:, INNER_LOWER_POINTS] - heights[:, INNER_UPPER_POINTS]).mean(axis=1),
            np.hypot(corners[:, 0], corners[:, 1]),
            heights[:, CHIN_POINTS].mean(axis=1) - tracks.reference[CHIN_POINTS, 1].mean(),
            heights[:, LOWER_LIP_POINTS].mean(axis=1),
            heights[:, UPPER_LIP_POINTS].mean(axis=1),
        ],
        axis=1,
    )
    window = window_length(MOUTH_SMOOTHING_SECONDS, tracks.frame_rate)
    smooth = savitzky_golay(measured, tracks.present, window, cuts=tracks.cuts).astype(np.float32)
    gap, width, jaw, lower, upper = smooth.T
    shown = np.stack(
        [tracks.blendshapes[:, ROUNDING_BLENDSHAPES].sum(axis=1), tracks.blendshapes[:, ROLLING_BLENDSHAPE]], axis=1
    )
    read = tracks.present & np.isfinite(shown).all(axis=1)
    rounding, rolling = savitzky_golay(shown, read, window, cuts=tracks.cuts).astype(np.float32).T
    return MouthShape(np.maximum(gap, 0), width, jaw, lower, upper, rounding, rolling)


def opening_span(gaps: NDArray[np.floating]) -> float:
    """How far the usual small and large openings of a mouth are apart: its 10th and 90th percentile."""
    low, high = np.quantile(gaps, (0.1, 0.9))
    return float(high - low)
