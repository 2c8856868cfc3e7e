"""What the visible label should leave free."""

import numpy as np

from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.media.visible_label import Box, labelled_frames
from heygem_pipeline.settings import SyntheticLabel

MOUTH_AND_CHIN = [*range(5, 12), *range(31, 36), *range(48, 68)]
"""Of the 68 landmarks: the chin, the nose's base and the mouth."""


def mouth_and_chin(tracks: FaceTracks, frame_count: int, label: SyntheticLabel) -> Box | None:
    """Return what holds mouth and chin in all frames that show the label; None where no face is seen in them.

    Args:
        tracks: of the presenter.
        frame_count: of the clip.
        label: when it is shown.
    """
    labelled = labelled_frames(tracks.frame_rate, frame_count, label)
    return _held(tracks, {ping_pong(frame, len(tracks)) for frame in range(labelled)})


def mouth_and_chin_of_all(tracks: FaceTracks) -> Box | None:
    """Return what holds mouth and chin wherever the presenter moves; None where no face is seen."""
    return _held(tracks, set(range(len(tracks))))


def _held(tracks: FaceTracks, shown: set[int]) -> Box | None:
    seen = [frame for frame in sorted(shown) if tracks.present[frame]]
    if not seen:
        return None
    points = tracks.landmarks[seen][:, MOUTH_AND_CHIN].reshape(-1, 2)
    left, top = (int(side) for side in np.floor(points.min(axis=0)))
    right, bottom = (int(side) for side in np.ceil(points.max(axis=0)))
    return left, top, right, bottom
