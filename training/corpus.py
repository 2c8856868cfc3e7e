"""The clips a mouth model is trained on: each with its speech and with what its mouth did."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import BadInput
from heygem_pipeline.faces.head_frame import transform_points
from heygem_pipeline.faces.mouth_measure import INNER_LOWER_POINTS, INNER_UPPER_POINTS, measure_mouth
from heygem_pipeline.faces.tracking import track_faces
from heygem_pipeline.faces.tracks import FaceTracks, read_tracks, write_tracks
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.sound import Sound, read_sound
from heygem_pipeline.speech.analysis import speech_activity
from heygem_pipeline.speech.features import FEATURE_RATE, MOVEMENTS, SpeechFeatures
from heygem_pipeline.speech.level import normalising_gain, row_levels
from heygem_pipeline.speech.mel import SAMPLE_RATE, log_mel
from heygem_pipeline.speech.speech_encoder import mel_decades, row_count

log = logging.getLogger(__name__)

LIMITED = {"grids1_": 30}
"""At most so many clips of one person with a small vocabulary (file names beginning so)."""

PEOPLE = {
    "grids1_": "GRID s1",
    "lipreadingus_": "GRID s1",
    "lipnet_": "GRID, unnamed",
    "grid_s4": "GRID s4",
    "grid_s3": "GRID s30 to s34",
    "grid_": "GRID, others",
    "edtalk_": "one driving voice, several faces",
    "aniportrait_": "AniPortrait",
    "livetalking_002": "LiveTalking 2",
    "livetalking_003": "LiveTalking 3",
    "sadtalker_022": "SadTalker still",
    "sadtalker_023": "SadTalker still",
    "sadtalker_024": "SadTalker still",
    "sadtalker_02": "SadTalker Japanese",
}
"""Who is seen or heard, by the beginning of the file name; the first that fits."""
NAMED_ANYWHERE = {"obama": "Obama", "rd_radio": "Obama", "daines": "Daines", "pelosi": "Pelosi"}
"""People with clips from several sources; these names come first."""

CLOSED_FRAMES_SHARE = 0.08
WIDE_PERCENTILE = 90
SMALLEST_SPAN = 0.02
"""IOD: what moves less in a clip is mostly noise and gives no standard units. (Usual spans: gap 0.13, jaw 0.11, lower
lip 0.13, upper lip 0.03.)"""
BY_DEVIATION = [1, 5, 6]
"""Channels that have no wide end: width, rounding, rolling."""
FURTHEST = 3.0
"""Standard units; what lies beyond is a tracking error."""


@dataclass(frozen=True)
class Example:
    """One clip.

    person: clips of one person or one voice share it and are held out together. kind: the folder (grid, addresses,
    generated). speech: its movement is unknown, zeros. mel: float32 (2 x rows, 80), as the speech encoder reads it.
    times: float64 (frames,), seconds. movement: float32 (frames, 5), deviations from the clip's middle,
    what the network learns. shape: float32 (frames, 5), standard units of ``predict_mouth_shape``. apart: float32
    (frames,), the gap in the same units but not smoothed over time, so that a closure of a frame or two shows. All NaN
    without a face.
    """

    name: str
    person: str
    kind: str
    speech: SpeechFeatures
    mel: NDArray[np.float32]
    times: NDArray[np.float64]
    movement: NDArray[np.float32]
    shape: NDArray[np.float32]
    apart: NDArray[np.float32]


def load_corpus(clips: Path, kept: Path) -> list[Example]:
    """Return all usable clips under ``clips / "train"``, sorted by name.

    kept: folder in which face tracks are kept between runs. Clips that the pipeline would refuse
    are left out and logged.
    """
    examples = []
    for path in _chosen(sorted((clips / "train").rglob("*.mp4"))):
        try:
            speech, mel, tracks = measured_clip(path, kept)
        except BadInput as error:
            log.warning("%s is left out: %s", path.name, error)
            continue
        examples.append(example_of(path, speech, mel, tracks))
        log.info("%s: %d frames, %s", path.name, len(tracks), examples[-1].person)
    return examples


def measured_clip(path: Path, kept: Path) -> tuple[SpeechFeatures, NDArray[np.float32], FaceTracks]:
    """The speech features, encoder's mel and face tracks of a clip; the tracks from ``kept`` or put there."""
    tracks_file = kept / f"{path.stem}.face.parquet"
    if not tracks_file.exists():
        write_tracks(track_faces(FrameSequence.open(path)), tracks_file)
    return *heard_speech(read_sound(path, SAMPLE_RATE)), read_tracks(tracks_file)


def heard_speech(sound: Sound) -> tuple[SpeechFeatures, NDArray[np.float32]]:
    """What is known of speech before there is a mouth network: features without movement, and the encoder's mel."""
    levels = row_levels(sound.samples)
    gain = normalising_gain(levels)
    speech = SpeechFeatures(
        duration=sound.duration,
        log_mel=log_mel(sound.samples, gain),
        level=levels,
        activity=speech_activity(sound.samples, gain),
        movement=np.zeros((len(levels), len(MOVEMENTS)), np.float32),
    )
    return speech, mel_decades(sound.samples, gain, 0, row_count(sound.samples))


def example_of(path: Path, speech: SpeechFeatures, mel: NDArray[np.float32], tracks: FaceTracks) -> Example:
    """Standardise what was measured, so that people and distances to the camera are alike."""
    mouth = measure_mouth(tracks)
    raw = np.stack(
        [mouth.gap, mouth.width, mouth.jaw, mouth.lower, -mouth.upper, mouth.rounding, mouth.rolling], axis=1
    )
    times = np.arange(len(tracks)) / float(tracks.frame_rate)
    spoken = np.interp(times, np.arange(len(speech.activity)) / FEATURE_RATE, speech.activity) > 0.5
    middle, deviation = np.nanmedian(raw, axis=0), np.nanstd(raw, axis=0)
    closed = np.nanmedian(raw[raw[:, 0] <= np.nanquantile(raw[:, 0], CLOSED_FRAMES_SHARE)], axis=0)
    heard = raw[spoken] if spoken.sum() > FEATURE_RATE // 4 else raw
    span = np.nanpercentile(heard, WIDE_PERCENTILE, axis=0) - closed
    span[BY_DEVIATION] = np.nanstd(heard[:, BY_DEVIATION], axis=0)
    span = np.where(span > SMALLEST_SPAN, span, np.nan)
    shape = np.clip((raw - closed) / span, -FURTHEST, FURTHEST)
    apart = np.clip((_gap_by_frame(tracks) - closed[0]) / span[0], -FURTHEST, FURTHEST)
    return Example(
        name=path.name,
        person=person_of(path.stem),
        kind=path.parent.name,
        speech=speech,
        mel=mel,
        times=times,
        movement=((raw - middle) / np.maximum(deviation, 1e-4)).astype(np.float32),
        shape=shape.astype(np.float32),
        apart=apart.astype(np.float32),
    )


def _gap_by_frame(tracks: FaceTracks) -> NDArray[np.float64]:
    """The opening between the inner lips, IOD, not smoothed over time."""
    heights = transform_points(tracks.raw_head, tracks.landmarks)[:, :, 1]
    return (heights[:, INNER_LOWER_POINTS] - heights[:, INNER_UPPER_POINTS]).mean(axis=1)


def person_of(stem: str) -> str:
    """Who is seen or heard in a clip of that name."""
    name = stem.lower()
    for part, person in NAMED_ANYWHERE.items():
        if part in name:
            return person
    return next((person for beginning, person in PEOPLE.items() if name.startswith(beginning)), stem)


def _chosen(paths: list[Path]) -> Iterator[Path]:
    for beginning, limit in LIMITED.items():
        yield from islice((path for path in paths if path.name.startswith(beginning)), limit)
    yield from (path for path in paths if not path.name.startswith(tuple(LIMITED)))
