"""The mouth of a finished clip: read anew from its pixels, and as the engine asked for it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_footage import MadeClip, frame_count
from heygem_pipeline.faces.head_frame import transform_points
from heygem_pipeline.faces.known_faces import read_known_faces
from heygem_pipeline.faces.mouth_measure import INNER_LOWER_POINTS, INNER_UPPER_POINTS, measure_mouth
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.warp.analysis.calibration import calibrate
from heygem_pipeline.lipsync.warp.articulation.retargeting import retarget
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.speech.mouth_shape import predict_mouth_shape

READINGS = 7
"""Landmark predictions averaged a frame, as many as the tracker averages: output and truth are read alike."""


def read_output(video: Path, presenter_tracks: FaceTracks) -> FaceTracks:
    """Tracks of a finished clip. Only where the face is comes from the presenter; every landmark is read anew."""
    clip = FrameSequence.open(video)
    count = clip.info.frame_count
    known = presenter_tracks.landmarks[[ping_pong(frame, len(presenter_tracks)) for frame in range(count)]]
    followed = read_known_faces(clip.frames(exact=False), known)
    return complete_tracks(followed, clip.frame_rate, (clip.info.width, clip.info.height))


def seen_gap(tracks: FaceTracks) -> NDArray[np.float64]:
    """Gap between the inner lips, IOD, steadied over 0.2 s; NaN without a face."""
    return measure_mouth(tracks).gap.astype(np.float64)


def seen_width(tracks: FaceTracks) -> NDArray[np.float64]:
    """Distance of the mouth's corners, IOD, steadied over 0.2 s; NaN without a face."""
    return measure_mouth(tracks).width.astype(np.float64)


def sharp_gap(tracks: FaceTracks) -> NDArray[np.float64]:
    """The gap, frame by frame: a closure of a frame or two is not smoothed away."""
    heights = transform_points(tracks.raw_head, tracks.landmarks)[:, :, 1]
    return (heights[:, INNER_LOWER_POINTS] - heights[:, INNER_UPPER_POINTS]).mean(axis=1)


def asked_gap(clip: MadeClip) -> NDArray[np.float64]:
    """The opening the engine asks for in each frame, IOD."""
    tracks = clip.presenter.tracks
    count = frame_count(clip.voice, clip.presenter)
    shape = predict_mouth_shape(clip.voice.speech, tracks.frame_rate, count)
    return np.array([wanted.gap for wanted in retarget(shape, calibrate(tracks, clip.presenter.own_speech))])
