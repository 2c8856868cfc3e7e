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
from heygem_pipeline.media.template import Template
from heygem_pipeline.speech.analysis import analyse_speech
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures, read_features, write_features

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
FURTHEST = 3.0
"""Standard units; what lies beyond is a tracking error."""


@dataclass(frozen=True)
class Example:
    """One clip.

    person: clips of one person or one voice share it and are held out together. kind: the folder (grid, addresses,
    generated). times: float64 (frames,), seconds. movement: float32 (frames, 5), deviations from the clip's middle,
    what the network learns. shape: float32 (frames, 5), standard units of ``predict_mouth_shape``. apart: float32
    (frames,), the gap in the same units but not smoothed over time, so that a closure of a frame or two shows. All NaN
    without a face.
    """

    name: str
    person: str
    kind: str
    speech: SpeechFeatures
    times: NDArray[np.float64]
    movement: NDArray[np.float32]
    shape: NDArray[np.float32]
    apart: NDArray[np.float32]


def load_corpus(clips: Path, kept: Path) -> list[Example]:
    """Return all usable clips under ``clips / "train"``, sorted by name.

    kept: folder in which speech features and face tracks are kept between runs. Clips that the pipeline would refuse
    are left out and logged.
    """
    examples = []
    for path in _chosen(sorted((clips / "train").rglob("*.mp4"))):
        try:
            speech, tracks = measured_clip(path, kept)
        except BadInput as error:
            log.warning("%s is left out: %s", path.name, error)
            continue
        examples.append(example_of(path, speech, tracks))
        log.info("%s: %d frames, %s", path.name, len(tracks), examples[-1].person)
    return examples


def measured_clip(path: Path, kept: Path) -> tuple[SpeechFeatures, FaceTracks]:
    """The speech features and face tracks of a clip, from ``kept`` or measured and kept there."""
    features_file, tracks_file = kept / f"{path.stem}.speech.parquet", kept / f"{path.stem}.face.parquet"
    if not features_file.exists():
        write_features(analyse_speech(path), features_file)
    if not tracks_file.exists():
        write_tracks(track_faces(Template.open(path)), tracks_file)
    return read_features(features_file), read_tracks(tracks_file)


def example_of(path: Path, speech: SpeechFeatures, tracks: FaceTracks) -> Example:
    """Standardise what was measured, so that people and distances to the camera are alike."""
    mouth = measure_mouth(tracks)
    raw = np.stack([mouth.gap, mouth.width, mouth.jaw, mouth.lower, -mouth.upper], axis=1)
    times = np.arange(len(tracks)) / float(tracks.frame_rate)
    spoken = np.interp(times, np.arange(len(speech.activity)) / FEATURE_RATE, speech.activity) > 0.5
    middle, deviation = np.nanmedian(raw, axis=0), np.nanstd(raw, axis=0)
    closed = np.nanmedian(raw[raw[:, 0] <= np.nanquantile(raw[:, 0], CLOSED_FRAMES_SHARE)], axis=0)
    heard = raw[spoken] if spoken.sum() > FEATURE_RATE // 4 else raw
    span = np.nanpercentile(heard, WIDE_PERCENTILE, axis=0) - closed
    span[1] = np.nanstd(heard[:, 1])
    span = np.where(span > SMALLEST_SPAN, span, np.nan)
    shape = np.clip((raw - closed) / span, -FURTHEST, FURTHEST)
    apart = np.clip((_gap_by_frame(tracks) - closed[0]) / span[0], -FURTHEST, FURTHEST)
    return Example(
        name=path.name,
        person=person_of(path.stem),
        kind=path.parent.name,
        speech=speech,
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
